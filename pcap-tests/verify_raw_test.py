#!/usr/bin/python3
"""`xdpland verify --raw` from outside: what is answered to which line, streaming, the kernel's opinion.
Usage: verify_raw_test.py XDPLAND [NAME of a test]…"""
import errno
import json
import os
import select
import subprocess
import sys
import unittest

from exec_bpf import (ALU64_K, EXIT, JEQ_K, LDX_B, LDX_DW, LDX_W, PSEUDO_MAP_VALUE, Program, call, insn,
                      mov, movr, ret)

XDPLAND = sys.argv[1]
HASH = {"name": "h", "type": "BPF_MAP_TYPE_HASH", "key_size": 4, "value_size": 8, "max_entries": 4}
ARRAY = {"type": 2, "key_size": 4, "value_size": 8, "max_entries": 1}


def ask(lines, *options):
    """The answers, and the exit code."""
    text = "\n".join(x if isinstance(x, str) else json.dumps(x) for x in lines) + "\n"
    done = subprocess.run([XDPLAND, "verify", "--raw", "-", *options], input=text.encode(),
                          stdout=subprocess.PIPE, check=False, timeout=60)
    return [json.loads(x) for x in done.stdout.splitlines()], done.returncode


def answer(line, *options):
    answers, _ = ask([line], *options)
    assert len(answers) == 1, answers
    return answers[0]


def looks_up(*then):
    return Program().add(insn(0x62, 10, 0, -4, 0), movr(2, 10), insn(ALU64_K, 2, imm=-4)).map(
        1, 0).add(call(1), *then).line(name="looks up", maps=[HASH])


