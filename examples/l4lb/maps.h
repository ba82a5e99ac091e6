/* What the load balancer is told and what it tells.
 *
 * gen_maps.py writes the first four maps from a short description; the rest fills as packets come.
 * Addresses are byte arrays in the order in which they are written, IPv4 in the first four bytes
 * and zeros behind; ports are in host order.
 */
#ifndef EXAMPLES_L4LB_MAPS_H
#define EXAMPLES_L4LB_MAPS_H

#include "../common/parse.h"

/* Slots per VIP, a prime: then every step size visits every slot (see gen_maps.py). The larger, the
 * finer weights are met and the fewer connections move when a real goes: the Maglev paper takes 100
 * times the number of reals. Compile with -DRING_SIZE=65537 for hundreds of them. */
#ifndef RING_SIZE
#define RING_SIZE 1021
#endif
#define MAX_VIPS   16
#define MAX_REALS  256
#define RING_SLOTS (MAX_VIPS * RING_SIZE)

/* Bytes of an IP packet that the network behind us carries, tunnel header included. */
const volatile __u32 mtu_bytes = 1500;
/* A UDP flow that was quiet for longer is a new one. */
const volatile __u64 udp_timeout_ns = 30000000000;

/* A virtual address is served per port and protocol. The row with port 0 and proto 0 belongs to the
 * address as such: it says what to do with ping, and that fragments to it are ours. */
struct vip_key {
	__u8 addr[16];
	__u16 port;
	__u8 proto;
	__u8 version; /* 4 or 6 */
};

#define VIP_ANSWER_PING 1

struct vip {
	__u32 number; /* its part of ch_ring begins at number * RING_SIZE; its row in vip_stats */
	__u32 flags;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2 * MAX_VIPS);
	__type(key, struct vip_key);
	__type(value, struct vip);
} vips SEC(".maps");

/* The consistent hashing ring of each VIP, one after the other: slot -> number of a real. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, RING_SLOTS);
	__type(key, __u32);
	__type(value, __u32);
} ch_ring SEC(".maps");

/* The servers. Number 0 means "none"; a real that went away keeps its number, with version 0. */
struct real {
	__u8 addr[16];
	__u32 version; /* 4 or 6; 0: not there */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_REALS);
	__type(key, __u32);
	__type(value, struct real);
} reals SEC(".maps");

/* How encapsulated packets leave: all of them to the next router, which knows the way. */
struct control {
	__u8 mac[6];	   /* ours */
	__u8 next_hop[6];  /* the router's; all zero: not configured yet */
	__u8 source_v4[4]; /* outer source address */
	__u8 source_v6[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct control);
} control SEC(".maps");

/* Connections and the real that each one went to: they stay there when the ring changes. The rows
 * are common to all CPUs, but each CPU has a list of its own of what was used last, so that making
 * room takes no lock between CPUs; the network card sends a flow to one CPU anyway. */
struct flow {
	__u8 src[16];
	__u8 dst[16];
	__u16 sport;
	__u16 dport;
	__u8 proto;
	__u8 version;
	__u8 pad[2]; /* 0: a hash compares all bytes of the key */
};

struct conn {
	__u32 real;
	__u32 pad;
	__u64 seen_ns; /* UDP: time of the last packet */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_COMMON_LRU);
	__type(key, struct flow);
	__type(value, struct conn);
} conns SEC(".maps");

struct vip_stats {
	__u64 packets; /* sent on to reals */
	__u64 bytes;   /* of IP, before encapsulation */
	__u64 by_ring; /* of the packets: the connection was not known, the ring chose */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, MAX_VIPS);
	__type(key, __u32);
	__type(value, struct vip_stats);
} vip_stats SEC(".maps");

struct real_stats {
	__u64 packets;
	__u64 bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, MAX_REALS);
	__type(key, __u32);
	__type(value, struct real_stats);
} real_stats SEC(".maps");

/* What became of each packet: exactly one of these counts it. */
struct totals {
	__u64 sent_v4;		    /* to a real, in an IPv4 tunnel */
	__u64 sent_v6;		    /* to a real, in an IPv6 tunnel */
	__u64 answered_ping;	    /* echo request to a VIP */
	__u64 passed_not_ip;	    /* ARP, LLC, anything in a VLAN… */
	__u64 passed_malformed;	    /* headers too broken to tell whom they are for */
	__u64 passed_no_vip;	    /* IP, but for somebody else */
	__u64 dropped_fragment;	    /* for a VIP; no port, so no way to tell the real */
	__u64 dropped_malformed;    /* for a VIP; transport header cut or contradictory */
	__u64 dropped_ttl;	    /* for a VIP; would be 0 behind us */
	__u64 dropped_no_real;	    /* for a VIP that has none */
	__u64 dropped_too_big;	    /* with the tunnel header longer than mtu_bytes */
	__u64 dropped_unconfigured; /* no next hop is set */
	__u64 dropped_headroom;	    /* no room before the packet for the tunnel header */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct totals);
} totals SEC(".maps");

#endif
