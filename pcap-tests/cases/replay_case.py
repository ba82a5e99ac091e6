"""What the cases of this folder share: running xdpland, making captures, reading what comes out.

A file of cases is a program: FILE --xdpland BINARY --progs FOLDER [NAME of a test]…
"""
import argparse
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

MAGIC_US, MAGIC_NS = 0xa1b2c3d4, 0xa1b23c4d
ETHERNET = 1
OK, DIFFERS, USAGE, ENVIRONMENT, REJECTED = range(5)
CHECK = ("--unproven", "check")


class Options:
    """Of the command line, for all cases."""
    xdpland = None
    progs = None


def pcap(packets, magic=MAGIC_NS, link_type=ETHERNET):
    """@packets: bytes, or (nanoseconds, bytes), or (nanoseconds, bytes, length on the wire)."""
    out = [struct.pack("<IHHiIII", magic, 2, 4, 0, 0, 262144, link_type)]
    for i, packet in enumerate(packets):
        time_ns, data, *wire = packet if isinstance(packet, tuple) else (
            1700000000_000000000 + i * 1000, packet)
        fraction = time_ns % 10**9 // (1 if magic == MAGIC_NS else 1000)
        out.append(struct.pack("<IIII", time_ns // 10**9, fraction, len(data),
                               wire[0] if wire else len(data)) + data)
    return b"".join(out)


def packet(*first, size=60):
    """A frame which begins with the bytes @first, on which the test programs act."""
    return bytes(first).ljust(size, b"\0")


class ReplayCase(unittest.TestCase):
    maxDiff = 4000

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="xdpland-case-")
        os.chmod(self.folder, 0o755)
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def file(self, name, content):
        """Writes @content (bytes, text, or what becomes JSON); returns the path."""
        if not isinstance(content, (bytes, str)):
            content = json.dumps(content)
        with open(self.path(name), "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        return self.path(name)

    def obj(self, name):
        return os.path.join(Options.progs, name + ".o")

    def run_xdpland(self, *args, **more):
        """Runs it; what it prints is text. A crash of any kind fails the test."""
        done = subprocess.run([Options.xdpland, *args], capture_output=True, timeout=100,
                              check=False, **more)
        self.assertGreaterEqual(done.returncode, 0, f"killed by a signal: {done.stderr}")
        for word in (b"Sanitizer", b"runtime error:"):
            self.assertNotIn(word, done.stderr)
        done.out = done.stdout.decode(errors="replace")
        done.err = done.stderr.decode(errors="replace")
        return done

    def replay(self, obj, packets, *options, code=OK):
        """Replays @packets through an object of this folder."""
        capture = self.file("in.pcap", packets if isinstance(packets, bytes) else pcap(packets))
        done = self.run_xdpland("replay", self.obj(obj), "--pcap", capture, *options)
        self.assertEqual(done.returncode, code, done.err)
        return done

    def replay_json(self, obj, packets, *options, code=OK):
        """Likewise with -j; returns (packets, other objects by their name but events)."""
        done = self.replay(obj, packets, "-j", *options, code=code)
        rows, others = [], {}
        for line in done.out.splitlines():
            row = json.loads(line)
            if "event" in row:
                continue
            if "n" in row:
                self.assertEqual(others, {}, "packets come before the rest")
                rows.append(row)
            else:
                others.update(row)
        self.assertIn("summary", others)
        return rows, others

    def dump(self, obj, packets, *options, code=OK):
        return self.replay_json(obj, packets, "--dump-maps", *options, code=code)[1]["maps"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--xdpland", required=True)
    parser.add_argument("--progs", required=True)
    parser.add_argument("tests", nargs="*")
    options = parser.parse_args()
    Options.xdpland = os.path.abspath(options.xdpland)
    Options.progs = os.path.abspath(options.progs)
    unittest.main(module="__main__", argv=[sys.argv[0], "-v", *options.tests])
