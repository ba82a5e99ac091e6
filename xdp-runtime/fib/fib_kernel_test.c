/* Claims about the forwarding table, decided by the running kernel: a network namespace is set
 * up, dumped by `ip -j`, loaded, and asked the same questions as the kernel. */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/kernel_bpf.h"
#include "xdp-runtime/fib/fib.h"
#include "xdp-runtime/helpers/helper_calls_test.h"
#include "xdp-runtime/runtime.h"

#define N_PARAMS 8 /* look-ups in one program */

static char dir[] = "/tmp/xl-fib-XXXXXX";
static struct xl_runtime rt;
static struct xt_env env = { .rt = &rt };
static _Alignas(8) struct xt_state in;
static bool only_main; /* no routes of other tables were loaded */

/* Runs a command; its output goes to @file in the test's folder, if there is one. */
static bool run(const char *file, const char *command)
{
	char line[512];

	if (file)
		snprintf(line, sizeof(line), "%s > %s/%s", command, dir, file);
	else
		snprintf(line, sizeof(line), "%s", command);
	return system(line) == 0;
}

static const char *const set_up[] = {
	"ip link set lo up",
	"ip link add va type veth peer name vb",
	"ip link add vc type veth peer name vd",
	/* Link-local addresses would be tentative at first, and change while the test runs. */
	"for i in va vb vc vd; do ip link set $i addrgenmode none; ip link set $i up; done",
	"ip link set vc mtu 1400",
	"ip addr add 10.1.0.1/24 dev va brd +",
	"ip addr add 10.1.0.77/24 dev va",
	"ip addr add 10.1.9.1/30 dev va",
	"ip addr add 10.2.0.1/24 dev vc",
	"ip addr add 192.0.2.1/32 dev lo",
	"ip addr add 10.7.7.7/24 dev vc scope link",
	"ip -6 addr add 2001:db8:1::1/64 dev va nodad",
	"ip -6 addr add 2001:db8:2::1/64 dev vc nodad",
	"ip -6 addr add fd00::7/64 dev vc nodad",
	"ip -6 addr add 2001:db8:77::1/128 dev lo nodad",
	"ip -6 addr add 2001:db8:2::5/64 dev vc nodad preferred_lft 0",
	"echo 1 > /proc/sys/net/ipv4/ip_forward",
	"echo 1 > /proc/sys/net/ipv6/conf/all/forwarding",
	"ip route add default via 10.1.0.2 metric 100",
	"ip route add default via 10.2.0.9 metric 200",
	"ip route add 10.9.0.0/16 via 10.1.0.3 mtu 1300",
	"ip route add 10.9.0.0/16 via 10.2.0.3 metric 9",
	"ip route add 10.9.128.0/17 via 10.2.0.7",
	"ip route add 10.9.129.0/24 dev vc scope link",
	"ip route add 10.10.0.0/16 via 10.1.0.3 src 10.1.0.77",
	"ip route add blackhole 10.11.0.0/16",
	"ip route add unreachable 10.12.0.0/16 metric 5",
	"ip route add prohibit 10.13.0.0/16",
	"ip route add throw 10.14.0.0/16",
	"ip route add 10.14.0.0/15 via 10.1.0.2",
	"ip route add 10.16.0.0/16 via 192.168.9.9 dev vc onlink",
	"ip route add 10.17.0.0/16 via inet6 2001:db8:1::9 dev va",
	"ip route add 10.18.0.0/16 via 10.1.0.2",
	"ip route add 10.18.0.0/16 tos 0x10 via 10.1.0.3",
	"ip route add 10.18.0.0/16 tos 0x08 via 10.2.0.7 metric 7",
	"ip nexthop add id 7 via 10.2.0.7 dev vc",
	"ip route add 10.21.0.0/16 nhid 7",
	"ip route add 10.22.0.0/16 via 10.2.0.7 table 77",
	"ip route add default via 10.1.0.2 table 77",
	"ip route add 172.16.0.0/12 via 10.1.0.2 table default",
	"ip route add multicast 224.5.0.0/16 dev va",
	"ip route add local 10.30.0.0/24 dev lo",
	"ip route add 10.30.0.128/25 via 10.1.0.3",
	"ip route add 10.31.0.0/16 nexthop via 10.1.0.4 dev va weight 3"
	" nexthop via 10.2.0.4 dev vc weight 1",
	"ip -6 route add default via 2001:db8:1::2 metric 100",
	"ip -6 route add blackhole 2001:db8:b::/48",
	"ip -6 route add unreachable 2001:db8:c::/48",
	"ip -6 route add prohibit 2001:db8:d::/48",
	"ip -6 route add throw 2001:db8:e::/48",
	"ip -6 route add 2001:db8:10::/48 via 2001:db8:1::4 mtu 1290",
	"ip -6 route add 2001:db8:10:8000::/49 via 2001:db8:2::4 src 2001:db8:2::1",
	"ip -6 route add 2001:db8:11::/48 dev vc",
	"ip -6 route append 2001:db8:11::/48 dev va",
	"ip -6 route add 2001:db8:12::/48 encap seg6 mode encap segs 2001:db8:1::99 dev va",
	"ip -6 route add 2001:db8:13::/48 via 2001:db8:1::4 metric 50",
	"ip -6 route add 2001:db8:13::/48 via 2001:db8:2::4 metric 40 pref low",
	"ip -6 route add 2001:db8:14::/48 via 2001:db8:2::4 table 77",
	"ip -6 route add 2001:db8:15::/48 via fe80::9 dev vc",
	"ip -6 route add 2001:db8:1f::/48 nexthop via 2001:db8:1::4 dev va weight 2"
	" nexthop via 2001:db8:2::4 dev vc",
	"ip neigh add 10.1.0.2 lladdr 02:00:00:00:00:02 dev va nud permanent",
	"ip neigh add 10.1.0.3 lladdr 02:00:00:00:00:03 dev va nud stale",
	"ip neigh add 10.2.0.7 lladdr 02:00:00:00:00:07 dev vc nud noarp",
	"ip neigh add 10.2.0.3 dev vc nud failed",
	"ip neigh add 192.168.9.9 lladdr 02:00:00:00:09:09 dev vc nud permanent",
	"ip neigh add 2001:db8:1::2 lladdr 02:00:00:00:06:02 dev va nud permanent",
	"ip neigh add 2001:db8:1::9 lladdr 02:00:00:00:06:09 dev va nud permanent",
	"ip neigh add 2001:db8:2::4 lladdr 02:00:00:00:06:04 dev vc nud stale",
	"ip neigh add fe80::9 lladdr 02:00:00:00:06:90 dev vc nud permanent",
	"ip neigh add 2001:db8:11::5 lladdr 02:00:00:00:06:15 dev vc nud permanent",
};

