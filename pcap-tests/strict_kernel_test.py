#!/usr/bin/python3
"""`verify --strict` against a kernel that is asked without CAP_PERFMON: the same verdict and words.

    strict_kernel_test.py XDPLAND

The kernel then has rules against speculation, too, which strict mode has not: programs here keep
those. Each is fine for privileged users, so what is refused is refused by strict mode alone.
"""
import ctypes
import json
import os
import struct
import subprocess
import sys

from exec_bpf import (ALU64_K, ALU64_X, ALU_X, ATOMIC_DW, EXIT, JA, JEQ_K, JGT_X, LDX_B, LDX_DW, LDX_W, MOV, STX_DW, SUB,
                      Kernel, Program, call, insn, mov, movr, ret)

SKIP = 77
CAP_NET_ADMIN, CAP_BPF = 12, 39
NR_CAPSET = {"x86_64": 126, "aarch64": 91}.get(os.uname().machine)
HASH = {"name": "m", "type": 1, "key_size": 8, "value_size": 8, "max_entries": 4}
ST_DW, JEQ_X, JSGT_K, NEG, LOOKUP = 0x7a, 0x1d, 0x65, 0x87, 1
ADJUST_HEAD, PRANDOM, PRINTK, REDIRECT = 44, 7, 6, 23


def fp(dst, off):
    return movr(dst, 10) + insn(ALU64_K, dst, imm=off)


def store(off=-8, value=0):
    return insn(ST_DW, 10, off=off, imm=value)


def value_in_r0(prog):
    """A value of the map in r0, of a key that is in fp-8."""
    return prog.map(1, 0).add(fp(2, -8), call(LOOKUP), insn(0x55, 0, off=1, imm=0), insn(EXIT))


def checked_packet():
    """data in r2, data_end in r3, of at least 16 bytes."""
    return (insn(LDX_W, 2, 1, 0) + insn(LDX_W, 3, 1, 4) + movr(4, 2) + insn(ALU64_K, 4, imm=16) +
            mov(0, 1) + insn(JGT_X, 4, 3, 1) + insn(JEQ_K, 0, off=1, imm=1) + insn(EXIT))


def cases():
    new = Program
    yield "plain", new().add(ret())
    yield "initialised stack", value_in_r0(new().add(store())).add(insn(LDX_DW, 0, 0), insn(EXIT))
    yield "uninitialised read", new().add(store(-16), insn(LDX_DW, 0, 10, -16), store(-8),
                                          insn(LDX_DW, 0, 10, -24), ret())
    yield "uninitialised byte", new().add(insn(0x62, 10, off=-8), store(-16), insn(0x72, 10, off=-24),
                                          insn(LDX_B, 0, 10, -23), ret())
    yield "uninitialised key", value_in_r0(new().add(store(-16))).add(ret())
    yield "spilled pointer as key", value_in_r0(new().add(insn(STX_DW, 10, 1, -8))).add(ret())
    yield "pointer into map", value_in_r0(new().add(store())).add(insn(STX_DW, 0, 10), ret())
    yield "number into map", value_in_r0(new().add(store())).add(mov(1, 1), insn(STX_DW, 0, 1), ret())
    yield "pointer into packet", new().add(checked_packet(), insn(STX_DW, 2, 10), ret())
    yield "number into packet", new().add(checked_packet(), mov(1, 1), insn(STX_DW, 2, 1), ret())
    yield "pointer by atomic", value_in_r0(new().add(store())).add(insn(ATOMIC_DW, 0, 10), ret())
    yield "pointer compared by atomic", value_in_r0(new().add(store())).add(
        movr(6, 0), mov(1, 1), insn(ATOMIC_DW, 6, 1, imm=0xf1), ret())
    yield "pointer out of stack by atomic", new().add(insn(STX_DW, 10, 1, -8), mov(2, 1),
                                                      insn(ATOMIC_DW, 10, 2, -8, 1), ret())
    yield "pointer returned", new().add(movr(0, 10), insn(EXIT))
    yield "pointer to helper", new().add(mov(2, 0), call(REDIRECT), ret())
    yield "number to helper", new().add(mov(1, 1), mov(2, 0), call(REDIRECT), ret())
    yield "helper that prints", new().add(store(), fp(1, -8), mov(2, 8), movr(3, 10), call(PRINTK), ret())
    yield "pointer minus pointer", new().add(checked_packet(), insn(ALU64_X | SUB, 3, 2), ret())
    yield "32-bit minus", new().add(movr(2, 10), mov(3, 1), insn(ALU_X | SUB, 2, 3), ret())
    yield "half a pointer", new().add(insn(ALU_X | MOV, 2, 10), ret())
    yield "negative pointer", new().add(movr(2, 10), insn(NEG, 2), ret())
    yield "swapped pointer", new().add(movr(2, 10), insn(0xdc, 2, imm=64), ret())
    yield "pointers compared", new().add(movr(2, 10), insn(JEQ_X, 1, 2), ret())
    yield "pointer compared with number", new().add(mov(2, 1), insn(JEQ_X, 1, 2), ret())
    yield "pointer's sign", new().add(insn(JSGT_K, 1), ret())
    yield "packet against itself", new().add(checked_packet(), movr(4, 2), insn(JGT_X, 4, 2), ret())
    yield "packet against its end", new().add(checked_packet(), insn(LDX_B, 0, 2, 15), ret())
    yield "packet equal to its end", new().add(checked_packet(), insn(JEQ_X, 2, 3), ret())
    yield "part of a spilled pointer overwritten", new().add(
        insn(STX_DW, 10, 1, -8), insn(0x62, 10, off=-8), ret())
    yield "spilled pointer replaced", new().add(insn(STX_DW, 10, 1, -8), store(), ret())
    yield "packet pointer after a change", new().add(
        movr(6, 1), checked_packet(), movr(7, 2), movr(1, 6), mov(2, 0), call(ADJUST_HEAD), movr(0, 7), ret())
    yield "one path leaves it uninitialised", new().add(
        call(PRANDOM), insn(JEQ_K, 0, off=3, imm=1), store(), mov(1, 1), insn(JEQ_K, 1, off=1, imm=1),
        mov(1, 1), insn(LDX_DW, 0, 10, -8), ret())
    yield "a pointer where another path has a number", new().add(
        movr(6, 1), call(PRANDOM), insn(JEQ_K, 0, off=2, imm=1), insn(STX_DW, 10, 0, -8),
        insn(JA, off=1), insn(STX_DW, 10, 6, -8), insn(LDX_DW, 0, 10, -8), insn(EXIT))


