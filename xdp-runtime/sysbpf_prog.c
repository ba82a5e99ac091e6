/* BPF_PROG_LOAD and BPF_PROG_BIND_MAP.
 *
 * Loading has two halves, as in the kernel. What the attributes say is checked and copied first;
 * an error there is the caller's. Then the program itself is checked, and the log tells why it was
 * refused; of an object with several programs, one that fails there can be kept as one that does
 * not run (xl_runtime.keep_refused).
 *
 * Source: bpf_prog_load(), bpf_prog_bind_map() in kernel/bpf/syscall.c, bpf_check() in
 * kernel/bpf/verifier.c; v6.18.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "maps/map.h"
#include "xdp-runtime/engine.h"
#include "xdp-runtime/insn.h"
#include "xdp-runtime/prog_check.h"

#define LICENSE_SIZE 128 /* the kernel's */

#define KNOWN_FLAGS                                                                               \
	(BPF_F_STRICT_ALIGNMENT | BPF_F_ANY_ALIGNMENT | BPF_F_TEST_STATE_FREQ | BPF_F_SLEEPABLE | \
	 BPF_F_TEST_RND_HI32 | BPF_F_XDP_HAS_FRAGS | BPF_F_XDP_DEV_BOUND_ONLY |                   \
	 BPF_F_TEST_REG_INVARIANTS | BPF_F_TOKEN_FD)

static bool license_is_gpl(const char *license)
{
	static const char *const gpl[] = {
		"GPL",		"GPL v2",	"GPL and additional rights",
		"Dual BSD/GPL", "Dual MIT/GPL", "Dual MPL/GPL"
	};

	for (size_t i = 0; i < sizeof(gpl) / sizeof(gpl[0]); i++)
		if (!strcmp(license, gpl[i]))
			return true;
	return false;
}

static int check_token(struct xl_sys *s)
{
	struct xl_caller_fd fd;

	if (!(s->attr.u.prog_flags & BPF_F_TOKEN_FD))
		return 0;
	return s->c->fd_stat(s->c, s->attr.prog_load.prog_token_fd, &fd) ? -EBADF : -EINVAL;
}

static int check_attr(struct xl_sys *s)
{
	const union bpf_attr *attr = &s->attr.u;
	const struct xl_prog_type *type = xl_prog_type_of(attr->prog_type);
	const uint32_t attach = attr->expected_attach_type;
	int err;

	if (attr->prog_flags & ~(uint32_t)KNOWN_FLAGS)
		return -EINVAL;
	err = check_token(s);
	if (err)
		return err;
	if (!attr->insn_cnt || attr->insn_cnt > XL_INSNS_MAX)
		return -E2BIG;
	/* Programs that attach to functions of the kernel or of other programs. */
	if (attr->attach_prog_fd || attr->attach_btf_id)
		return -EINVAL;
	if (type && type->attach_types &&
	    (attach >= 64 ||
	     !(type->attach_types >> (attach ? attach : type->default_attach_type) & 1)))
		return -EINVAL;
	return 0;
}

/* Copies all that @prog is made of. */
static int prog_in(struct xl_sys *s, struct xl_prog *prog)
{
	const union bpf_attr *attr = &s->attr.u;
	const struct xl_prog_type *type = xl_prog_type_of(attr->prog_type);
	const size_t size = (size_t)attr->insn_cnt * sizeof(struct bpf_insn);
	char license[LICENSE_SIZE];
	void *insns;
	int err = xl_sys_dup_in(s, attr->insns, size, &insns);

	if (err)
		return err;
	prog->insns_loaded = insns;
	prog->n_insns = attr->insn_cnt;
	prog->insns = malloc(size);
	if (!prog->insns)
		return -ENOMEM;
	memcpy(prog->insns, insns, size);
	if (s->c->copy_in_str(s->c, license, attr->license, sizeof(license)) < 0)
		return -EFAULT;
	prog->gpl_compatible = license_is_gpl(license);
	if (s->attr.prog_load.signature || s->attr.prog_load.signature_size)
		return -EOPNOTSUPP; /* there is no keyring to check it with */
	if (attr->prog_ifindex || !type)
		return -EINVAL;
	prog->type = attr->prog_type;
	prog->expected_attach_type =
		attr->expected_attach_type ? attr->expected_attach_type : type->default_attach_type;
	prog->flags = attr->prog_flags;
	return xl_sys_name(attr->prog_name, prog->name);
}

static int prepare(struct xl_prog *prog, struct xl_vlog *log)
{
	struct xl_err e = { 0 };
	int err;

	prog->engine = prog->rt->engine;
	if (!xl_prog_type_of(prog->type)->runs)
		return 0;
	err = prog->engine->prepare ? prog->engine->prepare(prog, &e) : 0;
	if (err)
		xl_vlog(log, "%s\n", e.text);
	prog->prepared = !err;
	return err;
}

