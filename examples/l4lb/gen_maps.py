#!/usr/bin/python3
"""Writes the load balancer's maps from a description of VIPs and reals.

    gen_maps.py lb.json OUT_DIR            vips.json, ch_ring.json, reals.json, control.json, in the
                                           form of `bpftool map dump -j`, for xdpland's --map
    gen_maps.py --bpftool PINS lb.json F   one file of commands for `bpftool batch file F`, which
                                           fill maps of the kernel that are pinned under PINS

The description (lb.json beside this file) names each real and gives it a number. The numbers are
its own and not counted here, because connections remember them: a real keeps its number for life,
and one that goes away stays in the list with "address": null until its connections are forgotten.

The ring is Maglev's (Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load Balancer",
NSDI 2016, section 3.4). Each real has an order of its own in which it would like the slots: it
begins at `offset` and goes on in steps of `skip`; the ring's size is a prime, so it comes past every
slot. The reals take turns, and each takes the first slot on its list that is still free. So shares
differ by one slot at most, and when a real goes, the others mostly keep what they have.
"""
import argparse
import hashlib
import ipaddress
import json
import os
import struct
import sys

RING_SIZE = 1021  # l4lb/maps.h: RING_SIZE
MAX_VIPS = 16     # and MAX_VIPS
MAX_REALS = 256   # and MAX_REALS
PROTOS = {"tcp": 6, "udp": 17}
ANSWER_PING = 1   # VIP_ANSWER_PING
MAX_WEIGHT = 1000  # chosen: finer shares than a ring has slots mean nothing


class DescriptionError(Exception):
    """What is wrong with the description, in words for the one who wrote it."""


def is_prime(n):
    return n > 1 and all(n % d for d in range(2, int(n ** 0.5) + 1))


def preference(name, ring_size):
    """Offset and skip of a real's order of slots: two hashes of its name."""
    digest = hashlib.sha256(name.encode()).digest()
    offset, skip = struct.unpack(">QQ", digest[:16])
    return offset % ring_size, skip % (ring_size - 1) + 1


def maglev_ring(weights, ring_size):
    """The ring as a list of names. @weights: name -> turns per round, 0 for none."""
    weights = {name: weight for name, weight in sorted(weights.items()) if weight}
    ring = [None] * ring_size
    if not weights:
        return ring
    next_slot = {name: preference(name, ring_size) for name in weights}
    free = ring_size
    while True:
        for name, weight in weights.items():
            for _ in range(weight):
                slot, skip = next_slot[name]
                while ring[slot] is not None:
                    slot = (slot + skip) % ring_size
                ring[slot] = name
                next_slot[name] = (slot, skip)
                free -= 1
                if not free:
                    return ring


