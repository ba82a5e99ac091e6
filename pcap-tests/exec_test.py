#!/usr/bin/python3
"""`xdpland exec --raw` from outside: what each field means, what is refused and how, streaming.
Usage: exec_test.py XDPLAND [NAME of a test]…"""
import json
import os
import select
import struct
import subprocess
import sys
import tempfile
import time
import unittest

from exec_bpf import (ALU64_K, ATOMIC_DW, EXIT, JEQ_K, LDX_B, LDX_DW, LDX_W, PSEUDO_MAP_VALUE, STX_B, Program,
                      call, insn, mov, movr, ret, run_lines)

XDPLAND = sys.argv[1]
PACKET = "00" * 60
CHECK = ("--unproven", "check")
ARRAY = {"type": "array", "key_size": 4, "value_size": 8, "max_entries": 1}
HASH = {"type": "BPF_MAP_TYPE_HASH", "key_size": 4, "value_size": 8, "max_entries": 4}
KEY0, KEY1 = "00000000", "01000000"


def passes(**fields):
    return Program().add(ret()).line(packets=[PACKET], **fields)


def counts():
    """Adds one to the value under 0, if there is one, and returns what was there."""
    return Program().add(insn(0x62, 10, 0, -4, 0), movr(2, 10), insn(ALU64_K, 2, imm=-4)).map(
        1, 0).add(call(1), movr(6, 0), mov(0, 77), insn(JEQ_K, 6, off=3), insn(LDX_DW, 0, 6),
                  mov(1, 1), insn(ATOMIC_DW, 6, 1), insn(EXIT))


def answer(line, *options):
    answers, code = run_lines(XDPLAND, [line], *options)
    assert len(answers) == 1, answers
    return dict(answers[0], code=code)


