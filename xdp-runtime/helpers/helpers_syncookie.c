/* hot */
/* SYN cookies from headers alone: bpf_tcp_raw_gen_syncookie_*() and bpf_tcp_raw_check_syncookie_*().
 *
 * A cookie is the sequence number of a SYN+ACK from which the ACK that answers it tells that there
 * was a SYN, and roughly its MSS:
 *
 *	cookie = H(addresses, ports, 0) + seq + (minute << 24) +
 *		 ((H(addresses, ports, minute) + index of MSS) mod 2^24)
 *
 * H is keyed with a secret, so cookies of a kernel are worth nothing here and the other way round;
 * what is generated here checks here, for the minute of its making and the next. The secret comes
 * from the runtime's seed, and the minute from the run's clock, so a replay repeats.
 *
 * Source: net/ipv4/syncookies.c and net/ipv6/syncookies.c for the form of a cookie, its tables and
 * its age; bpf_tcp_raw_gen_syncookie_ipv4() in net/core/filter.c. H is SipHash-2-4 (Aumasson and
 * Bernstein, 2012).
 */
#include "xdp-runtime/helpers/helpers_fn.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "base/clock.h"
#include "xdp-runtime/run.h"
#include "xdp-runtime/runtime.h"

#define TCP_HEADER_LEN 20
#define COOKIE_BITS    24
#define COOKIE_MASK    ((UINT32_C(1) << COOKIE_BITS) - 1)
#define MAX_AGE	       2 /* minutes; MAX_SYNCOOKIE_AGE */
#define N_MSS	       4
#define OPTION_END     0 /* RFC 9293, 3.2 */
#define OPTION_NOP     1
#define OPTION_MSS     2
#define OPTION_MSS_LEN 4

/* What differs between IPv4 and IPv6. */
struct family {
	uint32_t saddr_off, addr_len;
	uint16_t mss[N_MSS]; /* ascending; what a cookie can say */
	uint16_t mss_default;
};

static const struct family ipv4 = { 12, 4, { 536, 1300, 1440, 1460 }, 536 };
static const struct family ipv6 = { 8, 16, { 1220, 1420, 1440, 8940 }, 1220 };

/* SipHash-2-4. */