static void load(const char *file)
{
	struct xl_err e = { 0 };
	char path[64];

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	if (xl_fib_load(rt.fib, path, &e))
		fail_msg("%s", e.text);
}

static int make_namespace(void **state)
{
	for (size_t i = 0; i < sizeof(set_up) / sizeof(set_up[0]); i++)
		if (!run(NULL, set_up[i]))
			fail_msg("%s", set_up[i]);
	assert_true(run("all", "ip -j route show table all"));
	assert_true(run("neigh", "ip -j neigh show nud all"));
	assert_true(run("addr", "ip -j addr"));
	/* What a user would dump, in one file: the local tables come from the addresses. */
	assert_true(run("main", "(ip -j addr; ip -j route; ip -j -6 route;"
				" ip -j neigh show nud all)"));
	return 0;
}

static int remove_folder(void **state)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -r %s", dir);
	return run(NULL, command) ? 0 : -1;
}

/* Questions. */

static const char *const hosts4[] = {
	"10.1.0.1",   "10.1.0.2",	 "10.1.0.3",   "10.1.0.50",   "10.1.0.255",
	"10.1.0.0",   "10.1.0.77",	 "10.1.9.1",   "10.1.9.2",    "10.1.9.3",
	"10.2.0.1",   "10.2.0.7",	 "10.2.0.3",   "10.2.0.255",  "192.0.2.1",
	"10.7.7.7",   "10.7.7.9",	 "10.7.7.255", "10.9.1.1",    "10.9.128.1",
	"10.9.129.9", "10.10.1.1",	 "10.11.1.1",  "10.12.1.1",   "10.13.1.1",
	"10.14.1.1",  "10.15.1.1",	 "10.16.1.1",  "10.17.1.1",   "10.18.1.1",
	"10.21.1.1",  "10.22.1.1",	 "172.16.1.1", "224.5.1.1",   "224.9.1.1",
	"10.30.0.1",  "10.30.0.200",	 "127.0.0.1",  "127.1.2.3",   "127.255.255.255",
	"0.0.0.0",    "255.255.255.255", "8.8.8.8",    "192.168.9.9",
};
static const char *const hosts6[] = {
	"2001:db8:1::1",
	"2001:db8:1::2",
	"2001:db8:1::",
	"2001:db8:1::4",
	"2001:db8:2::1",
	"2001:db8:2::4",
	"2001:db8:2::5",
	"fd00::7",
	"fd00::9",
	"2001:db8:77::1",
	"2001:db8:b::1",
	"2001:db8:c::1",
	"2001:db8:d::1",
	"2001:db8:e::1",
	"2001:db8:10::1",
	"2001:db8:10:8000::1",
	"2001:db8:11::5",
	"2001:db8:11::6",
	"2001:db8:12::1",
	"2001:db8:13::1",
	"2001:db8:14::1",
	"2001:db8:15::1",
	"fe80::1",
	"ff02::1",
	"::1",
	"::",
	"2606:4700::1111",
	"::ffff:10.1.0.2",
	"2002:a01:1::1",
	"ff0e::5",
	"fec0::1",
};
#define N_HOSTS4 (sizeof(hosts4) / sizeof(hosts4[0]))
#define N_HOSTS6 (sizeof(hosts6) / sizeof(hosts6[0]))