class Verifies(unittest.TestCase):
    maxDiff = 4000

    def test_accepted_program_has_the_fields_that_testers_rely_on(self):
        got = answer(Program().add(ret()).line(name="n", prog_type="XDP"))
        self.assertEqual(list(got), ["name", "verdict", "errno", "msg", "insns_processed", "ns"])
        self.assertGreater(got.pop("ns"), 0)
        self.assertEqual(got, {"name": "n", "verdict": "accept", "errno": 0, "msg": "",
                               "insns_processed": 2})

    def test_refusal_has_the_kernels_words_and_errno(self):
        for line, number, words in (
                (Program().add(insn(EXIT)).line(), errno.EACCES, "R0 !read_ok"),
                (Program().add(insn(0xff), ret()).line(), errno.EINVAL, "unknown opcode ff"),
                (Program().add(mov(0, 0)).line(), errno.EINVAL,
                 "last insn is not an exit or jmp"),
                (Program().add(insn(0xb7, 0, 1), ret()).line(), errno.EINVAL,
                 "BPF_MOV uses reserved fields"),
                (Program().add(call(6), ret()).line(license="MIT"), errno.EINVAL,
                 "cannot call GPL-restricted function"),
                (Program().line(), errno.E2BIG, ""),
                (looks_up(insn(LDX_DW, 0, 0), insn(EXIT)), errno.EACCES,
                 "R0 invalid mem access 'map_value_or_null'")):
            got = answer(line)
            self.assertEqual((got["verdict"], got["errno"]), ("reject", number), got)
            self.assertIn(words, got["msg"])

    def test_all_lines_of_a_refusal_are_its_message(self):
        got = answer(Program().add(insn(LDX_W, 2, 1), insn(LDX_B, 0, 2), insn(EXIT)).line())
        self.assertEqual(got["msg"], "invalid access to packet, off=0 size=1, R2(id=0,off=0,r=0)\n"
                                     "R2 offset is outside of the packet")

    def test_maps_are_put_in_by_fixups(self):
        good = looks_up(insn(JEQ_K, 0, off=1), insn(LDX_DW, 0, 0), ret())
        self.assertEqual(answer(good)["verdict"], "accept")
        for off, verdict in ((7, "accept"), (8, "reject")):
            line = Program().map(2, 0, PSEUDO_MAP_VALUE).add(
                insn(LDX_B, 0, 2, off), insn(EXIT)).line(maps=[ARRAY])
            self.assertEqual(answer(line)["verdict"], verdict)
        by_fd = Program().add(insn(0x18, 1, 1, imm=3), insn(0), ret()).line()
        self.assertEqual(answer(by_fd)["errno"], errno.EBADF)

    def test_a_key_within_the_template_may_be_outside_of_an_inner_array_of_another_size(self):
        for flags, verdict in ((0, "accept"), (0x1000, "reject")):  # BPF_F_INNER_MAP
            inner = dict(ARRAY, max_entries=4, flags=flags)
            line = Program().add(insn(0x62, 10, 0, -4, 0), movr(2, 10), insn(ALU64_K, 2, imm=-4)).map(
                1, 0).add(call(1), insn(JEQ_K, 0, off=6), movr(1, 0), insn(0x62, 10, 0, -8, 3),
                          movr(2, 10), insn(ALU64_K, 2, imm=-8), call(1), insn(LDX_DW, 0, 0),
                          ret()).line(maps=[{"type": 12, "key_size": 4, "value_size": 4,
                                             "max_entries": 1, "inner": inner}])
            self.assertEqual(answer(line)["verdict"], verdict, answer(line))

    def test_a_number_that_fits_its_spill_is_the_same_when_it_comes_back(self):
        for width, verdict in ((insn(0x63, 10, 6, -8), "accept"), (insn(0x6b, 10, 6, -8), "reject")):
            load = LDX_W if verdict == "accept" else 0x69  # 32 bits of 32, or 16
            line = Program().add(insn(LDX_W, 6, 1, 12), width, insn(load, 7, 10, -8),
                                 insn(JEQ_K, 7, off=1), insn(0x05, off=2), insn(JEQ_K, 6, off=1),
                                 insn(LDX_DW, 0, 9), ret()).line()
            self.assertEqual(answer(line)["verdict"], verdict, answer(line))

    def test_map_that_cannot_be_made_refuses_the_program(self):
        got = answer(looks_up(ret()) | {"maps": [dict(HASH, key_size=0)]})
        self.assertEqual((got["verdict"], got["errno"]), ("reject", errno.EINVAL))
        self.assertIn("maps[0]: cannot create", got["msg"])

    def test_program_types_are_names_or_numbers(self):
        for kind in ("XDP", "xdp", "BPF_PROG_TYPE_XDP", 6):
            self.assertEqual(answer(Program().add(ret()).line(prog_type=kind))["verdict"], "accept")
        for kind in ("LSM", 29, 77, "KPROBE"):
            got = answer(Program().add(ret()).line(prog_type=kind))
            self.assertEqual(got["verdict"], "reject")
            self.assertTrue(got["msg"])

    def test_log_and_facts_come_only_if_asked_for(self):
        line = Program().add(insn(LDX_W, 6, 1, 12), ret()).line()
        self.assertIn("1: (b7) r0 = 2", answer(line, "-vv")["log"])
        self.assertIn("processed 3 insns", answer(line, "-v")["log"])
        facts = answer(line, "--facts")["facts"]
        self.assertEqual(facts["insns"][0]["regs"]["r1"]["kind"], "ctx")
        self.assertIsNone(answer(Program().add(insn(EXIT)).line(), "--facts")["facts"])

    def test_bad_line_is_answered_and_the_next_one_goes_on(self):
        good = Program().add(ret()).line(name="good")
        answers, code = ask(["{", dict(good, insns="xx"), dict(good, maps=[{"type": "no"}]),
                             "[1]", "", dict(good, fixups=[[0, 0]]), good])
        self.assertEqual([x["verdict"] for x in answers], ["reject"] * 5 + ["accept"])
        self.assertEqual(code, 1)
        for number, bad in zip((1, 2, 3, 4, 6), answers):
            self.assertTrue(bad["error"].startswith(f"line {number}: "), bad)
            self.assertEqual((bad["msg"], bad["errno"]), (bad["error"], errno.EINVAL))
        self.assertEqual(answers[1]["name"], "good")

    def test_answer_comes_before_the_next_line_is_sent(self):
        line = json.dumps(Program().add(ret()).line()).encode() + b"\n"
        with subprocess.Popen([XDPLAND, "verify", "--raw", "-"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE) as process:
            for _ in range(3):
                process.stdin.write(line)
                process.stdin.flush()
                self.assertTrue(select.select([process.stdout], [], [], 30)[0])
                self.assertIn(b"accept", os.read(process.stdout.fileno(), 4096))
            process.stdin.close()

    def test_many_lines_are_answered_in_order(self):
        answers, code = ask([Program().add(ret(i % 5)).line(name=str(i)) for i in range(3000)])
        self.assertEqual([x["name"] for x in answers], [str(i) for i in range(3000)])
        self.assertEqual(code, 0)

    def test_kernel_is_asked_the_same(self):
        lines = [Program().add(ret()).line(), looks_up(insn(LDX_DW, 0, 0), insn(EXIT)),
                 looks_up(insn(JEQ_K, 0, off=1), insn(LDX_DW, 0, 0), ret())]
        answers, code = ask(lines, "--against", "kernel")
        if code == 3:
            self.skipTest("bpf(2) is not usable")
        self.assertEqual([x["kernel"]["verdict"] for x in answers], ["accept", "reject", "accept"])
        self.assertEqual([x["kernel"]["agrees"] for x in answers], [True] * 3)
        self.assertEqual(answers[1]["kernel"]["msg"], answers[1]["msg"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[2:])
