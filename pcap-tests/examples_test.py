#!/usr/bin/python3
"""examples_test.py XDPLAND OBJECTS: the examples say of the sample capture what its story says.

OBJECTS is the build's examples/ folder. The figures follow from pcap-tests/gen/gen_sample.py and the
rules; the kernel gives the same but for the rate limit, which depends on time.
"""
import json
import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
EXAMPLES = os.path.join(HERE, "../examples")
SAMPLE = os.path.join(EXAMPLES, "sample.pcap")
N_SAMPLE = 1356

xdpland, objects = sys.argv[1:3]


class Replay:
    """One run of a program over the sample; maps from @folder."""

    def __init__(self, program, folder="", maps=(), more=()):
        with tempfile.TemporaryDirectory() as temp:
            dump = os.path.join(temp, "maps.json")
            command = [xdpland, "replay", os.path.join(objects, program + ".o"), "--pcap", SAMPLE,
                       "-j", "--dump-maps=" + dump, *more]
            for name in maps:
                command += ["--map", f"{name}={os.path.join(folder, name)}.json"]
            out = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
            self.packets = [json.loads(line) for line in out.splitlines()]
            self.summary = self.packets.pop()["summary"]
            with open(dump, encoding="utf-8") as file:
                self.maps = json.load(file)["maps"]

    def verdicts(self):
        return self.summary["verdicts"]

    def counters(self, name):
        """key -> {field: sum over CPUs}; what is zero is left out."""
        rows = {}
        for entry in self.maps[name]:
            entry = entry["formatted"]
            total = {}
            for cpu in entry["values"]:
                for field, number in cpu["value"].items():
                    total[field] = total.get(field, 0) + number
            total = {field: number for field, number in total.items() if number}
            if total:
                rows[entry["key"]] = total
        return rows

    def packets_of(self, name):
        return {key: row["packets"] for key, row in self.counters(name).items()}


def firewall(*more):
    return Replay("firewall", os.path.join(EXAMPLES, "firewall/maps"),
                  ("src_v4", "src_v6", "ports"), more)


def l4lb(*more):
    return Replay("l4lb", os.path.join(objects, "l4lb"),
                  ("vips", "reals", "ch_ring", "control"), more)


class Examples(unittest.TestCase):
    def test_counter_counts_each_kind_and_passes_all(self):
        replay = Replay("counter")
        self.assertEqual(replay.verdicts(), {"XDP_PASS": N_SAMPLE})
        self.assertEqual(replay.packets_of("counters"), {
            0: 6, 1: 5, 2: 484, 3: 664, 4: 13, 5: 2, 6: 141, 7: 28, 8: 10, 10: 3})

    def test_xdp_tx_swaps_addresses_of_all(self):
        replay = Replay("xdp_tx")
        self.assertEqual(replay.verdicts(), {"XDP_TX": N_SAMPLE})
        self.assertTrue(all(p["len_in"] == p["len_out"] for p in replay.packets))

    def test_firewall_drops_whom_the_story_names(self):
        replay = firewall()
        self.assertEqual(replay.verdicts(), {"XDP_DROP": 424, "XDP_PASS": 932})
        self.assertEqual(replay.counters("totals")[0], {
            "passed_by_source": 20, "passed_by_port": 891, "passed_by_default": 4,
            "passed_fragment": 4, "passed_neighbour": 3, "passed_not_ip": 10,
            "dropped_by_source": 83, "dropped_by_port": 18, "dropped_rate": 301,
            "dropped_fragment": 1, "dropped_malformed": 5, "dropped_tcp_flags": 15,
            "dropped_too_deep": 1})
        self.assertEqual(replay.packets_of("rule_hits"), {
            1: 60, 2: 10, 3: 3, 4: 10, 5: 20, 6: 1, 10: 367, 11: 128, 12: 386, 13: 10, 20: 16,
            21: 2})

    def test_firewall_without_rate_limit_lets_the_flood_in(self):
        totals = firewall("--set", "rate_pps=0").counters("totals")[0]
        self.assertNotIn("dropped_rate", totals)
        self.assertEqual(totals["passed_by_port"], 891 + 301)

    def test_firewall_denies_by_default_when_told(self):
        totals = firewall("--set", "default_deny=1").counters("totals")[0]
        self.assertNotIn("passed_by_default", totals)
        self.assertEqual(totals["dropped_by_default"], 4)

    def test_l4lb_sends_clients_to_reals(self):
        replay = l4lb()
        self.assertEqual(replay.verdicts(), {"XDP_DROP": 11, "XDP_PASS": 155, "XDP_TX": 1190})
        self.assertEqual(replay.counters("totals")[0], {
            "sent_v4": 1042, "sent_v6": 135, "answered_ping": 13, "passed_not_ip": 23,
            "passed_malformed": 3, "passed_no_vip": 129, "dropped_fragment": 6,
            "dropped_malformed": 2, "dropped_ttl": 2, "dropped_too_big": 1})
        self.assertEqual(replay.packets_of("vip_stats"), {0: 248, 1: 121, 2: 660, 3: 123, 4: 25})
        self.assertEqual(replay.packets_of("real_stats"), {
            1: 81, 2: 111, 3: 177, 4: 376, 5: 297, 6: 68, 7: 55, 8: 12})

    def test_l4lb_adds_exactly_one_outer_header(self):
        added = [p["len_out"] - p["len_in"] for p in l4lb().packets]
        self.assertEqual({n: added.count(n) for n in set(added)}, {0: 179, 20: 1042, 40: 135})

    def test_l4lb_takes_longer_packets_where_the_network_does(self):
        self.assertNotIn("dropped_too_big",
                         l4lb("--set", "mtu_bytes=9000").counters("totals")[0])

    def test_every_packet_is_counted_once(self):
        for replay in (firewall(), l4lb()):
            self.assertEqual(sum(replay.counters("totals")[0].values()), N_SAMPLE)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
