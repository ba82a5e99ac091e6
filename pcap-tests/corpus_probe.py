#!/usr/bin/python3
"""Asks the real kernel which XDP programs of an object it loads and can test-run, by stock libbpf.

    corpus_probe.py LIBBPF OBJECT

Each program is loaded by itself, so that one that the verifier refuses does not take the others
with it. Pins are ignored. Writes JSON: [{"name", "section", "loads", "runs", "why", "shapeless"}]; shapeless
are the maps of maps whose inner maps the object does not describe: they get a small hash.
"""
import ctypes
import errno
import json
import os
import re
import sys

XDP = 6
UNSPEC = 0
LOG_SIZE = 1 << 20
PACKET = bytes(64)
CPUMAP, MAPS_OF_MAPS = 16, (12, 13)
NO_SIZE = (4, 19, 21, 24, 26, 28, 29, 32, 33)  # perf arrays: libbpf's; storage, struct_ops, arena: none
SIZE = 1024  # of a map that leaves it open
INNER = {"type": 1, "key": 4, "value": 4, "entries": 2}  # likewise; a hash, as test_maps.c has it


class TestRun(ctypes.Structure):
    """struct bpf_test_run_opts, libbpf.h"""
    _fields_ = [("sz", ctypes.c_size_t), ("data_in", ctypes.c_char_p), ("data_out", ctypes.c_void_p),
                ("data_size_in", ctypes.c_uint32), ("data_size_out", ctypes.c_uint32),
                ("ctx_in", ctypes.c_void_p), ("ctx_out", ctypes.c_void_p),
                ("ctx_size_in", ctypes.c_uint32), ("ctx_size_out", ctypes.c_uint32),
                ("retval", ctypes.c_uint32), ("repeat", ctypes.c_int), ("duration", ctypes.c_uint32),
                ("flags", ctypes.c_uint32), ("cpu", ctypes.c_uint32),
                ("batch_size", ctypes.c_uint32)]


# The last is a va_list, which x86-64 and arm64 pass as an address.
PRINT = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
WARN = 0


class Libbpf:
    """The few functions that are needed, with their types."""

    def __init__(self, path):
        self.lib = ctypes.CDLL(path, use_errno=True)
        pointer, text, number = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
        for name, result, *arguments in (
                ("bpf_object__open_file", pointer, text, pointer),
                ("bpf_object__close", None, pointer),
                ("bpf_object__load", number, pointer),
                ("bpf_object__next_program", pointer, pointer, pointer),
                ("bpf_object__next_map", pointer, pointer, pointer),
                ("bpf_program__name", text, pointer),
                ("bpf_program__section_name", text, pointer),
                ("bpf_program__type", number, pointer),
                ("bpf_program__set_type", number, pointer, number),
                ("bpf_program__set_autoload", number, pointer, ctypes.c_bool),
                ("bpf_program__set_log_buf", number, pointer, pointer, ctypes.c_size_t),
                ("bpf_program__fd", number, pointer),
                ("bpf_map__set_pin_path", number, pointer, text),
                ("bpf_map__type", number, pointer),
                ("bpf_map__name", text, pointer),
                ("bpf_map__max_entries", ctypes.c_uint32, pointer),
                ("bpf_map__set_max_entries", number, pointer, ctypes.c_uint32),
                ("bpf_map__inner_map", pointer, pointer),
                ("bpf_map__set_inner_map_fd", number, pointer, number),
                ("bpf_map_create", number, number, text, ctypes.c_uint32, ctypes.c_uint32,
                 ctypes.c_uint32, pointer),
                ("bpf_prog_test_run_opts", number, number, pointer),
                ("libbpf_set_print", pointer, PRINT)):
            function = getattr(self.lib, name)
            function.restype, function.argtypes = result, arguments
            setattr(self, name, function)

    def each(self, following, obj):
        at = following(obj, None)
        while at:
            yield at
            at = following(obj, at)


def is_xdp(bpf, program):
    """By type, or, where the section says nothing, by a section name that people give XDP programs."""
    section = bpf.bpf_program__section_name(program).decode()
    if bpf.bpf_program__type(program) == XDP:
        return True
    return bpf.bpf_program__type(program) == UNSPEC and re.match(r"\??xdp", section) is not None


