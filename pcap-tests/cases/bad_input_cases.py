#!/usr/bin/python3
"""Bad input: one clear line and the right exit code each, never a crash."""
import json
import os
import shutil
import struct

from replay_case import (CHECK, DIFFERS, ENVIRONMENT, OK, Options, REJECTED, ReplayCase, USAGE, main,
                         packet, pcap)


class BadCase(ReplayCase):
    def refuse(self, code, said, *args, **more):
        done = self.run_xdpland("replay", *args, **more)
        self.assertEqual(done.returncode, code, done.err)
        self.assertRegex(done.err, said)
        self.assertRegex(done.err, r"^xdpland replay: [^\n]*\n$", "one line")
        return done

    def capture(self, packets=(packet(2),)):
        return self.file("good.pcap", pcap(packets))

    def with_obj(self, content, code, said):
        return self.refuse(code, said, self.file("bad.o", content), "--pcap", self.capture())

    def with_pcap(self, content, code, said):
        return self.refuse(code, said, self.obj("verdicts"), "--pcap",
                           self.file("bad.pcap", content))


class Objects(BadCase):
    def good(self):
        with open(self.obj("verdicts"), "rb") as file:
            return file.read()

    def test_what_is_no_elf_file(self):
        self.with_obj(b"#!/bin/sh\n", REJECTED, r"bad\.o: not an ELF file")
        self.with_obj(b"", REJECTED, r"bad\.o: ")

    def test_another_machine(self):
        elf = bytearray(self.good())
        struct.pack_into("<H", elf, 18, 62)  # e_machine: x86-64
        self.with_obj(bytes(elf), REJECTED, r"bad\.o: compiled for x86-64, not for BPF")

    def test_truncated_objects(self):
        elf = self.good()
        for size in (16, 40, 63, 64, 100, len(elf) // 2, len(elf) - 1):
            with self.subTest(size=size):
                self.with_obj(elf[:size], REJECTED, r"bad\.o: ")

    def test_no_xdp_program(self):
        self.refuse(REJECTED, r"no_xdp\.o: no XDP program in it: 'classify'", self.obj("no_xdp"), "--pcap", self.capture())

    def test_an_unknown_helper_is_named(self):
        self.refuse(REJECTED, r"no_helper\.o: program 'no_helper' .*9999", self.obj("no_helper"), "--pcap", self.capture())

    def test_an_unknown_program(self):
        self.refuse(USAGE, r"no XDP program 'nosuch'; there is: verdicts", self.obj("verdicts"),
                    "--pcap", self.capture(), "--prog", "nosuch")
        self.refuse(USAGE, r"no XDP program 'inner'; there are: middle, zuerst, plain_b, plain_a",
                    self.obj("chain"), "--pcap", self.capture(), "--prog", "middle,inner")
        self.refuse(USAGE, r"--prog names 'middle' twice", self.obj("chain"), "--pcap",
                    self.capture(), "--prog", "middle,middle")

    def test_a_missing_or_unreadable_object(self):
        self.refuse(ENVIRONMENT, r"nosuch\.o: .*No such file", self.path("nosuch.o"), "--pcap",
                    self.capture())
        self.refuse(ENVIRONMENT, r": .*directory", self.folder, "--pcap", self.capture())

    def test_a_variable_that_is_not_there(self):
        self.refuse(USAGE, r"nosuch", self.obj("surroundings"), "--pcap", self.capture(), "--set",
                    "nosuch=1")
        self.refuse(USAGE, r"wanted", self.obj("surroundings"), "--pcap", self.capture(), "--set",
                    "wanted=many")
        self.refuse(USAGE, r"--set takes VARIABLE=VALUE, not 'wanted'", self.obj("surroundings"),
                    "--pcap", self.capture(), "--set", "wanted")


class Captures(BadCase):
    def test_what_is_no_capture(self):
        self.with_pcap(b"hello, world: this is no capture", USAGE,
                       r"bad\.pcap: not a pcap or pcapng file")
        self.with_pcap(b"", USAGE, r"bad\.pcap: is empty: not a pcap or pcapng file")

    def test_packets_before_the_damage_are_processed(self):
        good = pcap([packet(1), packet(2), packet(3)])
        done = self.with_pcap(good[:-7], USAGE,
                              r"bad\.pcap: cannot read on after packet 2, at byte 176: ")
        self.assertRegex(done.out, r"XDP_DROP +1 .*\nXDP_PASS +1 ")
        huge = good + struct.pack("<IIII", 0, 0, 2**31, 60)
        done = self.with_pcap(huge, USAGE, r"bad\.pcap: cannot read on after packet 3, at byte 252: ")
        self.assertRegex(done.out, r"all +3 ")

    def test_a_link_type_that_is_not_ethernet_is_named(self):
        self.with_pcap(pcap([packet(2)], link_type=113), USAGE, r"LINUX_SLL \(113\)")
        self.with_pcap(pcap([packet(2)], link_type=101), USAGE, r"RAW \(12\)")

    def test_a_missing_capture(self):
        self.refuse(ENVIRONMENT, r"nosuch\.pcap: .*No such file", self.obj("verdicts"), "--pcap",
                    self.path("nosuch.pcap"))

    def test_a_file_without_permission(self):
        path = self.capture()
        os.chmod(path, 0)
        more = {} if os.geteuid() else {"user": 65534, "group": 65534, "extra_groups": []}
        obj = shutil.copy(self.obj("verdicts"), self.folder)
        # A copy, since the build may lie where only its owner can look.
        binary, Options.xdpland = Options.xdpland, shutil.copy(Options.xdpland, self.folder)
        try:
            self.refuse(ENVIRONMENT, r"good\.pcap: .*Permission denied", obj, "--pcap", path,
                        **more)
        finally:
            Options.xdpland = binary

    def test_the_capture_is_not_written_over(self):
        path = self.capture()
        self.refuse(USAGE, r"that is the capture being read", self.obj("verdicts"), "--pcap", path,
                    "--write", path)
        self.refuse(USAGE, r"that is the capture being read", self.obj("verdicts"), "--pcap", path,
                    "--dump-maps=" + path)
        self.assertEqual(os.path.getsize(path), 24 + 16 + 60)

    def test_the_object_is_not_written_over(self):
        obj = shutil.copy(self.obj("verdicts"), self.folder)
        size = os.path.getsize(obj)
        for option in ("--write=", "--dump-maps="):
            self.refuse(USAGE, r"that is the object file", obj, "--pcap", self.capture(),
                        option + obj)
        self.assertEqual(os.path.getsize(obj), size)

    def test_a_pipe_is_not_read_twice(self):
        with open(self.capture(), "rb") as file:
            self.refuse(USAGE, r"standard input: cannot be read twice",
                        self.obj("verdicts"), "--pcap", "-", "--loop", "2", input=file.read())


class Arguments(BadCase):
    def test_wrong_options(self):
        obj, capture = self.obj("verdicts"), self.capture()
        for said, args in (
                (r"no object file; usage: ", []),
                (r"no --pcap; usage: ", [obj]),
                (r"one object file at a time; usage: ", [obj, obj, "--pcap", capture]),
                (r"no option '--frobnicate'", [obj, "--pcap", capture, "--frobnicate"]),
                (r"--pcap wants FILE", [obj, "--pcap"]),
                (r"--cpu takes a number .* not 'x'", [obj, "--pcap", capture, "--cpu", "x"]),
                (r"--cpu takes a number below", [obj, "--pcap", capture, "--cpu", "100000"]),
                (r"no engine 'magic'; there is: interp", [obj, "--pcap", capture, "--engine=magic"]),
                (r"--diff takes 'kernel', not 'x'", [obj, "--pcap", capture, "--diff=x"]),
                (r"--loop takes a number from 1", [obj, "--pcap", capture, "--loop=0"])):
            with self.subTest(args=args):
                self.refuse(USAGE, said, *args)

    def test_a_missing_map_or_fib_file(self):
        self.refuse(ENVIRONMENT, r"nosuch\.json: .*No such file", self.obj("verdicts"), "--pcap",
                    self.capture(), "--map", "ports=" + self.path("nosuch.json"))
        self.refuse(ENVIRONMENT, r"nosuch\.json: .*No such file", self.obj("verdicts"), "--pcap",
                    self.capture(), "--fib", self.path("nosuch.json"))
        self.refuse(USAGE, r"fib\.json", self.obj("verdicts"), "--pcap", self.capture(), "--fib",
                    self.file("fib.json", "[{"))

    def test_a_missing_btf_file(self):
        self.refuse(ENVIRONMENT, r"nosuch\.btf: .*No such file", self.obj("verdicts"), "--pcap",
                    self.capture(), "--btf", self.path("nosuch.btf"))

    def test_files_that_cannot_be_made(self):
        self.refuse(ENVIRONMENT, r"/out\.pcapng: .*No such file", self.obj("verdicts"), "--pcap",
                    self.capture(), "--write", self.path("nosuch/out.pcapng"))
        self.refuse(ENVIRONMENT, r"/maps\.json: .*No such file", self.obj("verdicts"), "--pcap",
                    self.capture(), "--dump-maps=" + self.path("nosuch/maps.json"))
        same = self.path("same")
        self.refuse(USAGE, r"--dump-maps and --write name the same file", self.obj("verdicts"),
                    "--pcap", self.capture(), "--write", same, "--dump-maps=" + same)

    def test_a_full_disk_is_told(self):
        done = self.run_xdpland("replay", self.obj("verdicts"), "--pcap", self.capture(),
                                "--dump-maps=/dev/full")
        self.assertEqual(done.returncode, ENVIRONMENT)
        self.assertIn("/dev/full: cannot write: No space left on device", done.err)

    def test_maps_of_a_replay_that_never_began_leave_the_file_alone(self):
        old = self.file("maps.json", "precious")
        self.refuse(USAGE, r"bad\.pcap", self.obj("verdicts"), "--pcap",
                    self.file("bad.pcap", b"?"), "--dump-maps=" + old)
        with open(old, encoding="ascii") as file:
            self.assertEqual(file.read(), "precious")

    def test_a_shorter_dump_replaces_a_longer_one_whole(self):
        old = self.file("maps.json", "x" * 1000000)
        done = self.run_xdpland("replay", self.obj("verdicts"), "--pcap", self.capture(),
                                "--dump-maps=" + old)
        self.assertEqual(done.returncode, OK, done.err)
        with open(old, encoding="ascii") as file:
            self.assertIn("maps", json.load(file))

    def test_the_worst_decides_the_exit_code(self):
        good = pcap([packet(12), packet(2)])
        done = self.run_xdpland("replay", self.obj("mistakes"), *CHECK, "--pcap",
                                self.file("bad.pcap", good[:-1]))
        self.assertEqual(done.returncode, USAGE)
        done = self.run_xdpland("replay", self.obj("mistakes"), *CHECK, "--pcap",
                                self.file("bad.pcap", good))
        self.assertEqual(done.returncode, DIFFERS)

    def test_verbs(self):
        self.assertEqual(self.run_xdpland("--help").returncode, OK)
        self.assertIn("replay", self.run_xdpland("--help").out)
        done = self.run_xdpland("relpay")
        self.assertEqual(done.returncode, USAGE)
        self.assertIn("no verb 'relpay'", done.err)
        for words in (["prog"], ["prog", "--help"], ["map", "lsit"]):
            done = self.run_xdpland(*words)
            self.assertEqual(done.returncode, USAGE)
            self.assertIn(f"there is: xdpland {words[0]} list;", done.err)


if __name__ == "__main__":
    main()
