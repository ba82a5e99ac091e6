/* What the facts say of small programs, worked out by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "xdp-runtime/interp/interp_test_rig.h"
#include "xdp-runtime/verifier/verify.h"

#define INSNS_MAX 64

struct subject {
	struct rig rig;
	struct xl_prog prog;
	struct bpf_insn insns[INSNS_MAX], loaded[INSNS_MAX];
	struct xl_map *map; /* the program's, or NULL */
	struct xl_verify_result result;
};

static void begin(struct subject *s)
{
	memset(s, 0, sizeof(*s));
	rig_init(&s->rig);
}

/* A map is named after the form was checked, as at BPF_PROG_LOAD. */
static void name_maps(struct subject *s, uint32_t n)
{
	memcpy(s->loaded, s->insns, sizeof(s->insns));
	for (uint32_t i = 0; s->map && i < n; i++) {
		if (!xl_insn_is_ld_imm64(&s->insns[i]))
			continue;
		s->insns[i].src_reg = s->loaded[i].src_reg = BPF_PSEUDO_MAP_FD;
		s->loaded[i].imm = (int32_t)s->map->obj.id;
		i++;
	}
	s->prog.insns_loaded = s->loaded;
	s->prog.maps = &s->map;
	s->prog.n_maps = s->map != NULL;
}

static void verify(struct subject *s, const struct bpf_insn *insns, uint32_t n)
{
	const struct xl_verify_opts opts = { .insn_limit = XL_VERIFY_LIMIT, .facts = true };

	assert_in_range(n, 1, INSNS_MAX);
	memcpy(s->insns, insns, n * sizeof(*insns));
	assert_int_equal(rig_load(&s->rig, &s->prog, s->insns, n), 0);
	name_maps(s, n);
	assert_int_equal(xl_verify(&s->prog, &opts, &s->result), 0);
}

static const struct xl_fact *fact(const struct subject *s, uint32_t insn, uint32_t r)
{
	assert_int_equal(s->result.verdict, XL_VERIFY_ACCEPTED);
	assert_non_null(s->result.facts);
	assert_true(s->result.facts->insn[insn].reached);
	return &s->result.facts->insn[insn].reg[r];
}

static void end(struct subject *s)
{
	xl_facts_free(s->result.facts);
	rig_unload(&s->prog);
	rig_fini(&s->rig);
}

#define VERIFY(s, ...)                                              \
	do {                                                        \
		const struct bpf_insn insns[] = { __VA_ARGS__ };    \
		verify(s, insns, sizeof(insns) / sizeof(insns[0])); \
	} while (0)

static void a_join_has_what_all_paths_bring(void **state)
{
	struct subject s;

	(void)state;
	begin(&s);
	VERIFY(&s, LDX(BPF_W, 2, 1, 12), MOV(0, 1), JMP_K(BPF_JEQ, 2, 7, 1), MOV(0, 3), EXIT_INSN);
	assert_int_equal(fact(&s, 4, 0)->kind, XL_FACT_SCALAR);
	assert_int_equal(fact(&s, 4, 0)->value.umin, 1);
	assert_int_equal(fact(&s, 4, 0)->value.umax, 3);
	assert_int_equal(s.result.facts->insn[0].field, 12);
	assert_int_equal(s.result.facts->insn[0].base, XL_FACT_CTX);
	end(&s);
}

static void kinds_that_differ_are_unknown(void **state)
{
	struct subject s;

	(void)state;
	begin(&s);
	VERIFY(&s, LDX(BPF_W, 2, 1, 12), MOVX(3, 10), JMP_K(BPF_JEQ, 2, 7, 1), MOVX(3, 1),
	       MOVX(0, 3), MOV(0, 0), EXIT_INSN);
	assert_int_equal(fact(&s, 4, 3)->kind, XL_FACT_UNKNOWN);
	assert_int_equal(fact(&s, 2, 3)->kind, XL_FACT_STACK);
	end(&s);
}

static void dead_registers_have_no_fact(void **state)
{
	struct subject s;

	(void)state;
	begin(&s);
	VERIFY(&s, MOV(3, 5), MOV(0, 0), EXIT_INSN);
	assert_int_equal(fact(&s, 1, 3)->kind, XL_FACT_UNKNOWN);
	assert_int_equal(fact(&s, 2, 0)->kind, XL_FACT_SCALAR);
	end(&s);
}

