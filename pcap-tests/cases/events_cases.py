#!/usr/bin/python3
"""What programs say on the way: perf events, ring buffers, bpf_trace_printk."""
import json

from replay_case import ReplayCase, main, packet


class Events(ReplayCase):
    PACKETS = [packet(i, 0xee) for i in (1, 2, 3)]
    BIG = "{:02x}000000" + "78" * 996

    def failed(self, *options, packets=None):
        maps = self.dump("events", packets or self.PACKETS, *options)
        return [e["formatted"]["value"] for e in maps["failed"]]

    def test_each_event_is_a_line_before_its_packets(self):
        done = self.replay("events", self.PACKETS[:2], "--events", "-v", "--cpu", "3")
        lines = done.out.splitlines()
        self.assertEqual(lines[0], "packet 1: trace: packet 1")
        self.assertEqual(lines[1], "packet 1: perf: events[3]: 8 bytes: 0101020001ee0000")
        self.assertEqual(lines[2], "packet 1: ringbuf: records: 2 bytes: 01ee")
        self.assertEqual(lines[3],
                         "packet 1: ringbuf: records: 1000 bytes: " + self.BIG.format(1))
        self.assertIn("XDP_PASS", lines[4])
        self.assertEqual(lines[5], "packet 2: trace: packet 2")
        self.assertEqual(lines[7], "packet 2: ringbuf: records: 2 bytes: 02ee")
        self.assertIn("XDP_PASS", lines[8])
        self.assertEqual([x for x in done.err.splitlines() if "runs without proof" not in x], [])

    def test_each_event_is_an_object(self):
        done = self.replay("events", self.PACKETS, "-e", "-j")
        rows = [json.loads(line) for line in done.out.splitlines()]
        events = [row["event"] for row in rows if "event" in row]
        self.assertEqual(events[:4], [
            {"packet": 1, "kind": "trace", "text": "packet 1"},
            {"packet": 1, "kind": "perf", "map": "events", "index": 0,
             "data": "0101020001ee0000"},
            {"packet": 1, "kind": "ringbuf", "map": "records", "data": "01ee"},
            {"packet": 1, "kind": "ringbuf", "map": "records", "data": self.BIG.format(1)}])
        self.assertEqual([(e["packet"], e["kind"]) for e in events[4:]],
                         [(2, "trace"), (2, "perf"), (2, "ringbuf"),
                          (3, "trace"), (3, "perf"), (3, "ringbuf"), (3, "ringbuf")])

    def test_there_is_a_reader_only_where_events_are_asked_for(self):
        many = [packet(5)] * 10
        self.assertEqual(self.failed("--events", packets=many), [0, 0])
        # Without one a ring of 4096 bytes has room for three records of 1008 and their fellows,
        # which are 16 bytes each.
        self.assertEqual(self.failed(packets=many), [10, 7])


if __name__ == "__main__":
    main()