def ours(xdpland, lines, *options):
    text = "".join(json.dumps(x) + "\n" for x in lines)
    done = subprocess.run([xdpland, "verify", "--raw", "-", *options], input=text.encode(),
                          stdout=subprocess.PIPE, check=False, timeout=60)
    return [json.loads(x) for x in done.stdout.splitlines()]


def drop_caps(kernel):
    caps = 1 << CAP_NET_ADMIN | 1 << CAP_BPF
    header = ctypes.create_string_buffer(struct.pack("<Ii", 0x20080522, 0), 8)
    low, high = caps & 0xffffffff, caps >> 32
    data = ctypes.create_string_buffer(struct.pack("<6I", low, low, 0, high, high, 0), 24)
    return kernel.syscall(NR_CAPSET, header, data) == 0


def ask(kernel, line):
    """The kernel's words, or None: it accepts."""
    maps = [kernel.create(spec) for spec in line.get("maps", [])]
    try:
        os.close(kernel.load(line, maps))
    except OSError as error:
        return error.strerror.split("\nprocessed")[0]
    finally:
        for fd in maps:
            os.close(fd)
    return None


def main():
    lines = [p.line(name=name, prog_type="xdp", maps=[HASH] if p.fixups else []) for name, p in cases()]
    strict, privileged = ours(sys.argv[1], lines, "--strict"), ours(sys.argv[1], lines)
    kernel = Kernel()
    try:
        ask(kernel, lines[0])
        able = os.geteuid() == 0 and drop_caps(kernel)
    except OSError:
        able = False
    if not able or ask(kernel, lines[0]) is not None:
        print("no kernel that can be asked with CAP_BPF alone", file=sys.stderr)
        return SKIP
    failed = 0
    for line, answer, before in zip(lines, strict, privileged):
        words = ask(kernel, line)
        said = answer["msg"].splitlines()[-1] if answer["msg"] else ""
        fine = before["verdict"] == "accept" and (words is None) == (answer["verdict"] == "accept")
        fine = fine and (words is None or said in words)
        failed += not fine
        print(f"{'' if fine else 'not '}ok {line['name']}: {answer['verdict']} {said}")
        if not fine:
            print(f"  privileged: {before['verdict']} {before['msg']}\n  kernel: {words}")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
