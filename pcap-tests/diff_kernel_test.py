#!/usr/bin/python3
"""Programs that people have give here what they give in the kernel: verdicts, bytes, maps.

    diff_kernel_test.py GROUP CAPTURE --xdpland BINARY --root SOURCES --examples DIR --progs DIR

GROUP     debian: the XDP objects of xdp-tools and libxdp1, xdp-filter with rules in its maps;
          examples: ours; progs: pcap-tests/progs, one per helper or kind of map
CAPTURE   assorted: pcap-tests/assorted.pcap; sample: examples/sample.pcap;
          real: $XL_REAL_PCAP or ../shared/data/real.pcap beside the sources;
          mutated: packets of the first two with bytes changed, cut, added

Each case is one `xdpland replay --diff kernel -j`; a difference of a single byte fails it.
"""
import argparse
import collections
import glob
import ipaddress
import json
import os
import random
import struct
import subprocess
import sys
import tempfile

SKIP = 77
CANNOT = ("--diff kernel needs root", ": mount /sys")
# The kernel makes timers from memory that it does not wait for (6.18): on a loaded machine a call may
# fail for no reason of the program's. What is wrong by our fault is wrong every time.
TRIES = {"timers": 4}
BPF_DIR = "/usr/lib/*-linux-gnu/bpf"
LONGEST = 3520  # what the kernel gives a test-run program in one piece

FOR_THE_REPORT_TEST = ("lru", "refused")

# xdp-filter's flags, xdpfilt_prog.h: which field of the packet a rule is about.
SRC, DST, TCP, UDP = 1, 2, 4, 8


def skip(why):
    print(f"diff_kernel: skipped, {why}", file=sys.stderr)
    sys.exit(SKIP)


def read_pcap(path):
    with open(path, "rb") as file:
        data = file.read()
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    at = 24
    while at + 16 <= len(data):
        size = struct.unpack_from(order + "I", data, at + 8)[0]
        yield data[at + 16:at + 16 + size]
        at += 16 + size


class Popular:
    """The addresses and ports that a capture has most often: rules about these hit something."""

    def __init__(self, packets):
        self.macs, self.v4, self.v6, self.ports = (collections.Counter() for _ in range(4))
        self.services = collections.Counter()  # (destination, proto, port)
        for p in packets:
            self.count(p)

    def count(self, p):
        if len(p) < 14:
            return
        self.macs.update([p[0:6], p[6:12]])
        kind, at = p[12:14], 14
        if kind == b"\x81\x00" and len(p) >= 18:
            kind, at = p[16:18], 18
        if kind == b"\x08\x00" and len(p) >= at + 20:
            self.v4.update([p[at + 12:at + 16], p[at + 16:at + 20]])
            self.count_ports(p[at + 9], p[at + 16:at + 20], p[at + 4 * (p[at] & 15):])
        elif kind == b"\x86\xdd" and len(p) >= at + 40:
            self.v6.update([p[at + 8:at + 24], p[at + 24:at + 40]])
            self.count_ports(p[at + 6], p[at + 24:at + 40], p[at + 40:])

    def count_ports(self, proto, dst, p):
        if proto in (6, 17) and len(p) >= 4:
            self.ports.update([p[0:2], p[2:4]])
            self.services[dst, proto, p[2:4]] += 1

    def vips(self, size, n):
        """The @n services on addresses of @size bytes that have the most packets."""
        ranked = sorted((s for s in self.services if len(s[0]) == size and any(s[2])),
                        key=lambda s: (-self.services[s], s))
        return [{"address": str(ipaddress.ip_address(dst)), "port": int.from_bytes(port, "big"),
                 "proto": {6: "tcp", 17: "udp"}[proto], "answer_ping": True}
                for dst, proto, port in ranked[:n]]

    @staticmethod
    def rules(counter, flags, n=24):
        """[(key, flags)]: popular ones by turns with each set of @flags."""
        ranked = sorted(counter, key=lambda key: (-counter[key], key))[:n]
        return [(key, flags[i % len(flags)]) for i, key in enumerate(ranked)]


def hex_bytes(data):
    return [f"0x{b:02x}" for b in data]


def per_cpu_rows(rules):
    """As bpftool writes a per-CPU map of u64."""
    cpus = range(os.sysconf("SC_NPROCESSORS_CONF"))
    return [{"key": hex_bytes(key),
             "values": [{"cpu": cpu, "value": hex_bytes(struct.pack("=Q", value))} for cpu in cpus]}
            for key, value in rules]


class Case:
    """One replay: an object, options, and what must be true of it beside equality."""

    def __init__(self, name, obj, *options, least_verdicts=1):
        self.name, self.obj, self.options = name, obj, options
        self.least_verdicts = least_verdicts


