/* The table of helpers; see helpers.h.
 *
 * Rows stand in the order of the kernel's numbers. What is not here is refused when a program is
 * loaded, by the name that names[] knows.
 *
 * Source: struct bpf_func_proto of each helper: kernel/bpf/helpers.c, net/core/filter.c,
 * kernel/trace/bpf_trace.c, v6.18.
 */
#include "xdp-runtime/helpers/helpers.h"

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <stddef.h>

#include "xdp-runtime/helpers/helpers_fn.h"
#include "xdp-runtime/helpers/kfuncs.h"

/* A row, but for what its helper is asked to be: a function xl_helper_<id> called bpf_<id>. */
#define ROW(id, since_version, ...)                                                           \
	[BPF_FUNC_##id] = {                                                                   \
		.name = "bpf_" #id, .fn = xl_helper_##id, .since = since_version, __VA_ARGS__ \
	}

/* The engines do this one: it never returns to where it was called. */
#define xl_helper_tail_call NULL

static const struct xl_helper helpers[] = {
	ROW(map_lookup_elem, "0.1", .takes_packet = true, .ret = XL_RET_MAP_VALUE_OR_NULL,
	    .arg = { XL_ARG_CONST_MAP_PTR, XL_ARG_MAP_KEY }),
	ROW(map_update_elem, "0.1", .takes_packet = true,
	    .arg = { XL_ARG_CONST_MAP_PTR, XL_ARG_MAP_KEY, XL_ARG_MAP_VALUE, XL_ARG_ANYTHING }),
	ROW(map_delete_elem, "0.1", .takes_packet = true,
	    .arg = { XL_ARG_CONST_MAP_PTR, XL_ARG_MAP_KEY }),
	ROW(ktime_get_ns, "0.1"),
	/* r3..r5 are passed on unchecked. */
	ROW(trace_printk, "0.1", .arg = { XL_ARG_MEM, XL_ARG_CONST_SIZE }, .gpl_only = true),
	ROW(get_prandom_u32, "0.1"),
	ROW(get_smp_processor_id, "0.1"),
	ROW(tail_call, "0.1", .ret = XL_RET_VOID,
	    .arg = { XL_ARG_CTX, XL_ARG_CONST_MAP_PTR, XL_ARG_ANYTHING }, .changes_packet = true),
	ROW(redirect, "0.1", .arg = { XL_ARG_ANYTHING, XL_ARG_ANYTHING }),
	ROW(perf_event_output, "0.1",
	    .arg = { XL_ARG_CTX, XL_ARG_CONST_MAP_PTR, XL_ARG_ANYTHING, XL_ARG_MEM,
		     XL_ARG_CONST_SIZE_OR_ZERO },
	    .gpl_only = true),
	ROW(csum_diff, "0.1", .takes_packet = true,
	    .arg = { XL_ARG_MEM_OR_NULL, XL_ARG_CONST_SIZE_OR_ZERO, XL_ARG_MEM_OR_NULL,
		     XL_ARG_CONST_SIZE_OR_ZERO, XL_ARG_ANYTHING }),
	ROW(get_numa_node_id, "0.1"),
	ROW(xdp_adjust_head, "0.1", .arg = { XL_ARG_CTX, XL_ARG_ANYTHING }, .changes_packet = true),
	ROW(redirect_map, "0.1", .arg = { XL_ARG_CONST_MAP_PTR, XL_ARG_ANYTHING, XL_ARG_ANYTHING }),
	ROW(xdp_adjust_meta, "0.1", .arg = { XL_ARG_CTX, XL_ARG_ANYTHING }, .changes_packet = true),
	ROW(xdp_adjust_tail, "0.1", .arg = { XL_ARG_CTX, XL_ARG_ANYTHING }, .changes_packet = true),
	ROW(fib_lookup, "0.1",
	    .arg = { XL_ARG_CTX, XL_ARG_MEM_RW, XL_ARG_CONST_SIZE, XL_ARG_ANYTHING },
	    .gpl_only = true),
	ROW(sk_lookup_tcp, "0.1", .takes_packet = true, .ret = XL_RET_MEM_OR_NULL,
	    .arg = { XL_ARG_CTX, XL_ARG_MEM, XL_ARG_CONST_SIZE, XL_ARG_ANYTHING, XL_ARG_ANYTHING }),
	ROW(sk_lookup_udp, "0.1", .takes_packet = true, .ret = XL_RET_MEM_OR_NULL,
	    .arg = { XL_ARG_CTX, XL_ARG_MEM, XL_ARG_CONST_SIZE, XL_ARG_ANYTHING, XL_ARG_ANYTHING }),
	ROW(sk_release, "0.1", .arg = { XL_ARG_ANYTHING }),
	ROW(map_push_elem, "0.1", .takes_packet = true,
	    .arg = { XL_ARG_CONST_MAP_PTR, XL_ARG_MAP_VALUE, XL_ARG_ANYTHING }),
	ROW(map_pop_elem, "0.1", .arg = { XL_ARG_CONST_MAP_PTR, XL_ARG_UNINIT_MAP_VALUE }),
	ROW(map_peek_elem, "0.1", .arg = { XL_ARG_CONST_MAP_PTR, XL_ARG_UNINIT_MAP_VALUE }),
	ROW(spin_lock, "0.1", .ret = XL_RET_VOID, .arg = { XL_ARG_SPIN_LOCK }),
	ROW(spin_unlock, "0.1", .ret = XL_RET_VOID, .arg = { XL_ARG_SPIN_LOCK }),
	ROW(skc_lookup_tcp, "0.1", .takes_packet = true, .ret = XL_RET_MEM_OR_NULL,
	    .arg = { XL_ARG_CTX, XL_ARG_MEM, XL_ARG_CONST_SIZE, XL_ARG_ANYTHING, XL_ARG_ANYTHING }),
	ROW(tcp_check_syncookie, "0.1", .takes_packet = true,
	    .arg = { XL_ARG_ANYTHING, XL_ARG_MEM, XL_ARG_CONST_SIZE, XL_ARG_MEM,
		     XL_ARG_CONST_SIZE }),
	ROW(strtol, "0.1",
	    .arg = { XL_ARG_MEM, XL_ARG_CONST_SIZE, XL_ARG_ANYTHING, XL_ARG_FIXED_UNINIT_MEM },
	    .fixed_size = sizeof(uint64_t)),
	ROW(strtoul, "0.1",
	    .arg = { XL_ARG_MEM, XL_ARG_CONST_SIZE, XL_ARG_ANYTHING, XL_ARG_FIXED_UNINIT_MEM },
	    .fixed_size = sizeof(uint64_t)),
	ROW(tcp_gen_syncookie, "0.1", .takes_packet = true,
	    .arg = { XL_ARG_ANYTHING, XL_ARG_MEM, XL_ARG_CONST_SIZE, XL_ARG_MEM,
		     XL_ARG_CONST_SIZE }),
	ROW(probe_read_kernel, "0.1",
	    .arg = { XL_ARG_UNINIT_MEM, XL_ARG_CONST_SIZE_OR_ZERO, XL_ARG_ANYTHING },
	    .gpl_only = true),
	ROW(probe_read_kernel_str, "0.1",
	    .arg = { XL_ARG_UNINIT_MEM, XL_ARG_CONST_SIZE_OR_ZERO, XL_ARG_ANYTHING },
	    .gpl_only = true),
	ROW(jiffies64, "0.1"),
	ROW(ktime_get_boot_ns, "0.1"),
	ROW(ringbuf_output, "0.1",
	    .arg = { XL_ARG_CONST_MAP_PTR, XL_ARG_MEM, XL_ARG_CONST_SIZE_OR_ZERO,
		     XL_ARG_ANYTHING }),
	ROW(ringbuf_reserve, "0.1", .ret = XL_RET_MEM_OR_NULL,
	    .arg = { XL_ARG_CONST_MAP_PTR, XL_ARG_ALLOC_SIZE, XL_ARG_ANYTHING }),
	ROW(ringbuf_submit, "0.1", .ret = XL_RET_VOID,
	    .arg = { XL_ARG_RINGBUF_MEM, XL_ARG_ANYTHING }),
	ROW(ringbuf_discard, "0.1", .ret = XL_RET_VOID,
	    .arg = { XL_ARG_RINGBUF_MEM, XL_ARG_ANYTHING }),
	ROW(ringbuf_query, "0.1", .arg = { XL_ARG_CONST_MAP_PTR, XL_ARG_ANYTHING }),
	ROW(ktime_get_coarse_ns, "0.1"),
	ROW(check_mtu, "0.1",
	    .arg = { XL_ARG_CTX, XL_ARG_ANYTHING, XL_ARG_MEM_RW, XL_ARG_ANYTHING, XL_ARG_ANYTHING },
	    .fixed_size = sizeof(uint32_t), .gpl_only = true),
	ROW(for_each_map_elem, "0.1",
	    .arg = { XL_ARG_CONST_MAP_PTR, XL_ARG_FUNC, XL_ARG_STACK_OR_NULL, XL_ARG_ANYTHING },
	    .calls_back = true),
	ROW(snprintf, "0.1",
	    .arg = { XL_ARG_UNINIT_MEM, XL_ARG_CONST_SIZE_OR_ZERO, XL_ARG_CONST_STR,
		     XL_ARG_MEM_OR_NULL, XL_ARG_CONST_SIZE_OR_ZERO },
	    .gpl_only = true),
	ROW(timer_init, "0.1", .arg = { XL_ARG_TIMER, XL_ARG_CONST_MAP_PTR, XL_ARG_ANYTHING },
	    .gpl_only = true),
	ROW(timer_set_callback, "0.1", .arg = { XL_ARG_TIMER, XL_ARG_FUNC }, .gpl_only = true,
	    .calls_back = true),
	ROW(timer_start, "0.1", .arg = { XL_ARG_TIMER, XL_ARG_ANYTHING, XL_ARG_ANYTHING },
	    .gpl_only = true),
	ROW(timer_cancel, "0.1", .arg = { XL_ARG_TIMER }, .gpl_only = true),
	ROW(trace_vprintk, "0.1",
	    .arg = { XL_ARG_MEM, XL_ARG_CONST_SIZE, XL_ARG_MEM_OR_NULL, XL_ARG_CONST_SIZE_OR_ZERO },
	    .gpl_only = true),
	ROW(loop, "0.1",
	    .arg = { XL_ARG_ANYTHING, XL_ARG_FUNC, XL_ARG_STACK_OR_NULL, XL_ARG_ANYTHING },
	    .calls_back = true),
	ROW(strncmp, "0.1", .arg = { XL_ARG_MEM, XL_ARG_CONST_SIZE, XL_ARG_CONST_STR }),
	ROW(xdp_get_buff_len, "0.1", .arg = { XL_ARG_CTX }),
	ROW(xdp_load_bytes, "0.1",
	    .arg = { XL_ARG_CTX, XL_ARG_ANYTHING, XL_ARG_UNINIT_MEM, XL_ARG_CONST_SIZE }),
	ROW(xdp_store_bytes, "0.1",
	    .arg = { XL_ARG_CTX, XL_ARG_ANYTHING, XL_ARG_MEM, XL_ARG_CONST_SIZE }),
	ROW(map_lookup_percpu_elem, "0.1", .takes_packet = true, .ret = XL_RET_MAP_VALUE_OR_NULL,
	    .arg = { XL_ARG_CONST_MAP_PTR, XL_ARG_MAP_KEY, XL_ARG_ANYTHING }),
	ROW(dynptr_from_mem, "0.1",
	    .arg = { XL_ARG_MEM_RW, XL_ARG_CONST_SIZE_OR_ZERO, XL_ARG_ANYTHING,
		     XL_ARG_UNINIT_DYNPTR }),
	ROW(ringbuf_reserve_dynptr, "0.1",
	    .arg = { XL_ARG_CONST_MAP_PTR, XL_ARG_ALLOC_SIZE, XL_ARG_ANYTHING,
		     XL_ARG_UNINIT_DYNPTR }),
	ROW(ringbuf_submit_dynptr, "0.1", .ret = XL_RET_VOID,
	    .arg = { XL_ARG_RINGBUF_DYNPTR, XL_ARG_ANYTHING }),
	ROW(ringbuf_discard_dynptr, "0.1", .ret = XL_RET_VOID,
	    .arg = { XL_ARG_RINGBUF_DYNPTR, XL_ARG_ANYTHING }),
	ROW(dynptr_read, "0.1",
	    .arg = { XL_ARG_UNINIT_MEM, XL_ARG_CONST_SIZE_OR_ZERO, XL_ARG_DYNPTR, XL_ARG_ANYTHING,
		     XL_ARG_ANYTHING }),
	ROW(dynptr_write, "0.1",
	    .arg = { XL_ARG_DYNPTR, XL_ARG_ANYTHING, XL_ARG_MEM, XL_ARG_CONST_SIZE_OR_ZERO,
		     XL_ARG_ANYTHING }),
	ROW(dynptr_data, "0.1", .ret = XL_RET_MEM_OR_NULL,
	    .arg = { XL_ARG_DYNPTR, XL_ARG_ANYTHING, XL_ARG_ANYTHING }),
	ROW(tcp_raw_gen_syncookie_ipv4, "0.1", .takes_packet = true,
	    .arg = { XL_ARG_FIXED_MEM, XL_ARG_MEM, XL_ARG_CONST_SIZE_OR_ZERO },
	    .fixed_size = sizeof(struct iphdr), .gpl_only = true),
	ROW(tcp_raw_gen_syncookie_ipv6, "0.1", .takes_packet = true,
	    .arg = { XL_ARG_FIXED_MEM, XL_ARG_MEM, XL_ARG_CONST_SIZE_OR_ZERO },
	    .fixed_size = sizeof(struct ipv6hdr), .gpl_only = true),
	ROW(tcp_raw_check_syncookie_ipv4, "0.1", .takes_packet = true,
	    .arg = { XL_ARG_FIXED_MEM, XL_ARG_FIXED_MEM }, .fixed_size = sizeof(struct iphdr),
	    .fixed_size_2 = sizeof(struct tcphdr), .gpl_only = true),
	ROW(tcp_raw_check_syncookie_ipv6, "0.1", .takes_packet = true,
	    .arg = { XL_ARG_FIXED_MEM, XL_ARG_FIXED_MEM }, .fixed_size = sizeof(struct ipv6hdr),
	    .fixed_size_2 = sizeof(struct tcphdr), .gpl_only = true),
	ROW(ktime_get_tai_ns, "0.1"),
	ROW(user_ringbuf_drain, "0.1",
	    .arg = { XL_ARG_CONST_MAP_PTR, XL_ARG_FUNC, XL_ARG_STACK_OR_NULL, XL_ARG_ANYTHING },
	    .calls_back = true),
};

