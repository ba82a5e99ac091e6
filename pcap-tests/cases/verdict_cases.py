#!/usr/bin/python3
"""What replay says of packets: verdicts, redirects, chains, the capture that it writes."""
import hashlib
import shutil
import struct
import subprocess

from replay_case import CHECK, DIFFERS, OK, REJECTED, USAGE, ReplayCase, main, packet, pcap

PORTS = [{"key": 3, "value": {"ifindex": 9}}, {"key": 0, "value": 4}]
CPUS = [{"key": 1, "value": {"qsize": 192}}]
SOCKETS = [{"key": 2, "value": 5}]


class Verdicts(ReplayCase):
    def maps(self):
        return ["--map", "ports=" + self.file("ports.json", PORTS),
                "--map", "cpus=" + self.file("cpus.json", CPUS),
                "--map", "sockets=" + self.file("sockets.json", SOCKETS)]

    def test_each_packet_is_one_object(self):
        packets = [(1700000000_123456789, packet(2)), (1700000001_000000001, packet(3, size=90))]
        done = self.replay("verdicts", packets, "-j")
        sha1 = [hashlib.sha1(p[1]).hexdigest() for p in packets]
        self.assertEqual(done.out.splitlines()[:2], [
            '{"n":1,"ts":1700000000.123456789,"len_in":60,"verdict":"XDP_PASS","retval":2,'
            f'"len_out":60,"sha1":"{sha1[0]}"}}',
            '{"n":2,"ts":1700000001.000000001,"len_in":90,"verdict":"XDP_TX","retval":3,'
            f'"len_out":90,"sha1":"{sha1[1]}"}}'])
        self.assertEqual(done.err, "")

    def test_every_verdict_is_told(self):
        rows, rest = self.replay_json("verdicts", [packet(i) for i in (0, 1, 2, 3, 9)])
        self.assertEqual([(r["verdict"], r["retval"]) for r in rows],
                         [("XDP_ABORTED", 0), ("XDP_DROP", 1), ("XDP_PASS", 2), ("XDP_TX", 3),
                          ("XDP_ABORTED", 77)])
        self.assertTrue(all("redirect" not in r and "fault" not in r for r in rows))
        self.assertEqual(rest["summary"]["packets"], 5)
        self.assertEqual(rest["summary"]["bytes"], 300)
        self.assertEqual(rest["summary"]["verdicts"],
                         {"XDP_ABORTED": 2, "XDP_DROP": 1, "XDP_PASS": 1, "XDP_TX": 1})

    def test_every_redirect_names_its_target(self):
        rows, rest = self.replay_json(
            "verdicts", [packet(4, 7), packet(5, 3), packet(6, 1), packet(7, 2), packet(8),
                         packet(10)], *self.maps())
        self.assertEqual([r["verdict"] for r in rows], ["XDP_REDIRECT"] * 6)
        self.assertEqual([r["redirect"] for r in rows], [
            {"kind": "ifindex", "ifindex": 7},
            {"kind": "devmap", "map": "ports", "key": 3, "ifindex": 9},
            {"kind": "cpumap", "map": "cpus", "key": 1},
            {"kind": "xskmap", "map": "sockets", "key": 2},
            {"kind": "devmap_all", "map": "ports", "exclude_ingress": True},
            {"kind": "none"}])
        self.assertEqual(rest["summary"]["redirects"],
                         {"redirect:7": 1, "redirect:ports[3]": 1, "redirect:cpus[1]": 1,
                          "redirect:sockets[2]": 1, "redirect:ports[*]": 1, "redirect:nowhere": 1})

    def test_every_target_is_counted_by_itself(self):
        packets = [packet(4, i) for i in range(256)] * 3
        _, rest = self.replay_json("verdicts", packets)
        self.assertEqual(rest["summary"]["redirects"], {f"redirect:{i}": 3 for i in range(256)})

    def test_a_redirect_to_an_empty_slot_is_what_the_flags_say(self):
        rows, _ = self.replay_json("verdicts", [packet(5, 1), packet(7, 1)], *self.maps())
        self.assertEqual([r["verdict"] for r in rows], ["XDP_ABORTED", "XDP_PASS"])

    def test_rewritten_bytes_are_told_by_their_hash(self):
        rows, _ = self.replay_json("verdicts", [packet(11, 1, 2, 3)])
        self.assertEqual(rows[0]["len_out"], 80)
        self.assertEqual(rows[0]["sha1"],
                         hashlib.sha1(b"\xee" * 20 + packet(11, 1, 2, 3)).hexdigest())

    def test_the_table_counts_and_names(self):
        done = self.replay("verdicts", [packet(1), packet(1), packet(2, size=1000), packet(4, 7)])
        self.assertEqual(done.out, """\
verdicts: verdicts

Verdict             packets      share          bytes
XDP_DROP                  2    50.00 %            120
XDP_PASS                  1    25.00 %           1000
XDP_REDIRECT              1    25.00 %             60
all                       4   100.00 %           1180

Redirected to                packets          bytes
redirect:7                         1             60
""")

    def test_verbose_has_a_line_per_packet(self):
        done = self.replay("verdicts", [packet(11), packet(5, 3), packet(9)], "-v", *self.maps())
        lines = [" ".join(line.split()) for line in done.out.splitlines()[:3]]
        self.assertEqual(lines, [
            "1 1700000000.000000000 60 -> 80 XDP_TX",
            "2 1700000000.000001000 60 -> 60 XDP_REDIRECT redirect:ports[3] (ifindex 9)",
            "3 1700000000.000002000 60 -> 60 XDP_ABORTED returned 77"])

    def test_a_program_that_errs_is_stopped_and_the_next_packet_runs(self):
        done = self.replay("mistakes", [packet(2), packet(12), packet(13), packet(3)], "-v",
                           "--insn-limit", "10000", *CHECK, code=DIFFERS)
        self.assertRegex(done.err, r"packet 2: insn \d+ of verdicts .*verdicts\.bpf\.c:\d+.*"
                                   r"packet has 60 bytes")
        self.assertRegex(done.err, r"packet 3: insn \d+ of verdicts .*10000")
        self.assertRegex(done.err, r"note: program 'verdicts' runs without proof, .*infinite loop detected")
        self.assertEqual(len(done.err.splitlines()), 3)
        self.assertIn("Stopped by an error of the program: 2 of the aborted.", done.out)
        self.assertRegex(done.out, r"\n +1  instruction \d+ of verdicts, .*verdicts\.bpf\.c:\d+")
        self.assertIn("XDP_TX", done.out)
        rows, rest = self.replay_json("mistakes", [packet(12), packet(2)], *CHECK, code=DIFFERS)
        self.assertEqual(rows[0]["verdict"], "XDP_ABORTED")
        self.assertIn("packet has 60 bytes", rows[0]["fault"])
        self.assertEqual(rest["summary"]["faults"], 1)

    def test_many_faults_are_counted_by_their_place(self):
        done = self.replay("mistakes", [packet(12)] * 30, *CHECK, code=DIFFERS)
        lines = done.err.splitlines()
        self.assertEqual(len(lines), 12)
        self.assertIn("20 more packets stopped the program", lines[11])
        _, rest = self.replay_json("mistakes", [packet(12), packet(13)] * 3, "--insn-limit",
                                   "10000", *CHECK, code=DIFFERS)
        self.assertEqual([p["packets"] for p in rest["summary"]["fault_places"]], [3, 3])
        self.assertEqual({p["prog"] for p in rest["summary"]["fault_places"]}, {"verdicts"})

    def test_what_is_not_proven_is_refused_with_its_line(self):
        done = self.replay("mistakes", [packet(2)], code=REJECTED)
        self.assertRegex(done.err, r"program 'verdicts' cannot run: infinite loop detected .*, "
                                   r"at instruction \d+, .*verdicts\.bpf\.c:\d+: ")
        self.assertEqual(self.replay("mistakes", [], "--unproven", "refuse", code=REJECTED).err,
                         done.err)
        self.assertIn("--unproven takes 'check' or 'refuse', not 'run'",
                      self.replay("mistakes", [], "--unproven", "run", code=USAGE).err)

    def test_packets_of_any_length_run(self):
        sizes = [0, 1, 13, 14, 15, 1514, 3520, 3521, 9000, 65535, 262144]
        rows, _ = self.replay_json("verdicts", [packet(2, size=n)[:n] for n in sizes])
        self.assertEqual([r["len_in"] for r in rows], sizes)
        self.assertEqual([r["len_out"] for r in rows], sizes)

    def test_packets_that_the_capture_cut_are_counted(self):
        done = self.replay("verdicts", [(0, packet(2), 1514), (1, packet(2), 60)])
        self.assertIn("saw their first bytes only: 1.\n", done.out)
        _, rest = self.replay_json("verdicts", [(0, packet(2), 1514), (1, packet(2), 60)])
        self.assertEqual(rest["summary"]["cut"], 1)

    def test_an_empty_capture_is_fine(self):
        self.assertIn("all                       0", self.replay("verdicts", []).out)

    def test_limit_stops_and_loop_repeats(self):
        packets = [packet(i) for i in (1, 2, 3)]
        for options, verdicts in ((["--limit", "2"], [1, 2]), (["--limit=0"], [1, 2, 3]),
                                  (["--loop=3"], [1, 2, 3] * 3),
                                  (["--loop", "5", "--limit", "4"], [1, 2, 3, 1])):
            rows, _ = self.replay_json("verdicts", packets, *options)
            self.assertEqual([r["retval"] for r in rows], verdicts)
            self.assertEqual([r["n"] for r in rows], list(range(1, len(verdicts) + 1)))
        self.assertIn("all                       0",
                      self.replay("verdicts", [], "--loop", "1000000000000").out)

    def test_standard_input_is_read(self):
        done = self.run_xdpland("replay", self.obj("verdicts"), "--pcap", "-",
                                input=pcap([packet(1), packet(2)]))
        self.assertEqual(done.returncode, OK)
        self.assertIn("all                       2", done.out)
        done = self.run_xdpland("replay", self.obj("verdicts"), "--pcap", "-", "--loop", "2",
                                input=pcap([packet(1)]))
        self.assertEqual(done.returncode, USAGE)
        self.assertIn("standard input: cannot be read twice", done.err)


