"""What the tests of `xdpland exec` share: instructions as hex, lines in and out, and the real
kernel's answer to the same line."""
import ctypes
import json
import os
import struct
import subprocess

# Opcodes, by the names of linux/bpf.h.
LDX_B, LDX_H, LDX_W, LDX_DW = 0x71, 0x69, 0x61, 0x79
STX_B, STX_H, STX_W, STX_DW, ST_W = 0x73, 0x6b, 0x63, 0x7b, 0x62
ALU64_K, ALU64_X, ALU_K, ALU_X = 0x07, 0x0f, 0x04, 0x0c
ADD, SUB, MUL, DIV, OR, AND = 0x00, 0x10, 0x20, 0x30, 0x40, 0x50
LSH, RSH, MOD, XOR, MOV, ARSH = 0x60, 0x70, 0x90, 0xa0, 0xb0, 0xc0
ATOMIC_DW = 0xdb
LD_IMM64, CALL, EXIT = 0x18, 0x85, 0x95
JA, JEQ_K, JGT_X, JNE_K = 0x05, 0x15, 0x2d, 0x55
PSEUDO_MAP_FD, PSEUDO_MAP_VALUE = 1, 2
PASS = 2


def insn(code, dst=0, src=0, off=0, imm=0):
    return struct.pack("<BBhi", code, dst | src << 4, off, imm)


def mov(dst, imm):
    return insn(ALU64_K | MOV, dst, imm=imm)


def movr(dst, src):
    return insn(ALU64_X | MOV, dst, src)


def ld_map(dst, kind=0, off=0):
    """Two instructions; a fixup names the map."""
    return insn(LD_IMM64, dst, kind) + insn(0, imm=off)


def call(helper):
    return insn(CALL, imm=helper)


def ret(imm=PASS):
    return mov(0, imm) + insn(EXIT)


class Program:
    """Instructions, and which of them refer to maps."""

    def __init__(self):
        self.code = b""
        self.fixups = []

    def add(self, *parts):
        self.code += b"".join(parts)
        return self

    def map(self, dst, index, kind=0, off=0):
        self.fixups.append([len(self.code) // 8, index])
        return self.add(ld_map(dst, kind, off))

    def line(self, **fields):
        return dict({"insns": self.code.hex(), "fixups": self.fixups}, **fields)


def run_lines(xdpland, lines, *options):
    """Gives @lines (objects, or text as it is) to exec; returns the answers and the exit code."""
    text = "\n".join(x if isinstance(x, str) else json.dumps(x) for x in lines) + "\n"
    done = subprocess.run([xdpland, "exec", "--raw", "-", *options], input=text.encode(),
                          stdout=subprocess.PIPE, check=False, timeout=60)
    return [json.loads(x) for x in done.stdout.splitlines()], done.returncode


class Kernel:
    """The line's maps and programs in the real kernel, by bpf(2)."""
    MAP_CREATE, LOOKUP, UPDATE, PROG_LOAD, TEST_RUN = 0, 1, 2, 5, 10
    NR_BPF = {"x86_64": 321, "aarch64": 280}.get(os.uname().machine)

    def __init__(self):
        self.syscall = ctypes.CDLL(None, use_errno=True).syscall

    def bpf(self, cmd, attr):
        buf = ctypes.create_string_buffer(attr, 128)
        result = self.syscall(self.NR_BPF, cmd, buf, 128)
        if result < 0:
            errno = ctypes.get_errno()
            raise OSError(errno, os.strerror(errno))
        return result, buf.raw

    @staticmethod
    def address(data):
        buf = ctypes.create_string_buffer(data, max(len(data), 1))
        return ctypes.addressof(buf), buf

    def create(self, spec):
        inner = self.create(spec["inner"]) if "inner" in spec else 0
        fd, _ = self.bpf(self.MAP_CREATE, struct.pack(
            "<IIIIII", spec["type"], spec["key_size"], spec["value_size"], spec["max_entries"],
            spec.get("flags", 0), inner))
        if inner:
            os.close(inner)
        return fd

    def element(self, cmd, fd, key, value):
        key_at, key_buf = self.address(key)
        value_at, value_buf = self.address(value)
        self.bpf(cmd, struct.pack("<IIQQQ", fd, 0, key_at if key else 0, value_at, 0))
        return value_buf.raw[:len(value)], key_buf

    def load(self, line, maps):
        code = bytearray.fromhex(line["insns"])
        for at, index in line.get("fixups", []):
            if code[at * 8 + 1] >> 4 != PSEUDO_MAP_VALUE:
                code[at * 8 + 1] |= PSEUDO_MAP_FD << 4
            struct.pack_into("<i", code, at * 8 + 4, maps[index])
        code_at, code_buf = self.address(bytes(code))
        license_at, license_buf = self.address(b"GPL")
        log = ctypes.create_string_buffer(1 << 20)
        try:
            return self.bpf(self.PROG_LOAD, struct.pack(
                "<IIQQIIQII", 6, len(code) // 8, code_at, license_at, 1, len(log),
                ctypes.addressof(log), 0, line.get("prog_flags", 0)))[0]
        except OSError as error:
            raise OSError(error.errno, log.value.decode()[-2000:]) from error
        finally:
            del code_buf, license_buf

    def test_run(self, prog, packet):
        in_at, in_buf = self.address(packet)
        out = ctypes.create_string_buffer(len(packet) + 4096)
        _, attr = self.bpf(self.TEST_RUN, struct.pack(
            "<IIIIQQ", prog, 0, len(packet), len(out), in_at, ctypes.addressof(out)))
        del in_buf
        retval, size = struct.unpack_from("<I", attr, 4)[0], struct.unpack_from("<I", attr, 12)[0]
        return retval, out.raw[:size]

    def fill(self, line, maps, prog, value_size):
        for i, spec in enumerate(line.get("maps", [])):
            for key, value in spec.get("init", []):
                if value == "self":
                    value = struct.pack("<i", prog)
                elif isinstance(value, int):
                    value = struct.pack("<i", maps[value])
                else:
                    value = bytes.fromhex(value)
                    if len(value) == spec["value_size"]:
                        slot = value.ljust((len(value) + 7) & ~7, b"\0")
                        value = (slot * (value_size(spec) // len(slot) or 1))[:value_size(spec)]
                self.element(self.UPDATE, maps[i], bytes.fromhex(key), value)

    def answer(self, line, value_size):
        """What exec is to answer, without names. @value_size: bytes of a map's value."""
        maps = [self.create(spec) for spec in line.get("maps", [])]
        progs = []
        try:
            progs.append(self.load(line, maps))
            self.fill(line, maps, progs[0], value_size)
            return [self.run(line, maps, progs[0], bytes.fromhex(x), value_size)
                    for x in line["packets"]]
        finally:
            for fd in maps + progs:
                os.close(fd)

    def run(self, line, maps, prog, packet, value_size):
        retval, out = self.test_run(prog, packet)
        dump = []
        for index, key in line.get("dump", []):
            try:
                value, _ = self.element(self.LOOKUP, maps[index], bytes.fromhex(key),
                                        bytes(value_size(line["maps"][index])))
                dump.append(value.hex())
            except OSError:
                dump.append(None)
        return {"retval": retval, "out": None if out == packet else out.hex(), "dump": dump}
