#!/usr/bin/python3
"""Objects of old and foreign forms load, and reach the maps, globals and functions they mean.

Where the kernel can be asked, it runs what became of the object, and must agree.
"""
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cases"))

from replay_case import (OK, REJECTED, USAGE, Options, ReplayCase,  # noqa: E402
                         main, packet, pcap)

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


class OldInner(FormCase):
    def test_maps_of_maps_say_in_their_own_way_what_they_hold(self):
        outer = self.file("outer.json", [{"key": 5, "value": "held"}])
        for form in ("24", "28", "40", "each"):
            with self.subTest(form=form):
                obj = "old_inner_" + form
                self.check(obj, [packet(0)], ["XDP_PASS"], "--prog", "entry")
                options = ("--prog", "entry", "--map", "outer=" + outer)
                self.check(obj, [packet(0)] * 2, ["XDP_DROP"] * 2, *options)
                held = self.dump(obj, [packet(0)] * 2, *options)["held"]
                self.assertEqual([row["value"][0] for row in held], ["0x00", "0x02"])

    def test_28_bytes_may_have_an_id(self):
        self.check("old_inner_28", [packet(2), packet(3)], ["XDP_PASS", "XDP_TX"],
                   "--prog", "entry")

    def test_a_path_pins_within_the_runtime_only(self):
        for form, note in (("28", ""), ("40", "shared by name")):
            out = self.run_xdpland("map", "list", self.obj("old_inner_" + form)).out
            self.assertRegex(out, rf"(?m)^outer +hash_of_maps +4 +4 +4 .*{note}$")
        self.assertFalse(os.path.exists("/sys/fs/bpf/outer"))


class Sections(FormCase):
    PROGS = {"in_prog": "XDP_DROP", "also_in_prog": "XDP_TX", "from_netdev": "XDP_PASS",
             "numbered": "XDP_TX", "takes_anything": "XDP_DROP", "of_aya": "XDP_PASS"}

    def test_the_prototype_makes_a_program_xdp_in_any_section(self):
        for prog, verdict in self.PROGS.items():
            with self.subTest(prog=prog):
                self.check("sections", [packet()], [verdict], "--prog", prog)

    def test_static_functions_of_text_are_reached_from_each_of_them(self):
        for prog in ("in_prog", "also_in_prog", "of_aya"):
            self.check("sections", [packet(size=101)], ["XDP_ABORTED"], "--prog", prog)

    def test_other_contexts_are_not_xdp(self):
        done = self.replay("sections", [packet()], "--prog", "not_xdp", code=USAGE)
        self.assertIn("no XDP program 'not_xdp'", done.err)

    def test_without_btf_the_user_says_what_is_xdp(self):
        done = self.run_xdpland("prog", "list", self.obj("sections_plain"))
        self.assertIn("section '2/16' is of no known type; --type xdp takes it as XDP", done.out)
        for prog, verdict in self.PROGS.items():
            with self.subTest(prog=prog):
                self.check("sections_plain", [packet()], [verdict], "--prog", prog,
                           "--type", "xdp")

    def test_only_xdp_can_be_said(self):
        done = self.replay("sections_plain", [packet()], "--type", "tc", code=USAGE)
        self.assertIn("--type takes 'xdp', not 'tc'", done.err)


class Untyped(FormCase):
    def test_labels_without_a_type_are_programs(self):
        packets = [packet(0), packet(3), packet(4), packet(3)]
        self.check("untyped", packets, ["XDP_PASS", "XDP_PASS", "XDP_DROP", "XDP_PASS"],
                   "--prog", "first")
        counts = self.dump("untyped", packets, "--prog", "first")["counts"]
        self.assertEqual([row["value"][0] for row in counts], ["0x01", "0x00", "0x00", "0x02"])

    def test_each_label_starts_one_and_a_section_names_what_has_none(self):
        for prog in ("second", "xdp2"):
            self.check("untyped", [packet()], ["XDP_TX"], "--prog", prog)

    def test_functions_without_a_size_end_where_the_next_begins(self):
        self.check("untyped", [packet()], ["XDP_DROP"], "--prog", "sizeless")
        self.check("untyped", [packet()], ["XDP_PASS"], "--prog", "sizeless_too")


