#!/usr/bin/python3
"""The same lines, with maps, through `xdpland exec` and the real kernel: return values, bytes and
map contents after each packet must be equal.

Programs are random but such that the verifier takes them: scalars in r6..r8, the packet's pointers
checked anew before each use. Usage: exec_kernel_test.py XDPLAND [SEED [N]]
"""
import os
import random
import sys

from exec_bpf import (ADD, ALU64_K, ALU64_X, ALU_K, ALU_X, AND, ARSH, ATOMIC_DW, DIV, EXIT, JA, JEQ_K, JGT_X,
                      LDX_B, LDX_DW, LDX_H, LDX_W, LSH, MOD, MUL, OR, PSEUDO_MAP_VALUE, RSH, STX_B,
                      STX_DW, STX_H, STX_W, SUB, XOR, Kernel, Program, call, insn, mov, movr,
                      run_lines)

N_LINES = 400
HASH, ARRAY, PROG_ARRAY, PERCPU_HASH, PERCPU_ARRAY, LRU_HASH, LPM = 1, 2, 3, 5, 6, 9, 11
ARRAY_OF_MAPS, HASH_OF_MAPS, QUEUE, STACK = 12, 13, 22, 23
PER_CPU = {PERCPU_HASH, PERCPU_ARRAY}
LOOKUP, UPDATE, DELETE, TAIL_CALL, ADJUST_HEAD, ADJUST_META, ADJUST_TAIL = 1, 2, 3, 12, 44, 54, 65
PUSH, POP, PEEK = 87, 88, 89
KEY, VALUE = -8, -16  # where they lie on the stack


def value_size(spec):
    if spec["type"] in PER_CPU:
        return (spec["value_size"] + 7 & ~7) * os.sysconf("SC_NPROCESSORS_CONF")
    return spec["value_size"]


