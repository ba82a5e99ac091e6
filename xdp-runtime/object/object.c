/* An object's way into a runtime; see object.h.
 *
 * The bytes pass elf_check.c and xl_btf_check(), are brought to normal form by object_norm.c and
 * changed by object_fix.c, and only then given to libbpf, whose bpf(2) calls reach the runtime through the door. Programs are recognised
 * before that, by the section name as libbpf reads it, or, where that says nothing, by the
 * prototype in BTF: who takes a struct xdp_md * is XDP; or the user says so.
 */
#include "xdp-runtime/object/object.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "xdp-runtime/btf.h"
#include "xdp-runtime/object/object_priv.h"
#include "xdp-runtime/runtime.h"

#define WORK_MAX (UINT64_C(1) << 27) /* chosen: about a second */

void xl_object_notice(const struct xl_object *obj, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (!obj->opts.notice)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	obj->opts.notice(obj->opts.notice_arg, text);
}

/* -- programs ---------------------------------------------------------------------------- */

static const char *type_name(enum bpf_prog_type type)
{
	const char *name = libbpf_bpf_prog_type_str(type);

	return name ? name : "?";
}

static bool has_prefix(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

/* Attach type of an XDP program whose section libbpf does not know. */
static enum bpf_attach_type attach_type_of(const char *section)
{
	if (has_prefix(section, "xdp_devmap"))
		return BPF_XDP_DEVMAP;
	if (has_prefix(section, "xdp_cpumap"))
		return BPF_XDP_CPUMAP;
	return BPF_XDP;
}

/* Sets type and attach type of program @i. */
static void recognise(struct xl_object *obj, uint32_t i)
{
	struct xl_object_func *func = &xl_object_priv(obj)->funcs[i];
	struct xl_object_prog *prog = &obj->progs[i];
	int takes_xdp_md;

	if (libbpf_prog_type_by_name(prog->section, &prog->type, &func->attach_type)) {
		prog->type = BPF_PROG_TYPE_UNSPEC;
		takes_xdp_md = xl_object_btf_takes_xdp_md(xl_object_priv(obj)->btf, prog->name);
		if (takes_xdp_md == 1 || obj->opts.untyped_is_xdp ||
		    (takes_xdp_md < 0 && has_prefix(prog->section, "xdp"))) {
			prog->type = BPF_PROG_TYPE_XDP;
			func->attach_type = attach_type_of(prog->section);
			func->frags = has_prefix(prog->section, "xdp.frags");
		}
	}
	prog->is_xdp = prog->type == BPF_PROG_TYPE_XDP;
}

__attribute__((format(printf, 3, 4))) static void set_why_not(struct xl_object *obj, uint32_t i,
							      const char *fmt, ...)
{
	struct xl_object_func *func = &xl_object_priv(obj)->funcs[i];
	va_list ap;

	free(func->why_not);
	va_start(ap, fmt);
	if (vasprintf(&func->why_not, fmt, ap) < 0)
		func->why_not = NULL;
	va_end(ap);
	obj->progs[i].why_not = func->why_not ? func->why_not : "out of memory";
}

/* Functions of .text are subprograms, except for one that is alone: libbpf's rule. */
static bool is_subprog(const struct xl_elf *elf, const struct xl_elf_func *func)
{
	return func->sec == elf->text && elf->n_funcs > 1;
}

static int list_progs(struct xl_object *obj, struct xl_err *e)
{
	struct xl_object_priv *priv = xl_object_priv(obj);

	obj->progs = calloc(priv->elf.n_funcs + 1, sizeof(*obj->progs));
	priv->funcs = calloc(priv->elf.n_funcs + 1, sizeof(*priv->funcs));
	if (!obj->progs || !priv->funcs)
		return xl_err_set(e, -ENOMEM, "out of memory");
	for (uint32_t k = 0; k < priv->elf.n_funcs; k++) {
		const struct xl_elf_func *func = &priv->elf.func[k];
		const char *section = priv->elf.sec[func->sec].name;
		uint32_t i = obj->n_progs;

		if (is_subprog(&priv->elf, func))
			continue;
		obj->n_progs++;
		priv->funcs[i].func = func;
		obj->progs[i].name = func->name;
		obj->progs[i].section = section + (*section == '?');
		obj->progs[i].n_insns = func->n_insns;
		recognise(obj, i);
		if (!obj->progs[i].is_xdp && obj->progs[i].type == BPF_PROG_TYPE_UNSPEC)
			set_why_not(obj, i,
				    "section '%s' is of no known type; --type xdp takes it as XDP",
				    section);
		else if (!obj->progs[i].is_xdp)
			set_why_not(obj, i, "type %s is not XDP", type_name(obj->progs[i].type));
	}
	return 0;
}

/* One notice for all that is not XDP. */
static void notice_skipped(const struct xl_object *obj)
{
	char list[256] = "";
	uint32_t n = 0;
	size_t len = 0;

	for (uint32_t i = 0; i < obj->n_progs; i++) {
		const struct xl_object_prog *p = &obj->progs[i];
		int added;

		if (p->is_xdp)
			continue;
		n++;
		added = snprintf(list + len, sizeof(list) - len, "%s%s (%s)", len ? ", " : "",
				 p->name, p->type ? type_name(p->type) : p->section);
		if (added > 0 && (size_t)added < sizeof(list) - len)
			len += (size_t)added;
		else
			list[len] = '\0'; /* the count says that there are more */
	}
	if (n)
		xl_object_notice(obj, "%s: skipped %u program%s that %s not XDP: %s", obj->name, n,
				 n > 1 ? "s" : "", n > 1 ? "are" : "is", list);
}

/* Tells libbpf what we found. */
static int adopt_progs(struct xl_object *obj, struct xl_err *e)
{
	struct xl_object_priv *priv = xl_object_priv(obj);
	struct bpf_program *bpf;
	int err = 0;

	bpf_object__for_each_program(bpf, obj->bpf)
	{
		struct xl_object_func *func = NULL;
		uint32_t i;

		for (i = 0; i < obj->n_progs && !func; i++)
			if (!priv->funcs[i].bpf &&
			    !strcmp(bpf_program__name(bpf), obj->progs[i].name) &&
			    !strcmp(bpf_program__section_name(bpf), obj->progs[i].section))
				func = &priv->funcs[i];
		if (!func || !obj->progs[i - 1].is_xdp) {
			err = bpf_program__set_autoload(bpf, false);
			continue;
		}
		func->bpf = bpf;
		err = bpf_program__set_autoload(bpf, true);
		if (bpf_program__type(bpf) != BPF_PROG_TYPE_XDP) {
			err = err ? err : bpf_program__set_type(bpf, BPF_PROG_TYPE_XDP);
			err = err ? err
				  : bpf_program__set_expected_attach_type(bpf, func->attach_type);
			if (!err && func->frags)
				err = bpf_program__set_flags(bpf, BPF_F_XDP_HAS_FRAGS);
		}
		if (err)
			return xl_err_set(e, err, "program '%s': libbpf refuses its type",
					  bpf_program__name(bpf));
	}
	for (uint32_t i = 0; i < obj->n_progs; i++)
		if (obj->progs[i].is_xdp && !priv->funcs[i].bpf)
			set_why_not(obj, i, "libbpf does not see it");
	return 0;
}

/* -- open -------------------------------------------------------------------------------- */

static char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/'), *start = slash ? slash + 1 : path;
	const char *dot = strchr(start, '.');

	return dot && dot > start ? strndup(start, (size_t)(dot - start)) : strdup(start);
}

