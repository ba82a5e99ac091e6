#!/usr/bin/python3
"""--map and --dump-maps: bpftool's JSON both ways."""
import json
import os
import shutil
import subprocess
import tempfile

from replay_case import USAGE, ReplayCase, main, packet

TYPED = {"u8": 200, "s8": -5, "u16": 60000, "s16": -60, "u32": 4000000000, "s32": -7,
         "u64": 18446744073709551615, "s64": -9, "flag": True, "c": 120, "name": "hello",
         "raw": [97, 98, 99, 100], "mac": [2, 0, 0, 0, 0, 255], "color": "GREEN",
         "pairs": [{"a": 0, "b": 0}, {"a": 3, "b": -1}], "named": {"x": 3, "y": 3}, "pointer": 0,
         "bits_3": "0x5", "bits_20": "0x11170", "bits_5": "0x1e", "bits_40": "0x8000000000",
         "wide": "0x50000000000000006", "addr": 16777226, "tail": 4, "two": ["z", ""]}


def hex_bytes(data):
    return [f"0x{b:02x}" for b in data]


class MapCase(ReplayCase):
    def load(self, *entries, code=0, prog="target", options=()):
        """Loads maps from (name, JSON); returns the maps afterwards, or what was said."""
        args = []
        for i, (name, content) in enumerate(entries):
            args += ["--map", name + "=" + self.file(f"{i}.json", content)]
        args += ["--prog", prog, *options]
        if code:
            return self.replay("kinds", [packet(0)], *args, code=code).err
        return self.dump("kinds", [packet(0)], *args)


