/* What the firewall is told and what it tells: its settings, rules and counters.
 *
 * Ports are in host order and addresses are byte arrays in the order in which they are written, so
 * that a rule reads in JSON as a person would write it: {"prefixlen": 24, "addr": [203, 0, 113, 0]}.
 */
#ifndef EXAMPLES_FIREWALL_MAPS_H
#define EXAMPLES_FIREWALL_MAPS_H

#include "../common/parse.h"

/* Settings: read-only for the program, so the kernel removes the code that they switch off. They
 * are set before loading: `--set rate_pps=500`, or bpf_map__set_initial_value() in a loader. */
const volatile __u8 default_deny = 0;	/* what no rule names is dropped; 0: passed */
const volatile __u32 rate_pps = 200;	/* packets per second and source; 0: no limit */
const volatile __u32 rate_burst = 100;	/* packets that may come at once after a quiet time */
const volatile __u8 drop_fragments = 0; /* drop even those fragments that look harmless */

enum action {
	ACTION_NONE, /* counts, and the next rule decides */
	ACTION_ALLOW,
	ACTION_DENY,
};

struct rule {
	enum action action;
	__u32 id; /* its row in rule_hits; several rules may share one */
};

#define MAX_RULES 256

/* Sources: the longest matching prefix decides, so a list may deny a network and allow one host of
 * it. A trie's key begins with the length of the prefix in bits. */
struct prefix_v4 {
	__u32 prefixlen;
	__u8 addr[4];
};

struct prefix_v6 {
	__u32 prefixlen;
	__u8 addr[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC); /* the kernel insists: tries allocate as they grow */
	__type(key, struct prefix_v4);
	__type(value, struct rule);
} src_v4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prefix_v6);
	__type(value, struct rule);
} src_v6 SEC(".maps");

/* Destination ports. Port 0 stands for all of a protocol that no other row names, also for one
 * without ports such as ICMP (proto 1) or GRE (47). */
struct service {
	__u16 port;
	__u8 proto;
	__u8 pad; /* 0: a hash compares all bytes of the key */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct service);
	__type(value, struct rule);
} ports SEC(".maps");

/* One bucket per source. The LRU forgets sources that are quiet the longest: a flood of forged
 * addresses costs memory for this many of them, no more. */
struct source {
	__u8 addr[16]; /* IPv4 in the last four bytes behind ::ffff, IPv6 by its first eight */
};

struct bucket {
	__u64 time_ns;	 /* of the last packet */
	__u64 credit_ns; /* each packet costs 1 s / rate_pps; never above rate_burst packets */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct source);
	__type(value, struct bucket);
} buckets SEC(".maps");

struct hits {
	__u64 packets;
	__u64 bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, MAX_RULES);
	__type(key, __u32);
	__type(value, struct hits);
} rule_hits SEC(".maps");

/* Why packets passed or were dropped: each packet counts in exactly one of these. */
struct totals {
	__u64 passed_by_source;	  /* allow list */
	__u64 passed_by_port;	  /* allow rule */
	__u64 passed_by_default;  /* no rule names it */
	__u64 passed_fragment;	  /* later fragment: nothing without its first one */
	__u64 passed_neighbour;	  /* IPv6 neighbour discovery, without which there is no IPv6 */
	__u64 passed_not_ip;	  /* ARP, LLC… */
	__u64 dropped_by_source;  /* deny list */
	__u64 dropped_by_port;	  /* deny rule */
	__u64 dropped_by_default; /* no rule names it, and default_deny is set */
	__u64 dropped_rate;	  /* its source sends too fast */
	__u64 dropped_fragment;	  /* forged to slip past port rules, or drop_fragments is set */
	__u64 dropped_malformed;  /* cut or contradictory headers */
	__u64 dropped_tcp_flags;  /* no TCP sends these together: a scanner does */
	__u64 dropped_too_deep;	  /* hidden under more tags or headers than we follow */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct totals);
} totals SEC(".maps");

#endif
