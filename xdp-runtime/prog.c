/* A program's life, its tag and its source lines; see prog.h. */
#include "xdp-runtime/prog.h"

#include <bpf/btf.h>
#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>

#include "maps/map.h"
#include "xdp-runtime/btf.h"
#include "xdp-runtime/engine.h"
#include "xdp-runtime/insn.h"
#include "xdp-runtime/verifier/facts.h"

static void release(struct xl_obj *obj)
{
	struct xl_prog *prog = xl_prog_of(obj);

	if (prog->prepared && prog->engine->release)
		prog->engine->release(prog);
	for (uint32_t i = 0; i < prog->n_maps; i++)
		xl_map_put(prog->maps[i]);
	xl_obj_put(prog->btf);
	free(prog->maps);
	free(prog->insns_loaded);
	free(prog->insns);
	free(prog->subprog_start);
	free(prog->func_info);
	free(prog->line_info);
	xl_facts_free(prog->facts);
	free(prog->unproven);
	free(prog->refused);
	free(prog);
}

struct xl_prog *xl_prog_alloc(struct xl_runtime *rt)
{
	struct xl_prog *prog = calloc(1, sizeof(*prog));

	if (!prog)
		return NULL;
	xl_obj_init(&prog->obj, XL_OBJ_PROG, release);
	prog->rt = rt;
	return prog;
}

/* Which map a program uses is a number that differs from load to load, so it is taken for 0.
 * Source: bpf_prog_calc_tag(), kernel/bpf/core.c, v6.18. */
void xl_prog_tag(const struct bpf_insn *insns, uint32_t n, uint8_t tag[XL_TAG_SIZE])
{
	struct sha256_ctx sha;
	bool second_half = false;
	struct bpf_insn insn;

	sha256_init(&sha);
	for (uint32_t i = 0; i < n; i++) {
		const bool first_half = !second_half && xl_insn_is_ld_imm64(&insns[i]) &&
					(insns[i].src_reg == BPF_PSEUDO_MAP_FD ||
					 insns[i].src_reg == BPF_PSEUDO_MAP_VALUE);

		insn = insns[i];
		if (first_half || second_half)
			insn.imm = 0;
		sha256_update(&sha, sizeof(insn), (const uint8_t *)&insn);
		second_half = first_half;
	}
	sha256_digest(&sha, XL_TAG_SIZE, tag);
}

bool xl_prog_line(const struct xl_prog *prog, uint32_t insn, const char **out_file,
		  uint32_t *out_line, const char **out_text)
{
	const struct bpf_line_info *info = prog->line_info;
	uint32_t lo = 0, hi = prog->n_line_info, mid;
	const char *file, *text;
	const struct btf *btf;

	/* The last record that starts at or before @insn. */
	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (info[mid].insn_off > insn)
			hi = mid;
		else
			lo = mid + 1;
	}
	if (!lo || !prog->btf)
		return false;
	info += lo - 1;
	btf = xl_btf_of(prog->btf)->btf;
	file = btf__name_by_offset(btf, info->file_name_off);
	text = btf__name_by_offset(btf, info->line_off);
	if (!file || !*file)
		return false;
	*out_file = file;
	*out_line = BPF_LINE_INFO_LINE_NUM(info->line_col);
	*out_text = text ? text + strspn(text, " \t") : "";
	return true;
}
