/* The kernel twin: what is reachable from the given programs, made in the kernel in an order in
 * which each thing finds what it needs:
 *
 *   BTF -> maps (templates of inner maps first) -> contents, frozen where ours are
 *       -> programs (the verifier reads frozen contents) -> elements that are programs and maps
 *
 * See twin.h for the files that do the single steps.
 * Source: bpf(2); bpf_prog_test_run_xdp() in net/bpf/test_run.c, v6.18.
 */
#include "xdp-runtime/twin/twin_priv.h"

#include <bpf/btf.h>
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/kernel_bpf.h"
#include "base/percpu.h"
#include "maps/map.h"
#include "xdp-runtime/prog.h"
#include "xdp-runtime/run.h"
#include "xdp-runtime/runtime.h"

bool xl_twin_vec_grow(void **at, uint32_t *room, size_t size)
{
	uint32_t more = *room ? *room * 2 : 16;
	void *grown = reallocarray(*at, more, size);

	if (!grown)
		return false;
	*at = grown;
	*room = more;
	return true;
}

__attribute__((format(printf, 2, 3))) void xl_twin_add_note(void *arg, const char *fmt, ...)
{
	struct xl_twin *twin = arg;
	char *text;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	for (uint32_t i = 0; i < twin->notes.n; i++)
		if (!strcmp(twin->notes.at[i], text)) {
			free(text);
			return;
		}
	if (!VEC_ADD(&twin->notes, text))
		free(text);
}

const char *xl_twin_note(const struct xl_twin *twin, uint32_t i)
{
	return i < twin->notes.n ? twin->notes.at[i] : NULL;
}

static int make_map(struct xl_twin *twin, struct xl_twin_map *tm, struct xl_err *e)
{
	struct xl_map *map = tm->map;
	int inner = -1;

	if (map->inner_meta) {
		inner = xl_twin_map_create(map->inner_meta,
					   xl_twin_btf_fd(twin, map->inner_meta->btf), -1, e);
		if (inner < 0)
			return inner;
	}
	tm->fd = xl_twin_map_create(map, xl_twin_btf_fd(twin, map->btf), inner, e);
	if (inner >= 0)
		close(inner);
	if (tm->fd < 0)
		return tm->fd;
	return xl_twin_is_ring(map) ? xl_twin_ring_map(tm) : 0;
}

static int obj_map_fd(void *arg, uint32_t map_id)
{
	const struct xl_twin_map *tm = xl_twin_find_map(arg, map_id);

	return tm ? tm->fd : -1;
}

static int obj_prog_fd(void *arg, uint32_t prog_id)
{
	const struct xl_twin_prog *tp = xl_twin_find_prog(arg, prog_id);

	return tp ? tp->fd : -1;
}

static int obj_port(void *arg, uint32_t ifindex)
{
	struct xl_twin *twin = arg;

	return xl_twin_net_port(&twin->net, ifindex);
}

static int obj_keep_fd(void *arg, int fd)
{
	struct xl_twin *twin = arg;

	if (VEC_ADD(&twin->kept_fds, fd))
		return 0;
	close(fd);
	return -ENOMEM;
}

/* Contents of maps of plain values, or of the others. */
static int fill_maps(struct xl_twin *twin, bool plain, struct xl_err *e)
{
	const struct xl_twin_objs objs = { .arg = twin,
					   .map_fd = obj_map_fd,
					   .prog_fd = obj_prog_fd,
					   .port = obj_port,
					   .keep_fd = obj_keep_fd,
					   .note = xl_twin_add_note };
	int err = 0;

	xl_twin_net_enter(&twin->net);
	for (uint32_t i = 0; i < twin->maps.n && !err; i++) {
		struct xl_twin_map *tm = &twin->maps.at[i];

		if ((tm->map->ops->value_kind == XL_VALUE_BYTES) == plain)
			err = xl_twin_map_fill(tm, &twin->cpus, &objs, e);
	}
	xl_twin_net_leave(&twin->net);
	return err;
}