class Dumps(MapCase):
    def test_values_are_shown_by_their_types(self):
        maps = self.dump("kinds", [packet(0)], "--prog", "kinds")
        entry = maps["hash"][0]
        self.assertEqual(entry["key"], ["0x01", "0x00", "0xfe", "0x00"])
        self.assertEqual(entry["formatted"]["key"], {"a": 1, "b": -2})
        value = entry["formatted"]["value"]
        self.assertEqual({k: v for k, v in value.items() if k}, TYPED)

    def test_it_is_what_bpftool_says_of_the_kernels_map(self):
        if not shutil.which("bpftool") or os.geteuid():
            self.skipTest("needs root and bpftool")
        ours = self.dump("kinds", [packet(0)], "--prog", "kinds", "--cpu", "0")
        kernel = self.kernel_dump(ours)
        if kernel is None:
            self.skipTest("no kernel BPF to be had")
        compared = 0
        for name, text in kernel.items():
            # Empty slots we leave out; names of programs and maps are more than numbers.
            entries = [e for e in json.loads(text) if "error" not in e["value" if "value" in e
                                                                      else "values"]]
            if name in ("progs", "outer"):
                entries = [{**e, "value": None, "formatted": None} for e in entries]
                ours[name] = [{**e, "value": None, "formatted": None} for e in ours[name]]
            if name == "sockets":
                continue
            self.assertEqual(ours[name], entries, name)
            compared += 1
        self.assertGreaterEqual(compared, 14)

    def kernel_dump(self, names):
        """What bpftool says of each map after one run of the program in the kernel."""
        script = """
            set -e
            mount -t bpf bpf "$1"
            bpftool prog loadall "$2" "$1/p" pinmaps "$1/m" 2>&1
            taskset -c 0 bpftool prog run pinned "$1/p/kinds" data_in "$3" >/dev/null
            for map in "$1"/m/*; do
                echo "$(basename "$map") $(bpftool -j map dump pinned "$map")"
            done"""
        with tempfile.TemporaryDirectory() as mount:
            done = subprocess.run(
                ["unshare", "-m", "sh", "-c", script, "sh", mount, self.obj("kinds"),
                 self.file("in.bin", packet(0))], capture_output=True, text=True, check=False)
        if done.returncode:
            print(done.stdout, done.stderr)
            return None
        dumps = dict(line.split(" ", 1) for line in done.stdout.splitlines() if " [" in line)
        # bpffs has no dots in names; internal maps begin with the object's.
        renamed = {"kinds_data": ".data", "kinds_bss": ".bss", "kinds_rodata": ".rodata"}
        dumps = {renamed.get(name, name): text for name, text in dumps.items()}
        return {name: text for name, text in dumps.items() if name in names}

    def test_entries_are_in_order_of_their_keys(self):
        maps = self.load(("lru", [{"key": k, "value": 1} for k in (7, 3, 0x100)]),
                         ("array", [{"key": 256, "value": {"a": 5}}]))
        self.assertEqual([e["formatted"]["key"] for e in maps["lru"]], [0x100, 3, 7])
        self.assertEqual([e["formatted"]["key"] for e in maps["array"]], list(range(300)))
        self.assertEqual(maps["array"][256]["formatted"]["value"], {"a": 5, "b": 0})

    def test_a_dump_loads_again(self):
        self.replay("kinds", [packet(0)], "--prog", "kinds", "--cpu", "1",
                    "--dump-maps=" + self.path("first.json"))
        with open(self.path("first.json"), encoding="utf-8") as file:
            first = json.load(file)["maps"]
        fill = [("progs", [{"key": 3, "value": "target"}]), ("ports", [{"key": 2, "value": 9}]),
                ("port_hash", [{"key": 7, "value": {"ifindex": 8, "prog": "on_port"}}]),
                ("cpus", [{"key": 1, "value": {"qsize": 64}}]),
                ("outer", [{"key": 2, "value": "inner_b"}])]
        options = ["--dump-maps=" + self.path("second.json")]
        for name in first:
            if not name.startswith(".rodata") and name != "sockets":
                options += ["--map", name + "=" + self.path("first.json")]
        for i, (name, content) in enumerate(fill):
            options += ["--map", name + "=" + self.file(f"{i}.json", content)]
        self.replay("kinds", [packet(0)], "--prog", "target", *options)
        with open(self.path("second.json"), encoding="utf-8") as file:
            second = file.read()
        for name in ("hash", "percpu_hash", "array", "percpu_array", "lru", "trie", ".data", ".bss"):
            self.assertEqual(json.loads(second)["maps"][name], first[name], name)
        options = [o.replace("first.json", "second.json") for o in options]
        options[0] = "--dump-maps=" + self.path("third.json")
        self.replay("kinds", [packet(0)], "--prog", "target", *options)
        with open(self.path("third.json"), encoding="utf-8") as file:
            self.assertEqual(file.read(), second)
        formatted = {n: [e.get("formatted", {}).get("value") for e in m]
                     for n, m in json.loads(second)["maps"].items()}
        self.assertEqual(formatted["progs"], ["target"])
        self.assertEqual(formatted["ports"], [{"ifindex": 9}])
        self.assertEqual(formatted["port_hash"], [{"ifindex": 8, "prog": "on_port"}])
        self.assertEqual(formatted["cpus"], [{"qsize": 64}])
        self.assertEqual(formatted["outer"], ["inner_a", "inner_b"])

    def test_text_output_ends_with_the_maps(self):
        done = self.replay("kinds", [packet(0)], "--prog", "target", "--dump-maps")
        self.assertIn("array", json.loads(done.out.splitlines()[-1])["maps"])


