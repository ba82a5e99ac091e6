#!/usr/bin/python3
"""What kernel functions tell a program of a packet, and those that nobody serves."""
from replay_case import REJECTED, ReplayCase, USAGE, main, packet

EOPNOTSUPP = 95


class Hardware(ReplayCase):
    def told(self, *options):
        packets = [(1700000000_000000005, packet(0)), (1700000000_000000009, packet(0))]
        maps = self.dump("hardware", packets, "--prog", "hardware", *options)
        return [e["formatted"]["value"] for e in maps["told"]][:2]

    def test_the_time_stamp_is_the_captures_and_the_rest_is_not_supported(self):
        told = self.told()
        self.assertEqual([t["time"] for t in told],
                         [1700000000_000000005, 1700000000_000000009])
        self.assertEqual([(t["time_ret"], t["hash_ret"], t["vlan_ret"]) for t in told],
                         [(0, -EOPNOTSUPP, -EOPNOTSUPP)] * 2)

    def test_hash_and_vlan_are_what_is_asked_for(self):
        told = self.told("--rx-hash", "0xdeadbeef,9", "--rx-vlan", "100,0x88a8")[0]
        self.assertEqual((told["hash"], told["type"], told["hash_ret"]), (0xdeadbeef, 9, 0))
        self.assertEqual((told["tci"], told["proto"], told["vlan_ret"]), (100, 0xa888, 0))
        told = self.told("--rx-hash=1", "--rx-vlan=0xfff")[1]
        self.assertEqual((told["hash"], told["type"]), (1, 8))
        self.assertEqual((told["tci"], told["proto"]), (0xfff, 0x0081))

    def test_what_is_no_hash_or_vlan_is_refused(self):
        for option, value in (("--rx-hash", "x"), ("--rx-hash", "1,"), ("--rx-hash", "-1"),
                              ("--rx-hash", "0x100000000"), ("--rx-vlan", "65536"),
                              ("--rx-vlan", "1,2,3"), ("--rx-vlan", "")):
            done = self.replay("hardware", [packet(0)], option, value, code=USAGE)
            self.assertIn(f"{option} takes", done.err)

    def test_a_function_that_nobody_serves_may_be_asked_for(self):
        rows, _ = self.replay_json("hardware", [packet(0)], "--prog", "asks")
        self.assertEqual(rows[0]["verdict"], "XDP_TX")

    def test_but_not_called_unasked(self):
        done = self.replay("hardware", [packet(0)], "--prog", "does_not_ask", code=REJECTED)
        self.assertIn("needs kernel function bpf_nobody_serves_this", done.err)


if __name__ == "__main__":
    main()