/* Relocations by types that the kernel does itself: only loaders without libbpf ask for it. */
static int check_core_relos(struct xl_sys *s, struct xl_vlog *log)
{
	if (!s->attr.u.core_relo_cnt)
		return 0;
	xl_vlog(log, "CO-RE relocations are done by the loader here, not at BPF_PROG_LOAD\n");
	return -EINVAL;
}

static int check_prog(struct xl_sys *s, struct xl_prog *prog, struct xl_vlog *log)
{
	int err;

	xl_prog_tag(prog->insns_loaded, prog->n_insns, prog->tag);
	err = xl_prog_bind_fd_array(s, prog, log);
	if (!err)
		err = xl_prog_take_func_info(s, prog, log);
	if (!err)
		err = xl_insn_check(prog->insns, prog->n_insns, log, &prog->subprog_start,
				    &prog->n_subprogs);
	if (!err)
		err = xl_prog_check_func_info(prog, log);
	if (!err)
		err = xl_prog_take_line_info(s, prog, log);
	if (!err)
		err = check_core_relos(s, log);
	if (!err)
		err = xl_prog_resolve_maps(s, prog, log);
	if (!err)
		err = xl_prog_check_helpers(prog, log);
	if (!err)
		err = xl_prog_check_owners(s, prog, log);
	if (!err)
		err = xl_prog_verify(prog, log);
	if (!err)
		err = prepare(prog, log);
	return err;
}

/* Makes a program that failed its checks with @err one that is there but does not run. */
static int keep_refused(struct xl_prog *prog, const struct xl_vlog *log, int err)
{
	prog->engine = prog->rt->engine;
	if (!prog->refused)
		prog->refused = strdup(log->last[0] ? log->last : strerror(-err));
	return prog->refused ? 0 : err;
}

static long load(struct xl_sys *s, struct xl_prog *prog, struct xl_vlog *log)
{
	const union bpf_attr *attr = &s->attr.u;
	long ret;
	int err;

	ret = check_prog(s, prog, log);
	if (ret && s->rt->keep_refused && xl_prog_type_of(prog->type)->runs)
		ret = keep_refused(prog, log, (int)ret);
	/* The kernel ends each log with this. */
	if (!prog->was_verified)
		xl_vlog(log,
			"processed 0 insns (limit %u) max_states_per_insn 0 total_states 0 "
			"peak_states 0 "
			"mark_read 0\n",
			XL_INSNS_MAX);
	err = xl_sys_log_out(s, log, attr->log_buf, attr->log_size,
			     offsetof(union xl_bpf_attr, prog_load.log_true_size));
	if (err)
		ret = err;
	if (ret)
		return ret;
	ret = xl_runtime_publish(s->rt, &prog->obj);
	return ret ? ret : xl_sys_new_fd(s, &prog->obj, O_RDWR);
}

static uint64_t boottime_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * XL_NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

long xl_sys_prog_load(struct xl_sys *s)
{
	const union bpf_attr *attr = &s->attr.u;
	struct xl_prog *prog;
	struct xl_vlog log;
	long ret = check_attr(s);

	if (ret)
		return ret;
	prog = xl_prog_alloc(s->rt);
	if (!prog)
		return -ENOMEM;
	prog->load_time_ns = boottime_ns();
	ret = prog_in(s, prog);
	if (!ret && !xl_sys_log_ok(attr->log_level, attr->log_buf, attr->log_size))
		ret = -EINVAL;
	if (!ret) {
		xl_vlog_init(&log, attr->log_level);
		ret = load(s, prog, &log);
		xl_vlog_fini(&log);
	}
	xl_prog_put(prog);
	return ret;
}

/* A map that a program does not use, kept as long as the program: how loaders keep metadata. */
long xl_sys_prog_bind_map(struct xl_sys *s)
{
	struct xl_obj *prog, *map;
	int err;

	if (s->attr.u.prog_bind_map.flags)
		return -EINVAL;
	err = xl_sys_obj(s, (int)s->attr.u.prog_bind_map.prog_fd, XL_OBJ_PROG, &prog, NULL);
	if (err)
		return err;
	err = xl_sys_obj(s, (int)s->attr.u.prog_bind_map.map_fd, XL_OBJ_MAP, &map, NULL);
	if (!err) {
		pthread_mutex_lock(&s->rt->lock);
		err = xl_prog_use_map(xl_prog_of(prog), xl_map_of(map));
		pthread_mutex_unlock(&s->rt->lock);
		xl_obj_put(map);
	}
	xl_obj_put(prog);
	return err;
}
