/* Programs and their BTF into the kernel.
 *
 * A program goes in with its helpers replaced. If the verifier does not take that, it goes in as
 * it is, and there is a note that its time and random numbers are its own.
 * Source: bpf(2), BPF_PROG_LOAD.
 */
#include "xdp-runtime/twin/twin_priv.h"

#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/kernel_bpf.h"
#include "xdp-runtime/btf.h"
#include "xdp-runtime/prog.h"

#define LOG_SIZE (1u << 20) /* chosen: the verifier's last lines matter, the rest may be cut */

/* The kernel's copy of a BTF, loaded at first use; -1 if there is none. */
int xl_twin_btf_fd(struct xl_twin *twin, struct xl_obj *btf)
{
	const struct xl_btf *b = xl_btf_of(btf);
	union bpf_attr attr;
	long fd;

	if (!btf)
		return -1;
	for (uint32_t i = 0; i < twin->btfs.n; i++)
		if (twin->btfs.at[i].btf == btf)
			return twin->btfs.at[i].fd;
	memset(&attr, 0, sizeof(attr));
	attr.btf = (uintptr_t)b->data;
	attr.btf_size = b->size;
	fd = xl_kernel_bpf(BPF_BTF_LOAD, &attr, sizeof(attr));
	if (!VEC_ADD(&twin->btfs,
		     (struct xl_twin_btf){ .btf = btf, .fd = fd < 0 ? -1 : (int)fd })) {
		if (fd >= 0)
			close((int)fd);
		return -1;
	}
	return fd < 0 ? -1 : (int)fd;
}

static int map_fd(void *arg, uint32_t map_id)
{
	const struct xl_twin_map *tm = xl_twin_find_map(arg, map_id);

	return tm ? tm->fd : -1;
}

/* Of the kernel itself: functions of modules would need the module's BTF in an fd_array. */
static int32_t kfunc_id(void *arg, const char *name)
{
	struct xl_twin *twin = arg;

	if (!twin->kernel_btf)
		twin->kernel_btf = btf__parse("/sys/kernel/btf/vmlinux", NULL);
	return twin->kernel_btf ? btf__find_by_name_kind(twin->kernel_btf, name, BTF_KIND_FUNC)
				: -1;
}

/* The last line of the verifier's log that says something. */
static void last_line(char *log, const char **out)
{
	char *line = log;

	*out = "";
	while (line && *line) {
		char *end = strchr(line, '\n');

		if (end)
			*end = '\0';
		if (*line && strncmp(line, "processed ", 10) &&
		    strncmp(line, "verification time", 17))
			*out = line;
		line = end ? end + 1 : NULL;
	}
}

static long prog_load(struct xl_twin *twin, const struct xl_prog *prog,
		      const struct xl_twin_code *code, char *log)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = prog->type;
	attr.expected_attach_type = prog->expected_attach_type;
	attr.prog_flags = prog->flags;
	attr.insns = (uintptr_t)code->insns;
	attr.insn_cnt = code->n_insns;
	attr.license = (uintptr_t)(prog->gpl_compatible ? "GPL" : "Proprietary");
	memcpy(attr.prog_name, prog->name, sizeof(attr.prog_name));
	if (prog->btf && xl_twin_btf_fd(twin, prog->btf) >= 0) {
		attr.prog_btf_fd = (uint32_t)xl_twin_btf_fd(twin, prog->btf);
		attr.func_info = (uintptr_t)code->func_info;
		attr.func_info_cnt = code->func_info ? prog->n_func_info : 0;
		attr.func_info_rec_size = sizeof(struct bpf_func_info);
		attr.line_info = (uintptr_t)code->line_info;
		attr.line_info_cnt = code->line_info ? prog->n_line_info : 0;
		attr.line_info_rec_size = sizeof(struct bpf_line_info);
	}
	if (log) {
		attr.log_buf = (uintptr_t)log;
		attr.log_size = LOG_SIZE;
		attr.log_level = 1;
	}
	return xl_kernel_bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
}

/* Loads one form of a program: with helpers replaced or as it is. */
static int load_form(struct xl_twin *twin, struct xl_twin_prog *tp, bool replace, struct xl_err *e)
{
	const struct xl_twin_code_opts opts = {
		.env_fd = replace ? twin->env_fd : -1,
		.replace_cpu = twin->cpus.ours != twin->cpus.real,
		.n_cpus = twin->cpus.n_ours,
		.map_fd = map_fd,
		.kfunc_id = kfunc_id,
		.arg = twin,
	};
	struct xl_twin_code code;
	char *log;
	const char *why = "";
	long fd;
	int err = xl_twin_code_make(tp->prog, &opts, &code);

	if (err)
		return xl_err_set(e, err, "program %s: cannot be copied to the kernel: %s",
				  tp->prog->name, strerror(-err));
	fd = prog_load(twin, tp->prog, &code, NULL);
	if (fd >= 0) {
		tp->fd = (int)fd;
		xl_twin_code_fini(&code);
		return 0;
	}
	log = malloc(LOG_SIZE);
	if (log) {
		log[0] = '\0';
		prog_load(twin, tp->prog, &code, log);
		last_line(log, &why);
	}
	xl_err_set(e, (int)fd, "program %s: the kernel refuses it: %s%s%s", tp->prog->name,
		   strerror((int)-fd), *why ? ": " : "", why);
	free(log);
	xl_twin_code_fini(&code);
	return (int)fd;
}

int xl_twin_load_progs(struct xl_twin *twin, uint32_t n_given, struct xl_err *e)
{
	for (uint32_t i = 0; i < twin->progs.n; i++) {
		struct xl_twin_prog *tp = &twin->progs.at[i];
		struct xl_err why = { 0 };
		int err = load_form(twin, tp, true, &why);

		if (err && !load_form(twin, tp, false, NULL)) {
			xl_twin_add_note(twin,
					 "program %s: time and random numbers are the kernel's own "
					 "(its verifier "
					 "takes the program only unchanged)",
					 tp->prog->name);
			err = 0;
		}
		if (err && i < n_given)
			return xl_err_set(e, err, "%s", why.text);
		if (err)
			xl_twin_add_note(twin, "%s", why.text);
	}
	return 0;
}