static int make_env(struct xl_twin *twin, struct xl_err *e)
{
	union bpf_attr attr;
	long fd;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_ARRAY;
	attr.key_size = 4;
	attr.value_size = sizeof(struct xl_twin_env);
	attr.max_entries = 1;
	attr.map_flags = BPF_F_MMAPABLE;
	fd = xl_kernel_bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
	if (fd < 0)
		return xl_err_set(e, (int)fd, "the kernel's bpf(2) is not usable: %s",
				  strerror((int)-fd));
	twin->env_fd = (int)fd;
	twin->env = mmap(NULL, sizeof(*twin->env), PROT_READ | PROT_WRITE, MAP_SHARED, (int)fd, 0);
	if (twin->env == MAP_FAILED) {
		twin->env = NULL;
		return xl_err_set(e, -errno, "mapping of a kernel map: %s", strerror(errno));
	}
	return 0;
}

/* On the CPU that programs shall see if this thread may run there, else wherever it is. */
static int pin(struct xl_twin *twin, struct xl_err *e)
{
	int err = 0;
	cpu_set_t one;

	if (!xl_percpu_is_kernels())
		return xl_err_set(e, -ENOENT,
				  "cannot read " XL_CPUS_POSSIBLE
				  ", which says how many CPUs the kernel's maps have: mount /sys");
	twin->cpus.n_ours = twin->rt->map_env.n_cpus;
	twin->cpus.n_kernel = xl_percpu_n_possible();
	twin->cpus.ours = twin->cpus.real = xl_cpu;
	if (sched_getaffinity(0, sizeof(twin->cpus_before), &twin->cpus_before))
		return xl_err_set(e, -errno, "sched_getaffinity: %s", strerror(errno));
	CPU_ZERO(&one);
	if (xl_cpu < CPU_SETSIZE)
		CPU_SET(xl_cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one)) {
		int cpu = sched_getcpu();

		twin->cpus.real = cpu < 0 ? 0 : (uint32_t)cpu;
		CPU_ZERO(&one);
		CPU_SET(twin->cpus.real, &one);
		if (sched_setaffinity(0, sizeof(one), &one))
			err = -errno;
	}
	if (err)
		return xl_err_set(e, err, "sched_setaffinity: %s", strerror(-err));
	twin->pinned = true;
	if (twin->cpus.n_ours > twin->cpus.n_kernel)
		xl_twin_add_note(
			twin,
			"the kernel has %u CPUs, not %u: CPU %u's slot of its maps stands for "
			"CPU %u's, others are not compared",
			twin->cpus.n_kernel, twin->cpus.n_ours, twin->cpus.real, twin->cpus.ours);
	return 0;
}

int xl_twin_create(struct xl_prog *const *progs, uint32_t n_progs, struct xl_twin **out_twin,
		   struct xl_err *e)
{
	struct xl_twin *twin = calloc(1, sizeof(*twin));
	int err = 0;

	if (!twin)
		return -ENOMEM;
	twin->rt = progs[0]->rt;
	twin->env_fd = -1;
	twin->net = (struct xl_twin_net){ .home_fd = -1, .own_fd = -1 };
	twin->kernel_ifindex = 1;
	/* One entry each, even if a program is given twice: `which` counts on it. */
	for (uint32_t i = 0; i < n_progs && !err; i++)
		if (!VEC_ADD(&twin->progs, (struct xl_twin_prog){ .prog = progs[i], .fd = -1 }))
			err = -ENOMEM;
	if (!err)
		err = xl_twin_reach(twin);
	if (!err)
		err = make_env(twin, e);
	if (!err)
		err = pin(twin, e);
	if (!err)
		err = xl_twin_net_create(&twin->net);
	if (!err)
		xl_twin_copy_fib(twin);
	for (uint32_t i = 0; i < twin->maps.n && !err; i++)
		err = make_map(twin, &twin->maps.at[i], e);
	if (!err)
		err = fill_maps(twin, true, e);
	if (!err)
		err = xl_twin_load_progs(twin, n_progs, e);
	if (!err)
		err = fill_maps(twin, false, e);
	if (err) {
		xl_twin_destroy(twin);
		return xl_err_set(e, err, "the kernel's copy could not be made: %s",
				  strerror(-err));
	}
	*out_twin = twin;
	return 0;
}

