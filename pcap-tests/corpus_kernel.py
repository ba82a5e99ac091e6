#!/usr/bin/python3
"""The XDP programs of the kernel's own samples and selftests: what the kernel makes of them, and we.

    corpus_kernel.py --xdpland BINARY [--cache DIR] [--cpu v3]… [--only PART] [--json FILE]

Each source is compiled (corpus_build.py), the kernel is asked which programs it loads and runs
(corpus_probe.py), and those run in `xdpland replay --diff kernel` on two captures. Needs root, the
network once, and minutes: nothing that a test run does. docs/corpus.md has the results.
"""
import argparse
import collections
import concurrent.futures
import json
import os
import subprocess
import sys

import corpus_build

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LONGEST_S = 120
NOT_LOADED = 4  # exit code of replay: the object cannot be loaded


def kernel_rows(libbpf, obj):
    """What corpus_probe.py says; a crash of libbpf is a row too."""
    done = subprocess.run(["/usr/bin/python3", "-B", os.path.join(ROOT, "pcap-tests/corpus_probe.py"),
                           libbpf, obj], capture_output=True, text=True, check=False, timeout=LONGEST_S)
    if done.returncode:
        return [{"name": "", "section": "", "loads": False, "runs": False,
                 "why": f"the probe ended with {done.returncode}: {done.stderr.strip()[-200:]}"}]
    return json.loads(done.stdout)


def last_json(text):
    lines = text.splitlines()
    try:
        return json.loads(lines[-1]) if lines else {}
    except json.JSONDecodeError:
        return {}


def what_differs(diff):
    found = []
    if diff["different"]:
        found.append(f"{diff['different']} of {diff['compared']} packets differ: "
                     + json.dumps(diff.get("first", {})))
    if not diff["maps_equal"]:
        found.append("maps differ: " + json.dumps({k: v for k, v in diff.items() if "map" in k}))
    return "; ".join(found)


def replay(args, obj, row, capture, limit):
    """{"loads", "equal", "compared", "why", "notes"} of one program on one capture."""
    command = [args.xdpland, "replay", obj, "--prog", row["name"], "--pcap", capture, "--diff", "kernel",
               "--limit", str(limit), "-j"]
    command += [x for name in row["shapeless"] for x in ("--inner", name + "=hash,4,4,2")]
    out = {"loads": True, "equal": False, "compared": 0, "why": "", "notes": []}
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LONGEST_S)
    except subprocess.TimeoutExpired:
        return dict(out, why=f"takes longer than {LONGEST_S} s")
    diff = last_json(done.stdout).get("summary", {}).get("diff")
    said = " | ".join(line.replace("xdpland replay: ", "") for line in done.stderr.strip().splitlines())
    if done.returncode == NOT_LOADED:
        return dict(out, loads=False, why=said)
    if not diff:
        return dict(out, why=f"exit code {done.returncode}: {said}")
    out.update(compared=diff["compared"], notes=diff["notes"], why=what_differs(diff))
    out["equal"] = not out["why"] and not done.returncode
    if not out["equal"] and said:
        out["why"] += " | " + said
    return out


def try_program(args, o, row):
    """Adds to the kernel's row what we do with the program."""
    row.update(object=o.name, cpu=o.cpu)
    if not row["runs"]:
        return row
    row["captures"] = {os.path.basename(path): replay(args, o.obj, row, path, limit)
                       for path, limit in args.captures}
    results = row["captures"].values()
    row["we_load"] = all(r["loads"] for r in results)
    row["equal"] = all(r["equal"] for r in results)
    row["our_why"] = next((r["why"] for r in results if r["why"]), "")
    row["notes"] = sorted({note for r in results for note in r["notes"]})
    return row


def try_object(args, o):
    if o.error:
        return [{"object": o.name, "cpu": o.cpu, "name": "", "loads": False, "runs": False,
                 "why": "does not compile: " + o.error}]
    return [try_program(args, o, row) for row in kernel_rows(args.libbpf, o.obj)]


def percent(part, whole):
    return f"{part} of {whole} ({100 * part / whole:.1f} %)" if whole else "0 of 0"


def print_group(title, rows):
    if rows:
        print(f"\n{title}")
    reasons = collections.defaultdict(list)
    for row, why in rows:
        reasons[row["object"], row["name"], why].append(row["cpu"])
    for (obj, name, why), cpus in sorted(reasons.items()):
        print(f"  {obj} {name} [{' '.join(cpus)}]: {why}")


def summary(rows):
    programs = [r for r in rows if r["name"]]
    runs = [r for r in programs if r["runs"]]
    ours = [r for r in runs if r["we_load"]]
    equal = [r for r in ours if r["equal"]]
    print_group("not compiled, or not opened by libbpf:", [(r, r["why"]) for r in rows if not r["name"]])
    print_group("not loaded or not run by the kernel:",
                [(r, r["why"]) for r in programs if not r["runs"]])
    print_group("not loaded here:", [(r, r["our_why"]) for r in runs if not r["we_load"]])
    print_group("loaded and different:", [(r, r["our_why"]) for r in ours if not r["equal"]])
    print_group("equal, with a note:", [(r, n) for r in equal for n in r["notes"]])
    print(f"\nobjects with XDP programs: {len({(r['object'], r['cpu']) for r in programs})}")
    print(f"programs: {len(programs)}, loaded by the kernel: {sum(r['loads'] for r in programs)}, "
          f"test-run by it: {len(runs)}")
    print(f"of those loaded here: {percent(len(ours), len(runs))}")
    print(f"of those equal to the kernel: {percent(len(equal), len(ours))}")
    print("packets compared:", sum(c["compared"] for r in ours for c in r["captures"].values()))


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--xdpland", required=True)
    parser.add_argument("--cache", default=os.path.join(ROOT, "build/corpus"))
    parser.add_argument("--version", action="append", help="6.1, 6.12 (both)")
    parser.add_argument("--cpu", action="append", help="v1, v3, v4 (v3)")
    parser.add_argument("--only", default="", help="objects whose name holds this")
    parser.add_argument("--limit", type=int, default=300, help="packets of the real capture (300)")
    parser.add_argument("--real", default=os.environ.get("XL_REAL_PCAP") or
                        os.path.join(ROOT, "../shared/data/real.pcap"))
    parser.add_argument("--jobs", type=int, default=1, help="programs at a time (1)")
    parser.add_argument("--json", help="write everything to this file")
    args = parser.parse_args()
    args.captures = [(os.path.join(ROOT, "pcap-tests/assorted.pcap"), 1 << 32)]
    if os.path.exists(args.real):
        args.captures.append((args.real, args.limit))
    else:
        print(f"there is no {args.real}: only the assorted packets", file=sys.stderr)
    return args


def main():
    args = options()
    try:
        args.libbpf = corpus_build.newest_libbpf(args.cache)
        objects = corpus_build.build(args.cache, args.version or corpus_build.VERSIONS,
                                     args.cpu or ("v3",), args.only)
        with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
            rows = [row for found in pool.map(lambda o: try_object(args, o), objects) for row in found]
    except corpus_build.NotHere as missing:
        print(f"corpus_kernel: {missing}", file=sys.stderr)
        return 2
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump(rows, file, indent=1)
            file.write("\n")
    summary(rows)
    return 0


sys.exit(main())
