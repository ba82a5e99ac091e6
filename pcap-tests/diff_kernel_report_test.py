#!/usr/bin/python3
"""What `--diff kernel` says when something differs, and when it cannot compare.

    diff_kernel_report_test.py XDPLAND ROOT PROGS EXAMPLES
"""
import json
import os
import struct
import subprocess
import sys
import tempfile
import unittest

SKIP = 77
QUEUE = 5  # lo has one queue: the kernel shows 0 whatever we ask for


def replay(*args, **kwargs):
    return subprocess.run([XDPLAND, "replay", *args], capture_output=True, check=False,
                          text="input" not in kwargs, **kwargs)


def write_pcap(path, sizes):
    with open(path, "wb") as file:
        file.write(struct.pack("=IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for i, size in enumerate(sizes):
            file.write(struct.pack("=IIII", 1, i, size, size) + bytes(12) + b"\x08\0" +
                       bytes(size - 14) if size >= 14 else
                       struct.pack("=IIII", 1, i, size, size) + bytes(size))


def rows(done):
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return lines[:-1], lines[-1]["summary"]["diff"]


class Report(unittest.TestCase):
    def setUp(self):
        self.assorted = os.path.join(ROOT, "pcap-tests/assorted.pcap")
        self.queue = os.path.join(PROGS, "queue.o")

    def test_first_difference_is_told_whole(self):
        done = replay(self.queue, "--pcap", self.assorted, "--diff", "kernel", "-j",
                      "--rx-queue", str(QUEUE))
        packets, diff = rows(done)
        first = next(p["n"] for p in packets if p["verdict"] == "XDP_DROP")
        dropped = sum(p["verdict"] == "XDP_DROP" for p in packets)
        self.assertEqual(done.returncode, 1)
        self.assertGreater(first, 1)
        self.assertEqual((diff["compared"], diff["different"]), (len(packets), dropped))
        self.assertEqual((diff["first"]["n"], diff["first"]["byte"]), (first, 5))
        self.assertEqual(diff["first"]["here"]["verdict"], "XDP_DROP")
        self.assertEqual(diff["first"]["kernel"]["verdict"], "XDP_TX")
        self.assertEqual(diff["first"]["here"]["bytes"][10:12], "e5")
        self.assertEqual(diff["first"]["kernel"]["bytes"][10:12], "e0")
        self.assertTrue(any("queue 5" in note for note in diff["notes"]))

    def test_map_is_traced_to_one_packet_though_it_is_large(self):
        done = replay(self.queue, "--pcap", self.assorted, "--diff", "kernel", "-j",
                      "--rx-queue", str(QUEUE))
        packets, diff = rows(done)
        first = next(p["n"] for p in packets if p["verdict"] == "XDP_DROP")
        found = diff["map"]
        self.assertFalse(diff["maps_equal"])
        self.assertEqual((found["name"], found["first_packet"], found["last_packet"]),
                         ("large", first, first))
        self.assertEqual((found["byte"], found["field"]), (4, "queue"))
        self.assertEqual(found["here"][8:], "05000000")
        self.assertEqual(found["kernel"][8:], "00000000")

    def test_input_that_cannot_be_read_twice_gives_a_window(self):
        with open(self.assorted, "rb") as file:
            done = replay(self.queue, "--pcap", "-", "--diff", "kernel", "-j", "--rx-queue",
                          str(QUEUE), input=file.read())
        packets, diff = rows(done)
        first = next(p["n"] for p in packets if p["verdict"] == "XDP_DROP")
        self.assertEqual(done.returncode, 1)
        self.assertLessEqual(diff["map"]["first_packet"], first)
        self.assertGreaterEqual(diff["map"]["last_packet"], first)

    def test_a_person_reads_the_same(self):
        done = replay(self.queue, "--pcap", self.assorted, "--diff", "kernel", "--rx-queue",
                      str(QUEUE))
        self.assertEqual(done.returncode, 1)
        for words in ("different; maps differ",
                      "is the first that differs: XDP_DROP (1) here, XDP_TX (3) in the kernel",
                      "bytes differ from byte 5 on", "[e5]", "[e0]", "map large differs after packet",
                      "(queue)", "note: the kernel's port 1 has no queue 5"):
            self.assertIn(words, done.stdout)

    def test_equal_is_said_in_one_line(self):
        done = replay(self.queue, "--pcap", self.assorted, "--diff", "kernel")
        self.assertEqual(done.returncode, 0)
        self.assertIn("kernel: 136 packets compared, 136 equal, 0 different; maps equal",
                      done.stdout)

    def test_what_the_kernel_cannot_run_is_skipped_and_counted(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "sizes.pcap")
            write_pcap(path, [60, 10, 60, 3521, 3520, 9000, 14])
            done = replay(os.path.join(EXAMPLES, "counter.o"), "--pcap", path, "--diff", "kernel",
                          "-j")
        _, diff = rows(done)
        self.assertEqual(done.returncode, 0, diff)
        self.assertEqual(diff["compared"], 4)
        self.assertEqual(diff["skipped"],
                         {"shorter than 14 bytes": 1, "longer than 3520 bytes, in one piece": 2})
        # The counters here hold seven packets; the kernel's were brought up to date.
        self.assertTrue(diff["maps_equal"])

    def test_lru_map_that_evicts_is_left_out_and_said_so(self):
        done = replay(os.path.join(PROGS, "lru.o"), "--pcap", self.assorted, "--diff", "kernel",
                      "-j")
        _, diff = rows(done)
        self.assertEqual(done.returncode, 0, diff)
        self.assertTrue(diff["maps_equal"])
        self.assertEqual(len(diff["notes"]), 1)
        self.assertRegex(diff["notes"][0], "map flows: contents are not compared: .*evicts")

    def test_program_that_the_kernel_refuses_is_told_from_missing_privilege(self):
        done = replay(os.path.join(PROGS, "refused.o"), "--pcap", self.assorted, "--diff", "kernel",
                      "--unproven", "check")
        self.assertEqual(done.returncode, 4)
        self.assertRegex(done.stderr, "program refused: the kernel refuses it: .*outside of the packet")

    def test_without_privilege_it_says_what_is_missing(self):
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)
            copy = []
            for path in (XDPLAND, os.path.join(EXAMPLES, "counter.o"), self.assorted):
                copy.append(os.path.join(folder, os.path.basename(path)))
                subprocess.run(["cp", path, copy[-1]], check=True)
                os.chmod(copy[-1], 0o755)
            done = subprocess.run([copy[0], "replay", copy[1], "--pcap", copy[2], "--diff", "kernel"],
                                  capture_output=True, text=True, check=False, user="nobody",
                                  group="nogroup", extra_groups=[])
        self.assertEqual(done.returncode, 3)
        self.assertIn("--diff kernel needs root or CAP_BPF", done.stderr)

    def test_without_sys_it_does_not_guess_the_kernels_number_of_cpus(self):
        command = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs none /sys && exec "$@"', "-", XDPLAND,
                   "replay", os.path.join(EXAMPLES, "counter.o"), "--pcap", self.assorted]
        if subprocess.run(command[:5] + ["mount -t tmpfs none /sys"], capture_output=True,
                          check=False).returncode:
            self.skipTest("no mount namespace can be had")
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        done = subprocess.run(command + ["--diff", "kernel"], capture_output=True, text=True,
                              check=False)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("cannot read /sys/devices/system/cpu/possible", done.stderr)


if __name__ == "__main__":
    XDPLAND, ROOT, PROGS, EXAMPLES = sys.argv[1:5]
    probe = replay(os.path.join(EXAMPLES, "xdp_tx.o"), "--pcap",
                   os.path.join(ROOT, "pcap-tests/assorted.pcap"), "--diff", "kernel")
    if probe.returncode == 3:
        print(f"diff_kernel_report: skipped, {probe.stderr.strip()}", file=sys.stderr)
        sys.exit(SKIP)
    unittest.main(argv=sys.argv[:1])