class Written(ReplayCase):
    """--write"""

    PACKETS = [(1700000000_123456789, packet(2)), packet(11), packet(1), packet(0), packet(4, 7),
               packet(5, 0), packet(12), packet(2, size=61)]

    def write(self):
        out = self.path("out.pcapng")
        self.replay("mistakes", self.PACKETS, "--write", out, "--rx-queue", "3", "--map",
                    "ports=" + self.file("ports.json", PORTS), *CHECK, code=DIFFERS)
        return out

    def test_it_replays_again(self):
        with open(self.write(), "rb") as file:
            written = file.read()
        rows, _ = self.replay_json("mistakes", written, *CHECK, code=DIFFERS)
        self.assertEqual([r["len_in"] for r in rows], [60, 80, 60, 60, 60, 60, 60, 61])
        self.assertEqual(rows[0]["ts"], 1700000000.123456789)

    def test_wireshark_reads_ways_verdicts_and_comments(self):
        if not shutil.which("tshark"):
            self.skipTest("no tshark")
        fields = ["frame.number", "frame.interface_name", "frame.verdict.ebpf_xdp",
                  "frame.packet_id", "frame.len", "frame.interface_queue", "frame.time_epoch"]
        out = self.write()
        command = ["tshark", "-n", "-r", out, "-T", "fields"]
        done = subprocess.run(command + [x for f in fields for x in ("-e", f)], check=True,
                              capture_output=True, text=True)
        rows = [dict(zip(fields, line.split("\t"))) for line in done.stdout.splitlines()]
        self.assertEqual([r["frame.interface_name"] for r in rows],
                         ["pass", "tx", "drop", "aborted", "redirect:7", "redirect:ports[0]",
                          "aborted", "pass"])
        self.assertEqual([int(r["frame.verdict.ebpf_xdp"]) for r in rows],
                         [2, 3, 1, 0, 4, 4, 0, 2])
        self.assertEqual([int(r["frame.packet_id"]) for r in rows], list(range(1, 9)))
        self.assertEqual([int(r["frame.len"]) for r in rows], [60, 80, 60, 60, 60, 60, 60, 61])
        self.assertEqual({r["frame.interface_queue"] for r in rows}, {"3"})
        self.assertEqual(rows[0]["frame.time_epoch"], "1700000000.123456789")
        comments = subprocess.run(["tshark", "-n", "-r", out, "-Y", "frame.comment", "-T",
                                   "fields", "-e", "frame.number", "-e", "frame.comment"],
                                  check=True, capture_output=True, text=True).stdout
        self.assertRegex(comments, r"^7\tinsn \d+ of verdicts")

    def test_it_can_go_to_standard_output(self):
        done = self.replay("verdicts", [packet(2)], "--write", "-")
        self.assertEqual(done.stdout[:4], struct.pack("<I", 0x0a0d0d0a))
        self.assertIn("XDP_PASS", done.err)
        done = self.replay("verdicts", [packet(2)], "--write", "-", "-j", code=USAGE)
        self.assertIn("standard output", done.err)


