#!/usr/bin/python3
"""What a program sees, that it is the same each time, and how replay behaves as a process."""
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import time

from replay_case import ENVIRONMENT, OK, Options, ReplayCase, main, packet, pcap


class Surroundings(ReplayCase):
    def seen(self, packets, *options):
        maps = self.dump("surroundings", packets, *options)
        return [e["formatted"]["value"] for e in maps["seen"]]

    def test_time_is_the_captures_and_never_goes_back(self):
        times = [1700000000_000000005, 1700000000_000000009, 1700000000_000000007,
                 1700000000_000000030]
        seen = self.seen([(t, packet(0)) for t in times])
        self.assertEqual([s["ktime"] for s in seen], [times[0], times[1], times[1], times[3]])

    def test_time_goes_on_where_the_capture_begins_again(self):
        seen = self.seen([(1000, packet(0)), (1500, packet(0))], "--loop", "3")
        self.assertEqual([s["ktime"] for s in seen], [1000, 1500, 2500, 3000, 4000, 4500])

    def test_defaults_are_those_of_the_kernels_test_run(self):
        seen = self.seen([packet(0)])[0]
        self.assertEqual((seen["cpu"], seen["ifindex"], seen["queue"]), (0, 1, 0))

    def test_cpu_interface_and_queue_are_what_is_asked_for(self):
        seen = self.seen([packet(0)], "--cpu=5", "--ifindex", "44", "--rx-queue=6")[0]
        self.assertEqual((seen["cpu"], seen["ifindex"], seen["queue"]), (5, 44, 6))

    def test_globals_can_be_set(self):
        seen = self.seen([packet(0)], "--set", "wanted=0x20", "--set=label=hi", "--set", "total=9")
        self.assertEqual((seen[0]["wanted"], seen[0]["label"]), (32, "hi"))
        maps = self.dump("surroundings", [packet(0)], "--set", "total=9")
        self.assertEqual(maps["seen"][0]["formatted"]["key"], 9)

    def test_what_the_program_prints_goes_to_stderr_when_verbose(self):
        done = self.replay("surroundings", [packet(0), packet(0, size=61)], "-v")
        self.assertEqual(done.err, "xdpland replay: packet 1 prints: packet 0 of 60 bytes\n"
                                   "xdpland replay: packet 2 prints: packet 1 of 61 bytes\n")
        self.assertEqual(self.replay("surroundings", [packet(0)]).err, "")

    def test_help_names_every_option(self):
        done = self.run_xdpland("replay", "--help")
        self.assertEqual((done.returncode, done.err), (OK, ""))
        for option in ("--pcap", "--prog", "--write", "-j, --json", "-v, --verbose", "--map",
                       "--dump-maps[=FILE]", "--set", "--cpu", "--ifindex", "--rx-queue", "--fib",
                       "--loop", "--limit", "--engine", "--btf", "--diff", "--insn-limit",
                       "--events"):
            self.assertIn(option, done.out)


class Repeats(ReplayCase):
    PACKETS = [(1700000000_000000000 + i * 1000, packet(0, size=60 + i)) for i in range(200)]

    def outputs(self, binary, folder, **more):
        out = os.path.join(folder, "out.pcapng")
        command = [binary, "replay", self.obj_path, "--pcap", self.capture, "-j", "--dump-maps",
                   "--write", out]
        done = subprocess.run(command, capture_output=True, check=True, timeout=60, **more)
        with open(out, "rb") as file:
            return done.stdout, done.stderr, file.read()

    def prepare(self):
        self.capture = self.file("in.pcap", pcap(self.PACKETS))
        self.obj_path = shutil.copy(self.obj("surroundings"), self.folder)

    def test_two_runs_are_the_same_to_the_byte(self):
        self.prepare()
        first = self.outputs(Options.xdpland, self.folder)
        self.assertEqual(first, self.outputs(Options.xdpland, self.folder))
        self.assertGreater(len(first[0]), 10000)

    def test_nobody_without_capabilities_gets_the_same(self):
        if os.geteuid():
            self.skipTest("not root: this is no different from the other test")
        self.prepare()
        # Copies, since the build may lie where only its owner can look.
        binary = shutil.copy(Options.xdpland, self.folder)
        own = self.path("nobody")
        os.mkdir(own)
        os.chown(own, 65534, 65534)
        self.assertEqual(
            self.outputs(Options.xdpland, self.folder),
            self.outputs(binary, own, user=65534, group=65534, extra_groups=[], cwd="/"))


