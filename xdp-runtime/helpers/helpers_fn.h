/* hot */
/* The functions behind the rows of helpers.c, for that table and for bitcode that is specialised
 * with them; everyone else goes through xl_helper_of().
 *
 * Arguments are u64 as a program passes them; a function narrows them as the kernel's BPF_CALL
 * does. Memory arguments have been checked against the row. Results that are int in the kernel
 * are sign-extended.
 */
#ifndef XL_XDP_RUNTIME_HELPERS_FN_H
#define XL_XDP_RUNTIME_HELPERS_FN_H

#include "xdp-runtime/helpers/helpers.h"

static inline uint64_t xl_helper_int(int ret)
{
	return (uint64_t)(int64_t)ret;
}

/* helpers_map.c */
xl_helper_fn xl_helper_map_lookup_elem;
xl_helper_fn xl_helper_map_update_elem;
xl_helper_fn xl_helper_map_delete_elem;
xl_helper_fn xl_helper_map_push_elem;
xl_helper_fn xl_helper_map_pop_elem;
xl_helper_fn xl_helper_map_peek_elem;
xl_helper_fn xl_helper_map_lookup_percpu_elem;
xl_helper_fn xl_helper_perf_event_output;

/* helpers_xdp.c */
xl_helper_fn xl_helper_redirect;
xl_helper_fn xl_helper_redirect_map;
xl_helper_fn xl_helper_xdp_adjust_head;
xl_helper_fn xl_helper_xdp_adjust_meta;
xl_helper_fn xl_helper_xdp_adjust_tail;
xl_helper_fn xl_helper_xdp_get_buff_len;
xl_helper_fn xl_helper_xdp_load_bytes;
xl_helper_fn xl_helper_xdp_store_bytes;

/* helpers_ringbuf.c */
xl_helper_fn xl_helper_ringbuf_output;
xl_helper_fn xl_helper_ringbuf_reserve;
xl_helper_fn xl_helper_ringbuf_submit;
xl_helper_fn xl_helper_ringbuf_discard;
xl_helper_fn xl_helper_ringbuf_query;
xl_helper_fn xl_helper_ringbuf_reserve_dynptr;
xl_helper_fn xl_helper_ringbuf_submit_dynptr;
xl_helper_fn xl_helper_ringbuf_discard_dynptr;
xl_helper_fn xl_helper_user_ringbuf_drain;

/* helpers_lock.c */
xl_helper_fn xl_helper_spin_lock;
xl_helper_fn xl_helper_spin_unlock;

/* helpers_net.c */
xl_helper_fn xl_helper_csum_diff;
xl_helper_fn xl_helper_fib_lookup;
xl_helper_fn xl_helper_check_mtu;

/* helpers_misc.c */
xl_helper_fn xl_helper_get_smp_processor_id;
xl_helper_fn xl_helper_get_numa_node_id;
xl_helper_fn xl_helper_get_prandom_u32;
xl_helper_fn xl_helper_ktime_get_ns;
xl_helper_fn xl_helper_ktime_get_boot_ns;
xl_helper_fn xl_helper_ktime_get_coarse_ns;
xl_helper_fn xl_helper_ktime_get_tai_ns;
xl_helper_fn xl_helper_jiffies64;

/* helpers_print.c */
xl_helper_fn xl_helper_trace_printk;
xl_helper_fn xl_helper_trace_vprintk;
xl_helper_fn xl_helper_snprintf;

/* helpers_str.c */
xl_helper_fn xl_helper_strncmp;
xl_helper_fn xl_helper_strtol;
xl_helper_fn xl_helper_strtoul;
xl_helper_fn xl_helper_probe_read_kernel;
xl_helper_fn xl_helper_probe_read_kernel_str;

/* helpers_syncookie.c */
xl_helper_fn xl_helper_tcp_raw_gen_syncookie_ipv4;
xl_helper_fn xl_helper_tcp_raw_gen_syncookie_ipv6;
xl_helper_fn xl_helper_tcp_raw_check_syncookie_ipv4;
xl_helper_fn xl_helper_tcp_raw_check_syncookie_ipv6;

/* helpers_dynptr.c */
xl_helper_fn xl_helper_dynptr_from_mem;
xl_helper_fn xl_helper_dynptr_read;
xl_helper_fn xl_helper_dynptr_write;
xl_helper_fn xl_helper_dynptr_data;
xl_helper_fn xl_kfunc_dynptr_from_xdp;
xl_helper_fn xl_kfunc_dynptr_slice;
xl_helper_fn xl_kfunc_dynptr_slice_rdwr;
xl_helper_fn xl_kfunc_dynptr_adjust;
xl_helper_fn xl_kfunc_dynptr_is_null;
xl_helper_fn xl_kfunc_dynptr_is_rdonly;
xl_helper_fn xl_kfunc_dynptr_size;
xl_helper_fn xl_kfunc_dynptr_clone;
xl_helper_fn xl_kfunc_dynptr_copy;
xl_helper_fn xl_kfunc_dynptr_memset;

/* kfuncs_iter.c */
xl_helper_fn xl_kfunc_iter_num_new;
xl_helper_fn xl_kfunc_iter_num_next;
xl_helper_fn xl_kfunc_iter_num_destroy;
xl_helper_fn xl_kfunc_iter_bits_new;
xl_helper_fn xl_kfunc_iter_bits_next;
xl_helper_fn xl_kfunc_iter_bits_destroy;

/* kfuncs_str.c */
xl_helper_fn xl_kfunc_strcmp;
xl_helper_fn xl_kfunc_strcasecmp;
xl_helper_fn xl_kfunc_strnchr;
xl_helper_fn xl_kfunc_strchr;
xl_helper_fn xl_kfunc_strchrnul;
xl_helper_fn xl_kfunc_strrchr;
xl_helper_fn xl_kfunc_strlen;
xl_helper_fn xl_kfunc_strnlen;
xl_helper_fn xl_kfunc_strspn;
xl_helper_fn xl_kfunc_strcspn;
xl_helper_fn xl_kfunc_strnstr;
xl_helper_fn xl_kfunc_strstr;

/* kfuncs_xdp.c */
xl_helper_fn xl_kfunc_xdp_metadata_rx_timestamp;
xl_helper_fn xl_kfunc_xdp_metadata_rx_hash;
xl_helper_fn xl_kfunc_xdp_metadata_rx_vlan_tag;
xl_helper_fn xl_kfunc_xdp_pull_data;
xl_helper_fn xl_kfunc_xdp_flow_lookup;
xl_helper_fn xl_kfunc_xdp_get_xfrm_state;
xl_helper_fn xl_kfunc_nothing;

/* helpers_sock.c */
xl_helper_fn xl_helper_sk_lookup_tcp;
xl_helper_fn xl_helper_sk_lookup_udp;
xl_helper_fn xl_helper_skc_lookup_tcp;
xl_helper_fn xl_helper_sk_release;
xl_helper_fn xl_helper_tcp_check_syncookie;
xl_helper_fn xl_helper_tcp_gen_syncookie;

/* helpers_ct.c */
xl_helper_fn xl_kfunc_xdp_ct_lookup;
xl_helper_fn xl_kfunc_ct_release;

/* helpers_timer.c */
xl_helper_fn xl_helper_timer_init;
xl_helper_fn xl_helper_timer_set_callback;
xl_helper_fn xl_helper_timer_start;
xl_helper_fn xl_helper_timer_cancel;

/* helpers_call.c */
xl_helper_fn xl_helper_loop;
xl_helper_fn xl_helper_for_each_map_elem;

#endif