class Chains(ReplayCase):
    """Several programs: libxdp's order, its chain-call actions."""

    ALL = ["--prog", "plain_b", "--prog=plain_a,middle", "--prog", "zuerst"]

    def trail(self, *first, options=None):
        rows, rest = self.replay_json("chain", [packet(*first)], "--dump-maps",
                                      *(options or self.ALL))
        return rest["maps"]["trail"][0]["formatted"]["value"], rows[0]["verdict"], rows[0]["prog"]

    def test_priority_then_name_then_the_end(self):
        self.assertEqual(self.trail(2, 2, 2, 2), (1234, "XDP_PASS", ""))

    def test_a_verdict_that_is_no_chain_action_ends_it(self):
        self.assertEqual(self.trail(1, 2, 2, 2), (1, "XDP_DROP", "zuerst"))
        self.assertEqual(self.trail(2, 3, 2, 2), (12, "XDP_TX", "middle"))
        self.assertEqual(self.trail(2, 2, 2, 1), (1234, "XDP_DROP", "plain_b"))

    def test_each_program_has_its_own_actions(self):
        self.assertEqual(self.trail(2, 1, 2, 2), (1234, "XDP_PASS", ""))
        self.assertEqual(self.trail(2, 1, 1, 2), (123, "XDP_DROP", "plain_a"))

    def test_actions_wrap_as_the_dispatchers_shift_does(self):
        self.assertEqual(self.trail(2 + 64, 32 + 1, 2, 2), (12, "XDP_ABORTED", "middle"))

    def test_one_program_alone_decides(self):
        rows, rest = self.replay_json("chain", [packet(2, 1)], "--prog", "middle")
        self.assertEqual(rows[0]["verdict"], "XDP_DROP")
        self.assertEqual(rest["summary"]["programs"], ["middle"])

    def test_the_first_program_runs_where_none_is_named(self):
        done = self.replay("chain", [packet(2, 1)])
        self.assertIn("4 XDP programs; running 'middle'; --prog picks", done.err)
        self.assertIn("XDP_DROP", done.out)

    def test_verbose_tells_who_decided(self):
        done = self.replay("chain", [packet(2, 3), packet(2, 2, 2, 2)], "-v", *self.ALL)
        self.assertRegex(done.out, r"XDP_TX +by middle\n")
        self.assertRegex(done.out, r"XDP_PASS +by the end of the chain\n")
        self.assertIn("zuerst (priority 10), then middle (priority 20), then plain_a (priority 50),"
                      " then plain_b (priority 50)", done.out)


if __name__ == "__main__":
    main()