class Generator:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def hex(self, size):
        return self.random.randbytes(size).hex()

    # Maps. Keys are few, so that programs meet what is there.

    def key(self, spec):
        if spec["type"] == LPM:
            return bytes([self.random.choice((8, 16, 24, 32)), 0, 0, 0, 10, 0,
                          self.random.randrange(2), self.random.randrange(4)])
        return self.random.randrange(6).to_bytes(4, "little")

    def map(self, kind):
        spec = {"type": kind, "key_size": 4, "value_size": 8,
                "max_entries": self.random.choice((4, 8)), "flags": 0}
        if kind == LPM:
            spec.update(key_size=8, flags=1)
        if kind in (QUEUE, STACK):
            spec["key_size"] = 0
        if kind == ARRAY and self.random.randrange(2):
            spec["max_entries"] = 1  # as those of global variables
        if kind == LRU_HASH:
            spec["max_entries"] = 1024  # none is evicted
        n = self.random.randrange(4)
        # The kernel's array has all elements; those beyond it are refused, as by a full hash.
        spec["init"] = [[key.hex(), self.hex(8)] for key in
                        {self.key(spec)[:spec["key_size"]] for _ in range(n)}
                        if kind not in (ARRAY, PERCPU_ARRAY) or key[0] < spec["max_entries"]]
        return spec

    def maps(self):
        kinds = [self.random.choice((HASH, ARRAY, PERCPU_HASH, PERCPU_ARRAY, LRU_HASH, LPM, QUEUE,
                                     STACK)) for _ in range(self.random.randrange(1, 4))]
        maps = [self.map(kind) for kind in kinds]
        if not self.random.randrange(4):
            inner = self.map(HASH)
            template = {k: v for k, v in inner.items() if k != "init"}
            maps.append(inner)
            maps.append({"type": self.random.choice((ARRAY_OF_MAPS, HASH_OF_MAPS)), "key_size": 4,
                         "value_size": 4, "max_entries": 4, "inner": template,
                         "init": [["01000000", len(maps) - 1]]})
        if not self.random.randrange(4):
            maps.append({"type": PROG_ARRAY, "key_size": 4, "value_size": 4, "max_entries": 2,
                         "init": [["00000000", "self"]] if self.random.randrange(2) else []})
        return maps

    # Code.

    def scalar(self):
        return self.random.randrange(6, 9)

    def alu(self, prog):
        base = self.random.choice((ALU64_K, ALU64_X, ALU_K, ALU_X))
        op = self.random.choice((ADD, SUB, MUL, DIV, OR, AND, LSH, RSH, MOD, XOR, ARSH))
        is_imm = base in (ALU64_K, ALU_K)
        imm = self.random.choice((1, 3, 7, 31, 0x7f, -1, -77, 0x12345678)) if is_imm else 0
        if op in (LSH, RSH, ARSH):
            imm &= 31
        if op in (LSH, RSH, ARSH) and not is_imm:
            prog.add(insn(ALU64_K | AND, 7, imm=31))
        prog.add(insn(base | op, 6 if not is_imm else self.scalar(), 0 if is_imm else 7, imm=imm))

    def packet_access(self, prog):
        """r2 = data, checked against data_end (r3)."""
        size, load, store = self.random.choice(((1, LDX_B, STX_B), (2, LDX_H, STX_H),
                                                (4, LDX_W, STX_W), (8, LDX_DW, STX_DW)))
        off = self.random.randrange(70)
        body = insn(load, self.scalar(), 2, off) if self.random.randrange(2) else insn(
            store, 2, self.scalar(), off)
        prog.add(insn(LDX_W, 2, 9, 0), insn(LDX_W, 3, 9, 4), movr(4, 2),
                 insn(ALU64_K | ADD, 4, imm=off + size), insn(JGT_X, 4, 3, 1), body)

    def set_key(self, prog, spec):
        key = self.key(spec).ljust(8, b"\0")
        for i in (0, 4):
            prog.add(insn(0x62, 10, 0, KEY + i, int.from_bytes(key[i:i + 4], "little", signed=True)))
        prog.add(movr(2, 10), insn(ALU64_K | ADD, 2, imm=KEY))

    def map_access(self, prog, maps):
        index = self.random.randrange(len(maps))
        spec = maps[index]
        kind = spec["type"]
        if kind == PROG_ARRAY:
            # What a tail call leaves behind is as it was; more than 33 are not made.
            return prog.add(movr(1, 9)).map(2, index).add(
                mov(3, self.random.randrange(3)), call(TAIL_CALL))
        if kind in (QUEUE, STACK):
            return self.queue_access(prog, index)
        self.set_key(prog, spec)
        prog.map(1, index)
        if kind in (ARRAY_OF_MAPS, HASH_OF_MAPS):
            prog.add(call(LOOKUP), insn(JEQ_K, 0, off=7), movr(1, 0),
                     insn(0x62, 10, 0, KEY, self.random.randrange(6)), movr(2, 10),
                     insn(ALU64_K | ADD, 2, imm=KEY), call(LOOKUP), insn(JEQ_K, 0, off=1),
                     insn(LDX_DW, self.scalar(), 0, 0))
            return prog
        what = self.random.choice((LOOKUP, LOOKUP, LOOKUP, UPDATE, DELETE))
        if what == LOOKUP:
            use = self.random.choice((insn(LDX_DW, self.scalar(), 0, 0),
                                      insn(STX_DW, 0, self.scalar(), 0),
                                      insn(ATOMIC_DW, 0, self.scalar(), 0)))
            return prog.add(call(LOOKUP), insn(JEQ_K, 0, off=1), use)
        if what == UPDATE:
            prog.add(insn(STX_DW, 10, self.scalar(), VALUE), movr(3, 10),
                     insn(ALU64_K | ADD, 3, imm=VALUE), mov(4, self.random.choice((0, 0, 1, 2, 5))))
        return prog.add(call(what), insn(ALU64_X | ADD, 6, 0))

    def queue_access(self, prog, index):
        prog.map(1, index)
        prog.add(insn(STX_DW, 10, self.scalar(), VALUE), movr(2, 10),
                 insn(ALU64_K | ADD, 2, imm=VALUE), mov(3, 0),
                 call(self.random.choice((PUSH, POP, PEEK))), insn(ALU64_X | ADD, 6, 0),
                 insn(LDX_DW, self.scalar(), 10, VALUE))

    def adjust(self, prog):
        helper, deltas = self.random.choice(((ADJUST_HEAD, (-216, -217, -14, 4, 40, 60)),
                                             (ADJUST_META, (-4, -8, -3, -216, 4)),
                                             (ADJUST_TAIL, (-20, -60, 8, 100, 4000))))
        prog.add(movr(1, 9), mov(2, self.random.choice(deltas)), call(helper),
                 insn(ALU64_X | ADD, 7, 0))

    def array_value(self, prog, maps):
        """A map's value by address: what global variables are."""
        index = next((i for i, m in enumerate(maps)
                      if m["type"] == ARRAY and m["max_entries"] == 1), None)
        if index is not None:
            prog.map(1, index, PSEUDO_MAP_VALUE, 0).add(insn(ATOMIC_DW, 1, self.scalar(), 0))

    def line(self, number):
        maps = self.maps()
        prog = Program().add(movr(9, 1), *(mov(r, self.random.randrange(1 << 30)) for r in
                                           (6, 7, 8)))
        for _ in range(self.random.randrange(2, 14)):
            pick = self.random.randrange(10)
            if pick < 3:
                self.alu(prog)
            elif pick < 5:
                self.packet_access(prog)
            elif pick < 8:
                self.map_access(prog, maps)
            elif pick < 9:
                self.adjust(prog)
            else:
                self.array_value(prog, maps)
        prog.add(insn(JA), movr(0, 6), insn(EXIT))
        dump = []
        for i, spec in enumerate(maps):
            if spec["type"] not in (PROG_ARRAY, ARRAY_OF_MAPS, HASH_OF_MAPS):
                keys = sorted({self.key(spec)[:spec["key_size"]] for _ in range(4)})
                dump += [[i, key.hex()] for key in keys]
        return prog.line(name=f"line {number}", prog_type="xdp", maps=maps, dump=dump,
                         packets=[self.hex(self.random.choice((14, 60, 64, 300, 1500)))
                                  for _ in range(self.random.randrange(1, 4))])