#define NAME(x) [BPF_FUNC_##x] = "bpf_" #x
static const char *const names[] = { __BPF_FUNC_MAPPER(NAME) };

/* 6.2; Debian 12's header ends before them. There are none above: the kernel adds kfuncs since. */
#define NEWER_NAMES_START 210
static const char *const newer_names[] = { "bpf_cgrp_storage_get", "bpf_cgrp_storage_delete" };

#define N_HELPERS ((int32_t)(sizeof(helpers) / sizeof(helpers[0])))
#define N_NAMES	  ((int32_t)(sizeof(names) / sizeof(names[0])))
#define N_NEWER	  ((int32_t)(sizeof(newer_names) / sizeof(newer_names[0])))

const struct xl_helper *xl_helper_of(int32_t func_id)
{
	if (func_id >= XL_KFUNC_FIRST)
		return xl_kfunc_of(func_id);
	if (func_id < 0 || func_id >= N_HELPERS || !helpers[func_id].name)
		return NULL;
	return &helpers[func_id];
}

const char *xl_helper_name(int32_t func_id)
{
	if (func_id > BPF_FUNC_unspec && func_id < N_NAMES)
		return names[func_id];
	if (func_id >= NEWER_NAMES_START && func_id < NEWER_NAMES_START + N_NEWER)
		return newer_names[func_id - NEWER_NAMES_START];
	return xl_kfunc_of(func_id) ? xl_kfunc_of(func_id)->name : NULL;
}

int32_t xl_helper_end(void)
{
	return N_HELPERS;
}
