/* Sends each frame back where it came from.
 *
 * The smallest program that changes a packet: swap the two MAC addresses, answer XDP_TX. It is
 * what people measure a path with: all of the receive and the transmit side, next to no program.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>

#include <bpf/bpf_helpers.h>

SEC("xdp")
int xdp_tx(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	__u8 mac[ETH_ALEN];

	/* The verifier wants this comparison before the header is touched. No driver delivers a
	 * frame without an Ethernet header; if one did, there would be nothing to swap. */
	if ((void *)(eth + 1) > data_end)
		return XDP_DROP;

	__builtin_memcpy(mac, eth->h_dest, ETH_ALEN);
	__builtin_memcpy(eth->h_dest, eth->h_source, ETH_ALEN);
	__builtin_memcpy(eth->h_source, mac, ETH_ALEN);
	return XDP_TX;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
