/* THE TABLE of program types; see prog.h.
 *
 * XDP programs run. The other rows are there because loaders ask what the kernel can by loading
 * tiny programs of these types, and take the answer for what they may put into XDP programs.
 *
 * Source: include/linux/bpf_types.h and bpf_prog_load_check_attach(), kernel/bpf/syscall.c; names as
 * in bpftool.
 */
#include <stddef.h>

#include "xdp-runtime/prog.h"

#define ATTACH(type) (UINT64_C(1) << (type))

static const struct xl_prog_type types[] = {
	[BPF_PROG_TYPE_SOCKET_FILTER] = { "socket_filter" },
	[BPF_PROG_TYPE_KPROBE] = { "kprobe" },
	[BPF_PROG_TYPE_SCHED_CLS] = { "sched_cls" },
	[BPF_PROG_TYPE_SCHED_ACT] = { "sched_act" },
	[BPF_PROG_TYPE_TRACEPOINT] = { "tracepoint" },
	[BPF_PROG_TYPE_XDP] = { "xdp", .runs = true },
	[BPF_PROG_TYPE_PERF_EVENT] = { "perf_event" },
	[BPF_PROG_TYPE_CGROUP_SKB] = { "cgroup_skb",
				       .attach_types = ATTACH(BPF_CGROUP_INET_INGRESS) |
						       ATTACH(BPF_CGROUP_INET_EGRESS) },
	[BPF_PROG_TYPE_CGROUP_SOCK] = { "cgroup_sock",
					.attach_types = ATTACH(BPF_CGROUP_INET_SOCK_CREATE) |
							ATTACH(BPF_CGROUP_INET_SOCK_RELEASE) |
							ATTACH(BPF_CGROUP_INET4_POST_BIND) |
							ATTACH(BPF_CGROUP_INET6_POST_BIND),
					.default_attach_type = BPF_CGROUP_INET_SOCK_CREATE },
	[BPF_PROG_TYPE_LWT_IN] = { "lwt_in" },
	[BPF_PROG_TYPE_LWT_OUT] = { "lwt_out" },
	[BPF_PROG_TYPE_LWT_XMIT] = { "lwt_xmit" },
	[BPF_PROG_TYPE_SOCK_OPS] = { "sock_ops" },
	[BPF_PROG_TYPE_SK_SKB] = { "sk_skb" },
	[BPF_PROG_TYPE_CGROUP_DEVICE] = { "cgroup_device" },
	[BPF_PROG_TYPE_SK_MSG] = { "sk_msg" },
	[BPF_PROG_TYPE_RAW_TRACEPOINT] = { "raw_tracepoint" },
	[BPF_PROG_TYPE_CGROUP_SOCK_ADDR] = { "cgroup_sock_addr",
					     .attach_types = ATTACH(BPF_CGROUP_INET4_BIND) |
							     ATTACH(BPF_CGROUP_INET6_BIND) |
							     ATTACH(BPF_CGROUP_INET4_CONNECT) |
							     ATTACH(BPF_CGROUP_INET6_CONNECT) |
							     ATTACH(BPF_CGROUP_INET4_GETPEERNAME) |
							     ATTACH(BPF_CGROUP_INET6_GETPEERNAME) |
							     ATTACH(BPF_CGROUP_INET4_GETSOCKNAME) |
							     ATTACH(BPF_CGROUP_INET6_GETSOCKNAME) |
							     ATTACH(BPF_CGROUP_UDP4_SENDMSG) |
							     ATTACH(BPF_CGROUP_UDP6_SENDMSG) |
							     ATTACH(BPF_CGROUP_UDP4_RECVMSG) |
							     ATTACH(BPF_CGROUP_UDP6_RECVMSG) },
	[BPF_PROG_TYPE_LWT_SEG6LOCAL] = { "lwt_seg6local" },
	[BPF_PROG_TYPE_LIRC_MODE2] = { "lirc_mode2" },
	[BPF_PROG_TYPE_SK_REUSEPORT] = { "sk_reuseport",
					 .attach_types = ATTACH(BPF_SK_REUSEPORT_SELECT) |
							 ATTACH(BPF_SK_REUSEPORT_SELECT_OR_MIGRATE),
					 .default_attach_type = BPF_SK_REUSEPORT_SELECT },
	[BPF_PROG_TYPE_FLOW_DISSECTOR] = { "flow_dissector" },
	[BPF_PROG_TYPE_CGROUP_SYSCTL] = { "cgroup_sysctl" },
	[BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE] = { "raw_tracepoint_writable" },
	[BPF_PROG_TYPE_CGROUP_SOCKOPT] = { "cgroup_sockopt",
					   .attach_types = ATTACH(BPF_CGROUP_GETSOCKOPT) |
							   ATTACH(BPF_CGROUP_SETSOCKOPT) },
	[BPF_PROG_TYPE_SK_LOOKUP] = { "sk_lookup", .attach_types = ATTACH(BPF_SK_LOOKUP) },
	[BPF_PROG_TYPE_SYSCALL] = { "syscall", .attach_types = ATTACH(0) },
};

const struct xl_prog_type *xl_prog_type_of(enum bpf_prog_type type)
{
	if ((size_t)type >= sizeof(types) / sizeof(types[0]) || !types[type].name)
		return NULL;
	return &types[type];
}
