/* Hash keys and values of odd sizes. */
#include "prog.h"

#define KEYED(n_)                                \
	struct key##n_ {                         \
		__u8 b[n_];                      \
	};                                       \
	struct {                                 \
		__uint(type, BPF_MAP_TYPE_HASH); \
		__uint(max_entries, 8192);       \
		__type(key, struct key##n_);     \
		__type(value, struct key##n_);   \
	} by##n_ SEC(".maps")

#define DRIVE(n_)                                                      \
	do {                                                           \
		struct key##n_ k = { 0 }, *v;                          \
		for (int i = 0; i < n_; i++)                           \
			k.b[i] = b[i] & 0x33;                          \
		v = bpf_map_lookup_elem(&by##n_, &k);                  \
		if (v)                                                 \
			v->b[n_ - 1]++;                                \
		else                                                   \
			bpf_map_update_elem(&by##n_, &k, &k, BPF_ANY); \
	} while (0)

KEYED(1);
KEYED(3);
KEYED(6);
KEYED(13);
KEYED(16);
KEYED(37);
KEYED(100);

SEC("xdp")
int keys(struct xdp_md *ctx)
{
	__u8 b[100] = { 0 };

	packet_bytes(ctx, b, 48);
	DRIVE(1);
	DRIVE(3);
	DRIVE(6);
	DRIVE(13);
	DRIVE(16);
	DRIVE(37);
	DRIVE(100);
	return XDP_PASS;
}