static void a_jump_that_is_decided_goes_one_way(void **state)
{
	struct subject s;

	(void)state;
	begin(&s);
	VERIFY(&s, LDX(BPF_W, 2, 1, 12), ALU64_K(BPF_AND, 2, 7), MOV(0, 0), JMP_K(BPF_JGT, 2, 7, 2),
	       JMP_K(BPF_JEQ, 2, 7, 0), EXIT_INSN, MOV(0, 1), EXIT_INSN);
	assert_non_null(s.result.facts);
	assert_int_equal(s.result.facts->insn[3].ways, XL_FACT_FALLS);
	assert_int_equal(s.result.facts->insn[4].ways, XL_FACT_FALLS | XL_FACT_JUMPS);
	assert_false(s.result.facts->insn[6].reached);
	end(&s);
}

static void packet_pointers_tell_their_offset_and_room(void **state)
{
	struct subject s;

	(void)state;
	begin(&s);
	VERIFY(&s, LDX(BPF_W, 2, 1, 0), LDX(BPF_W, 3, 1, 4), MOVX(4, 2), ALU64_K(BPF_ADD, 4, 14),
	       MOV(0, 2), JMP_X(BPF_JGT, 4, 3, 2), ALU64_K(BPF_ADD, 2, 6), LDX(BPF_H, 0, 2, 6),
	       EXIT_INSN);
	assert_int_equal(fact(&s, 2, 3)->kind, XL_FACT_PKT_END);
	assert_int_equal(fact(&s, 6, 2)->kind, XL_FACT_PKT);
	assert_int_equal(fact(&s, 6, 2)->room, 14);
	assert_int_equal(fact(&s, 7, 2)->room, 8);
	assert_int_equal(fact(&s, 7, 2)->value.umin, 6);
	assert_int_equal(fact(&s, 7, 2)->value.umax, 6);
	end(&s);
}

static void a_value_is_not_null_once_it_was_checked(void **state)
{
	struct subject s;

	(void)state;
	begin(&s);
	s.map = rig_map(&s.rig, BPF_MAP_TYPE_HASH, 4, 8, 4, 0);
	VERIFY(&s, ST(BPF_W, 10, -8, 7), MOVX(2, 10), ALU64_K(BPF_ADD, 2, -8), LD_IMM64(1, 0, 0),
	       CALL_HELPER(BPF_FUNC_map_lookup_elem), JMP_K(BPF_JEQ, 0, 0, 1), LDX(BPF_DW, 0, 0, 0),
	       EXIT_INSN);
	assert_int_equal(fact(&s, 5, 1)->kind, XL_FACT_MAP);
	assert_ptr_equal(fact(&s, 5, 1)->map, s.map);
	assert_true(s.result.facts->insn[5].has_key);
	assert_int_equal(s.result.facts->insn[5].key, 7);
	assert_int_equal(fact(&s, 6, 0)->kind, XL_FACT_MAP_VALUE);
	assert_true(fact(&s, 6, 0)->maybe_null);
	assert_false(fact(&s, 7, 0)->maybe_null);
	assert_ptr_equal(fact(&s, 7, 0)->map, s.map);
	end(&s);
}

static void a_key_of_zeros_is_a_constant_anywhere(void **state)
{
	struct subject s;

	(void)state;
	begin(&s);
	s.map = rig_map(&s.rig, BPF_MAP_TYPE_ARRAY, 4, 8, 4, 0);
	VERIFY(&s, ST(BPF_W, 10, -4, 0), MOVX(2, 10), ALU64_K(BPF_ADD, 2, -4), LD_IMM64(1, 0, 0),
	       CALL_HELPER(BPF_FUNC_map_lookup_elem), LDX(BPF_DW, 0, 0, 0), EXIT_INSN);
	assert_false(fact(&s, 6, 0)->maybe_null);
	assert_true(s.result.facts->insn[5].has_key);
	assert_int_equal(s.result.facts->insn[5].key, 0);
	end(&s);
}

static void a_key_that_changes_is_no_constant(void **state)
{
	struct subject s;

	(void)state;
	begin(&s);
	s.map = rig_map(&s.rig, BPF_MAP_TYPE_HASH, 4, 8, 4, 0);
	VERIFY(&s, LDX(BPF_W, 6, 1, 12), ST(BPF_W, 10, -8, 7), JMP_K(BPF_JEQ, 6, 1, 1),
	       ST(BPF_W, 10, -8, 8), MOVX(2, 10), ALU64_K(BPF_ADD, 2, -8), LD_IMM64(1, 0, 0),
	       CALL_HELPER(BPF_FUNC_map_lookup_elem), MOV(0, 0), EXIT_INSN);
	assert_int_equal(fact(&s, 8, 1)->kind, XL_FACT_MAP);
	assert_false(s.result.facts->insn[8].has_key);
	end(&s);
}

