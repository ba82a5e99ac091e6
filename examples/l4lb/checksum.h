/* The Internet checksum (RFC 1071), and how to change it with the packet (RFC 1624). */
#ifndef EXAMPLES_L4LB_CHECKSUM_H
#define EXAMPLES_L4LB_CHECKSUM_H

#include "../common/parse.h"

/* Folds a sum to 16 bits. The carry of the first fold can itself make one more. */
static __always_inline __u16 fold(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

/* Checksum after one 16-bit word changed, without reading the rest: HC' = ~(~HC + ~m + m'). */
static __always_inline __u16 checksum_replace(__u16 check, __u16 before, __u16 after)
{
	return ~fold((__u32)(__u16)~check + (__u16)~before + after);
}

/* Of an IPv4 header without options, whose check field is zero. */
static __always_inline __u16 ipv4_checksum(struct iphdr *ip)
{
	return ~fold(bpf_csum_diff(NULL, 0, (__be32 *)ip, sizeof(*ip), 0));
}

#endif
