/* The kernel's functions on strings, on bytes of the packet: letters of a small alphabet, so that
 * something is found. */
#include "prog.h"

extern int bpf_strcmp(const char *s1__ign, const char *s2__ign) __ksym;
extern int bpf_strcasecmp(const char *s1__ign, const char *s2__ign) __ksym;
extern int bpf_strnchr(const char *s__ign, __u64 count, char c) __ksym;
extern int bpf_strchr(const char *s__ign, char c) __ksym;
extern int bpf_strchrnul(const char *s__ign, char c) __ksym;
extern int bpf_strrchr(const char *s__ign, int c) __ksym;
extern int bpf_strlen(const char *s__ign) __ksym;
extern int bpf_strnlen(const char *s__ign, __u64 count) __ksym;
extern int bpf_strspn(const char *s__ign, const char *accept__ign) __ksym;
extern int bpf_strcspn(const char *s__ign, const char *reject__ign) __ksym;
extern int bpf_strstr(const char *s1__ign, const char *s2__ign) __ksym;
extern int bpf_strnstr(const char *s1__ign, const char *s2__ign, __u64 len) __ksym;

ARRAY(results, struct record, 1);
ARRAY(text, char[96], 1);

static const char letters[16] = "abABabAB\xc0\xe0\xd7\xf7\xff\0ab";

static __always_inline void one(struct record *r, const char *s, char c, __u64 n)
{
	record(r, bpf_strlen(s));
	record(r, bpf_strnlen(s, n));
	record(r, bpf_strchr(s, c));
	record(r, bpf_strchr(s, 0));
	record(r, bpf_strnchr(s, n, c));
	record(r, bpf_strnchr(s, n, 0));
	record(r, bpf_strchrnul(s, c));
	record(r, bpf_strrchr(s, c));
	record(r, bpf_strrchr(s, (__u8)c));
	record(r, bpf_strrchr(s, c + 256));
}

static __always_inline void two(struct record *r, const char *a, const char *b, __u64 n)
{
	record(r, bpf_strcmp(a, b));
	record(r, bpf_strcasecmp(a, b));
	record(r, bpf_strspn(a, b));
	record(r, bpf_strcspn(a, b));
	record(r, bpf_strstr(a, b));
	record(r, bpf_strnstr(a, b, n));
}

SEC("xdp")
int kernel_strings(struct xdp_md *ctx)
{
	__u64 h = packet_hash(ctx);
	__u32 key = 0;
	struct record *r = bpf_map_lookup_elem(&results, &key);
	char *s = bpf_map_lookup_elem(&text, &key);

	if (!r || !s)
		return XDP_ABORTED;
	for (int i = 0; i < 95; i++)
		s[i] = letters[(h >> i % 48 ^ i * 7) & 15];
	s[95] = 0;
	for (int i = 0; i < 6; i++) {
		char *part = s + (h >> i * 6 & 63);

		one(r, part, letters[h >> i * 3 & 15], h >> i & 15);
		two(r, part, s + (h >> i * 5 & 63), h >> (i + 9) & 7);
		two(r, part, "ab", i);
		two(r, part, "", i);
		two(r, part, "aB\xe0", 70000);
	}
	one(r, NULL, 'a', 5);
	one(r, (void *)8, 'a', 5);
	one(r, (void *)-8, 'a', 0);
	two(r, NULL, s, 5);
	two(r, s, NULL, 0);
	two(r, (void *)-1, (void *)-1, 3);
	return XDP_PASS;
}