#define ROTATE(x, n) ((x) << (n) | (x) >> (64 - (n)))

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = ROTATE(v[1], 13) ^ v[0];
	v[0] = ROTATE(v[0], 32);
	v[2] += v[3];
	v[3] = ROTATE(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = ROTATE(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = ROTATE(v[1], 17) ^ v[2];
	v[2] = ROTATE(v[2], 32);
}

/* Of @n whole words. */
static uint64_t siphash(const uint64_t key[2], const uint64_t *words, uint32_t n)
{
	uint64_t v[4] = { key[0] ^ UINT64_C(0x736f6d6570736575),
			  key[1] ^ UINT64_C(0x646f72616e646f6d),
			  key[0] ^ UINT64_C(0x6c7967656e657261),
			  key[1] ^ UINT64_C(0x7465646279746573) };

	for (uint32_t i = 0; i <= n; i++) {
		const uint64_t m = i < n ? words[i] : (uint64_t)(n * 8) << 56;

		v[3] ^= m;
		sip_round(v);
		sip_round(v);
		v[0] ^= m;
	}
	v[2] ^= 0xff;
	for (int i = 0; i < 4; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* Cookies. */

static uint32_t be32_at(const uint8_t *p)
{
	uint32_t word;

	memcpy(&word, p, sizeof(word));
	return ntohl(word);
}

static uint32_t minute(void)
{
	return (uint32_t)(xl_run->clock(xl_run) / (60 * XL_NSEC_PER_SEC));
}

/* H. @which tells its two uses apart. */
static uint32_t hash(const struct family *f, const uint8_t *ip, const uint8_t *tcp, uint32_t count,
		     uint32_t which)
{
	const uint64_t seed = xl_run->rt ? xl_run->rt->map_env.seed : 0;
	const uint64_t key[2] = { seed, ~seed };
	uint64_t words[6] = { 0 };

	memcpy(words, ip + f->saddr_off, 2 * (size_t)f->addr_len);
	memcpy(&words[4], tcp, 4); /* both ports */
	words[5] = (uint64_t)which << 32 | count;
	return (uint32_t)siphash(key, words, 6);
}

static uint32_t make_cookie(const struct family *f, const uint8_t *ip, const uint8_t *tcp,
			    uint32_t data)
{
	const uint32_t count = minute();

	return hash(f, ip, tcp, 0, 0) + be32_at(tcp + 4) + (count << COOKIE_BITS) +
	       ((hash(f, ip, tcp, count, 1) + data) & COOKIE_MASK);
}

/* What make_cookie() was given, from the ACK that answers; UINT32_MAX: it was not our cookie. */
static uint32_t data_of_cookie(const struct family *f, const uint8_t *ip, const uint8_t *tcp)
{
	const uint32_t seq = be32_at(tcp + 4) - 1, count = minute();
	const uint32_t cookie = be32_at(tcp + 8) - 1 - hash(f, ip, tcp, 0, 0) - seq;
	const uint32_t age = (count - (cookie >> COOKIE_BITS)) & (UINT32_MAX >> COOKIE_BITS);

	if (age >= MAX_AGE)
		return UINT32_MAX;
	return (cookie - hash(f, ip, tcp, count - age, 1)) & COOKIE_MASK;
}

/* The last MSS option before anything that is malformed; 0: none. */
static uint16_t mss_option(const uint8_t *tcp, uint32_t len)
{
	uint16_t mss = 0;
	uint32_t at = TCP_HEADER_LEN, size;

	while (at < len && tcp[at] != OPTION_END) {
		if (tcp[at] == OPTION_NOP) {
			at++;
			continue;
		}
		size = len - at < 2 ? 0 : tcp[at + 1];
		if (size < 2 || size > len - at)
			break;
		if (tcp[at] == OPTION_MSS && size == OPTION_MSS_LEN &&
		    (tcp[at + 2] | tcp[at + 3]) != 0)
			mss = (uint16_t)(tcp[at + 2] << 8 | tcp[at + 3]);
		at += size;
	}
	return mss;
}

static uint64_t gen(const struct family *f, uint64_t ip, uint64_t th, uint32_t th_len)
{
	const uint8_t *tcp = (const uint8_t *)(uintptr_t)th;
	uint32_t i = N_MSS - 1;
	uint16_t mss;

	if (th_len < TCP_HEADER_LEN || th_len != (uint32_t)(tcp[12] >> 4) * 4)
		return xl_helper_int(-EINVAL);
	mss = mss_option(tcp, th_len);
	if (!mss)
		mss = f->mss_default;
	while (i && mss < f->mss[i])
		i--;
	return make_cookie(f, (const uint8_t *)(uintptr_t)ip, tcp, i) | (uint64_t)f->mss[i] << 32;
}

static uint64_t check(const struct family *f, uint64_t ip, uint64_t th)
{
	const uint32_t data =
		data_of_cookie(f, (const uint8_t *)(uintptr_t)ip, (const uint8_t *)(uintptr_t)th);

	return data < N_MSS ? 0 : xl_helper_int(-EACCES);
}

uint64_t xl_helper_tcp_raw_gen_syncookie_ipv4(uint64_t ip, uint64_t th, uint64_t th_len,
					      uint64_t r4, uint64_t r5)
{
	return gen(&ipv4, ip, th, (uint32_t)th_len);
}

uint64_t xl_helper_tcp_raw_gen_syncookie_ipv6(uint64_t ip, uint64_t th, uint64_t th_len,
					      uint64_t r4, uint64_t r5)
{
	return gen(&ipv6, ip, th, (uint32_t)th_len);
}

uint64_t xl_helper_tcp_raw_check_syncookie_ipv4(uint64_t ip, uint64_t th, uint64_t r3, uint64_t r4,
						uint64_t r5)
{
	return check(&ipv4, ip, th);
}

uint64_t xl_helper_tcp_raw_check_syncookie_ipv6(uint64_t ip, uint64_t th, uint64_t r3, uint64_t r4,
						uint64_t r5)
{
	return check(&ipv6, ip, th);
}