class Runs(unittest.TestCase):
    maxDiff = 4000

    def test_answer_has_the_fields_that_testers_rely_on(self):
        self.assertEqual(answer(passes(name="n")), {
            "name": "n", "code": 0,
            "runs": [{"retval": 2, "verdict": "XDP_PASS", "out": None, "dump": []}]})

    def test_name_of_any_letters_comes_back(self):
        self.assertEqual(answer(passes(name="größe \"1\"/…"))["name"], "größe \"1\"/…")
        self.assertIsNone(answer(passes())["name"])

    def test_verdict_is_the_action_and_above_4_aborted(self):
        for value, name in ((0, "XDP_ABORTED"), (1, "XDP_DROP"), (3, "XDP_TX"),
                            (4, "XDP_REDIRECT"), (5, "XDP_ABORTED"), (-1, "XDP_ABORTED")):
            run = answer(Program().add(ret(value)).line(packets=[PACKET]))["runs"][0]
            self.assertEqual((run["retval"], run["verdict"]), (value & 0xffffffff, name))

    def test_out_has_the_bytes_only_if_they_changed(self):
        writes = Program().add(insn(LDX_W, 2, 1, 0), insn(LDX_W, 3, 1, 4), movr(4, 2),
                               insn(ALU64_K, 4, imm=1), insn(0x2d, 4, 3, 2), mov(5, 7),
                               insn(STX_B, 2, 5), ret())
        runs = answer(writes.line(packets=[PACKET, "07" + PACKET[2:], ""]))["runs"]
        self.assertEqual([r["out"] for r in runs], ["07" + PACKET[2:], None, None])

    def test_out_begins_with_metadata_as_in_a_test_run(self):
        meta = Program().add(mov(2, -4), call(54), ret())
        out = answer(meta.line(packets=["11" * 20]))["runs"][0]["out"]
        self.assertEqual(out, "00" * 4 + "11" * 20)

    def test_map_state_stays_between_packets_but_not_between_lines(self):
        line = counts().line(maps=[dict(HASH, init=[[KEY0, "0a" + "00" * 7]])],
                             packets=[PACKET] * 3, dump=[[0, KEY0], [0, KEY1]])
        answers, _ = run_lines(XDPLAND, [line, line])
        for a in answers:
            self.assertEqual([r["retval"] for r in a["runs"]], [10, 11, 12])
            self.assertEqual([r["dump"] for r in a["runs"]],
                             [["%02x" % n + "00" * 7, None] for n in (11, 12, 13)])

    def test_maps_go_by_index_or_by_name(self):
        prog = counts()
        prog.fixups[0][1] = "second"
        line = prog.line(maps=[dict(ARRAY, name="first"), dict(HASH, name="second")],
                         packets=[PACKET], dump=[["first", KEY0], ["second", KEY0]])
        self.assertEqual(answer(line)["runs"][0]["retval"], 77)
        self.assertEqual(answer(line)["runs"][0]["dump"], ["00" * 8, None])

    def test_map_type_is_a_name_or_a_number(self):
        for kind in ("hash", "HASH", "BPF_MAP_TYPE_HASH", 1, "1"):
            line = counts().line(maps=[dict(HASH, type=kind)], packets=[PACKET])
            self.assertEqual(answer(line)["runs"][0]["retval"], 77)

    def test_fixup_keeps_a_value_reference_and_its_offset(self):
        prog = Program().map(1, 0, PSEUDO_MAP_VALUE, 4).add(insn(LDX_B, 0, 1), insn(EXIT))
        line = prog.line(maps=[dict(ARRAY, init=[[KEY0, "0102030405060708"]])], packets=[PACKET])
        self.assertEqual(answer(line)["runs"][0]["retval"], 5)

    def test_map_index_in_the_code_needs_no_fixup(self):
        prog = Program().add(insn(0x18, 1, 6, imm=0), insn(0), insn(LDX_B, 0, 1), insn(EXIT))
        line = prog.line(maps=[dict(ARRAY, init=[[KEY0, "2a" + "00" * 7]])], packets=[PACKET])
        self.assertEqual(answer(line)["runs"][0]["retval"], 42)

    def test_per_cpu_values_are_one_for_all_or_one_each(self):
        kind = dict(HASH, type="percpu_hash", value_size=4)
        one, each = "2a000000", "01000000" + "00" * 4 + "02000000" + "00" * 4
        line = passes(maps=[dict(kind, init=[[KEY0, one], [KEY1, each]])],
                      dump=[[0, KEY0], [0, KEY1]])
        self.assertEqual(answer(line, "--cpus", "2")["runs"][0]["dump"],
                         [(one + "00" * 4) * 2, each])

    def test_cpu_chooses_the_value_of_a_per_cpu_map(self):
        line = counts().line(maps=[dict(HASH, type="percpu_hash", init=[[KEY0, "00" * 8]])],
                             packets=[PACKET], cpu=1, dump=[[0, KEY0]])
        self.assertEqual(answer(line, "--cpus", "3")["runs"][0]["dump"],
                         ["00" * 8 + "01" + "00" * 7 + "00" * 8])

    def test_surroundings_are_what_the_line_says(self):
        prog = Program().add(insn(LDX_W, 0, 1, 12), insn(LDX_W, 2, 1, 16),
                             insn(0x67, 0, imm=8), insn(0x0f, 0, 2), insn(EXIT))
        self.assertEqual(answer(prog.line(packets=[PACKET]))["runs"][0]["retval"], 1 << 8)
        line = prog.line(packets=[PACKET], ifindex=3, rx_queue=2)
        self.assertEqual(answer(line)["runs"][0]["retval"], 3 << 8 | 2)
        clock = Program().add(call(5), insn(EXIT)).line(packets=[PACKET] * 2, time_ns=5000)
        self.assertEqual([r["retval"] for r in answer(clock)["runs"]], [5000, 6000])

    def test_inner_maps_are_named_by_index_or_name(self):
        outer = dict(HASH, type="hash_of_maps", value_size=4, inner=HASH)
        for value in (0, "inner", KEY0):
            line = passes(maps=[dict(HASH, name="inner"), dict(outer, init=[[KEY1, value]])],
                          dump=[[1, KEY0], [1, KEY1]])
            self.assertEqual(answer(line)["runs"][0]["dump"], [None, KEY0])

    def test_tail_call_goes_to_self_or_another_program(self):
        jump = Program().map(2, 0).add(mov(3, 0), call(12), ret(1))
        other = Program().add(ret(3)).line(name="other")
        progs = {"type": "prog_array", "key_size": 4, "value_size": 4, "max_entries": 1}
        for value, retval in (("self", 1), ("other", 3), (1, 3)):
            line = jump.line(maps=[dict(progs, init=[[KEY0, value]])], packets=[PACKET],
                             progs=[other])
            self.assertEqual(answer(line)["runs"][0]["retval"], retval)

    def test_queue_has_no_keys(self):
        kind = {"type": "queue", "key_size": 0, "value_size": 4, "max_entries": 2}
        line = passes(maps=[dict(kind, init=[["", "01000000"], ["", "02000000"]])],
                      dump=[[0, ""]])
        self.assertEqual(answer(line)["runs"][0]["dump"], [KEY1])

    def test_bloom_filter_is_asked_for_values(self):
        kind = {"type": "bloom_filter", "key_size": 0, "value_size": 4, "max_entries": 100,
                "map_extra": 3}
        line = passes(maps=[dict(kind, init=[["", "01000000"]])],
                      dump=[[0, "01000000"], [0, "02000000"]])
        self.assertEqual(answer(line)["runs"][0]["dump"], ["01000000", None])

    def test_large_packet_is_whole_or_in_fragments(self):
        size = Program().add(insn(LDX_W, 0, 1, 4), insn(LDX_W, 2, 1, 0), insn(0x1f, 0, 2),
                             insn(EXIT))
        for flags, seen in ((0, 9000), (32, 3520)):
            line = size.line(packets=["00" * 9000], prog_flags=flags)
            self.assertEqual(answer(line)["runs"][0]["retval"], seen)
        run = answer(size.line(packets=["00" * 100000], prog_flags=32))["runs"][0]
        self.assertIn("fragments", run["error"])

    def test_bytes_out_of_fragments_are_whole(self):
        data = os.urandom(9000).hex()
        store = Program().add(mov(2, 8000), movr(3, 10), insn(ALU64_K, 3, imm=-8),
                              insn(0x62, 10, 0, -8, 0), mov(4, 4), call(190), ret())
        line = store.line(packets=[data], prog_flags=32)
        self.assertEqual(answer(line)["runs"][0]["out"], data[:16000] + "00" * 4 + data[16008:])


