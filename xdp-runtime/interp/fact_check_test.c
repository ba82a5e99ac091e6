/* The test of facts finds what is wrong: true facts hold, and each kind of lie is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "xdp-runtime/interp/fact_check.h"
#include "xdp-runtime/interp/interp_test_rig.h"
#include "xdp-runtime/verifier/verify.h"

/* Reads a byte of the packet where it has 14, and counts to 10 on the stack. */
static const struct bpf_insn program[] = {
	LDX(BPF_W, 2, 1, 0),
	LDX(BPF_W, 3, 1, 4),
	MOVX(4, 2),
	ALU64_K(BPF_ADD, 4, 14),
	MOV(0, 2),
	JMP_X(BPF_JGT, 4, 3, 7),
	LDX(BPF_B, 0, 2, 13),
	ST(BPF_DW, 10, -8, 0),
	LDX(BPF_DW, 5, 10, -8),
	ALU64_K(BPF_ADD, 5, 1),
	STX(BPF_DW, 10, -8, 5),
	JMP_K(BPF_JLT, 5, 10, -4),
	JMP_K(BPF_JEQ, 5, 11, 1),
	EXIT_INSN,
	EXIT_INSN,
};
#define N_INSNS (sizeof(program) / sizeof(program[0]))

struct subject {
	struct rig rig;
	struct xl_prog prog;
	struct xl_facts *facts;
	struct xl_fact_check check;
};

static int setup(void **state)
{
	const struct xl_verify_opts opts = { .insn_limit = XL_VERIFY_LIMIT, .facts = true };
	struct subject *s = calloc(1, sizeof(*s));
	struct xl_verify_result result;

	assert_non_null(s);
	rig_init(&s->rig);
	assert_int_equal(rig_load(&s->rig, &s->prog, program, N_INSNS), 0);
	s->prog.insns_loaded = s->prog.insns;
	assert_int_equal(xl_verify(&s->prog, &opts, &result), 0);
	assert_int_equal(result.verdict, XL_VERIFY_ACCEPTED);
	s->facts = s->prog.facts = result.facts;
	s->rig.run.check = &s->check;
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct subject *s = *state;

	xl_facts_free(s->facts);
	rig_unload(&s->prog);
	rig_fini(&s->rig);
	free(s);
	return 0;
}

static struct xl_verdict run(struct subject *s, uint32_t len)
{
	static const uint8_t packet[64] = { 0 };

	return rig_run(&s->rig, &s->prog, packet, len);
}

static void true_facts_hold(void **state)
{
	struct subject *s = *state;

	assert_int_equal(run(s, 60).retval, 0);
	assert_int_equal(run(s, 13).retval, 2);
	assert_in_range(s->check.n_facts, 50, 1000);
	assert_int_equal(s->check.n_wrong, 0);
	assert_string_equal(s->check.first_wrong, "");
}

static void watching_counts_instructions_as_ever(void **state)
{
	struct subject *s = *state;
	uint64_t n;

	run(s, 60);
	n = s->rig.run.n_insns;
	s->rig.run.check = NULL;
	run(s, 60);
	assert_int_equal(s->rig.run.n_insns, n);
	s->rig.run.check = &s->check;
	s->rig.run.insn_limit = 12;
	assert_true(run(s, 60).faulted);
	assert_int_equal(s->rig.run.fault.kind, XL_FAULT_INSN_LIMIT);
	assert_int_equal(s->rig.run.n_insns, 12);
}

static void finds(struct subject *s, const char *words)
{
	run(s, 60);
	assert_true(s->check.n_wrong);
	if (!strstr(s->check.first_wrong, words))
		fail_msg("'%s' does not say '%s'", s->check.first_wrong, words);
}

static void a_number_out_of_its_range_is_found(void **state)
{
	struct subject *s = *state;

	assert_int_equal(s->facts->insn[11].reg[5].kind, XL_FACT_SCALAR);
	xl_scalar_const(&s->facts->insn[11].reg[5].value, 1);
	finds(s, "insn 11 of test: r5 is no scalar as known: 0x2");
}

static void a_pointer_at_another_offset_is_found(void **state)
{
	struct subject *s = *state;

	xl_scalar_const(&s->facts->insn[5].reg[4].value, 15);
	finds(s, "insn 5 of test: r4 is no pkt");
}

static void room_that_is_not_there_is_found(void **state)
{
	struct subject *s = *state;

	s->facts->insn[6].reg[2].room = 61;
	finds(s, "insn 6 of test: r2 is no pkt");
}

static void another_kind_is_found(void **state)
{
	struct subject *s = *state;

	s->facts->insn[2].reg[3].kind = XL_FACT_STACK;
	finds(s, "insn 2 of test: r3 is no stack");
}

static void an_instruction_that_is_reached_is_found(void **state)
{
	struct subject *s = *state;

	s->facts->insn[6].reached = false;
	finds(s, "insn 6 of test: it is reached");
}

static void a_jump_that_goes_the_other_way_is_found(void **state)
{
	struct subject *s = *state;

	assert_int_equal(s->facts->insn[5].ways, XL_FACT_FALLS | XL_FACT_JUMPS);
	s->facts->insn[5].ways = XL_FACT_JUMPS;
	finds(s, "insn 5 of test: the jump goes the other way");
}

static void a_base_that_is_no_context_is_found(void **state)
{
	struct subject *s = *state;

	s->facts->insn[6].base = XL_FACT_CTX;
	finds(s, "insn 6 of test: base is ctx");
}

int main(void)
{
#define CLAIM(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CLAIM(true_facts_hold),
		CLAIM(watching_counts_instructions_as_ever),
		CLAIM(a_number_out_of_its_range_is_found),
		CLAIM(a_pointer_at_another_offset_is_found),
		CLAIM(room_that_is_not_there_is_found),
		CLAIM(another_kind_is_found),
		CLAIM(an_instruction_that_is_reached_is_found),
		CLAIM(a_jump_that_goes_the_other_way_is_found),
		CLAIM(a_base_that_is_no_context_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
