#!/usr/bin/python3
"""Packets that do not fit into a page: in fragments, as the kernel's test run lays them out, or
whole.

    fragments_test.py XDPLAND PROGS
"""
import json
import os
import random
import struct
import subprocess
import sys
import tempfile
import unittest

NOT_RUN = 3  # exit code: no privilege, no kernel BPF
LINEAR, PAGE, FRAGS = 3520, 4096, 17
LONGEST = LINEAR + FRAGS * PAGE


def write_pcap(path, packets):
    with open(path, "wb") as file:
        file.write(struct.pack("=IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))
        for i, packet in enumerate(packets):
            file.write(struct.pack("=IIII", 1, i, len(packet), len(packet)) + packet)


def read_pcapng(path):
    """The packets of the file, in order."""
    with open(path, "rb") as file:
        data = file.read()
    packets, at = [], 0
    while at < len(data):
        kind, size = struct.unpack_from("=II", data, at)
        if kind == 6:
            length, = struct.unpack_from("=I", data, at + 20)
            packets.append(data[at + 28:at + 28 + length])
        at += size
    return packets


def packets_of_all_sizes():
    rng = random.Random(3)
    seams = [LINEAR + i * PAGE + d for i in range(FRAGS + 1) for d in (-1, 0, 1)]
    sizes = [60, 1514, 4000, 9000, 60000] + seams + [rng.randint(3000, LONGEST) for _ in range(90)]
    return [rng.randbytes(size) for size in sizes if size <= LONGEST]


class Fragments(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.pcap = os.path.join(folder.name, "in.pcap")
        self.out = os.path.join(folder.name, "out.pcapng")
        self.object = os.path.join(PROGS, "fragments.o")
        self.dynptrs = os.path.join(PROGS, "dynptrs_long.o")

    def replay(self, packets, *args):
        write_pcap(self.pcap, packets)
        done = subprocess.run([XDPLAND, "replay", self.object, "--pcap", self.pcap, "-j", *args],
                              capture_output=True, check=False, text=True)
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        return done, rows[:-1], rows[-1]["summary"] if rows else {}

    def compare(self, *args):
        packets = packets_of_all_sizes()
        done, _, summary = self.replay(packets, "--diff", "kernel", *args)
        if done.returncode == NOT_RUN:
            self.skipTest(done.stderr.strip())
        self.assertEqual(done.returncode, 0, summary)
        self.assertEqual(summary["diff"]["compared"], len(packets))
        self.assertTrue(summary["diff"]["maps_equal"])

    def test_a_program_that_takes_fragments_behaves_as_in_the_kernel(self):
        self.compare("--prog", "fragments")

    def test_one_that_does_not_can_be_given_them_as_the_kernel_does(self):
        self.compare("--prog", "unaware", "--jumbo", "kernel")

    def test_dynptrs_reach_fragments_as_in_the_kernel(self):
        self.object = self.dynptrs
        self.compare("--prog", "dynptrs_long")

    def test_data_are_pulled_out_of_fragments_as_in_the_kernel(self):
        self.object = os.path.join(PROGS, "pull.o")
        self.compare("--prog", "pull_frags")
        self.compare("--prog", "pull", "--jumbo", "kernel")

    def test_iterators_over_far_numbers_behave_as_in_the_kernel(self):
        self.object = self.dynptrs
        self.compare("--prog", "far_iterators", "--jumbo", "kernel")

    def test_a_port_whose_fragments_cannot_grow_is_told(self):
        done, _, summary = self.replay([bytes(9000)], "--diff", "kernel", "--ifindex", "3")
        if done.returncode == NOT_RUN:
            self.skipTest(done.stderr.strip())
        self.assertTrue(any("port 3 lets no packet in fragments grow" in note
                            for note in summary["diff"]["notes"]), summary)

    def test_it_sees_all_of_a_packet_else(self):
        sizes = [3520, 3521, 9000, 60000]
        packets = [bytes(size) for size in sizes]
        for how, seen in (("auto", sizes), ("linear", sizes), ("kernel", [LINEAR] * 4)):
            _, rows, _ = self.replay(packets, "--prog", "sees", "--jumbo", how)
            self.assertEqual([row["retval"] for row in rows], seen, how)

    def test_what_comes_out_is_written_with_all_fragments(self):
        packets = [bytes(range(256)) * 30, bytes(60000)]
        self.replay(packets, "--prog", "sees", "--jumbo", "kernel", "--write", self.out)
        self.assertEqual(read_pcapng(self.out), packets)

    def test_what_has_too_many_fragments_for_the_kernel_comes_whole(self):
        _, rows, _ = self.replay([bytes(LONGEST), bytes(LONGEST + 1)], "--prog", "sees",
                                 "--jumbo", "kernel")
        self.assertEqual([row["retval"] for row in rows], [LINEAR, LONGEST + 1])

    def test_other_layouts_are_refused(self):
        done, _, _ = self.replay([bytes(60)], "--jumbo", "tiny")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--jumbo takes 'auto', 'linear' or 'kernel', not 'tiny'", done.stderr)


if __name__ == "__main__":
    XDPLAND, PROGS = sys.argv[1:]
    unittest.main(argv=sys.argv[:1])