static uint32_t pick(const uint32_t *values, size_t n)
{
	return values[xt_random() % n];
}
#define PICK(...)                               \
	pick((const uint32_t[]){ __VA_ARGS__ }, \
	     sizeof((const uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))

/* Not an address whose local route somebody added by hand, where that was not loaded. */
static const char *host4(void)
{
	const char *host;

	do
		host = hosts4[xt_random() % N_HOSTS4];
	while (only_main && !strncmp(host, "10.30.0.", 8));
	return host;
}

static struct bpf_fib_lookup question(void)
{
	const char *dst;
	struct bpf_fib_lookup p;
	uint32_t r;

	for (size_t i = 0; i < sizeof(p); i += sizeof(r)) {
		r = xt_random();
		memcpy((char *)&p + i, &r, sizeof(r));
	}
	p.family = (uint8_t)PICK(AF_INET, AF_INET, AF_INET, AF_INET6, AF_INET6, AF_INET6, AF_UNIX);
	p.tot_len =
		(uint16_t)PICK(0, 100, 1279, 1280, 1281, 1300, 1301, 1400, 1401, 1500, 1501, 65535);
	p.ifindex = PICK(1, 2, 3, 3, 4, 5, 5, 99, 0);
	p.tbid = only_main ? PICK(0, 254, 255, 500) : PICK(0, 77, 253, 254, 255, 500);
	if (p.family == AF_INET) {
		inet_pton(AF_INET, host4(), &p.ipv4_dst);
		inet_pton(AF_INET, host4(), &p.ipv4_src);
		p.tos = (uint8_t)PICK(0, 0, 0x10, 0x08, 0x14, 0xff, 0x13, 0xb8);
	} else {
		dst = hosts6[xt_random() % N_HOSTS6];
		inet_pton(AF_INET6, dst, p.ipv6_dst);
		/* How many bytes an encapsulation takes off the MTU, a dump does not say. */
		if (!strcmp(dst, "2001:db8:12::1"))
			p.tot_len = 100;
		inet_pton(AF_INET6, hosts6[xt_random() % N_HOSTS6], p.ipv6_src);
	}
	return p;
}

static uint32_t flags_for_question(void)
{
	uint32_t flags = 0;

	for (uint32_t bit = 1; bit <= BPF_FIB_LOOKUP_MARK; bit <<= 1)
		if (xt_random() % 3 == 0)
			flags |= bit;
	return xt_random() % 64 ? flags : 1u << xt_random() % 32;
}

static void show(const char *who, uint64_t r0, const struct bpf_fib_lookup *p)
{
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];

	inet_ntop(p->family == AF_INET ? AF_INET : AF_INET6, &p->ipv4_src, src, sizeof(src));
	inet_ntop(p->family == AF_INET ? AF_INET : AF_INET6, &p->ipv4_dst, dst, sizeof(dst));
	fprintf(stderr,
		"%s: %lld family %u ifindex %u %s > %s len/mtu %u tos/metric %u tbid %u "
		"macs %02x..%02x %02x..%02x\n",
		who, (long long)r0, p->family, p->ifindex, src, dst, p->tot_len, p->rt_metric,
		p->tbid, p->smac[0], p->smac[5], p->dmac[0], p->dmac[5]);
}