void xl_twin_destroy(struct xl_twin *twin)
{
	if (!twin)
		return;
	for (uint32_t i = 0; i < twin->progs.n; i++)
		if (twin->progs.at[i].fd >= 0)
			close(twin->progs.at[i].fd);
	for (uint32_t i = 0; i < twin->maps.n; i++) {
		xl_twin_ring_unmap(&twin->maps.at[i]);
		if (twin->maps.at[i].fd >= 0)
			close(twin->maps.at[i].fd);
	}
	for (uint32_t i = 0; i < twin->btfs.n; i++)
		if (twin->btfs.at[i].fd >= 0)
			close(twin->btfs.at[i].fd);
	for (uint32_t i = 0; i < twin->kept_fds.n; i++)
		close(twin->kept_fds.at[i]);
	for (uint32_t i = 0; i < twin->notes.n; i++)
		free(twin->notes.at[i]);
	if (twin->env)
		munmap(twin->env, sizeof(*twin->env));
	if (twin->env_fd >= 0)
		close(twin->env_fd);
	if (twin->pinned)
		sched_setaffinity(0, sizeof(twin->cpus_before), &twin->cpus_before);
	xl_twin_net_destroy(&twin->net);
	free(twin->progs.at);
	free(twin->maps.at);
	free(twin->btfs.at);
	btf__free(twin->kernel_btf);
	free(twin->kept_fds.at);
	free(twin->notes.at);
	free(twin);
}

/* --- running --- */

void xl_twin_present(struct xl_twin *twin, struct xl_run *run, struct xl_frame *frame)
{
	xl_twin_env_set(twin->env, run, frame);
	for (uint32_t i = 0; i < twin->maps.n; i++)
		if (twin->maps.at[i].ring_consumer)
			xl_twin_ring_consume(&twin->maps.at[i]);
}

/* What the kernel is told about where the packet came in: lo needs no telling. */
static void set_port(struct xl_twin *twin, const struct xl_twin_packet *in)
{
	if (in->ifindex == twin->ifindex && in->rx_queue == twin->rx_queue)
		return;
	twin->ifindex = in->ifindex;
	twin->rx_queue = in->rx_queue;
	twin->kernel_ifindex = in->ifindex;
	twin->kernel_rx_queue = in->rx_queue;
	if (xl_twin_net_port(&twin->net, in->ifindex)) {
		twin->kernel_ifindex = 1;
		twin->kernel_rx_queue = 0;
		xl_twin_add_note(twin,
				 "the kernel has no port %u: its programs see port 1, queue 0",
				 in->ifindex);
	} else if (in->rx_queue >= (in->ifindex == 1 ? 1 : XL_TWIN_NET_QUEUES)) {
		twin->kernel_rx_queue = 0;
		xl_twin_add_note(twin,
				 "the kernel's port %u has no queue %u: its programs see queue 0",
				 in->ifindex, in->rx_queue);
	}
}

int xl_twin_run(struct xl_twin *twin, uint32_t which, const struct xl_twin_packet *in,
		struct xl_twin_packet *out, uint32_t *out_retval)
{
	struct xdp_md ctx_in, ctx_out = { 0 };
	union bpf_attr attr;
	int err;

