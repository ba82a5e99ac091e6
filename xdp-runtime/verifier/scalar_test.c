/* Claims about scalars of 64 bits: random ones around a number that they must not lose, the laws
 * of arithmetic, and what programs commonly do. All numbers of small widths are tried in
 * scalar_model_test.c. */
#include "xdp-runtime/verifier/scalar_test_eval.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static uint64_t random_state = 88172645463325252ULL;

static uint64_t random_u64(void)
{
	/* xorshift64* (Vigna 2016) */
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * UINT64_C(2685821657736338717);
}

/* Of any length, and often near to where a sign or a half changes. */
static uint64_t random_number(void)
{
	static const uint64_t edges[] = { 0,	      INT32_MAX, UINT32_MAX, INT64_MAX,
					  UINT64_MAX, 1 << 31,	 64,	     0xffff };
	const uint64_t r = random_u64();

	if (r & 1)
		return random_u64() >> (r >> 8 & 63);
	if (r & 2)
		return -(random_u64() >> (r >> 8 & 63));
	return edges[r >> 2 & 7] + (r >> 5 & 7) - 4;
}

/* Some scalar with @x in it. */
static void random_around(struct xl_scalar *s, uint64_t x)
{
	const uint64_t r = random_u64();
	const uint64_t below = random_number(), above = random_number();

	xl_scalar_unknown(s);
	if (r & 1) {
		s->umin = below <= x ? x - below : 0;
		s->umax = above <= UINT64_MAX - x ? x + above : UINT64_MAX;
	}
	if ((r & 2) && below >> 62 == 0 && above >> 62 == 0) {
		s->smin = (int64_t)x >= 0 ? (int64_t)(x - below) : INT64_MIN;
		s->smax = (int64_t)x < 0 ? (int64_t)(x + above) : INT64_MAX;
	}
	if (r & 4) {
		s->u32_min = (uint32_t)x / 2;
		s->u32_max = (uint32_t)x + (~(uint32_t)x >> (r >> 8 & 31));
	}
	if (r & 8) {
		s->s32_min = (int32_t)x < 0 ? (int32_t)x : -(int32_t)(r >> 40);
		s->s32_max = (int32_t)x < 0 ? (int32_t)(r >> 40) : (int32_t)x;
	}
	if (r & 16) {
		s->bits.mask = r & 32 ? below : below & above & r;
		s->bits.value = x & ~s->bits.mask;
	}
	if ((r >> 48) % 8 == 0)
		xl_scalar_const(s, x);
	assert_true(xl_scalar_contains(s, x));
	assert_true(xl_scalar_sync(s));
	assert_true(xl_scalar_contains(s, x));
}

static void chains_of_instructions_keep_the_number(void **state)
{
	for (int i = 0; i < 60000; i++) {
		uint64_t x = random_number();
		struct xl_scalar a, b;

		random_around(&a, x);
		for (int n = 0; n < 6; n++) {
			const uint64_t r = random_u64(), y = random_number();
			const struct eval_op *alu = &alu_ops[r % N_ALU_OPS];
			const struct eval_op *jump = &jump_ops[(r >> 8) % N_JUMP_OPS];
			const bool is64 = r >> 16 & 1, taken = eval_jump(jump->op, is64, x, y);

			random_around(&b, y);
			assert_int_not_equal(xl_scalar_decided(jump->op, is64, &a, &b), !taken);
			assert_true(xl_scalar_refine(jump->op, is64, taken, &a, &b));
			assert_true(xl_scalar_contains(&a, x));
			assert_true(xl_scalar_contains(&b, y));
			xl_scalar_alu(alu->op, alu->off, is64, &a, &b);
			x = eval_alu(alu, is64, x, y);
			assert_true(xl_scalar_contains(&a, x));
		}
	}
}

static void changes_of_width_keep_the_number(void **state)
{
	static const unsigned bytes[] = { 1, 2, 4, 8 };

	for (int i = 0; i < 40000; i++) {
		const uint64_t x = random_number();
		const unsigned n = bytes[i & 3], bits = n * 8;
		struct xl_scalar s, t;

		random_around(&s, x);
		t = s;
		xl_scalar_truncate(&t, n);
		assert_true(xl_scalar_contains(&t, x & xl_low_mask(bits)));
		t = s;
		xl_scalar_sign_extend(&t, n);
		assert_true(xl_scalar_contains(&t, (uint64_t)xl_signed(x, bits)));
		if (n == 1)
			continue;
		t = s;
		xl_scalar_swap(BPF_ALU64 | BPF_END, bits, &t);
		assert_true(xl_scalar_contains(&t, __builtin_bswap64(x) >> (64 - bits)));
		t = s;
		xl_scalar_swap(BPF_ALU | BPF_END | BPF_TO_BE, bits, &t);
		assert_true(xl_scalar_contains(&t, __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
							   ? x & xl_low_mask(bits)
							   : __builtin_bswap64(x) >> (64 - bits)));
	}
}