/* Fails with the question and both answers in words. */
static void compare_answers(const struct xt_call *calls)
{
	static struct xt_state kernel, ours;
	const struct bpf_fib_lookup *p = (const struct bpf_fib_lookup *)(const void *)in.io,
				    *k = (const struct bpf_fib_lookup *)(const void *)kernel.io,
				    *o = (const struct bpf_fib_lookup *)(const void *)ours.io;

	assert_true(xt_run_kernel(&env, calls, N_PARAMS, &in, &kernel));
	xt_run_ours(&env, calls, N_PARAMS, &in, &ours);
	for (uint32_t i = 0; i < N_PARAMS; i++) {
		if (kernel.r0[i] == ours.r0[i] && !memcmp(&k[i], &o[i], sizeof(*k)))
			continue;
		show("question", calls[i].arg[3].v, &p[i]);
		show("kernel", kernel.r0[i], &k[i]);
		show("ours", ours.r0[i], &o[i]);
		fail_msg("answers differ (the number of the question: its flags)");
	}
}

static void ask(int rounds)
{
	struct xt_call calls[N_PARAMS];

	xt_packet(&in, 64);
	memset(in.io, 0, sizeof(in.io));
	for (int round = 0; round < rounds; round++) {
		for (uint32_t i = 0; i < N_PARAMS; i++) {
			const struct bpf_fib_lookup p = question();
			const uint32_t size = xt_random() % 100 ? sizeof(p) : 63;

			memcpy(in.io + i * sizeof(p), &p, sizeof(p));
			calls[i] = (struct xt_call){ BPF_FUNC_fib_lookup,
						     { CTX, IO(i * sizeof(p)), IMM(size),
						       IMM(flags_for_question()) } };
		}
		compare_answers(calls);
	}
}

static void answers_from_dumps_of_all_tables_are_the_kernels(void **state)
{
	assert_int_equal(xl_fib_create(&rt.fib), 0);
	load("all");
	load("neigh");
	load("addr");
	ask(400);
	xl_fib_destroy(rt.fib);
}

static void answers_from_dumps_without_the_local_tables_are_the_kernels(void **state)
{
	assert_int_equal(xl_fib_create(&rt.fib), 0);
	load("main");
	only_main = true;
	ask(400);
	only_main = false;
	xl_fib_destroy(rt.fib);
}

/* Which next hops @family's questions about the multipath prefix lead to, as a set of bits. */
static uint32_t paths(bool kernel, uint8_t family)
{
	static struct xt_state out;
	struct xt_call calls[XT_CALLS_MAX];
	uint32_t seen = 0;

	for (uint32_t i = 0; i < XT_CALLS_MAX; i++) {
		struct bpf_fib_lookup p = { .family = family, .ifindex = 2 };

		inet_pton(AF_INET, "10.31.0.1", &p.ipv4_dst);
		if (family == AF_INET6)
			inet_pton(AF_INET6, "2001:db8:1f::1", p.ipv6_dst);
		p.ipv4_src = xt_random();
		if (family == AF_INET6)
			inet_pton(AF_INET6, "2001:db8:1::", p.ipv6_src);
		p.ipv6_src[3] = family == AF_INET6 ? xt_random() : p.ipv6_src[3];
		memcpy(in.io + i * sizeof(p), &p, sizeof(p));
		calls[i] = (struct xt_call){ BPF_FUNC_fib_lookup,
					     { CTX, IO(i * sizeof(p)), IMM(sizeof(p)),
					       IMM(BPF_FIB_LOOKUP_SKIP_NEIGH) } };
	}
	if (kernel)
		assert_true(xt_run_kernel(&env, calls, XT_CALLS_MAX, &in, &out));
	else
		xt_run_ours(&env, calls, XT_CALLS_MAX, &in, &out);
	for (uint32_t i = 0; i < XT_CALLS_MAX; i++) {
		struct bpf_fib_lookup p;

		memcpy(&p, out.io + i * sizeof(p), sizeof(p));
		assert_int_equal(out.r0[i], BPF_FIB_LKUP_RET_SUCCESS);
		seen |= 1u << p.ifindex;
	}
	return seen;
}