	/* The kernel would move the end of a longer first part into fragments. */
	if (in->linear_len > XL_LINEAR_MAX || in->len > XL_FRAGMENTED_MAX)
		return -E2BIG;
	set_port(twin, in);
	/* The port has no driver that says how large its fragments are: -EOPNOTSUPP. */
	if (in->linear_len < in->len && twin->kernel_ifindex != 1)
		xl_twin_add_note(twin,
				 "the kernel's port %u lets no packet in fragments grow at its "
				 "tail; port 1 does",
				 twin->kernel_ifindex);
	ctx_in = (struct xdp_md){ .data = in->meta_len,
				  .data_end = in->meta_len + in->linear_len,
				  .ingress_ifindex = twin->kernel_ifindex,
				  .rx_queue_index = twin->kernel_rx_queue };
	memset(&attr, 0, sizeof(attr));
	attr.test.prog_fd = (uint32_t)twin->progs.at[which].fd;
	attr.test.data_in = (uintptr_t)in->data;
	attr.test.data_size_in = in->meta_len + in->len;
	attr.test.data_out = (uintptr_t)twin->out;
	attr.test.data_size_out = sizeof(twin->out);
	attr.test.ctx_in = (uintptr_t)&ctx_in;
	attr.test.ctx_size_in = sizeof(ctx_in);
	attr.test.ctx_out = (uintptr_t)&ctx_out;
	attr.test.ctx_size_out = sizeof(ctx_out);
	attr.test.repeat = 1; /* more would cost 16 ms: a dispatcher is rebuilt for it */
	xl_twin_net_enter(&twin->net);
	err = (int)xl_kernel_bpf(BPF_PROG_TEST_RUN, &attr, sizeof(attr));
	xl_twin_net_leave(&twin->net);
	if (err)
		return err;
	*out_retval = attr.test.retval;
	*out = (struct xl_twin_packet){ .data = twin->out,
					.meta_len = ctx_out.data,
					.len = attr.test.data_size_out - ctx_out.data,
					.linear_len = ctx_out.data_end - ctx_out.data,
					.ifindex = in->ifindex,
					.rx_queue = in->rx_queue };
	return 0;
}

/* --- maps --- */

bool xl_twin_maps_equal(struct xl_twin *twin, struct xl_twin_map_diff *out, struct xl_err *e)
{
	*out = (struct xl_twin_map_diff){ 0 };
	for (uint32_t i = 0; i < twin->maps.n; i++) {
		struct xl_twin_map *tm = &twin->maps.at[i];
		const char *why = NULL;
		int same;

		/* With the same hashes it makes the same mistakes. */
		if (tm->map->type == BPF_MAP_TYPE_BLOOM_FILTER && !tm->noted &&
		    !(tm->map->flags & BPF_F_ZERO_SEED)) {
			tm->noted = true;
			xl_twin_add_note(
				twin, "map %s: a bloom filter can be neither copied nor compared",
				tm->map->name);
		}
		if (!xl_twin_map_comparable(tm->map))
			continue;
		same = xl_twin_map_compare(tm, &twin->cpus, out, &why, e);
		if (why && !tm->noted) {
			tm->noted = true;
			xl_twin_add_note(twin, "map %s: contents are not compared: %s",
					 tm->map->name, why);
		}
		if (same != 1)
			return false;
	}
	return true;
}

int xl_twin_maps_sync(struct xl_twin *twin, struct xl_err *e)
{
	int err = 0;

	for (uint32_t i = 0; i < twin->maps.n && !err; i++)
		if (xl_twin_map_comparable(twin->maps.at[i].map))
			err = xl_twin_map_sync(&twin->maps.at[i], &twin->cpus, e);
	return err;
}

uint64_t xl_twin_maps_bytes(const struct xl_twin *twin)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < twin->maps.n; i++) {
		const struct xl_map *map = twin->maps.at[i].map;

		if (xl_twin_is_ring(map))
			bytes += map->max_entries;
		else if (xl_twin_map_comparable(map))
			bytes += (uint64_t)map->max_entries *
				 (map->key_size + xl_twin_value_size(map, &twin->cpus));
	}
	return bytes;
}