static void assert_same(const struct xl_scalar *a, const struct xl_scalar *b)
{
	assert_true(xl_scalar_within(a, b));
	assert_true(xl_scalar_within(b, a));
}

static void what_commutes_commutes(void **state)
{
	static const uint8_t ops[] = { BPF_ADD, BPF_MUL, BPF_AND, BPF_OR, BPF_XOR };

	for (int i = 0; i < 20000; i++) {
		struct xl_scalar a, b, ab, ba;

		random_around(&a, random_number());
		random_around(&b, random_number());
		for (unsigned n = 0; n < sizeof(ops); n++) {
			ab = a;
			ba = b;
			xl_scalar_alu(ops[n], 0, i & 1, &ab, &b);
			xl_scalar_alu(ops[n], 0, i & 1, &ba, &a);
			assert_same(&ab, &ba);
		}
	}
}

static void neutral_elements_change_nothing(void **state)
{
	static const struct {
		uint8_t op;
		uint64_t neutral;
	} ops[] = {
		{ BPF_ADD, 0 }, { BPF_SUB, 0 },		 { BPF_MUL, 1 },  { BPF_OR, 0 },
		{ BPF_XOR, 0 }, { BPF_AND, UINT64_MAX }, { BPF_LSH, 64 },
	};

	for (int i = 0; i < 20000; i++) {
		struct xl_scalar a, c, t;

		random_around(&a, random_number());
		for (unsigned n = 0; n < sizeof(ops) / sizeof(*ops); n++) {
			t = a;
			xl_scalar_const(&c, ops[n].neutral);
			xl_scalar_alu(ops[n].op, 0, true, &t, &c);
			assert_same(&t, &a);
		}
		t = a;
		xl_scalar_alu(BPF_NEG, 0, true, &t, NULL);
		xl_scalar_alu(BPF_NEG, 0, true, &t, NULL);
		assert_true(xl_scalar_within(&a, &t));
		xl_scalar_truncate(&a, 4);
		t = a;
		xl_scalar_alu(BPF_MOV, 0, false, &t, &a);
		assert_same(&t, &a);
	}
}

static void a_jump_and_its_negation_agree(void **state)
{
	static const uint8_t pairs[][2] = {
		{ BPF_JEQ, BPF_JNE },	{ BPF_JLT, BPF_JGE },	{ BPF_JLE, BPF_JGT },
		{ BPF_JSLT, BPF_JSGE }, { BPF_JSLE, BPF_JSGT },
	};

	for (int i = 0; i < 40000; i++) {
		const uint8_t *pair = pairs[i % 5];
		struct xl_scalar a, b, c, d;
		int one, other;

		random_around(&a, random_number());
		random_around(&b, random_number());
		one = xl_scalar_decided(pair[0], i & 1, &a, &b);
		other = xl_scalar_decided(pair[1], i & 1, &a, &b);
		assert_int_equal(one, other < 0 ? -1 : !other);
		c = a;
		d = b;
		if (!xl_scalar_refine(pair[0], i & 1, true, &a, &b)) {
			assert_false(xl_scalar_refine(pair[1], i & 1, false, &c, &d));
			continue;
		}
		assert_true(xl_scalar_refine(pair[1], i & 1, false, &c, &d));
		assert_same(&a, &c);
		assert_same(&b, &d);
	}
}

/* However the numbers come, a widened scalar stops growing soon. */
static void a_widening_comes_to_rest(void **state)
{
	for (int i = 0; i < 300; i++) {
		struct xl_scalar s, next, before;
		int n_changes = 0;

		random_around(&s, random_number());
		for (int n = 0; n < 500; n++) {
			random_around(&next, random_number());
			before = s;
			xl_scalar_widen(&s, &next);
			assert_true(xl_scalar_within(&before, &s));
			assert_true(xl_scalar_within(&next, &s));
			n_changes += !xl_scalar_within(&s, &before);
		}
		assert_in_range(n_changes, 0, 128);
	}
}

static void apply(struct xl_scalar *s, uint8_t op, bool is64, uint64_t imm)
{
	struct xl_scalar c;

	xl_scalar_const(&c, imm);
	xl_scalar_alu(op, 0, is64, s, &c);
}