def main():
    xdpland = sys.argv[1]
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    count = int(sys.argv[3]) if len(sys.argv) > 3 else N_LINES
    kernel, generator = Kernel(), Generator(seed)
    try:
        kernel.answer(Program().add(mov(0, 2), insn(EXIT)).line(packets=["00" * 60]), value_size)
    except (OSError, TypeError) as error:
        print(f"skipped: the kernel's bpf(2) cannot be used: {error}", file=sys.stderr)
        return 77
    # Per-CPU values are those of the CPU that runs; exec works as the one it is told.
    cpu = min(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cpu})
    lines = [dict(generator.line(i), cpu=cpu) for i in range(count)]
    answers, code = run_lines(xdpland, lines)
    assert code == 0 and len(answers) == len(lines), (code, len(answers))
    refused = different = 0
    for line, answer in zip(lines, answers):
        try:
            wanted = kernel.answer(line, value_size)
        except OSError as error:
            refused += 1
            if os.environ.get("VERBOSE"):
                print(line["name"], error)
            continue
        got = [{key: run[key] for key in ("retval", "out", "dump")} for run in answer["runs"]]
        if got != wanted or any("error" in run for run in answer["runs"]):
            different += 1
            print(f"{line['name']}: {line}\n  ours   {answer}\n  kernel {wanted}")
    print(f"{count} lines: {count - refused - different} the same, {different} differ, "
          f"{refused} that the kernel refuses")
    return 1 if different or refused > count // 10 else 0


if __name__ == "__main__":
    sys.exit(main())