class Streams(ReplayCase):
    N = 1000000

    def million(self):
        one = pcap([packet(2, size=14)])
        return self.file("in.pcap", one[:24] + one[24:] * self.N)

    def test_a_million_packets_show_progress_on_a_terminal(self):
        command = [Options.xdpland, "replay", self.obj("verdicts"), "--pcap", self.million()]
        master, slave = pty.openpty()
        start = time.monotonic()
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=slave) as process:
            os.close(slave)
            shown = self.read_all(master)
            out = process.stdout.read().decode()
        seconds = time.monotonic() - start
        os.close(master)
        self.assertEqual(process.returncode, OK)
        self.assertIn(f"{self.N}   100.00 %", out)
        self.assertRegex(shown, r"\r\d+ packets, \d+ %, \d+\.\d\d Mpps")
        self.assertLessEqual(shown.count("Mpps"), 5 * seconds + 1)
        self.assertTrue(shown.endswith("\r\x1b[K"), "the line is taken away at the end")

    @staticmethod
    def read_all(fd):
        data = b""
        while True:
            select.select([fd], [], [], 60)
            try:
                part = os.read(fd, 65536)
            except OSError:  # the other side is closed
                part = b""
            if not part:
                return data.decode()
            data += part

    def test_a_million_packets_show_none_in_a_pipe(self):
        done = self.run_xdpland("replay", self.obj("verdicts"), "--pcap", self.million())
        self.assertEqual((done.returncode, done.err), (OK, ""))
        self.assertIn(f"{self.N}   100.00 %", done.out)

    def test_a_reader_that_goes_away_ends_it_quietly(self):
        capture = self.file("in.pcap", pcap([packet(2)] * 20000))
        command = [Options.xdpland, "replay", self.obj("verdicts"), "--pcap", capture, "-j",
                   "--loop", "1000000"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            self.assertIn(b'"n":1,', process.stdout.readline())
            process.stdout.close()
            err = process.stderr.read()
        self.assertEqual((process.returncode, err), (OK, b""))

    def test_an_interrupt_ends_it_with_the_report(self):
        capture = self.file("in.pcap", pcap([packet(2)] * 1000))
        out = self.path("out.pcapng")
        command = [Options.xdpland, "replay", self.obj("verdicts"), "--pcap", capture, "-v",
                   "--loop", "1000000000", "--write", out]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            process.stdout.readline()
            process.send_signal(signal.SIGINT)
            text, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, -signal.SIGINT)
        told = re.fullmatch(rb"xdpland replay: interrupted after packet (\d+)\n", err)
        self.assertTrue(told, err)
        self.assertRegex(text, rb"\nall +%s +100.00 %%" % told[1])
        done = self.run_xdpland("replay", self.obj("verdicts"), "--pcap", out)
        self.assertEqual((done.returncode, done.err), (OK, ""))
        self.assertRegex(done.out, rf"\nall +{int(told[1])} ")

    def test_a_full_disk_is_noticed(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("no /dev/full")
        capture = self.file("in.pcap", pcap([packet(2)] * 10))
        command = [Options.xdpland, "replay", self.obj("verdicts"), "--pcap", capture]
        with open("/dev/full", "wb") as full:
            done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, timeout=60,
                                  check=False)
        self.assertEqual(done.returncode, ENVIRONMENT)
        self.assertIn(b"standard output: cannot write: No space left on device", done.stderr)
        for option in ("--write=/dev/full", "--dump-maps=/dev/full"):
            done = self.replay("verdicts", [packet(2)] * 10, option, code=ENVIRONMENT)
            self.assertIn("/dev/full: cannot write: No space left on device", done.err)


if __name__ == "__main__":
    main()
