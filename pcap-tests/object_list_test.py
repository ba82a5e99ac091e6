#!/usr/bin/python3
"""What `xdpland prog list` and `xdpland map list` say about objects, as tables and as JSON."""
import json
import os
import subprocess
import sys
import unittest

XDPLAND, OBJECTS = sys.argv[1], sys.argv[2]


def run(*args):
    p = subprocess.run([XDPLAND, *args], capture_output=True, text=True, check=False)
    return p.returncode, p.stdout, p.stderr


def listed(kind, name):
    code, out, err = run(kind, "list", "-j", os.path.join(OBJECTS, name + ".o"))
    assert code == 0 and not err, err
    return json.loads(out)


class ObjectList(unittest.TestCase):
    def test_programs_say_what_they_are_and_need(self):
        progs = {p["name"]: p for p in listed("prog", "mixed")["programs"]}
        first = progs["first"]
        self.assertEqual((first["section"], first["type"], first["priority"]), ("xdp", "xdp", 7))
        self.assertEqual(first["chain_call_actions"], ["XDP_DROP"])
        self.assertEqual(first["helpers"], ["bpf_map_lookup_elem"])
        self.assertIn("hits", first["maps"])
        self.assertTrue(first["runs"])
        self.assertNotIn("why_not", first)
        self.assertFalse(progs["shaper"]["runs"])
        self.assertEqual(progs["shaper"]["why_not"], "type sched_cls is not XDP")

    def test_what_would_stop_a_program_is_named(self):
        progs = {p["name"]: p for p in listed("prog", "needs")["programs"]}
        self.assertTrue(progs["runs"]["runs"])
        self.assertIn("bpf_probe_read_user", progs["wants_helper"]["why_not"])
        self.assertIn("bpf_probe_read_user", progs["wants_helper"]["helpers"])
        self.assertIn("bpf_kernel_only", progs["wants_kfunc"]["why_not"])

    def test_maps_have_bpftools_words(self):
        maps = {m["name"]: m for m in listed("map", "mixed")["maps"]}
        self.assertEqual(maps["hits"]["type"], "array")
        self.assertEqual((maps["hits"]["bytes_key"], maps["hits"]["bytes_value"],
                          maps["hits"]["max_entries"]), (4, 8, 4))
        self.assertTrue(maps[".rodata"]["internal"])
        self.assertIn("not served", maps["storage"]["why_not"])
        self.assertTrue({m["name"]: m for m in listed("map", "pins")["maps"]}["shared"]["pinned"])

    def test_tables_have_a_row_for_each(self):
        _, out, _ = run("prog", "list", os.path.join(OBJECTS, "tails.o"))
        for name in ("leaf", "other_leaf", "entry", "shaper"):
            self.assertRegex(out, rf"(?m)^{name} ")
        _, out, _ = run("map", "list", os.path.join(OBJECTS, "tails.o"))
        self.assertRegex(out, r"(?m)^outer +array_of_maps +4 +4 +4 ")

    def test_an_object_that_does_not_load_is_listed_with_the_reason(self):
        code, out, _ = run("prog", "list", os.path.join(OBJECTS, "only_tc.o"))
        self.assertEqual(code, 0)
        self.assertIn("It does not load: no XDP program", out)
        self.assertIn("no XDP program", listed("prog", "only_tc")["error"])

    def test_bad_files_and_words_have_their_exit_codes(self):
        tails = os.path.join(OBJECTS, "tails.o")
        for args, code, words in (
                (("prog", "list", "/nonexistent.o"), 3, "/nonexistent.o"),
                (("prog", "list", __file__), 4, "not an ELF file"),
                (("map", "list", sys.executable), 4, "compiled for"),
                (("map", "list"), 2, "usage"),
                (("map", "list", tails, "--nonesuch"), 2, "nonesuch")):
            got, out, err = run(*args)
            self.assertEqual(got, code, args)
            self.assertIn(words, err)
            self.assertEqual(out, "")

    def test_the_same_object_gives_the_same_list(self):
        path = os.path.join(OBJECTS, "mixed.o")
        for kind in ("prog", "map"):
            self.assertEqual(run(kind, "list", "-j", path), run(kind, "list", "-j", path))


    def test_usage_is_told_in_a_line(self):
        for args, said in ((["prog", "list"], "no object file; usage: "),
                           (["map", "list", "a", "b"], "one object file at a time; usage: "),
                           (["map", "list", "--frob"], "no option '--frob'")):
            code, out, err = run(*args)
            self.assertEqual((code, out), (2, ""))
            self.assertRegex(err, rf"^xdpland {args[0]} list: {said}[^\n]*\n$")

    def test_a_full_disk_is_told(self):
        with open("/dev/full", "wb") as full:
            p = subprocess.run([XDPLAND, "map", "list", os.path.join(OBJECTS, "mixed.o")],
                               stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual(p.returncode, 3)
        self.assertIn("No space left on device", p.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
