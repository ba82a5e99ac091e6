#!/usr/bin/python3
"""Routes: what bpf_fib_lookup and bpf_check_mtu answer from --fib files."""
import hashlib
import ipaddress
import json
import struct

from replay_case import ReplayCase, main

SUCCESS, BLACKHOLE, NOT_FWDED, FWD_DISABLED, NO_NEIGH, FRAG_NEEDED = 0, 1, 4, 5, 7, 8

# As `ip -j` prints them.
LINKS = [{"ifindex": 1, "ifname": "lo", "flags": ["LOOPBACK", "UP"], "mtu": 65536},
         {"ifindex": 4, "ifname": "wan", "flags": ["UP"], "mtu": 1400, "link_type": "ether",
          "address": "02:00:00:00:00:04"},
         {"ifindex": 9, "ifname": "lan", "flags": ["UP"], "mtu": 9000, "link_type": "ether",
          "address": "02:00:00:00:00:09"}]
ROUTES = [{"dst": "default", "gateway": "192.0.2.1", "dev": "wan", "flags": []},
          {"dst": "10.0.0.0/8", "dev": "lan", "scope": "link", "flags": []},
          {"type": "blackhole", "dst": "10.0.0.128/25", "flags": []}]
NEIGHBOURS = [{"dst": "192.0.2.1", "dev": "wan", "lladdr": "02:00:00:00:01:01",
               "state": ["REACHABLE"]},
              {"dst": "10.0.0.7", "dev": "lan", "lladdr": "02:00:00:00:00:07",
               "state": ["STALE"]},
              {"dst": "10.0.0.8", "dev": "lan", "state": ["FAILED"]}]


def ipv4_to(dst, total=100):
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, total, 0, 0, 64, 17, 0,
                     ipaddress.ip_address("198.51.100.1").packed,
                     ipaddress.ip_address(dst).packed)
    return (b"\x02" * 12 + b"\x08\x00" + ip).ljust(60, b"\0")


class Routes(ReplayCase):
    def answers(self, dsts, *options, total=100):
        maps = self.dump("routes", [ipv4_to(d, total) for d in dsts], *options)
        found = {e["formatted"]["key"]: e["formatted"]["value"] for e in maps["answers"]}
        return [found[int(d.split(".")[3])] for d in dsts]

    def files(self):
        """One file for each dump, as a person would make them."""
        return [o for name, dump in (("route", ROUTES), ("link", LINKS), ("neigh", NEIGHBOURS))
                for o in ("--fib", self.file(name + ".json", dump))]

    def test_without_routes_nothing_is_forwarded(self):
        self.assertEqual(self.answers(["10.0.0.7"])[0]["ret"], FWD_DISABLED)

    def test_routes_gateways_and_neighbours_decide(self):
        got = self.answers(["10.0.0.7", "10.0.0.8", "10.0.0.200", "203.0.113.5"], *self.files(),
                           "--ifindex=9")
        self.assertEqual([a["ret"] for a in got], [SUCCESS, NO_NEIGH, BLACKHOLE, SUCCESS])
        self.assertEqual([a["ifindex"] for a in got], [9, 9, 9, 4])
        self.assertEqual(got[3]["gateway"], int(ipaddress.ip_address("192.0.2.1")))
        self.assertEqual([got[0]["mtu"], got[3]["mtu"]], [9000, 1400])
        self.assertEqual(got[0]["link_mtu"], 9000)

    def test_large_packets_need_fragments(self):
        got = self.answers(["10.0.0.7", "203.0.113.5"], *self.files(), total=1401)
        self.assertEqual([a["ret"] for a in got], [SUCCESS, FRAG_NEEDED])
        self.assertEqual(got[1]["mtu"], 1400)

    def test_the_frame_leaves_with_the_neighbours_address(self):
        packet = ipv4_to("203.0.113.5")
        done = self.replay("routes", [packet], *self.files(), "-j")
        line = json.loads(done.out.splitlines()[0])
        sent = bytes.fromhex("020000000101" "020000000004") + packet[12:]
        self.assertEqual((line["verdict"], line["redirect"]["ifindex"]), ("XDP_REDIRECT", 4))
        self.assertEqual(line["sha1"], hashlib.sha1(sent).hexdigest())

    def test_one_file_may_hold_all_dumps(self):
        dumps = "\n".join(json.dumps(d) for d in (ROUTES, NEIGHBOURS, LINKS))
        parts = {"routes": ROUTES, "links": LINKS, "neighbours": NEIGHBOURS}
        for content in (dumps, parts):
            got = self.answers(["10.0.0.7", "203.0.113.5"], "--fib",
                               self.file("all.json", content))
            self.assertEqual([a["ret"] for a in got], [SUCCESS, SUCCESS])

    def test_forwarding_can_be_turned_off(self):
        off = self.file("off.json", {"forwarding": False})
        self.assertEqual(self.answers(["10.0.0.7"], *self.files(), "--fib", off)[0]["ret"],
                         FWD_DISABLED)


if __name__ == "__main__":
    main()