static bool after(struct xl_scalar *s, uint8_t op, bool is64, bool taken, uint64_t imm)
{
	struct xl_scalar c;

	xl_scalar_const(&c, imm);
	return xl_scalar_refine(op, is64, taken, s, &c);
}

/* The length of an IPv4 header: (byte & 15) << 2. */
static void a_masked_and_shifted_byte_is_a_length(void **state)
{
	struct xl_scalar s;

	xl_scalar_unknown(&s);
	xl_scalar_truncate(&s, 1);
	assert_int_equal(s.umax, 255);
	apply(&s, BPF_AND, true, 15);
	apply(&s, BPF_LSH, true, 2);
	assert_int_equal(s.umax, 60);
	assert_int_equal(s.smin, 0);
	assert_int_equal(s.bits.mask, 60);
	assert_true(after(&s, BPF_JLT, true, false, 20));
	assert_int_equal(s.umin, 20);
	apply(&s, BPF_SUB, true, 20);
	assert_int_equal(s.umax, 40);
	assert_false(after(&s, BPF_JEQ, true, true, 41));
}

static void a_32_bit_check_bounds_a_zero_extended_number(void **state)
{
	struct xl_scalar s;

	xl_scalar_unknown(&s);
	assert_true(after(&s, BPF_JLT, false, true, 10));
	assert_int_equal(s.u32_max, 9);
	assert_int_equal(s.umax, (UINT64_MAX << 32) | 9);
	apply(&s, BPF_ADD, false, 1);
	assert_int_equal(s.umin, 1);
	assert_int_equal(s.umax, 10);
}

static void two_signed_checks_give_an_unsigned_bound(void **state)
{
	struct xl_scalar s;

	xl_scalar_unknown(&s);
	assert_true(after(&s, BPF_JSGT, true, true, UINT64_MAX));
	assert_true(after(&s, BPF_JSLE, true, true, 1500));
	assert_int_equal(s.umin, 0);
	assert_int_equal(s.umax, 1500);
	assert_int_equal(s.bits.mask, 2047);
}

/* The compiler's (x << 32) s>> 32 is the sign of the low half. */
static void a_pair_of_shifts_extends_the_sign(void **state)
{
	struct xl_scalar s;

	xl_scalar_unknown(&s);
	assert_true(after(&s, BPF_JSGT, false, true, (uint64_t)-9));
	assert_true(after(&s, BPF_JSLT, false, true, 7));
	apply(&s, BPF_LSH, true, 32);
	apply(&s, BPF_ARSH, true, 32);
	assert_int_equal(s.smin, -8);
	assert_int_equal(s.smax, 6);
}

static void a_remainder_is_below_its_divisor(void **state)
{
	struct xl_scalar s;

	xl_scalar_unknown(&s);
	apply(&s, BPF_MOD, true, 10);
	assert_int_equal(s.umax, 9);
	apply(&s, BPF_MUL, true, 4);
	assert_int_equal(s.umax, 36);
	assert_int_equal(s.bits.mask & 3, 0);
	apply(&s, BPF_DIV, true, 0);
	assert_true(xl_scalar_is_const(&s));
	assert_int_equal(s.umax, 0);
}

static void a_bit_that_was_tested_is_known(void **state)
{
	struct xl_scalar s;

	xl_scalar_unknown(&s);
	assert_true(after(&s, BPF_JSET, true, true, 8));
	assert_int_equal(s.bits.value, 8);
	assert_true(after(&s, BPF_JSET, true, false, 7));
	assert_int_equal(s.bits.mask, ~UINT64_C(15));
	assert_false(after(&s, BPF_JSET, true, false, 8));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chains_of_instructions_keep_the_number),
		cmocka_unit_test(changes_of_width_keep_the_number),
		cmocka_unit_test(what_commutes_commutes),
		cmocka_unit_test(neutral_elements_change_nothing),
		cmocka_unit_test(a_jump_and_its_negation_agree),
		cmocka_unit_test(a_widening_comes_to_rest),
		cmocka_unit_test(a_masked_and_shifted_byte_is_a_length),
		cmocka_unit_test(a_32_bit_check_bounds_a_zero_extended_number),
		cmocka_unit_test(two_signed_checks_give_an_unsigned_bound),
		cmocka_unit_test(a_pair_of_shifts_extends_the_sign),
		cmocka_unit_test(a_remainder_is_below_its_divisor),
		cmocka_unit_test(a_bit_that_was_tested_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