def packed(text):
    """16 bytes and 4 or 6."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError as error:
        raise DescriptionError(str(error)) from error
    return address.packed.ljust(16, b"\0"), address.version


def mac(text):
    parts = text.split(":")
    if len(parts) != 6 or not all(0 < len(p) <= 2 for p in parts):
        raise DescriptionError(f"{text!r} is no MAC address")
    return bytes(int(p, 16) for p in parts)


def number_of(what, entry, limit, first):
    number = entry.get("number")
    if not isinstance(number, int) or not first <= number < limit:
        raise DescriptionError(f"{what}: \"number\" must be {first} to {limit - 1}")
    return number


def check_distinct(what, numbers):
    twice = {n for n in numbers if numbers.count(n) > 1}
    if twice:
        raise DescriptionError(f"{what}: number {min(twice)} is given twice")


def real_rows(reals):
    numbers = [number_of(f"real {name}", real, MAX_REALS, 1) for name, real in reals.items()]
    check_distinct("reals", numbers)
    for number, real in zip(numbers, reals.values()):
        address, version = packed(real["address"]) if real["address"] else (bytes(16), 0)
        yield struct.pack("=I", number), address + struct.pack("=I", version)


def vip_key(address, port, proto):
    raw, version = packed(address)
    return raw + struct.pack("=HBB", port, proto, version)


def vip_rows(vips):
    """A row per VIP, and one per address, for pings and fragments."""
    rows = {}
    pinged = {vip["address"] for vip in vips if vip.get("answer_ping")}
    check_distinct("vips", [number_of("vip", vip, MAX_VIPS, 0) for vip in vips])
    for vip in vips:
        address, port, proto = vip["address"], vip["port"], vip["proto"]
        if proto not in PROTOS or not isinstance(port, int) or not 0 < port < 65536:
            raise DescriptionError(f"vip {address}: port 1 to 65535, proto \"tcp\" or \"udp\"")
        key = vip_key(address, port, PROTOS[proto])
        if key in rows:
            raise DescriptionError(f"vip {address} port {port} {proto} is there twice")
        rows[key] = struct.pack("=II", vip["number"], 0)
        rows[vip_key(address, 0, 0)] = struct.pack(
            "=II", 0, ANSWER_PING if address in pinged else 0)
    return rows.items()


def ring_rows(vips, reals, ring_size):
    for vip in vips:
        weights = vip["reals"]
        if isinstance(weights, list):
            weights = {name: 1 for name in weights}
        for name, weight in weights.items():
            if name not in reals:
                raise DescriptionError(f"vip {vip['address']}: there is no real {name!r}")
            if not isinstance(weight, int) or not 0 <= weight <= MAX_WEIGHT:
                raise DescriptionError(f"real {name}: weight must be 0 to {MAX_WEIGHT}")
        there = {name: weight for name, weight in weights.items() if reals[name]["address"]}
        for slot, name in enumerate(maglev_ring(there, ring_size)):
            number = reals[name]["number"] if name else 0
            yield (struct.pack("=I", vip["number"] * ring_size + slot),
                   struct.pack("=I", number))


def control_row(description):
    source_v4, _ = packed(description["source_v4"])
    source_v6, _ = packed(description["source_v6"])
    return (struct.pack("=I", 0), mac(description["mac"]) + mac(description["next_hop"]) +
            source_v4[:4] + source_v6)


def maps_of(description, ring_size=RING_SIZE):
    """name of map -> list of (key bytes, value bytes)"""
    if not is_prime(ring_size):
        raise DescriptionError(f"ring size {ring_size} is not a prime")
    try:
        reals, vips = description["reals"], description["vips"]
        return {
            "control": [control_row(description)],
            "reals": list(real_rows(reals)),
            "vips": list(vip_rows(vips)),
            "ch_ring": list(ring_rows(vips, reals, ring_size)),
        }
    except KeyError as error:
        raise DescriptionError(f"{error} is missing") from error
    except (AttributeError, TypeError) as error:
        raise DescriptionError(f"not in the form of lb.json: {error}") from error


def hex_list(raw):
    return [f"0x{byte:02x}" for byte in raw]


def write_json(maps, folder):
    os.makedirs(folder, exist_ok=True)
    for name, rows in maps.items():
        with open(os.path.join(folder, name + ".json"), "w", encoding="ascii") as file:
            lines = (json.dumps({"key": hex_list(key), "value": hex_list(value)})
                     for key, value in rows)
            file.write("[\n" + ",\n".join(lines) + "\n]\n")


def write_bpftool(maps, pins, path):
    with open(path, "w", encoding="ascii") as file:
        for name, rows in maps.items():
            for key, value in rows:
                file.write(f"map update pinned {pins}/{name} key hex {key.hex(' ')} "
                           f"value hex {value.hex(' ')}\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("description", help="JSON: see lb.json")
    parser.add_argument("out", help="folder for the JSON files; with --bpftool, the batch file")
    parser.add_argument("--bpftool", metavar="PINS", help="write a bpftool batch file instead")
    parser.add_argument("--ring-size", type=int, default=RING_SIZE,
                        help=f"as the program was compiled; {RING_SIZE} unless told")
    args = parser.parse_args()
    try:
        with open(args.description, encoding="utf-8") as file:
            maps = maps_of(json.load(file), args.ring_size)
        if args.bpftool:
            write_bpftool(maps, args.bpftool, args.out)
        else:
            write_json(maps, args.out)
    except (DescriptionError, OSError, ValueError) as error:
        print(f"gen_maps.py: {args.description}: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
