#!/usr/bin/python3
"""captures_test.py SCRIPT SHIPPED: running the script gives the capture that we ship, byte for byte."""
import os
import subprocess
import sys
import tempfile

SKIP = 77

try:
    import scapy.all  # noqa: F401 (what the scripts need)
except ImportError:
    print("captures_test: skipped, python3-scapy is not installed", file=sys.stderr)
    sys.exit(SKIP)

script, shipped = sys.argv[1:]
with tempfile.TemporaryDirectory() as folder:
    made = os.path.join(folder, "made.pcap")
    subprocess.run([sys.executable, "-B", script, made], check=True)
    with open(made, "rb") as a, open(shipped, "rb") as b:
        if a.read() != b.read():
            sys.exit(f"captures_test: {script} no longer makes {shipped}: run it and look at the "
                     "difference")