class Slots(FormCase):
    PACKETS = [packet(n) for n in range(9)]

    def test_sections_name_slots_as_in_iproute2(self):
        verdicts = ["XDP_PASS"] * 5 + ["XDP_TX", "XDP_DROP", "XDP_PASS", "XDP_PASS"]
        for obj, *options in (("slots_old",), ("slots_old_plain", "--type", "xdp")):
            with self.subTest(obj=obj):
                self.check(obj, self.PACKETS, verdicts, "--prog", "entry", *options)
                # slot 5 counts in a map that a map of maps holds by its id
                maps = self.dump(obj, self.PACKETS, "--prog", "entry", *options)
                self.assertEqual(maps["inner"][0]["value"][0], "0x01")

    def test_annotations_give_old_maps_types(self):
        maps = self.dump("slots_old", self.PACKETS, "--prog", "entry")
        self.assertEqual(maps["inner"][0]["formatted"], {"key": 0, "value": 1})

    def test_tags_and_initialisers_fill_prog_arrays(self):
        verdicts = ["XDP_PASS", "XDP_DROP", "XDP_TX", "XDP_ABORTED"] + ["XDP_PASS"] * 5
        self.check("slots", self.PACKETS, verdicts, "--prog", "entry")

    def test_inner_maps_are_as_the_user_says(self):
        hint = "--inner NAME=type,key,value,entries"
        done = self.replay("slots", [packet()], "--prog", "reader", code=REJECTED)
        self.assertIn(hint, done.err)
        inner = ("--prog", "reader", "--inner", "shapeless=array,4,8,1")
        self.check("slots", [packet()], ["XDP_PASS"], *inner)
        held = self.file("held.json", [{"key": 0, "value": "held"}])
        self.check("slots", [packet()], ["XDP_DROP"], *inner, "--map", "shapeless=" + held)

    def test_bad_words_about_inner_maps_are_explained(self):
        for text, words in (("nonesuch=array,4,8,1", "no such map"),
                            ("calls=array,4,8,1", "holds no maps"),
                            ("shapeless=array,4,8", "not of the form"),
                            ("shapeless=array,4,8,1,2", "not of the form"),
                            ("shapeless=hash_of_maps,4,4,1", "cannot be held"),
                            ("shapeless", "no NAME=")):
            done = self.replay("slots", [packet()], "--inner", text, code=USAGE)
            self.assertIn(words, done.err)


class Sizes(FormCase):
    def test_sizes_are_chosen_aloud(self):
        packets = [packet(0), packet(63), packet(64)]
        self.assertEqual(self.verdicts("sizes", packets), ["XDP_PASS", "XDP_PASS", "XDP_DROP"])
        err = self.replay("sizes", packets).err
        for words in ("map 'sizeless' leaves its size to its control program: taken as 1024",
                      "cpumap 'cpus' has more entries than CPUs can be",
                      "perf event array 'events': keys and values taken as 4 bytes",
                      "LPM trie 'prefixes': flag BPF_F_NO_PREALLOC taken as given"):
            self.assertIn(words, err)
        self.agrees("sizes", packets)

    def test_the_user_sizes_maps(self):
        self.check("sizes", [packet(0), packet(1)], ["XDP_PASS", "XDP_DROP"],
                   "--max-entries", "sizeless=16", "--max-entries", "cpus=2")
        for text, words in (("sizeless=0", "not a number above 0"), ("sizeless=1x", "not a number"),
                            ("nonesuch=1", "no such map")):
            done = self.replay("sizes", [packet()], "--max-entries", text, code=USAGE)
            self.assertIn(words, done.err)


class Large(FormCase):
    RESIDENT_MAX_KB = 100 << 10

    def test_declared_maps_take_no_memory_until_they_are_used(self):
        capture = self.file("in.pcap", pcap([packet(0)] * 3))
        command = [Options.xdpland, "replay", self.obj("large"), "--pcap", capture]
        pid = os.posix_spawn(command[0], command, os.environ, file_actions=[
            (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)])
        _, status, usage = os.wait4(pid, 0)
        self.assertEqual(os.waitstatus_to_exitcode(status), OK)
        if not self.is_sanitized():
            self.assertLess(usage.ru_maxrss, self.RESIDENT_MAX_KB)
        print(f"{usage.ru_maxrss >> 10} MB resident", file=sys.stderr)

    def is_sanitized(self):
        """Sanitizers keep a shadow of all memory."""
        with open(Options.xdpland, "rb") as file:
            return b"__asan_init" in file.read()


class Globals(FormCase):
    PACKETS = [packet(n, n) for n in range(5)]
    VERDICTS = ["XDP_PASS", "XDP_DROP", "XDP_TX", "XDP_ABORTED", "XDP_PASS"]

    def test_section_symbols_lead_to_data_and_functions(self):
        for version in ("v1", "v2", "v3", "v4", "plain"):
            with self.subTest(version=version):
                self.check(f"globals_{version}", self.PACKETS, self.VERDICTS)
                bss = self.dump(f"globals_{version}", self.PACKETS)[".bss"][0]["value"]
                # 2 n + 7 + 40 each
                self.assertEqual([int(bss[8 * i], 16) for i in range(4)],
                                 [47 + 55, 49, 51, 53])

    def test_variables_of_all_sections_can_be_set(self):
        bss = self.dump("globals_v3", [packet(1, 1)], "--set", "apart=1", "--set", "base=2")[".bss"]
        self.assertEqual(bss[0]["value"][8], "0x05")


class Linked(FormCase):
    def test_what_bpftool_links_runs(self):
        if not shutil.which("bpftool"):
            self.skipTest("no bpftool")
        path = self.path("linked.o")
        subprocess.run(["bpftool", "gen", "object", path, self.obj("linked_a"),
                        self.obj("linked_b")], check=True, capture_output=True)
        self.addCleanup(setattr, Options, "progs", Options.progs)
        Options.progs = self.folder
        packets = [packet(0), packet(1), packet(2), packet(4)]
        self.check("linked", packets, ["XDP_PASS", "XDP_PASS", "XDP_DROP", "XDP_TX"],
                   "--prog", "entry")
        maps = self.dump("linked", packets, "--prog", "entry")
        self.assertEqual([row["formatted"]["value"] for row in maps["hits"]], [2, 2, 2, 0])


if __name__ == "__main__":
    main()
