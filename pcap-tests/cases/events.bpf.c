/* Sends an event of each kind per packet; of the second packet no record remains. */
#include "case.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, 4);
	__uint(value_size, 4);
	__uint(max_entries, 16);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} records SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} failed SEC(".maps");

struct big {
	__u32 n;
	char text[996];
};

static void count(__u32 what)
{
	__u64 *n = bpf_map_lookup_elem(&failed, &what);

	if (n)
		(*n)++;
}

SEC("xdp")
int events_prog(struct xdp_md *ctx)
{
	const __u32 first = ((__u32)2 << 16) | 0x0101;
	__u8 bytes[2] = { 0 };
	struct big *big;

	bpf_xdp_load_bytes(ctx, 0, bytes, sizeof(bytes));
	bpf_printk("packet %d", bytes[0]);
	if (bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU | (__u64)4 << 32, (void *)&first,
				  sizeof(first)))
		count(0);
	bpf_ringbuf_output(&records, bytes, sizeof(bytes), 0);
	big = bpf_ringbuf_reserve(&records, sizeof(*big), 0);
	if (!big) {
		count(1);
		return XDP_DROP;
	}
	big->n = bytes[0];
	__builtin_memset(big->text, 'x', sizeof(big->text));
	if (bytes[0] == 2)
		bpf_ringbuf_discard(big, 0);
	else
		bpf_ringbuf_submit(big, 0);
	return XDP_PASS;
}
