/* Claims about loading a forwarding table and asking it, with answers known beforehand; those of
 * the kernel are in fib_kernel_test.c. */
#include "xdp-runtime/fib/fib.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

/* Loads @text as a file. */
static int load(struct xl_fib *fib, const char *text, struct xl_err *e)
{
	const int fd = memfd_create("fib", MFD_CLOEXEC);
	char path[32];
	int err;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	err = xl_fib_load(fib, path, e);
	close(fd);
	return err;
}

static struct xl_fib *table_of(const char *text)
{
	struct xl_err e = { 0 };
	struct xl_fib *fib;

	assert_int_equal(xl_fib_create(&fib), 0);
	if (load(fib, text, &e))
		fail_msg("%s", e.text);
	return fib;
}

static struct bpf_fib_lookup to(const char *dst, uint32_t ifindex)
{
	struct bpf_fib_lookup p = { .family = AF_INET, .ifindex = ifindex, .tot_len = 100 };

	if (inet_pton(AF_INET, dst, &p.ipv4_dst) != 1) {
		p.family = AF_INET6;
		assert_int_equal(inet_pton(AF_INET6, dst, p.ipv6_dst), 1);
	}
	return p;
}

static int ask(const struct xl_fib *fib, const char *dst, uint32_t flags)
{
	struct bpf_fib_lookup p = to(dst, 1);

	return xl_fib_lookup(fib, &p, flags);
}

static void an_empty_table_answers_as_a_host_that_does_not_forward(void **state)
{
	struct xl_fib *fib;
	uint32_t mtu;

	assert_int_equal(xl_fib_create(&fib), 0);
	assert_int_equal(ask(fib, "10.0.0.1", 0), BPF_FIB_LKUP_RET_FWD_DISABLED);
	assert_int_equal(ask(fib, "2001:db8::1", 0), BPF_FIB_LKUP_RET_FWD_DISABLED);
	assert_true(xl_fib_link_mtu(fib, 1, &mtu));
	assert_int_equal(mtu, 65536);
	assert_true(xl_fib_link_mtu(fib, 77, &mtu));
	assert_int_equal(mtu, 1500);
	xl_fib_destroy(fib);
}

static void routes_alone_forward_between_links_numbered_from_2(void **state)
{
	struct xl_fib *fib = table_of("[{\"dst\":\"10.0.0.0/8\",\"dev\":\"eth0\"},"
				      "{\"dst\":\"10.1.0.0/16\",\"gateway\":\"10.0.0.9\","
				      "\"dev\":\"eth1\",\"metric\":7}]");
	struct bpf_fib_lookup p = to("10.1.2.3", 2);
	uint32_t mtu;

	assert_int_equal(xl_fib_lookup(fib, &p, BPF_FIB_LOOKUP_SKIP_NEIGH), 0);
	assert_int_equal(p.ifindex, 3);
	assert_int_equal(p.ipv4_dst, inet_addr("10.0.0.9"));
	assert_int_equal(p.rt_metric, 7);
	assert_int_equal(p.mtu_result, 1500);
	p = to("10.2.2.3", 2);
	assert_int_equal(xl_fib_lookup(fib, &p, 0), BPF_FIB_LKUP_RET_NO_NEIGH);
	assert_int_equal(p.ifindex, 2);
	p = to("10.2.2.3", 4);
	assert_int_equal(xl_fib_lookup(fib, &p, 0), -ENODEV);
	assert_int_equal(ask(fib, "11.0.0.1", 0), BPF_FIB_LKUP_RET_NOT_FWDED);
	assert_false(xl_fib_link_mtu(fib, 4, &mtu));
	xl_fib_destroy(fib);
}

static void ipv6_routes_without_a_metric_have_the_kernels(void **state)
{
	struct xl_fib *fib =
		table_of("[{\"dst\":\"2001:db8::/32\",\"dev\":\"eth0\"},"
			 "{\"dst\":\"2001:db8:1::/48\",\"dev\":\"eth0\",\"metric\":0}]");
	struct bpf_fib_lookup p = to("2001:db8::1", 2);

	assert_int_equal(xl_fib_lookup(fib, &p, BPF_FIB_LOOKUP_SKIP_NEIGH), 0);
	assert_int_equal(p.rt_metric, 1024);
	p = to("2001:db8:1::1", 2);
	assert_int_equal(xl_fib_lookup(fib, &p, BPF_FIB_LOOKUP_SKIP_NEIGH), 0);
	assert_int_equal(p.rt_metric, 0);
	xl_fib_destroy(fib);
}