class Faults(unittest.TestCase):
    def test_stray_access_gives_the_run_an_error_and_the_next_goes_on(self):
        prog = Program().add(insn(LDX_W, 2, 1, 0), insn(LDX_B, 0, 2, 40), insn(EXIT))
        a = answer(prog.line(name="stray/x", packets=["00" * 20, "05" * 60]), *CHECK)
        self.assertIn("insn 1 of stray_x", a["runs"][0]["error"])
        self.assertIn("the packet has 20 bytes", a["runs"][0]["error"])
        self.assertEqual(a["runs"][0]["verdict"], "XDP_ABORTED")
        self.assertEqual(a["runs"][1]["retval"], 5)
        self.assertNotIn("error", a["runs"][1])
        self.assertEqual(a["code"], 0)

    def test_endless_loop_ends(self):
        line = Program().add(insn(0x55, 10, off=-1), ret()).line(packets=[PACKET], insn_limit=1000)
        self.assertIn("ran too long", answer(line, *CHECK)["runs"][0]["error"])
        del line["insn_limit"]
        self.assertIn("ran too long",
                      answer(line, "--insn-limit", "500", *CHECK)["runs"][0]["error"])


class Unproven(unittest.TestCase):
    STRAY = [insn(LDX_W, 2, 1, 0), insn(LDX_B, 0, 2, 40)]

    def test_without_proof_it_runs_only_on_request(self):
        line = Program().add(*self.STRAY, insn(EXIT)).line(packets=["05" * 60])
        self.assertEqual(answer(line)["errno"], "EACCES")
        self.assertIn("R2 offset is outside of the packet", answer(line)["error"])
        a = answer(line, *CHECK)
        self.assertEqual(a["runs"][0]["retval"], 5)
        self.assertIn("invalid access to packet", a["unproven"])

    def test_what_no_check_can_save_stays_refused(self):
        mistakes = {
            "R7 !read_ok": [movr(0, 7)],
            "R1 type=ctx expected=map_ptr": [movr(2, 10), call(1)],
            "invalid bpf_context access off=2": [insn(LDX_W, 0, 1, 2)],
            "R1 pointer arithmetic with *= operator prohibited": [insn(0x27, 1, imm=2)],
        }
        for words, mistake in mistakes.items():
            for before in ([], self.STRAY):
                a = answer(Program().add(*before, *mistake, ret()).line(packets=[PACKET]), *CHECK)
                self.assertIn(words, a.get("error", ""))
                self.assertEqual(a["runs"], [])

    def test_what_the_verifier_knows_is_tested_on_request(self):
        a = answer(passes(), "--check-facts")
        self.assertEqual(a["facts_checked"]["wrong"], 0)
        self.assertGreater(a["facts_checked"]["n"], 0)
        self.assertNotIn("facts_checked", answer(passes()))


