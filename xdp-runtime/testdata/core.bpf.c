/* CO-RE: accesses to types that user space knows, and to one that only a kernel does. */
#include <linux/types.h>

#define CORE __attribute__((preserve_access_index))

struct xdp_md {
	__u32 data, data_end, data_meta, ingress_ifindex, rx_queue_index, egress_ifindex;
} CORE;

#ifdef PART_OF_TYPE
struct iphdr {
	__u8 ttl;
	__be32 daddr;
} CORE;
#else
struct iphdr {
	__u8 ihl : 4, version : 4;
	__u8 tos;
	__be16 tot_len, id, frag_off;
	__u8 ttl, protocol;
	__be16 check;
	__be32 saddr, daddr;
} CORE;
#endif

#ifdef KERNEL_TYPE
struct task_struct {
	int no_such_member;
} CORE;
#endif

#define SEC(name) __attribute__((section(name), used))

SEC("xdp")
int plain(struct xdp_md *ctx)
{
	struct iphdr *ip = (void *)(long)ctx->data + 14;

	/* All of the header, also where it is declared in part. */
	if ((void *)ip + 20 > (void *)(long)ctx->data_end)
		return 0;
	if (__builtin_preserve_field_info(ip->ttl, 2 /* exists */) &&
	    __builtin_preserve_field_info(ip->daddr, 1 /* size */) == 4)
		return ip->ttl > 1 ? 2 : 1;
	return 3;
}

#ifdef KERNEL_TYPE
SEC("xdp")
int kernel(struct xdp_md *ctx)
{
	struct task_struct *task = (void *)(long)ctx->data;

	if ((void *)(task + 1) > (void *)(long)ctx->data_end)
		return 0;
	return task->no_such_member ? 1 : 2;
}
#endif

char _license[] SEC("license") = "GPL";
