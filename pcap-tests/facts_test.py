#!/usr/bin/python3
"""What the verifier knows of programs is true of each register while packets run.

    facts_test.py XDPLAND CAPTURE OBJECTS...

Each object whose program runs is replayed with --check-facts; no fact may be wrong, and so many are
tested that this means something.
"""
import json
import os
import subprocess
import sys

AT_LEAST = 10_000_000
REFUSED = 4


def replay(xdpland, capture, path):
    """(facts tested, wrong, words); None where the verifier refuses it, as it shall."""
    run = subprocess.run([xdpland, "replay", path, "--pcap", capture, "--check-facts", "-j"],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if run.returncode == REFUSED and os.path.basename(path) == "refused.o":
        return 0, 0, "refused"
    try:
        facts = json.loads(run.stdout.splitlines()[-1])["summary"]["facts_checked"]
    except (ValueError, IndexError, KeyError):
        sys.exit(f"{path}: exit {run.returncode}: {run.stderr}")
    return facts["n"], facts["wrong"], facts.get("first", "")


def main():
    xdpland, capture, *objects = sys.argv[1:]
    total = total_wrong = 0
    for path in objects:
        n, wrong, words = replay(xdpland, capture, path)
        total += n
        total_wrong += wrong
        print(f"{'not ' if wrong else ''}ok {os.path.basename(path)}: {n} facts, {wrong} wrong {words}")
    print(f"{total} facts, {total_wrong} wrong")
    return total_wrong > 0 or total < AT_LEAST


if __name__ == "__main__":
    sys.exit(main())
