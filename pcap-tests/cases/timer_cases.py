#!/usr/bin/python3
"""Timers in map values go by the packets' clock."""
from replay_case import ReplayCase, main, packet

MS = 1000000
START = 1700000000_000000000


class Timers(ReplayCase):
    def packets(self, *at):
        """(milliseconds, first byte)…"""
        return [(START + int(ms * MS), packet(first)) for ms, first in at]

    def test_they_expire_before_the_packet_after(self):
        done = self.replay("timers", self.packets((0, 1), (0.5, 2), (0.9, 1), (1.4, 1), (1.5, 2),
                                                  (2.4, 1)), "--events")
        lines = [line for line in done.out.splitlines() if "dies" in line]
        self.assertEqual(lines, [
            f"packet 4: trace: flow 2 dies with 1 at {START + 1500000}",
            f"packet 5: trace: flow 1 dies with 3 at {START + 2400000}"])

    def test_each_sees_its_own_time_and_order(self):
        done = self.replay("timers", self.packets((0, 9), (0, 5), (0.1, 7), (50, 1)), "-e")
        self.assertEqual([line.split(": ")[2] for line in done.out.splitlines() if "dies" in line], [
            f"flow 9 dies with 1 at {START + MS}",
            f"flow 5 dies with 1 at {START + MS}",
            f"flow 7 dies with 1 at {START + MS + MS // 10}"])

    def test_one_that_starts_itself_again_ticks_through_a_gap(self):
        maps = self.dump("timers", self.packets((0, 1), (1005, 1)))
        tick = maps["ticks"][1]["formatted"]["value"]
        self.assertEqual((tick["n"], tick["last_ns"]), (100, START + 1000 * MS))
        self.assertEqual([e["formatted"]["key"] for e in maps["flows"]], [1])

    def test_replays_are_the_same(self):
        many = self.packets(*[(i * 0.37, i * 7 % 31) for i in range(500)])
        first = self.replay("timers", many, "-j", "-e", "--dump-maps").stdout
        self.assertEqual(first, self.replay("timers", many, "-j", "-e", "--dump-maps").stdout)


if __name__ == "__main__":
    main()
