/* Data and functions that are reached through the symbol of their section: constants, strings and
 * static functions, one of them as a callback. Several sections of constants. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

static const char words[4][8] = { "pass", "drop", "tx", "abort" };
static volatile const __u32 verdicts[4] = { XDP_PASS, XDP_DROP, XDP_TX, XDP_ABORTED };
static volatile const __u32 apart SEC(".rodata.apart") = 7;
static volatile __u64 counters[4];
static volatile __u32 base SEC(".data.base") = 40;

#ifdef CALLBACK
static long step(__u32 i, __u32 *sum)
{
	*sum += i;
	return 0;
}
#endif

static __attribute__((noinline)) __u32 twice(__u32 n)
{
	return n * 2 + apart;
}

static __attribute__((noinline)) __u32 plus_base(__u32 n)
{
	return twice(n) + base;
}

SEC("xdp")
int use(struct xdp_md *ctx)
{
	__u8 *data = (void *)(long)ctx->data;
	const char *word;
	__u32 i, sum = 6;

	if (data + 2 > (__u8 *)(long)ctx->data_end)
		return XDP_ABORTED;
	i = data[0] & 3;
	counters[i] += plus_base(data[1]);
#ifdef CALLBACK
	sum = 0;
	bpf_loop(4, step, &sum, 0);
#endif
	word = words[i];
	if (sum != 6 || word[0] != "pdta"[i])
		return XDP_REDIRECT;
	return verdicts[i];
}

char _license[] SEC("license") = "GPL";