static int read_file(const char *path, void **out_data, size_t *out_size, struct xl_err *e)
{
	FILE *f = fopen(path, "rb");
	struct stat st;
	char *data = NULL;
	size_t size = 0;
	int err;

	if (!f)
		return xl_err_set(e, -errno, "%s", strerror(errno));
	if (fstat(fileno(f), &st))
		err = xl_err_set(e, -errno, "%s", strerror(errno));
	else if (!S_ISREG(st.st_mode))
		err = xl_err_set(e, -EINVAL, "not a regular file");
	else if ((uint64_t)st.st_size > XL_ELF_SIZE_MAX)
		err = xl_err_set(e, -EFBIG, "%ld bytes: larger than any object", (long)st.st_size);
	else if (!(data = malloc((size_t)st.st_size + 1)))
		err = xl_err_set(e, -ENOMEM, "out of memory");
	else
		err = 0;
	if (!err) {
		size = fread(data, 1, (size_t)st.st_size, f);
		if (ferror(f))
			err = xl_err_set(e, -EIO, "%s", strerror(errno));
	}
	fclose(f);
	if (err) {
		free(data);
		return err;
	}
	*out_data = data;
	*out_size = size;
	return 0;
}

/* Opens the kernel BTF that the user gave: a checked copy, since libbpf reads it by name. */
static int take_kernel_btf(struct xl_object *obj, struct xl_err *e)
{
	static const uint8_t magic[] = { 0x9f, 0xeb };
	struct xl_object_priv *priv = xl_object_priv(obj);
	const char *path = obj->opts.btf_path;
	struct xl_vlog log;
	void *data = NULL;
	size_t size = 0;
	int err;

	if (!path)
		return 0;
	err = read_file(path, &data, &size, e);
	if (err) {
		xl_err_prefix(e, "%s", path);
		return err;
	}
	xl_vlog_init(&log, 1);
	if (size < sizeof(magic) || memcmp(data, magic, sizeof(magic)))
		err = xl_err_set(e, -EINVAL,
				 "%s: not raw BTF; `bpftool btf dump` and `llvm-objcopy "
				 "--dump-section .BTF=FILE` make such files",
				 path);
	else if ((err = xl_btf_check(data, size, &log)))
		xl_err_set(e, err, "%s: %s", path, log.last[0] ? log.last : "invalid BTF");
	else if ((priv->kernel_btf_fd = memfd_create("btf", MFD_CLOEXEC)) < 0 ||
		 write(priv->kernel_btf_fd, data, size) != (ssize_t)size)
		err = xl_err_set(e, -ENOMEM, "%s: cannot copy it: %s", path, strerror(errno));
	xl_vlog_fini(&log);
	free(data);
	return err;
}