def map_file(folder, name, rows):
    path = os.path.join(folder, name + ".json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(rows, file)
    return path


def filter_maps(popular, folder):
    ports = [(struct.pack("=I", int.from_bytes(key, sys.byteorder)), flags)
             for key, flags in popular.rules(popular.ports, (DST | TCP | UDP, SRC | UDP, SRC | DST | TCP))]
    tables = {
        "filter_ports": ports,
        "filter_ipv4": popular.rules(popular.v4, (SRC, DST, SRC | DST)),
        "filter_ipv6": popular.rules(popular.v6, (SRC, DST, SRC | DST)),
        "filter_ethernet": popular.rules(popular.macs, (SRC, DST), n=6),
    }
    return {name: map_file(folder, name, per_cpu_rows(rules)) for name, rules in tables.items()}


def debian_cases(popular, folder):
    objects = {os.path.basename(path): path for path in glob.glob(BPF_DIR + "/*.o")}
    if not objects:
        skip(f"there are no objects in {BPF_DIR} (packages xdp-tools, libxdp1)")
    rules = filter_maps(popular, folder)
    sockets = map_file(folder, "xsks_map", [{"key": hex_bytes(struct.pack("=I", 0)),
                                             "value": hex_bytes(struct.pack("=I", 3))}])
    needs = {"eth": ["filter_ethernet"], "ip": ["filter_ipv4", "filter_ipv6"],
             "tcp": ["filter_ports"], "udp": ["filter_ports"], "all": sorted(rules)}
    for name, path in sorted(objects.items()):
        if name.startswith("xdpfilt_"):
            for empty in (True, False):
                used = [] if empty else needs[name[:-2].split("_")[2]]
                options = [x for m in used for x in ("--map", f"{m}={rules[m]}")]
                yield Case(name + (", no rules" if empty else ""), path, *options,
                           least_verdicts=1 if empty else 2)
        elif name.startswith("xsk_def_xdp_prog"):
            yield Case(name + ", no socket", path)
            yield Case(name, path, "--map", f"xsks_map={sockets}")
            yield Case(name + ", disabled", path, "--set", "refcnt=0", "--map", f"xsks_map={sockets}")
        elif name == "xdp-dispatcher.o":
            yield Case(name, path, "--prog", "xdp_dispatcher")
            chain = [x for i in range(10) for x in ("--set", f"conf.chain_call_actions[{i}]=0x80000000")]
            yield Case(name + ", ten slots", path, "--prog", "xdp_dispatcher",
                       "--set", "conf.num_progs_enabled=10", *chain)
            yield Case(name + ", pass", path, "--prog", "xdp_pass")
        elif name == "xdpdump_xdp.o":
            yield Case(name, path)
            yield Case(name + ", a snap length", path, "--set", "trace_cfg.capture_snaplen=64",
                       "--set", "trace_cfg.capture_if_ifindex=1")
        elif name != "xdpdump_bpf.o":  # fentry and fexit only
            yield Case(name, path)


def popular_vips(popular, root, folder):
    """The load balancer's maps, with VIPs that the capture has."""
    l4lb = os.path.join(root, "examples/l4lb")
    with open(os.path.join(l4lb, "lb.json"), encoding="utf-8") as file:
        description = json.load(file)
    description["vips"] = [dict(vip, number=number, reals=["web1", "web6a", "dns6"])
                           for number, vip in enumerate(popular.vips(4, 9) + popular.vips(16, 7))]
    path = os.path.join(folder, "lb.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(description, file)
    subprocess.run([sys.executable, "-B", os.path.join(l4lb, "gen_maps.py"), path, folder], check=True)


def example_cases(popular, examples, root, folder):
    def maps(folder, *names):
        return [x for n in names for x in ("--map", f"{n}={os.path.join(folder, n)}.json")]

    firewall = os.path.join(root, "examples/firewall/maps")
    yield Case("counter", os.path.join(examples, "counter.o"))
    yield Case("xdp_tx", os.path.join(examples, "xdp_tx.o"))
    yield Case("firewall, no rules", os.path.join(examples, "firewall.o"))
    yield Case("firewall", os.path.join(examples, "firewall.o"),
               *maps(firewall, "src_v4", "src_v6", "ports"))
    yield Case("l4lb, no VIPs", os.path.join(examples, "l4lb.o"))
    yield Case("l4lb", os.path.join(examples, "l4lb.o"),
               *maps(os.path.join(examples, "l4lb"), "vips", "ch_ring", "reals", "control"))
    popular_vips(popular, root, folder)
    yield Case("l4lb, popular VIPs", os.path.join(examples, "l4lb.o"),
               *maps(folder, "vips", "ch_ring", "reals", "control"), least_verdicts=3)


def prog_cases(progs, root, folder):
    """pcap-tests/progs, with what lies beside them: {"maps": {name: rows}, "fib": {…}, "options": […]}."""
    for path in sorted(glob.glob(os.path.join(progs, "*.o"))):
        name = os.path.basename(path)[:-2]
        if name in FOR_THE_REPORT_TEST:
            continue
        beside = os.path.join(root, "pcap-tests/progs", name + ".json")
        extra = {}
        if os.path.exists(beside):
            with open(beside, encoding="utf-8") as file:
                extra = json.load(file)
        options = [x for m, rows in extra.get("maps", {}).items()
                   for x in ("--map", f"{m}={map_file(folder, m, rows)}")]
        if "fib" in extra:
            options += ["--fib", map_file(folder, "fib", extra["fib"])]
        yield Case(name, path, *options, *extra.get("options", []))


def diff_of(lines):
    for line in lines:
        row = json.loads(line)
        found = row.get("diff") or row.get("summary", {}).get("diff")
        if found:
            return found
    return None


def run(xdpland, case, capture, n_fit):
    """Returns what is wrong with the case, '' if nothing is."""
    command = [xdpland, "replay", case.obj, "--pcap", capture, "--diff", "kernel", "-j", *case.options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if any(words in done.stderr for words in CANNOT):
        skip(done.stderr.strip().splitlines()[-1])
    try:
        lines = done.stdout.splitlines()
        diff = diff_of(lines)
    except json.JSONDecodeError as error:
        return f"bad JSON: {error}\n{done.stderr}"
    if diff is None:
        return f"exit code {done.returncode}: {done.stderr.strip()}"
    wrong = []
    if done.returncode or diff["different"] or not diff["maps_equal"]:
        wrong.append(json.dumps(diff, indent=1))
    if diff["compared"] != n_fit:
        wrong.append(f"{diff['compared']} packets compared, not {n_fit}")
    wrong += [f"note: {note}" for note in diff["notes"]]
    verdicts = {json.loads(line).get("verdict") for line in lines} - {None}
    if len(verdicts) < case.least_verdicts:
        wrong.append(f"too dull a test: nothing but {' '.join(sorted(verdicts))}")
    if wrong:
        wrong.append(" ".join(command))
    return "\n".join(wrong)


def mutate(rng, packet):
    """The packet with some bytes changed, most of them in its headers, and its end moved."""
    packet = bytearray(packet)
    for _ in range(rng.choice((0, 1, 1, 2, 4, 8))):
        at = min(int(rng.expovariate(1 / 30)), len(packet) - 1)
        packet[at] = rng.choice((0, 0xff, rng.randrange(256)))
    what = rng.random()
    if what < 0.15:
        return packet[:rng.randrange(14, len(packet) + 1)]
    if what < 0.25:
        # Short enough to grow by what the programs of a chain add.
        return packet + rng.randbytes(rng.randrange(LONGEST - 100 - len(packet)))
    return packet


def write_mutated(root, path, n=1500):
    sys.path.insert(0, os.path.join(root, "pcap-tests/gen"))
    import pcap_file  # pylint: disable=import-outside-toplevel
    rng, time_us = random.Random(3), 1748858400000000
    originals = [p for name in ("pcap-tests/assorted.pcap", "examples/sample.pcap")
                 for p in read_pcap(os.path.join(root, name))]
    frames = []
    for _ in range(n):
        time_us += rng.choice((1, 100, 100000, 5000000))
        frames.append((time_us, bytes(mutate(rng, rng.choice(originals)))))
    pcap_file.write(path, frames)
    return path


def capture_path(args, folder):
    if args.capture == "mutated":
        return write_mutated(args.root, os.path.join(folder, "mutated.pcap"))
    if args.capture == "assorted":
        return os.path.join(args.root, "pcap-tests/assorted.pcap")
    if args.capture == "sample":
        return os.path.join(args.root, "examples/sample.pcap")
    path = os.environ.get("XL_REAL_PCAP") or os.path.join(args.root, "../shared/data/real.pcap")
    if not os.path.exists(path):
        skip(f"there is no {path}")
    return path


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("group", choices=("debian", "examples", "progs"))
    parser.add_argument("capture", choices=("assorted", "mutated", "real", "sample"))
    for option in ("xdpland", "root", "examples", "progs"):
        parser.add_argument("--" + option, required=True)
    args = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        capture = capture_path(args, folder)
        packets = list(read_pcap(capture))
        n_fit = sum(14 <= len(p) <= LONGEST for p in packets)
        cases = {"debian": lambda: debian_cases(Popular(packets), folder),
                 "examples": lambda: example_cases(Popular(packets), args.examples, args.root,
                                                   folder),
                 "progs": lambda: prog_cases(args.progs, args.root, folder)}[args.group]()
        for n, case in enumerate(cases, 1):
            for _ in range(TRIES.get(case.name, 1)):
                wrong = run(args.xdpland, case, capture, n_fit)
                if not wrong:
                    break
            print(f"{'not ok' if wrong else 'ok'} {n} {case.name}: {n_fit} packets")
            if wrong:
                print(wrong)
                failed += 1
    return 1 if failed or not n else 0


sys.exit(main())