class Refusals(unittest.TestCase):
    def refused(self, line, errno, *words):
        a = answer(line)
        self.assertEqual((a["runs"], a["errno"], a["code"]), ([], errno, 0), a)
        self.assertIsInstance(a["log"], str)
        for word in words:
            self.assertIn(word, a["error"])
        return a

    def test_program_that_does_not_load_has_errno_and_log(self):
        a = self.refused(Program().add(insn(EXIT), insn(0x05, off=5)).line(name="n"), "EINVAL",
                         "cannot load")
        self.assertEqual(a["name"], "n")
        self.assertTrue(a["log"])
        self.refused({"insns": ""}, "E2BIG")
        self.refused(Program().add(call(211), ret()).line(), "EINVAL")
        self.refused(passes(prog_flags=1 << 20), "EINVAL")

    def test_map_by_fd_without_a_fixup_is_no_map(self):
        for fd in range(8):
            line = Program().add(insn(0x18, 1, 1, imm=fd), insn(0), ret()).line(maps=[HASH])
            self.refused(line, "EBADF")

    def test_helper_for_gpl_needs_the_licence(self):
        line = Program().add(movr(1, 10), insn(ALU64_K, 1, imm=-8), mov(2, 8), mov(3, 0), call(113),
                             ret()).line(license="Proprietary")
        self.refused(line, "EINVAL", "GPL")

    def test_other_program_types_are_refused_by_name(self):
        self.refused(passes(prog_type="socket_filter"), "EOPNOTSUPP", "socket_filter", "only xdp")
        self.refused(passes(prog_type="BPF_PROG_TYPE_SCHED_CLS"), "EOPNOTSUPP", "sched_cls")
        self.refused(passes(prog_type=1), "EOPNOTSUPP", "socket_filter")
        self.refused(passes(prog_type=999), "EOPNOTSUPP")
        self.assertEqual(answer(passes(prog_type=6))["runs"][0]["retval"], 2)

    def test_map_that_cannot_be_has_the_reason(self):
        self.refused(passes(maps=[dict(HASH, key_size=0)]), "EINVAL", "maps[0]")
        self.refused(passes(maps=[HASH, dict(HASH, flags=1 << 14)]), "EINVAL", "maps[1]", "0x4000")
        self.refused(passes(maps=[dict(HASH, type="sk_storage")]), "EINVAL", "sk_storage")
        self.refused(passes(maps=[dict(HASH, type="hash_of_maps", value_size=4)]), "EBADF")

    def test_memory_of_maps_has_a_limit(self):
        big = dict(ARRAY, value_size=1 << 20, max_entries=2000)
        self.refused(passes(maps=[big]), "ENOMEM", "--map-memory")
        self.assertNotIn("error", answer(passes(maps=[big]), "--map-memory", "3000"))
        ring = {"type": "ringbuf", "max_entries": 1 << 30}
        self.refused(passes(maps=[ring, ring]), "ENOMEM", "maps[1]", "--map-memory")

    def test_value_that_does_not_go_in_is_refused(self):
        self.refused(passes(maps=[dict(HASH, max_entries=1, init=[[KEY0, "00" * 8],
                                                                  [KEY1, "00" * 8]])]),
                     "E2BIG", "maps[0]: init[1]")
        other = dict(HASH, value_size=16)
        outer = dict(HASH, type="hash_of_maps", value_size=4, inner=HASH)
        self.refused(passes(maps=[other, dict(outer, init=[[KEY0, 0]])]), "EINVAL", "init[0]")


