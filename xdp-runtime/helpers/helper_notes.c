/* What there is to say of helpers: of those that are served what a program may not expect, of the
 * others that the kernel gives to XDP programs why they are not. See helpers.h.
 *
 * Source: xdp_func_proto() and bpf_base_func_proto(), v6.18, as measured: helper_notes_kernel_test.c
 * asks the kernel about each number.
 */
#include <stddef.h>

#include "xdp-runtime/helpers/helpers.h"
#include "xdp-runtime/helpers/kfuncs.h"

/* Reasons that several share. */
#define NO_TASK	   "a packet's run belongs to no task"
#define NO_CGROUP  "a packet's run belongs to no cgroup"
#define NO_SOCKET  "the argument is a kernel's socket, and there are none"
#define NO_COUNTER "there are no hardware counters"
#define NO_STORAGE "maps that keep data in kernel objects are not served"
#define NO_USER	   "a packet's run belongs to no process whose memory could be read"
#define NO_KERNEL  "the argument is a kernel's own data, and there is none"
#define FOREIGN	   "the kernel has it for other types of programs"

struct note {
	const char *note;    /* of a helper that is served */
	const char *why_not; /* of one that has no row in the table of helpers */
};

#define NOTE(id, text)	  [BPF_FUNC_##id] = { .note = text }
#define REFUSED(id, text) [BPF_FUNC_##id] = { .why_not = text }

/* A row per line. */
/* clang-format off */
static const struct note notes[] = {
	NOTE(ktime_get_ns, "in a replay, the packet's time"),
	NOTE(trace_printk, "`replay -v` and `--events` show it"),
	NOTE(get_prandom_u32, "from a fixed seed: runs repeat"),
	NOTE(get_smp_processor_id, "the CPU that was chosen"),
	NOTE(tail_call, "33 at most, as in the kernel"),
	REFUSED(get_current_pid_tgid, NO_TASK),
	REFUSED(get_current_uid_gid, NO_TASK),
	REFUSED(get_current_comm, NO_TASK),
	REFUSED(get_cgroup_classid, NO_CGROUP),
	REFUSED(perf_event_read, NO_COUNTER),
	NOTE(perf_event_output, "-ENOENT unless somebody listens: `replay --events`"),
	REFUSED(get_current_task, NO_TASK),
	REFUSED(current_task_under_cgroup, NO_CGROUP),
	NOTE(get_numa_node_id, "in a replay, 0"),
	REFUSED(perf_event_read_value, NO_COUNTER),
	NOTE(fib_lookup, "by the routes, neighbours and links of `--fib`"),
	REFUSED(get_current_cgroup_id, NO_CGROUP),
	NOTE(sk_lookup_tcp, "finds none"),
	NOTE(sk_lookup_udp, "finds none"),
	NOTE(sk_release, "only what a look-up found, which is nothing"),
	NOTE(skc_lookup_tcp, "finds none"),
	NOTE(tcp_check_syncookie, "only with a socket, which no look-up finds"),
	REFUSED(send_signal, NO_TASK),
	NOTE(tcp_gen_syncookie, "only with a socket, which no look-up finds"),
	REFUSED(probe_read_user, NO_USER),
	NOTE(probe_read_kernel, "only the program's own memory; else -EFAULT and zeroes"),
	REFUSED(probe_read_user_str, NO_USER),
	NOTE(probe_read_kernel_str, "only the program's own memory; else -EFAULT and zeroes"),
	REFUSED(send_signal_thread, NO_TASK),
	NOTE(jiffies64, "250 a second"),
	REFUSED(get_ns_current_pid_tgid, NO_TASK),
	REFUSED(get_current_ancestor_cgroup_id, NO_CGROUP),
	NOTE(ktime_get_boot_ns, "in a replay, the packet's time"),
	REFUSED(skc_to_tcp6_sock, NO_SOCKET),
	REFUSED(skc_to_tcp_sock, NO_SOCKET),
	REFUSED(skc_to_tcp_timewait_sock, NO_SOCKET),
	REFUSED(skc_to_tcp_request_sock, NO_SOCKET),
	REFUSED(skc_to_udp6_sock, NO_SOCKET),
	REFUSED(get_task_stack, NO_TASK),
	REFUSED(copy_from_user, NO_USER),
	REFUSED(snprintf_btf, NO_KERNEL),
	REFUSED(per_cpu_ptr, NO_KERNEL),
	REFUSED(this_cpu_ptr, NO_KERNEL),
	REFUSED(task_storage_get, NO_STORAGE),
	REFUSED(task_storage_delete, NO_STORAGE),
	REFUSED(get_current_task_btf, NO_TASK),
	NOTE(ktime_get_coarse_ns, "in a replay, the packet's time"),
	NOTE(check_mtu, "by the links of `--fib`"),
	REFUSED(task_pt_regs, NO_TASK),
	REFUSED(get_branch_snapshot, NO_COUNTER),
	NOTE(trace_vprintk, "`replay -v` and `--events` show it"),
	REFUSED(skc_to_unix_sock, NO_SOCKET),
	REFUSED(find_vma, NO_TASK),
	NOTE(loop, "8,388,608 times at most"),
	REFUSED(copy_from_user_task, NO_USER),
	REFUSED(kptr_xchg, "map values hold no kernel objects"),
	REFUSED(skc_to_mptcp_sock, NO_SOCKET),
	NOTE(dynptr_data, "of a packet NULL: there are slices"),
	NOTE(tcp_raw_gen_syncookie_ipv4, "with a secret of the runtime, not the kernel's"),
	NOTE(tcp_raw_gen_syncookie_ipv6, "with a secret of the runtime, not the kernel's"),
	NOTE(tcp_raw_check_syncookie_ipv4, "with a secret of the runtime, not the kernel's"),
	NOTE(tcp_raw_check_syncookie_ipv6, "with a secret of the runtime, not the kernel's"),
	NOTE(ktime_get_tai_ns, "in a replay, the packet's time"),
	/* 6.2; Debian 12's header ends before them. */
	[210] = { .why_not = NO_STORAGE }, /* bpf_cgrp_storage_get */
	[211] = { .why_not = NO_STORAGE }, /* bpf_cgrp_storage_delete */
};
/* clang-format on */

static const struct note *note_of(int32_t func_id)
{
	static const struct note none;

	if (func_id < 0 || (size_t)func_id >= sizeof(notes) / sizeof(notes[0]))
		return &none;
	return &notes[func_id];
}

const char *xl_helper_note(int32_t func_id)
{
	return xl_helper_of(func_id) ? note_of(func_id)->note : NULL;
}

const char *xl_helper_why_not(int32_t func_id)
{
	if (xl_helper_of(func_id))
		return NULL;
	return xl_helper_is_foreign(func_id) ? FOREIGN : note_of(func_id)->why_not;
}

bool xl_helper_is_foreign(int32_t func_id)
{
	return func_id < XL_KFUNC_FIRST && xl_helper_name(func_id) && !xl_helper_of(func_id) &&
	       !note_of(func_id)->why_not;
}

int32_t xl_helper_notes_end(void)
{
	return (int32_t)(sizeof(notes) / sizeof(notes[0]));
}
