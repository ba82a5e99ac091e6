/* BPF instructions: names, text, and the checks that need no execution.
 *
 * Source: Documentation/bpf/standardization/instruction-set.rst; kernel/bpf/disasm.c for the
 * shape of the text; check_cfg() and resolve_pseudo_ldimm64() in kernel/bpf/verifier.c.
 */
#ifndef XL_XDP_RUNTIME_INSN_H
#define XL_XDP_RUNTIME_INSN_H

#include <stddef.h>
#include <stdint.h>

#include "base/uapi.h"

#define XL_INSNS_MAX 1000000 /* BPF_COMPLEXITY_LIMIT_INSNS */

/* Whether @insn is the first half of a 16-byte immediate load. */
static inline int xl_insn_is_ld_imm64(const struct bpf_insn *insn)
{
	return insn->code == (BPF_LD | BPF_IMM | BPF_DW);
}

/* One instruction in the kernel's words: "r1 = *(u32 *)(r2 +40)", "call bpf_redirect_map#51".
 * @insn     for ld_imm64 the second half must follow in memory. */
void xl_insn_text(const struct bpf_insn *insn, char *buf, size_t size);

/* Text sink in the shape of the kernel's verifier log; see sysbpf.c. */
struct xl_vlog;

/* Checks what can be told without following values: opcodes, reserved fields, registers, halves
 * of ld_imm64, jump and call targets (inside the same function), that no function falls off its
 * end, that helpers exist. Finds the functions.
 *
 * @log            gets the reason in the kernel's words; may be NULL
 * @out_starts     malloced array of first instructions, ascending; the caller frees it
 * Errors          -EINVAL, -E2BIG too many functions, -ENOMEM
 */
int xl_insn_check(const struct bpf_insn *insns, uint32_t n_insns, struct xl_vlog *log,
		  uint32_t **out_starts, uint32_t *out_n_starts);

#endif