class Form(unittest.TestCase):
    """Lines that are not what they should be: answered with line and field, exit code 1."""

    def bad(self, line, *words):
        answers, code = run_lines(XDPLAND, [passes(name="before"), line, passes(name="after")])
        self.assertEqual([a["name"] for a in answers[::2]], ["before", "after"])
        self.assertEqual((len(answers), code, answers[1]["runs"]), (3, 1, []), answers)
        self.assertTrue(answers[1]["error"].startswith("line 2: "), answers[1])
        for word in words:
            self.assertIn(word, answers[1]["error"])

    def test_what_is_no_json_object(self):
        self.bad("nonsense", "not JSON")
        self.bad('{"insns": "00', "not JSON")
        self.bad("[]", "expected an object")
        self.bad('{"insns": "", "insns": ""}', "not JSON")

    def test_fields_are_named(self):
        self.bad({}, "insns")
        self.bad({"insns": "b70"}, "insns", "odd number")
        self.bad({"insns": "zz"}, "insns", "hex digits")
        self.bad({"insns": "b7000000"}, "insns", "whole instructions")
        self.bad(passes(name=5), "name")
        self.bad(passes(prog_type="nonsense"), "prog_type", "nonsense")
        self.bad(dict(passes(), packets="00"), "packets", "array")
        self.bad(dict(passes(), packets=["00", 1]), "packets[1]")
        self.bad(dict(passes(), packets=["00" * 300000]), "packets[0]", "300000")
        self.bad(passes(engine="warp"), "engine", "warp", "interp")
        self.bad(passes(prog_flags=-1), "prog_flags")
        self.bad(passes(prog_flags=1 << 33), "prog_flags")
        self.bad(passes(cpu=100000), "cpu")
        self.bad(passes(insn_limit=0), "insn_limit")

    def test_maps_are_named(self):
        self.bad(passes(maps=[{"key_size": 4}]), "maps[0]", "type")
        self.bad(passes(maps=[HASH, dict(HASH, type="nonsense")]), "maps[1]", "nonsense")
        self.bad(passes(maps=[dict(HASH, init=[["00", "00" * 8]])]), "maps[0]: init[0]: key",
                 "4 bytes")
        self.bad(passes(maps=[dict(HASH, init=[[KEY0, "00"]])]), "maps[0]: init[0]: value")
        self.bad(passes(maps=[dict(HASH, init=[[KEY0]])]), "maps[0]: init[0]")
        self.bad(passes(maps=[dict(HASH, inner={"type": []})]), "maps[0]: inner: type")
        self.bad(passes(maps=[dict(HASH, type="array_of_maps", value_size=4,
                                   init=[[KEY0, "nonsense"]])]), "init[0]: value", "nonsense")

    def test_fixups_and_dump_are_named(self):
        self.bad(passes(maps=[HASH], fixups=[[0, 0]]), "fixups[0]", "no ld_imm64")
        self.bad(passes(maps=[HASH], fixups=[[99, 0]]), "fixups[0]")
        self.bad(dict(counts().line(), maps=[]), "fixups[0]", "no map 0")
        self.bad(passes(maps=[HASH], dump=[[1, KEY0]]), "dump[0]", "no map 1")
        self.bad(passes(maps=[HASH], dump=[["x", KEY0]]), "dump[0]", "no map 'x'")
        self.bad(passes(maps=[HASH], dump=[[0, "00"]]), "dump[0]: key")

    def test_unknown_fields_are_the_testers_own(self):
        a = answer(passes(expect={"retval": 2}, seed=5))
        self.assertEqual((a["runs"][0]["retval"], a["code"]), (2, 0))


class Process(unittest.TestCase):
    def test_each_line_is_answered_at_once(self):
        with subprocess.Popen([XDPLAND, "exec", "--raw", "-"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE) as process:
            for i in range(3):
                process.stdin.write(json.dumps(passes(name=str(i))).encode() + b"\n")
                process.stdin.flush()
                ready, _, _ = select.select([process.stdout], [], [], 20)
                self.assertTrue(ready, "no answer")
                self.assertEqual(json.loads(process.stdout.readline())["name"], str(i))
            process.stdin.close()
            self.assertEqual(process.wait(), 0)

    def test_file_empty_lines_and_a_last_line_without_newline(self):
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
            file.write("\n  \n" + json.dumps(passes(name="only")))
            file.flush()
            done = subprocess.run([XDPLAND, "exec", "--raw", file.name], check=True,
                                  stdout=subprocess.PIPE)
        self.assertEqual(json.loads(done.stdout)["name"], "only")

    def test_usage_and_environment(self):
        for args, code in (([], 2), (["--raw"], 2), (["--raw", "-", "more"], 2),
                           (["--raw", "/nonexistent"], 3), (["--raw", "-", "--engine", "x"], 2),
                           (["--raw", "/"], 3)):
            done = subprocess.run([XDPLAND, "exec", *args], stdin=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE, stdout=subprocess.PIPE, check=False)
            self.assertEqual(done.returncode, code, args)
            self.assertEqual(done.stderr.count(b"\n"), 1)

    def test_thousands_of_lines_leave_nothing_behind(self):
        line = counts().line(maps=[dict(HASH, init=[[KEY0, "00" * 8]])], packets=[PACKET] * 2)
        limits = "ulimit -n 64; exec \"$@\""
        start = time.monotonic()
        done = subprocess.run(["sh", "-c", limits, "sh", XDPLAND, "exec", "--raw", "-"],
                              input=(json.dumps(line).encode() + b"\n") * 2000, check=True,
                              stdout=subprocess.PIPE, timeout=60)
        answers = set(done.stdout.splitlines())
        self.assertEqual(len(answers), 1)
        self.assertEqual([r["retval"] for r in json.loads(answers.pop())["runs"]], [0, 1])
        print(f"{2000 / (time.monotonic() - start):.0f} lines/s", file=sys.stderr)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]] + sys.argv[2:])