def reason(log, warnings, err):
    """The verifier's last word, or libbpf's first."""
    lines = [line for line in log.value.decode(errors="replace").splitlines()
             if line and not re.match(r"processed \d|verification time|stack depth", line)]
    found = lines[-1:] or [w for w in warnings if "Retrying without BTF" not in w][:1]
    return (found[0] + ": " if found else "") + (errno.errorcode.get(err, str(err)))


def finish_map(bpf, m):
    """What the sources leave to their control programs. Returns the map's name if xdpland must be
    told."""
    bpf.bpf_map__set_pin_path(m, None)
    kind = bpf.bpf_map__type(m)
    if not bpf.bpf_map__max_entries(m) and kind not in NO_SIZE:
        bpf.bpf_map__set_max_entries(m, os.cpu_count() if kind == CPUMAP else SIZE)
    if kind in MAPS_OF_MAPS and not bpf.bpf_map__inner_map(m):
        inner = bpf.bpf_map_create(INNER["type"], b"inner", INNER["key"], INNER["value"],
                                   INNER["entries"], None)
        bpf.bpf_map__set_inner_map_fd(m, inner)
        return [bpf.bpf_map__name(m).decode()]
    return []


def try_run(bpf, fd):
    opts = TestRun(sz=ctypes.sizeof(TestRun), data_in=PACKET, data_size_in=len(PACKET), repeat=1)
    err = bpf.bpf_prog_test_run_opts(fd, ctypes.byref(opts))
    return "" if not err else "cannot be test-run: " + errno.errorcode.get(-err, str(err))


def probe(bpf, path, wanted, warnings):
    """Loads only the program with number @wanted. None: there are no more."""
    warnings.clear()
    log = ctypes.create_string_buffer(LOG_SIZE)
    obj = bpf.bpf_object__open_file(path.encode(), None)
    if not obj:
        return {"name": "", "section": "", "loads": False, "runs": False,
                "why": "libbpf cannot open it: " + reason(log, warnings, ctypes.get_errno())}
    found = None
    for n, program in enumerate(bpf.each(bpf.bpf_object__next_program, obj)):
        bpf.bpf_program__set_autoload(program, n == wanted)
        if n == wanted:
            found = program
    if not found:
        return None
    row = {"name": bpf.bpf_program__name(found).decode(),
           "section": bpf.bpf_program__section_name(found).decode(),
           "loads": False, "runs": False, "why": "", "shapeless": []}
    if is_xdp(bpf, found):
        if bpf.bpf_program__type(found) == UNSPEC:
            bpf.bpf_program__set_type(found, XDP)
        bpf.bpf_program__set_log_buf(found, log, LOG_SIZE)
        for m in bpf.each(bpf.bpf_object__next_map, obj):
            row["shapeless"] += finish_map(bpf, m)
        err = bpf.bpf_object__load(obj)
        row["loads"] = not err
        row["why"] = reason(log, warnings, -err) if err else try_run(bpf, bpf.bpf_program__fd(found))
        row["runs"] = not row["why"]
    else:
        row = {}
    bpf.bpf_object__close(obj)
    return row


def main():
    bpf = Libbpf(sys.argv[1])
    libc = ctypes.CDLL(None)
    warnings = []

    def take(level, text, arguments):
        if level == WARN:
            line = ctypes.create_string_buffer(512)
            libc.vsnprintf(line, ctypes.c_size_t(len(line)), ctypes.c_void_p(text),
                           ctypes.c_void_p(arguments))
            warnings.append(line.value.decode(errors="replace").strip())
        return 0

    taker = PRINT(take)
    bpf.libbpf_set_print(taker)
    rows, n = [], 0
    while True:
        row = probe(bpf, os.path.abspath(sys.argv[2]), n, warnings)
        if row is None:
            break
        if row:
            rows.append(row)
        if row and not row["name"]:
            break
        n += 1
    json.dump(rows, sys.stdout)


main()