static void multipath_routes_use_the_next_hops_that_the_kernel_uses(void **state)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };

	assert_int_equal(xl_fib_create(&rt.fib), 0);
	load("all");
	load("addr");
	for (int f = 0; f < 2; f++) {
		uint32_t kernel = 0, ours = 0;

		for (int i = 0; i < 8; i++) {
			kernel |= paths(true, families[f]);
			ours |= paths(false, families[f]);
		}
		assert_int_equal(kernel, ours);
		assert_int_equal(kernel, 1u << if_nametoindex("va") | 1u << if_nametoindex("vc"));
	}
	xl_fib_destroy(rt.fib);
}

static void mtu_checks_are_the_kernels(void **state)
{
	static const uint32_t lens[] = { 14, 60, 1414, 1415, 1500, 1514, 1515, 3000, 9000 };

	assert_int_equal(xl_fib_create(&rt.fib), 0);
	load("addr");
	for (int round = 0; round < 300; round++) {
		struct xt_call calls[N_PARAMS];

		xt_packet(&in, pick(lens, sizeof(lens) / sizeof(lens[0])));
		for (uint32_t i = 0; i < N_PARAMS; i++) {
			const uint32_t len = PICK(0, 0, 1, 1385, 1386, 1400, 1401, 1500, 1501,
						  65536, 65537, INT32_MAX, UINT32_MAX);

			memcpy(in.io + 4 * i, &len, sizeof(len));
			calls[i] = (struct xt_call){
				BPF_FUNC_check_mtu,
				{ CTX, IMM(PICK(0, 0, 1, 2, 3, 4, 5, 99)), IO(4 * i),
				  IMM((int32_t)PICK(0, 0, 1, 14, 100, -1u, -14u, -100u, INT32_MAX,
						    (uint32_t)INT32_MIN)),
				  IMM(PICK(0, 0, 0, 0, 0, 1, 2)) }
			};
		}
		env.ifindex = PICK(0, 3, 5);
		xt_compare(&env, calls, N_PARAMS, &in);
	}
	env.ifindex = 0;
	xl_fib_destroy(rt.fib);
}

static void nothing_is_forwarded_by_a_host_or_an_empty_table(void **state)
{
	struct xt_call calls[N_PARAMS];

	assert_int_equal(xl_fib_create(&rt.fib), 0);
	assert_true(run(NULL, "echo 0 > /proc/sys/net/ipv4/ip_forward"));
	assert_true(run(NULL, "echo 0 > /proc/sys/net/ipv6/conf/all/forwarding"));
	for (int round = 0; round < 50; round++) {
		for (uint32_t i = 0; i < N_PARAMS; i++) {
			struct bpf_fib_lookup p = question();

			p.ifindex = PICK(1, 2, 3, 4, 5);
			memcpy(in.io + i * sizeof(p), &p, sizeof(p));
			calls[i] = (struct xt_call){ BPF_FUNC_fib_lookup,
						     { CTX, IO(i * sizeof(p)), IMM(sizeof(p)),
						       IMM(flags_for_question()) } };
		}
		compare_answers(calls);
	}
	xl_fib_destroy(rt.fib);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_from_dumps_of_all_tables_are_the_kernels),
		cmocka_unit_test(answers_from_dumps_without_the_local_tables_are_the_kernels),
		cmocka_unit_test(multipath_routes_use_the_next_hops_that_the_kernel_uses),
		cmocka_unit_test(mtu_checks_are_the_kernels),
		cmocka_unit_test(nothing_is_forwarded_by_a_host_or_an_empty_table),
	};
	int ret;

	if (!xl_kernel_bpf_usable() || unshare(CLONE_NEWNET) || !run(NULL, "ip -V > /dev/null")) {
		fprintf(stderr, "fib_kernel_test: skipped: needs root, kernel BPF and ip\n");
		return 77;
	}
	if (!mkdtemp(dir))
		return 1;
	ret = cmocka_run_group_tests(tests, make_namespace, remove_folder);
	return ret;
}