static void a_counter_has_all_rounds_of_its_loop(void **state)
{
	struct subject s;

	(void)state;
	begin(&s);
	VERIFY(&s, MOV(0, 0), ALU64_K(BPF_ADD, 0, 1), JMP_K(BPF_JLT, 0, 10, -2), EXIT_INSN);
	assert_int_equal(fact(&s, 1, 0)->value.umin, 0);
	assert_int_equal(fact(&s, 1, 0)->value.umax, 9);
	assert_true(xl_scalar_contains(&fact(&s, 3, 0)->value, 10));
	assert_int_equal(s.result.facts->insn[2].ways, XL_FACT_FALLS | XL_FACT_JUMPS);
	end(&s);
}

static void a_function_has_facts_of_all_its_calls(void **state)
{
	struct subject s;

	(void)state;
	begin(&s);
	VERIFY(&s, MOV(1, 3), MOVX(2, 10), CALL_FN(4), MOV(1, 5), MOVX(2, 10), CALL_FN(1),
	       EXIT_INSN, STX(BPF_DW, 2, -8, 1), MOVX(0, 1), EXIT_INSN);
	assert_int_equal(fact(&s, 7, 1)->value.umin, 3);
	assert_int_equal(fact(&s, 7, 1)->value.umax, 5);
	assert_int_equal(fact(&s, 7, 2)->kind, XL_FACT_STACK);
	assert_int_equal(fact(&s, 7, 2)->frame, 1);
	assert_int_equal(s.result.facts->n_functions, 2);
	assert_int_equal(s.result.facts->function[1].start, 7);
	assert_int_equal(s.result.facts->function[0].stack_size, 8);
	assert_int_equal(s.result.facts->function[1].stack_size, 0);
	end(&s);
}

static void a_tail_call_that_misses_has_done_nothing(void **state)
{
	struct subject s;

	(void)state;
	begin(&s);
	s.map = rig_map(&s.rig, BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 4, 0);
	VERIFY(&s, LDX(BPF_W, 6, 1, 0), LDX(BPF_W, 3, 1, 4), MOVX(4, 6), ALU64_K(BPF_ADD, 4, 14),
	       MOV(0, 2), JMP_X(BPF_JGT, 4, 3, 5), LD_IMM64(2, 0, 0), MOV(3, 0),
	       CALL_HELPER(BPF_FUNC_tail_call), LDX(BPF_H, 0, 6, 6), EXIT_INSN);
	assert_int_equal(fact(&s, 10, 6)->kind, XL_FACT_PKT);
	assert_int_equal(fact(&s, 10, 6)->room, 14);
	end(&s);
}

static void a_tail_call_in_a_function_may_have_changed_the_packet(void **state)
{
	struct subject s;

	(void)state;
	begin(&s);
	s.map = rig_map(&s.rig, BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 4, 0);
	VERIFY(&s, LDX(BPF_W, 6, 1, 0), LDX(BPF_W, 3, 1, 4), MOVX(4, 6), ALU64_K(BPF_ADD, 4, 14),
	       MOV(0, 2), JMP_X(BPF_JGT, 4, 3, 2), CALL_FN(2), LDX(BPF_H, 0, 6, 6), EXIT_INSN,
	       LD_IMM64(2, 0, 0), MOV(3, 0), CALL_HELPER(BPF_FUNC_tail_call), EXIT_INSN);
	assert_int_equal(s.result.verdict, XL_VERIFY_REFUSED);
	assert_string_equal(s.result.msg, "R6 invalid mem access 'scalar'");
	end(&s);
}

static void a_refused_program_has_none(void **state)
{
	struct subject s;

	(void)state;
	begin(&s);
	VERIFY(&s, LDX(BPF_W, 2, 1, 0), LDX(BPF_W, 0, 2, 0), EXIT_INSN);
	assert_int_equal(s.result.verdict, XL_VERIFY_REFUSED);
	assert_null(s.result.facts);
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_join_has_what_all_paths_bring),
		cmocka_unit_test(kinds_that_differ_are_unknown),
		cmocka_unit_test(dead_registers_have_no_fact),
		cmocka_unit_test(a_jump_that_is_decided_goes_one_way),
		cmocka_unit_test(packet_pointers_tell_their_offset_and_room),
		cmocka_unit_test(a_value_is_not_null_once_it_was_checked),
		cmocka_unit_test(a_key_of_zeros_is_a_constant_anywhere),
		cmocka_unit_test(a_key_that_changes_is_no_constant),
		cmocka_unit_test(a_counter_has_all_rounds_of_its_loop),
		cmocka_unit_test(a_function_has_facts_of_all_its_calls),
		cmocka_unit_test(a_tail_call_that_misses_has_done_nothing),
		cmocka_unit_test(a_tail_call_in_a_function_may_have_changed_the_packet),
		cmocka_unit_test(a_refused_program_has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
