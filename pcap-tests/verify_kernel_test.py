#!/usr/bin/python3
"""`xdpland verify --against kernel`: the verifier and this machine's kernel say the same of each program.

    verify_kernel_test.py XDPLAND OBJECTS...

Never is a program accepted that the kernel refuses. One that the kernel accepts may be called
unsupported only where its object is named below, and is to be named there no longer once it is not.
"""
import json
import os
import subprocess
import sys

SKIP = 77
NO_BPF = "bpf(2) is not usable"
# What the verifier does not model yet: function pointers, references, dynptrs, locks, timers.
UNPROVEN = {"callbacks", "clocks", "conntrack", "dynptrs", "dynptrs_long", "iterators", "kernel_strings",
            "locks", "pull", "records", "rings", "sockets", "states", "strings", "timers"}


def programs(xdpland, path):
    run = subprocess.run([xdpland, "verify", "--against", "kernel", "-j", path],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    try:
        found = json.loads(run.stdout)["programs"]
    except ValueError:
        sys.exit(f"{path}: no JSON: exit {run.returncode}: {run.stderr}")
    for program in found:
        if NO_BPF in program["kernel"].get("msg", ""):
            print(program["kernel"]["msg"], file=sys.stderr)
            sys.exit(SKIP)
    return found


def wrong(program):
    """What is wrong with the verdict, or None; and whether the program could not be judged."""
    ours, kernel = program["verdict"], program["kernel"]["verdict"]
    if ours == "accepted" and kernel != "accepted":
        return f"accepted here, in the kernel: {kernel}", False
    if ours != "accepted" and kernel == "accepted":
        return f"{ours} here: {program['msg']}; the kernel accepts it", True
    return None, False


def main():
    failed, n = [], 0
    for path in sys.argv[2:]:
        name = os.path.basename(path).removesuffix(".o")
        unproven = False
        for program in programs(sys.argv[1], path):
            n += 1
            why, may_be_unproven = wrong(program)
            unproven = unproven or may_be_unproven
            if why and not (may_be_unproven and name in UNPROVEN):
                failed.append(f"{name}: {program['name']}: {why}")
        if name in UNPROVEN and not unproven:
            failed.append(f"{name}: is proven now; take it from the list")
    print(*failed, f"{n} programs, {len(failed)} failures", sep="\n")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