/* libbpf copies and searches without bounds; what no real object comes near to is refused. */
static int check_work(const struct xl_object_priv *priv, struct xl_err *e)
{
	const uint64_t n_progs = priv->elf.n_funcs, text = priv->elf.sec[priv->elf.text].size;
	uint64_t n_vars = 0, n_names = priv->elf.n_syms;

	for (uint32_t i = 1; i < priv->elf.n_secs; i++)
		if (priv->elf.sec[i].kept && priv->elf.sec[i].type == SHT_REL)
			n_names += priv->elf.sec[i].size / sizeof(Elf64_Rel);
	for (uint32_t id = 1; priv->btf && id < btf__type_cnt(priv->btf); id++)
		if (btf_is_datasec(btf__type_by_id(priv->btf, id)))
			n_vars += btf_vlen(btf__type_by_id(priv->btf, id));
	if (n_vars * n_names > WORK_MAX)
		return xl_err_set(e, -EINVAL,
				  "%lu variables, %lu symbols and relocations: too many",
				  (unsigned long)n_vars, (unsigned long)n_names);
	if (n_progs * text > WORK_MAX * 8 ||
	    n_progs * priv->elf.sec[priv->elf.btf_ext].size > WORK_MAX * 32)
		return xl_err_set(e, -EINVAL, "%lu functions, .text of %lu bytes: too much code",
				  (unsigned long)n_progs, (unsigned long)text);
	return 0;
}