class Loads(MapCase):
    def test_bytes_as_hex_or_as_numbers(self):
        maps = self.load(("untyped", [{"key": hex_bytes(b"\1\2\3\4"), "value": [9] * 8}]),
                         ("array", [{"key": [1, 0, 0, 0], "value": hex_bytes(b"\7\0\xff\0")}]))
        self.assertEqual(maps["untyped"], [{"key": hex_bytes(b"\1\2\3\4"),
                                            "value": hex_bytes(b"\t" * 8)}])
        self.assertEqual(maps["array"][1]["formatted"]["value"], {"a": 7, "b": -1})

    def test_numbers_where_there_is_no_btf(self):
        maps = self.load(("untyped", [{"key": 258, "value": "0xffffffffffffffff"},
                                      {"key": "10.0.0.1", "value": 18446744073709551615}]))
        self.assertEqual(maps["untyped"], [
            {"key": hex_bytes(b"\2\1\0\0"), "value": ["0xff"] * 8},
            {"key": hex_bytes(b"\n\0\0\1"), "value": ["0xff"] * 8}])

    def test_values_by_their_types(self):
        value = {"u8": 1, "s64": -(2**63), "u64": 2**64 - 1, "flag": True, "name": "eth0",
                 "mac": "aa:bb:cc:dd:ee:ff", "color": "BLUE", "v6": "2001:db8::1", "q": 9,
                 "addr": "10.0.0.1", "bits_5": -2, "wide": "0x10000000000000000",
                 "pairs": [{"a": 1}, {"b": -1}]}
        entry = self.load(("hash", [{"key": {"a": 1, "b": 2}, "value": value}]))["hash"][0]
        got = entry["formatted"]["value"]
        for name in ("u8", "s64", "u64", "flag", "name", "color"):
            self.assertEqual(got[name], value[name])
        self.assertEqual(got["mac"], [0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff])
        self.assertEqual(got["addr"], int.from_bytes(bytes([10, 0, 0, 1]), "little"))
        self.assertEqual(got["bits_5"], "0x1e")
        self.assertEqual(got["wide"], "0x10000000000000000")
        self.assertEqual(got["pairs"], [{"a": 1, "b": 0}, {"a": 0, "b": -1}])

    def test_formatted_alone_is_enough(self):
        maps = self.load(("array", [{"formatted": {"key": 4, "value": {"a": 5, "b": 6}}}]),
                         ("percpu_hash", [{"formatted": {"key": 4, "values": [
                             {"cpu": 0, "value": {"a": 1, "b": 1}}]}}]))
        self.assertEqual(maps["array"][4]["formatted"]["value"], {"a": 5, "b": 6})
        self.assertEqual(maps["percpu_hash"][0]["formatted"]["values"][0],
                         {"cpu": 0, "value": {"a": 1, "b": 1}})

    def test_per_cpu_values(self):
        maps = self.load(("percpu_array", [{"key": 0, "value": 5},
                                           {"key": 1, "values": [{"cpu": 1, "value": 6}]}]),
                         options=["--cpu", "1"])
        values = [[v["value"] for v in e["formatted"]["values"]] for e in maps["percpu_array"]]
        self.assertEqual(set(values[0]), {5})
        self.assertEqual(values[1][:2], [0, 6])

    def test_values_of_cpus_that_are_not_here_are_told_of(self):
        err = self.replay("kinds", [packet(0)], "--prog", "target", "--map", "percpu_array=" +
                          self.file("m.json", [{"key": 1, "values": [
                              {"cpu": 0, "value": 6}, {"cpu": 5000, "value": 6}]}])).err
        self.assertRegex(err, r"map percpu_array: values of CPU \d+ and above are left out")
        self.assertEqual(len(err.splitlines()), 1)

    def test_a_prefix_is_written_as_people_do(self):
        maps = self.load(("trie", [{"key": "192.168.0.0/16", "value": 1},
                                   {"key": {"len": 8, "addr": [10, 0, 0, 0]}, "value": 2}]))
        self.assertEqual([e["formatted"] for e in maps["trie"]],
                         [{"key": {"len": 8, "addr": [10, 0, 0, 0]}, "value": 2},
                          {"key": {"len": 16, "addr": [192, 168, 0, 0]}, "value": 1}])

    def test_arrays_keep_what_an_entry_does_not_say(self):
        maps = self.load((".data", [{"value": {"counter": 99}}]))
        self.assertEqual(maps[".data"][0]["formatted"]["value"],
                         {".data": [{"counter": 99}, {"greeting": "hey"}]})

    def test_a_program_put_into_a_map_runs(self):
        fill = ["--map", "progs=" + self.file("m.json", [{"key": 3, "value": "target"}])]
        rows, _ = self.replay_json("kinds", [packet(0)], "--prog", "kinds", *fill)
        self.assertEqual(rows[0]["verdict"], "XDP_DROP")
        rows, _ = self.replay_json("kinds", [packet(0)], "--prog", "kinds")
        self.assertEqual(rows[0]["verdict"], "XDP_PASS")

    def test_empty_slots_of_a_dump_are_skipped(self):
        maps = self.load(("ports", [{"key": hex_bytes(b"\0\0\0\0"),
                                     "value": {"error": "No such file or directory"}},
                                    {"key": 1, "value": 5}]))
        self.assertEqual(len(maps["ports"]), 1)

    def test_what_is_wrong_is_said_with_file_map_and_entry(self):
        good = {"key": 1, "value": 1}
        pair = {"key": 1, "value": {"a": 1}}
        for name, content, said in (
                ("hsah", [], r"no map 'hsah'; there are: .*percpu_hash"),
                ("lru", {"key": 1}, r"0\.json: expected an array of entries for map lru"),
                ("lru", "[{]", r"0\.json, line 1: not JSON"),
                ("lru", [good, {"value": 1}], r"0\.json: map lru, entry 2: no \"key\""),
                ("lru", [good, 5], r"map lru, entry 2: expected {\"key\""),
                ("lru", [good, {"key": 1}], r"map lru, entry 2: no \"value\""),
                ("lru", [{"key": ["0x01"], "value": 1}],
                 r"map lru, entry 1: key: expected 4 bytes, not 1"),
                ("trie", [{"key": "10.0.0.0/33", "value": 1}],
                 r"entry 1: key: expected an address of 4 bytes and its length.* \"10.0.0.0/33\""),
                ("lru", [{"key": 1, "value": hex_bytes(b"12345")}],
                 r"map lru, entry 1: value: expected 4 bytes, not 5"),
                ("lru", [{"key": 2**32, "value": 1}],
                 r"entry 1: key: number does not fit into 32 bits"),
                ("untyped", [{"key": 2**32, "value": 1}],
                 r"entry 1: key: number does not fit into 4 bytes"),
                ("untyped", [{"key": 1, "value": {"a": 1}}], r"value: expected 8 bytes like \["),
                ("array", [{"key": 1, "value": {"c": 1}}], r"no member 'c'; there are: a, b"),
                ("array", [{"key": 300, "value": {"a": 1}}],
                 r"index 300 is not in the map, which has 300 entries"),
                ("array", [{**pair, "formatted": {"key": 1, "value": {"a": 2}}, "value":
                            hex_bytes(b"\1\0\0\0")}], r"\"value\" and \"formatted\" tell different"),
                ("array", [{**pair, "formatted": {"key": 2, "value": {"a": 1}}, "value":
                            hex_bytes(b"\1\0\0\0")}], r"\"key\" and \"formatted\" tell different"),
                ("hash", [{"key": {"a": i}, "value": {"u8": 1}} for i in range(5)],
                 r"map hash, entry 5: the map is full: it has room for 4 entries"),
                ("progs", [{"key": 0, "value": "nothing"}], r"no program 'nothing' is loaded"),
                ("progs", [{"key": 0, "value": 12345}], r"no program of id 12345 in this object"),
                ("progs", [{"key": 0, "value": []}], r"expected the name of a program"),
                ("outer", [{"key": 0, "value": "outsider"}], r"no map 'outsider' is loaded"),
                ("ports", [{"key": 0, "value": {"prog": "on_port"}}], r"value: no \"ifindex\""),
                ("ports", [{"key": 0, "value": {"ifindex": 1, "prog": "on_port"}}],
                 r"values are 4 bytes, without a program"),
                ("port_hash", [{"key": 0, "value": {"ifindex": 1, "prog": "target"}}],
                 r"program 'target' cannot run there: its section is not xdp/devmap"),
                (".rodata", [{"value": {"constant": 1}}], r"read-only; --set"),
                ("percpu_array", [{"key": 0, "values": [{"value": 1}]}], r"values: expected {")):
            with self.subTest(map=name, content=content):
                err = self.load((name, content), code=USAGE)
                self.assertRegex(err, said)
                self.assertRegex(err, r"^xdpland replay: .*\n$")
        err = self.replay("kinds", [packet(0)], "--prog=target", "--map=lru", code=USAGE).err
        self.assertIn("--map takes NAME=FILE, not 'lru'", err)


if __name__ == "__main__":
    main()
