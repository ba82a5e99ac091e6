/* Printing and parsing. */
#include "prog.h"

ARRAY(results, struct record, 1);

struct text {
	char b[96];
};
ARRAY(texts, struct text, 4);

static __always_inline void record_text(struct record *r, const char *text)
{
	for (int i = 0; i < 12; i++)
		record(r, *(const __u64 *)(text + 8 * i));
}

SEC("xdp")
int strings(struct xdp_md *ctx)
{
	static const char ladder[] = "%d %u %x %llx|%5d|%-8x|%08llx|%c%s%%";
	static const char short_[] = "len=%u hash=%llu";
	__u64 h = packet_hash(ctx), args[9];
	__u32 key = 0;
	struct record *r = bpf_map_lookup_elem(&results, &key);
	struct text *t = bpf_map_lookup_elem(&texts, &key);
	char digits[24] = { 0 };
	unsigned long u = 0;
	long l = 0;

	if (!r || !t)
		return XDP_ABORTED;
	__builtin_memset(t, 0, sizeof(*t));
	args[0] = h;
	args[1] = h >> 3;
	args[2] = h >> 5;
	args[3] = h;
	args[4] = (__u32)h % 1000;
	args[5] = h & 0xfff;
	args[6] = h >> 20;
	args[7] = 'a' + h % 26;
	args[8] = (__u64)(long)"txt";
	record(r, bpf_snprintf(t->b, sizeof(t->b), ladder, args, sizeof(args)));
	record_text(r, t->b);
	args[0] = bpf_xdp_get_buff_len(ctx);
	args[1] = h;
	record(r, bpf_snprintf(t->b, 1 + (h & 31), short_, args, 16));
	record_text(r, t->b);
	/* " -1234567" and the like: blanks, signs, digits, then something else. */
	for (int i = 0; i < 20; i++)
		digits[i] = i == 0 ? ' ' : i == 1 && (h & 1) ? '-' : '0' + (h >> i & 9);
	digits[2 + (h >> 30 & 15)] = 'x';
	record(r, bpf_strtol(digits, 20, h & 2 ? 10 : 0, &l));
	record(r, l);
	record(r, bpf_strtoul(digits, 20, h & 4 ? 16 : 8, &u));
	record(r, u);
	record(r, bpf_strtoul(digits, 3, 5, &u));
	record(r, bpf_strncmp(digits, 8, "  -1 010"));
	return XDP_PASS;
}
