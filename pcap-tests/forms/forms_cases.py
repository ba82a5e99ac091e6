#!/usr/bin/python3
"""Objects of old and foreign forms load, and reach the maps, globals and functions they mean.

Where the kernel can be asked, it runs what became of the object, and must agree.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cases"))

from replay_case import OK, ReplayCase, main, packet  # noqa: E402

NOT_RUN = 3  # exit code of --diff: no privilege, no kernel BPF


class FormCase(ReplayCase):
    def verdicts(self, obj, packets, *options):
        return [row["verdict"] for row in self.replay_json(obj, packets, *options)[0]]

    def agrees(self, obj, packets, *options):
        """The kernel gives the same, where it can be asked."""
        code = self.run_xdpland(
            "replay", self.obj(obj), "--pcap", self.path("in.pcap"), "--diff", "kernel",
            *options).returncode
        self.assertIn(code, (OK, NOT_RUN))

    def check(self, obj, packets, verdicts, *options):
        self.assertEqual(self.verdicts(obj, packets, *options), verdicts)
        self.agrees(obj, packets, *options)


class OldMaps(FormCase):
    """Slots 0 to 6 are in an array of 7, others go into a hash for 3."""
    PACKETS = [packet(0), packet(6), packet(6), packet(7), packet(8), packet(9), packet(10)]
    VERDICTS = ["XDP_PASS"] * 3 + ["XDP_TX"] * 3 + ["XDP_DROP"]

    def check_layout(self, obj):
        self.check(obj, self.PACKETS, self.VERDICTS)
        maps = self.dump(obj, self.PACKETS)
        counts = [int(row["value"][0], 16) for row in maps["counts"]]
        self.assertEqual(counts, [1, 0, 0, 0, 0, 0, 2])
        self.assertEqual(sorted(int(row["key"][0], 16) for row in maps["seen"]), [7, 8, 9])

    def test_entries_of_all_sizes_are_read(self):
        for size in (16, 20, 24, 28, 36, 40, 280):
            with self.subTest(size=size):
                self.check_layout(f"old_maps_{size}")

    def test_flags_come_along(self):
        for size, flags in ((16, "0"), (20, "0x1"), (36, "0x1"), (40, "0x1")):
            out = self.run_xdpland("map", "list", self.obj(f"old_maps_{size}")).out
            self.assertRegex(out, rf"(?m)^seen +hash +4 +2 +3 +{flags} *$")

    def test_objects_without_btf_have_old_maps_too(self):
        self.check_layout("old_maps_plain")

    def test_static_maps_are_found_by_their_offset(self):
        self.check_layout("old_maps_static")

    def test_old_and_new_definitions_mix(self):
        packets = [packet(4), packet(5), packet(4)]
        self.check("old_maps_mixed", packets, ["XDP_PASS", "XDP_TX", "XDP_PASS"])
        maps = self.dump("old_maps_mixed", packets)
        self.assertEqual(maps["modern"][4]["formatted"]["value"], 2)
        self.assertEqual(len(maps["counts"]), 7)


if __name__ == "__main__":
    main()