/* @again    the object's BTF was looked at before: nothing to tell anybody */
static int check_btf(struct xl_object *obj, bool again, struct xl_err *e)
{
	struct xl_object_priv *priv = xl_object_priv(obj);
	const struct xl_elf_sec *s = &priv->elf.sec[priv->elf.btf];
	struct xl_vlog log;
	int err;

	if (!priv->elf.btf)
		return priv->elf.maps ? xl_err_set(e, -EINVAL,
						   "section '.maps' needs BTF: "
						   "compile with -g")
				      : 0;
	if (s->size > UINT32_MAX)
		return xl_err_set(e, -EFBIG, "section '.BTF' is too large");
	if (s->size >= 8 && s->data[4] % 4)
		return xl_err_set(e, -EINVAL, "section '.BTF': header of an odd size");
	xl_vlog_init(&log, 1);
	err = xl_btf_check_safe(s->data, s->size, &log);
	if (err)
		xl_err_set(e, err, "section '.BTF': %s", log.last[0] ? log.last : "invalid");
	else if (xl_btf_check(s->data, s->size, &log) && !again)
		xl_object_notice(obj, "%s: loaded without its BTF, as in the kernel: %s", obj->name,
				 log.last);
	xl_vlog_fini(&log);
	if (err)
		return err;
	priv->btf = btf__new(s->data, (uint32_t)s->size);
	if (!priv->btf)
		return xl_err_set(e, -errno, "section '.BTF': %s", strerror(errno));
	return priv->elf.btf_ext ? xl_object_btf_ext_check(&priv->elf, priv->btf, e) : 0;
}

static int normalise(struct xl_object *obj, struct xl_err *e)
{
	struct xl_object_priv *priv = xl_object_priv(obj);
	bool changed = false;
	int err = xl_norm(&priv->elf, priv->btf, &priv->lore, &changed, e);

	if (err || !changed)
		return err;
	btf__free(priv->btf);
	priv->btf = NULL;
	return check_btf(obj, true, e);
}

static int open_bpf(struct xl_object *obj, struct xl_err *e)
{
	const struct xl_elf *elf = &xl_object_priv(obj)->elf;
	struct xl_object_msg msg;
	char btf_path[32];
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = obj->name,
		    /* object_fix.c has looked for unknown fields */
		    .relaxed_maps = true,
		    .btf_custom_path = obj->opts.btf_path ? btf_path : NULL, );
	int err = 0;

	snprintf(btf_path, sizeof(btf_path), "/proc/self/fd/%d",
		 xl_object_priv(obj)->kernel_btf_fd);
	xl_object_msg_on(&msg);
	obj->bpf = bpf_object__open_mem(elf->image, elf->size, &opts);
	if (!obj->bpf)
		err = errno < 4000 ? -errno : -EINVAL; /* above are libbpf's own numbers */
	xl_object_msg_off(&msg);
	if (err)
		xl_err_set(e, err, "%s", msg.text[0] ? msg.text : "libbpf cannot open it");
	return err;
}

int xl_object_open(struct xl_runtime *rt, const void *data, size_t size, const char *name,
		   const struct xl_object_opts *opts, struct xl_object **out_obj, struct xl_err *e)
{
	struct xl_object *obj = calloc(1, sizeof(*obj));
	struct xl_object_priv *priv = calloc(1, sizeof(*priv));
	int err = 0;

	if (!obj || !priv) {
		free(obj);
		free(priv);
		return xl_err_set(e, -ENOMEM, "out of memory");
	}
	priv->kernel_btf_fd = -1;
	obj->priv = priv;
	obj->rt = rt;
	if (opts)
		obj->opts = *opts;
	obj->name = base_name(name);
	if (!obj->name)
		err = xl_err_set(e, -ENOMEM, "out of memory");
	err = err ? err : take_kernel_btf(obj, e);
	err = err ? err : xl_elf_check(data, size, &priv->elf, e);
	err = err ? err : check_btf(obj, false, e);
	err = err ? err : normalise(obj, e);
	err = err ? err : check_work(priv, e);
	err = err ? err : list_progs(obj, e);
	err = err ? err : xl_object_fix(obj, e);
	err = err ? err : open_bpf(obj, e);
	err = err ? err : adopt_progs(obj, e);
	err = err ? err : xl_object_list_maps(obj, e);
	if (err) {
		xl_object_close(obj);
		return err;
	}
	xl_object_config_read(obj);
	notice_skipped(obj);
	*out_obj = obj;
	return 0;
}

int xl_object_open_file(struct xl_runtime *rt, const char *path, const struct xl_object_opts *opts,
			struct xl_object **out_obj, struct xl_err *e)
{
	void *data = NULL;
	size_t size = 0;
	int err = read_file(path, &data, &size, e);

	err = err ? err : xl_object_open(rt, data, size, path, opts, out_obj, e);
	free(data);
	if (err)
		xl_err_prefix(e, "%s", path);
	return err;
}