static void loopback_is_local_whatever_was_loaded(void **state)
{
	struct xl_fib *fib = table_of("[{\"dst\":\"0.0.0.0/0\",\"dev\":\"eth0\"},"
				      "{\"dst\":\"::/0\",\"dev\":\"eth0\"}]");

	assert_int_equal(ask(fib, "127.9.9.9", BPF_FIB_LOOKUP_SKIP_NEIGH),
			 BPF_FIB_LKUP_RET_NOT_FWDED);
	assert_int_equal(ask(fib, "::1", BPF_FIB_LOOKUP_SKIP_NEIGH), BPF_FIB_LKUP_RET_NOT_FWDED);
	assert_int_equal(ask(fib, "126.9.9.9", BPF_FIB_LOOKUP_SKIP_NEIGH), 0);
	assert_int_equal(ask(fib, "::2", BPF_FIB_LOOKUP_SKIP_NEIGH), 0);
	xl_fib_destroy(fib);
}

static void a_later_dump_of_links_numbers_those_named_before(void **state)
{
	struct xl_fib *fib = table_of("[{\"dst\":\"default\",\"dev\":\"wan\"},"
				      "{\"dst\":\"10.0.0.0/8\",\"dev\":\"lan\"}]"
				      "[{\"dst\":\"10.0.0.5\",\"dev\":\"lan\","
				      "\"lladdr\":\"02:00:00:00:00:05\",\"state\":[\"STALE\"]}]"
				      "\n[{},{\"ifindex\":2,\"ifname\":\"lan\",\"mtu\":9000,"
				      "\"address\":\"02:00:00:00:00:aa\"}]");
	struct bpf_fib_lookup p = to("10.0.0.5", 2);

	assert_int_equal(xl_fib_lookup(fib, &p, 0), 0);
	assert_int_equal(p.ifindex, 2);
	assert_int_equal(p.mtu_result, 9000);
	assert_memory_equal(p.dmac, "\x02\0\0\0\0\x05", 6);
	assert_memory_equal(p.smac, "\x02\0\0\0\0\xaa", 6);
	p = to("8.8.8.8", 2);
	assert_int_equal(xl_fib_lookup(fib, &p, BPF_FIB_LOOKUP_SKIP_NEIGH), 0);
	assert_int_equal(p.ifindex, 3); /* "wan" makes way for the number that "lan" has */
	xl_fib_destroy(fib);
}

static void one_object_may_hold_all_parts_and_turn_forwarding_off(void **state)
{
	static const char parts[] =
		"{\"routes\":[{\"dst\":\"0.0.0.0/0\",\"gateway\":\"10.0.0.1\",\"dev\":\"a\"}],"
		"\"neighbours\":[{\"dst\":\"10.0.0.1\",\"dev\":\"a\",\"lladdr\":"
		"\"02:00:00:00:00:01\",\"state\":[\"REACHABLE\"]}],"
		"\"links\":[{\"ifname\":\"a\",\"ifindex\":9,\"mtu\":1400}]}";
	struct xl_fib *fib = table_of(parts);
	struct bpf_fib_lookup p = to("8.8.8.8", 9);
	struct xl_err e = { 0 };

	assert_int_equal(xl_fib_lookup(fib, &p, 0), 0);
	assert_int_equal(p.mtu_result, 1400);
	assert_int_equal(load(fib, "{\"forwarding\":false}", &e), 0);
	assert_int_equal(ask(fib, "8.8.8.8", 0), BPF_FIB_LKUP_RET_FWD_DISABLED);
	assert_int_equal(load(fib, "{\"forwarding\":true}", &e), 0);
	assert_int_equal(ask(fib, "8.8.8.8", 0), 0);
	xl_fib_destroy(fib);
}

static void packets_above_the_mtu_need_fragments(void **state)
{
	struct xl_fib *fib = table_of("{\"routes\":[{\"dst\":\"default\",\"dev\":\"a\"}],"
				      "\"links\":[{\"ifname\":\"a\",\"mtu\":1400}]}");
	struct bpf_fib_lookup p = to("8.8.8.8", 1);

	p.tot_len = 1401;
	assert_int_equal(xl_fib_lookup(fib, &p, 0), BPF_FIB_LKUP_RET_FRAG_NEEDED);
	assert_int_equal(p.mtu_result, 1400);
	assert_int_equal(p.ifindex, 1);
	xl_fib_destroy(fib);
}

