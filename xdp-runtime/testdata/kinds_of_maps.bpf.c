/* All the types of maps that are not for XDP programs, one program that does without them, and
 * some that do not. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define MAP(name_, type_, key_, value_)     \
	struct {                            \
		__uint(type, type_);        \
		__uint(key_size, key_);     \
		__uint(value_size, value_); \
		__uint(max_entries, 4);     \
	} name_ SEC(".maps")

#define STORAGE(name_, type_)                         \
	struct {                                      \
		__uint(type, type_);                  \
		__uint(map_flags, BPF_F_NO_PREALLOC); \
		__type(key, int);                     \
		__type(value, __u64);                 \
	} name_ SEC(".maps")

MAP(socks, BPF_MAP_TYPE_REUSEPORT_SOCKARRAY, 4, 4);
MAP(socks_by_key, BPF_MAP_TYPE_SOCKHASH, 8, 4);
MAP(stacks, BPF_MAP_TYPE_STACK_TRACE, 4, 80);
MAP(cgroups, BPF_MAP_TYPE_CGROUP_ARRAY, 4, 4);
MAP(listeners, BPF_MAP_TYPE_REUSEPORT_SOCKARRAY, 4, 8);
MAP(socks_by_index, BPF_MAP_TYPE_SOCKMAP, 4, 4);
STORAGE(of_sock, BPF_MAP_TYPE_SK_STORAGE);
STORAGE(of_task, BPF_MAP_TYPE_TASK_STORAGE);
STORAGE(of_inode, BPF_MAP_TYPE_INODE_STORAGE);
STORAGE(of_cgroup, 32 /* BPF_MAP_TYPE_CGRP_STORAGE */);

struct {
	__uint(type, BPF_MAP_TYPE_CGROUP_STORAGE);
	__type(key, struct bpf_cgroup_storage_key);
	__type(value, __u64);
} of_cgroup_prog SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE);
	__type(key, struct bpf_cgroup_storage_key);
	__type(value, __u64);
} of_cgroup_prog_and_cpu SEC(".maps");

/* What a program does for the kernel in place of its own code. */
SEC("struct_ops/ssthresh")
__u32 ssthresh(void *ctx)
{
	return 2;
}

struct tcp_congestion_ops {
	__u32 (*ssthresh)(void *sk);
	char name[16];
};

SEC(".struct_ops")
struct tcp_congestion_ops slow = { .ssthresh = (void *)ssthresh, .name = "slow" };

struct {
	__uint(type, 33 /* BPF_MAP_TYPE_ARENA */);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 10);
} arena SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_USER_RINGBUF);
	__uint(max_entries, 4096);
} commands SEC(".maps");

MAP(counts, BPF_MAP_TYPE_ARRAY, 4, 8);

SEC("xdp")
int does_without(struct xdp_md *ctx)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&counts, &key) ? XDP_PASS : XDP_ABORTED;
}

SEC("xdp")
int wants_socks(struct xdp_md *ctx)
{
	__u32 key = 0;
	struct bpf_sock *sk = bpf_map_lookup_elem(&socks, &key);

	if (sk)
		bpf_sk_release(sk);
	return XDP_PASS;
}

SEC("xdp")
int looks_for_socks(struct xdp_md *ctx)
{
	__u32 key = 0;
	__u64 long_key = 0;
	struct bpf_sock *sk = bpf_map_lookup_elem(&socks_by_index, &key);

	if (!sk)
		sk = bpf_map_lookup_elem(&socks_by_key, &long_key);
	if (sk)
		bpf_sk_release(sk);
	return sk ? XDP_DROP : XDP_PASS;
}

SEC("xdp")
int wants_stacks(struct xdp_md *ctx)
{
	return bpf_get_stackid(ctx, &stacks, 0) < 0 ? XDP_PASS : XDP_DROP;
}

SEC("xdp")
int wants_arena(struct xdp_md *ctx)
{
	return *(volatile __u64 *)&arena ? XDP_PASS : XDP_DROP;
}

static long command(struct bpf_dynptr *dynptr, void *ctx)
{
	return 0;
}

SEC("xdp")
int wants_commands(struct xdp_md *ctx)
{
	return bpf_user_ringbuf_drain(&commands, command, 0, 0) ? XDP_PASS : XDP_DROP;
}

SEC("tc")
int uses_them(void *ctx)
{
	__u32 key = 0;

	return (int)bpf_map_delete_elem(&socks, &key);
}

char _license[] SEC("license") = "GPL";