static void addresses_are_local_without_a_dump_of_the_local_table(void **state)
{
	struct xl_fib *fib = table_of(
		"[{\"ifindex\":2,\"ifname\":\"a\",\"addr_info\":[{\"family\":\"inet\",\"local\":"
		"\"10.0.0.1\",\"prefixlen\":24,\"broadcast\":\"10.0.0.250\",\"scope\":\"global\"},"
		"{\"family\":\"inet6\",\"local\":\"2001:db8::1\",\"prefixlen\":64}]}]"
		"[{\"dst\":\"10.0.0.0/24\",\"dev\":\"a\"},{\"dst\":\"2001:db8::/"
		"64\",\"dev\":\"a\"}]");

	assert_int_equal(ask(fib, "10.0.0.1", 0), BPF_FIB_LKUP_RET_NOT_FWDED);
	assert_int_equal(ask(fib, "10.0.0.250", 0), BPF_FIB_LKUP_RET_NOT_FWDED);
	assert_int_equal(ask(fib, "10.0.0.255", 0), BPF_FIB_LKUP_RET_NOT_FWDED);
	assert_int_equal(ask(fib, "10.0.0.2", 0), BPF_FIB_LKUP_RET_NO_NEIGH);
	assert_int_equal(ask(fib, "2001:db8::1", 0), BPF_FIB_LKUP_RET_NOT_FWDED);
	assert_int_equal(ask(fib, "2001:db8::", 0), BPF_FIB_LKUP_RET_NOT_FWDED);
	assert_int_equal(ask(fib, "2001:db8::2", 0), BPF_FIB_LKUP_RET_NO_NEIGH);
	xl_fib_destroy(fib);
}

static void the_same_flow_takes_the_same_next_hop_and_weights_count(void **state)
{
	struct xl_fib *fib = table_of("[{\"dst\":\"default\",\"nexthops\":["
				      "{\"dev\":\"a\",\"weight\":3,\"flags\":[]},"
				      "{\"dev\":\"b\",\"weight\":1,\"flags\":[]},"
				      "{\"dev\":\"c\",\"weight\":9,\"flags\":[\"dead\"]}]}]");
	uint32_t n[5] = { 0 };

	for (uint32_t i = 0; i < 4000; i++) {
		struct bpf_fib_lookup p = to("8.8.8.8", 1), again;

		p.ipv4_src = htonl(0x0a000000 + i);
		again = p;
		assert_int_equal(xl_fib_lookup(fib, &p, BPF_FIB_LOOKUP_SKIP_NEIGH), 0);
		assert_int_equal(xl_fib_lookup(fib, &again, BPF_FIB_LOOKUP_SKIP_NEIGH), 0);
		assert_int_equal(p.ifindex, again.ifindex);
		n[p.ifindex]++;
	}
	assert_int_equal(n[4], 0);
	assert_in_range(n[2], 2800, 3200);
	assert_in_range(n[3], 800, 1200);
	xl_fib_destroy(fib);
}

static void nothing_in_a_file_is_no_error(void **state)
{
	struct xl_fib *fib = table_of("[ ]\n");
	struct xl_err e = { 0 };

	assert_int_equal(load(fib, "", &e), 0);
	assert_int_equal(load(fib, " \n", &e), 0);
	assert_int_equal(load(fib, "[{}]", &e), 0);
	xl_fib_destroy(fib);
}

static void errors_name_file_entry_and_field(void **state)
{
	static const struct {
		const char *text, *said;
	} cases[] = {
		{ "[{\"dst\":\"10.0.0.0/8\",\"dev\":\"a\"},{\"dst\":\"10/8\",\"dev\":\"a\"}]",
		  ": [1].dst: \"10/8\" is not a prefix" },
		{ "[{\"dst\":\"10.0.0.0/33\",\"dev\":\"a\"}]", "[0].dst: " },
		{ "[{\"dst\":\"10.0.0.0/+8\",\"dev\":\"a\"}]", "[0].dst: " },
		{ "[{\"dst\":\"::/129\",\"dev\":\"a\"}]", "[0].dst: " },
		{ "[{\"dst\":7}]", "[0].dst: not a string" },
		{ "[{\"dst\":\"10.0.0.0/8\"}]", "[0].dev: is missing" },
		{ "[{\"dst\":\"10.0.0.0/8\",\"dev\":\"a_name_of_a_link\"}]", "[0].dev: " },
		{ "[{\"dst\":\"10.0.0.0/8\",\"dev\":\"a\",\"gateway\":\"x\"}]",
		  "[0].gateway: \"x\" is not an IP address" },
		{ "[{\"dst\":\"10.0.0.0/8\",\"dev\":\"a\",\"metric\":-1}]", "[0].metric: " },
		{ "[{\"dst\":\"10.0.0.0/8\",\"dev\":\"a\",\"table\":\"vpn\"}]",
		  "[0].table: \"vpn\" is not known here; `ip -N -j` prints the number" },
		{ "[{\"dst\":\"10.0.0.0/8\",\"dev\":\"a\",\"type\":\"strange\"}]", "[0].type: " },
		{ "[{\"dst\":\"10.0.0.0/8\",\"nexthops\":[]}]", "[0].nexthops: " },
		{ "[{\"dst\":\"10.0.0.0/8\",\"nexthops\":[1]}]", "[0].nexthops: " },
		{ "[{\"dst\":\"1.2.3.4\",\"encap\":\"ip\",\"dev\":\"a\"}]", "[0].encap: " },
		{ "[{\"dst\":\"::/0\",\"from\":\"fd00::/8\",\"dev\":\"a\"}]", "[0].from: " },
		{ "[{\"dst\":\"10.0.0.1\",\"dev\":\"a\",\"state\":[],\"lladdr\":\"02:00\"}]",
		  "[0].lladdr: \"02:00\" is not an Ethernet address" },
		{ "[{\"dev\":\"a\",\"state\":[]}]", "[0].dst: is missing" },
		{ "[{\"ifname\":\"a\",\"ifindex\":\"2\"}]", "[0].ifindex: " },
		{ "[{\"ifname\":\"a\",\"ifindex\":2},{\"ifname\":\"b\",\"ifindex\":2}]",
		  "two links have one ifindex" },
		{ "[{\"ifname\":\"a\",\"addr_info\":7}]", "[0].addr_info: not a list" },
		{ "[{\"ifname\":\"a\",\"addr_info\":[{\"local\":\"\\n\"}]}]",
		  "[0].local: \"?\" is not an IP address" },
		{ "[{\"colour\":1}]", ": [0]: neither a route" },
		{ "[7]", ": [0]: not an object" },
		{ "[]\n[{\"dst\":7}]", ": document 2: [0].dst: " },
		{ "{\"routes\":[{\"dst\":7}]}", ": routes[0].dst: not a string" },
		{ "{\"routes\":7}", ": routes: not a list" },
		{ "{\"roads\":[]}", "nothing else" },
		{ "{\"forwarding\":1}", ": forwarding: neither true nor false" },
		{ "[{\"dst\":\n", "document 1, line 2: " },
		{ "hello", "document 1, line 1: " },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct xl_err e = { 0 };
		struct xl_fib *fib;

		assert_int_equal(xl_fib_create(&fib), 0);
		assert_int_equal(load(fib, cases[i].text, &e), -EINVAL);
		if (strncmp(e.text, "/proc/self/fd/", 14) || !strstr(e.text, cases[i].said) ||
		    strchr(e.text, '\n'))
			fail_msg("%s: %s", cases[i].text, e.text);
		xl_fib_destroy(fib);
	}
}

static void a_file_that_is_not_there_is_named(void **state)
{
	struct xl_err e = { 0 };
	struct xl_fib *fib;

	assert_int_equal(xl_fib_create(&fib), 0);
	assert_int_equal(xl_fib_load(fib, "/nowhere/routes.json", &e), -ENOENT);
	assert_string_equal(e.text, "/nowhere/routes.json: No such file or directory");
	assert_int_equal(xl_fib_load(fib, "/", &(struct xl_err){ 0 }) < 0, 1);
	xl_fib_destroy(fib);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_table_answers_as_a_host_that_does_not_forward),
		cmocka_unit_test(routes_alone_forward_between_links_numbered_from_2),
		cmocka_unit_test(ipv6_routes_without_a_metric_have_the_kernels),
		cmocka_unit_test(loopback_is_local_whatever_was_loaded),
		cmocka_unit_test(a_later_dump_of_links_numbers_those_named_before),
		cmocka_unit_test(one_object_may_hold_all_parts_and_turn_forwarding_off),
		cmocka_unit_test(packets_above_the_mtu_need_fragments),
		cmocka_unit_test(addresses_are_local_without_a_dump_of_the_local_table),
		cmocka_unit_test(the_same_flow_takes_the_same_next_hop_and_weights_count),
		cmocka_unit_test(nothing_in_a_file_is_no_error),
		cmocka_unit_test(errors_name_file_entry_and_field),
		cmocka_unit_test(a_file_that_is_not_there_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
