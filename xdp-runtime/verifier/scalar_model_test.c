/* Claims about scalars of 4 and 8 bits, where all members can be tried.
 *
 * The sources are compiled for the small width into this test (see meson.build). A set of numbers
 * has a best scalar; the sets that some scalar stands for exactly are found by taking the best
 * scalar of each set. With 4 bits these are all there are; with 8 bits a sample. For each
 * operation on two of them the members' results are computed one by one: that all are in the
 * result is soundness, how often the result is the best scalar is precision, and must not fall.
 */
#include "xdp-runtime/verifier/scalar_test_eval.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define N_NUMBERS  (1U << XL_SCALAR_WIDTH)
#define SET_WORDS  ((N_NUMBERS + 63) / 64)
#define VALUES_MAX 20000
/* Pairs per value: each with so many of the others. */
#define N_PARTNERS (XL_SCALAR_WIDTH == 4 ? 6 : 12)
#define N_SAMPLED  300

struct set {
	uint64_t word[SET_WORDS];
};

struct value {
	struct xl_scalar scalar;
	struct set set;
};

static struct value values[VALUES_MAX];
static unsigned n_values;

static uint64_t random_state = 1;

static uint64_t random_u64(void)
{
	/* xorshift64* (Vigna 2016) */
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * UINT64_C(2685821657736338717);
}

static bool has(const struct set *s, unsigned x)
{
	return s->word[x / 64] >> (x % 64) & 1;
}

static void put(struct set *s, uint64_t x)
{
	s->word[x / 64] |= UINT64_C(1) << (x % 64);
}

static bool is_empty(const struct set *s)
{
	uint64_t all = 0;

	for (unsigned i = 0; i < SET_WORDS; i++)
		all |= s->word[i];
	return !all;
}

static bool is_subset(const struct set *a, const struct set *b)
{
	uint64_t outside = 0;

	for (unsigned i = 0; i < SET_WORDS; i++)
		outside |= a->word[i] & ~b->word[i];
	return !outside;
}

static bool is_same(const struct set *a, const struct set *b)
{
	return !memcmp(a, b, sizeof(*a));
}

static void members(const struct xl_scalar *s, struct set *out)
{
	memset(out, 0, sizeof(*out));
	for (unsigned x = 0; x < N_NUMBERS; x++)
		if (xl_scalar_contains(s, x))
			put(out, x);
}

#define LEAST(a, b) ((a) = (b) < (a) ? (b) : (a))
#define MOST(a, b)  ((a) = (b) > (a) ? (b) : (a))

/* The best scalar with all of @set, which is not empty. */
static void best(const struct set *set, struct xl_scalar *out)
{
	struct xl_scalar one;
	bool first = true;

	for (unsigned x = 0; x < N_NUMBERS; x++) {
		if (!has(set, x))
			continue;
		xl_scalar_const(&one, x);
		if (first)
			*out = one;
		first = false;
		out->bits = xl_tnum_join(out->bits, one.bits);
		LEAST(out->umin, one.umin);
		MOST(out->umax, one.umax);
		LEAST(out->smin, one.smin);
		MOST(out->smax, one.smax);
		LEAST(out->u32_min, one.u32_min);
		MOST(out->u32_max, one.u32_max);
		LEAST(out->s32_min, one.s32_min);
		MOST(out->s32_max, one.s32_max);
	}
}

/* Appends the value that is best for @set, unless it is there. */
static void add_value(const struct set *set)
{
	struct value *v = &values[n_values];

	best(set, &v->scalar);
	members(&v->scalar, &v->set);
	for (unsigned i = 0; i < n_values; i++)
		if (is_same(&values[i].set, &v->set))
			return;
	assert_true(++n_values < VALUES_MAX);
}

/* A set of the kind that programs make: a range, a mask, signed or not, or a part of one. */
static void sample_set(struct set *out)
{
	const uint64_t mask = N_NUMBERS - 1;
	const uint64_t shape = random_u64();
	const uint64_t lo = random_u64() & mask, len = random_u64() & (mask >> (shape & 7));
	const uint64_t fixed = shape & 8 ? random_u64() & random_u64() & mask : 0;
	const uint64_t to = shape & 16 ? mask : mask >> (XL_SCALAR_WIDTH / 2);

	memset(out, 0, sizeof(*out));
	for (uint64_t i = 0; i <= len; i++) {
		const uint64_t x = lo + i;

		if (!((x ^ lo) & fixed))
			put(out, x & to);
	}
}

static int make_values(void **state)
{
	struct set set;

	if (XL_SCALAR_WIDTH > 4) {
		for (unsigned x = 0; x < N_NUMBERS; x += 5) {
			memset(&set, 0, sizeof(set));
			put(&set, x);
			add_value(&set);
		}
		memset(&set, 0xff, sizeof(set));
		add_value(&set);
		while (n_values < N_SAMPLED) {
			sample_set(&set);
			add_value(&set);
		}
		return 0;
	}
	/* A value is found at the set that equals its members. */
	for (unsigned bits = 1; bits < 1U << 16; bits++) {
		struct value *v = &values[n_values];

		memset(&v->set, 0, sizeof(v->set));
		v->set.word[0] = bits;
		best(&v->set, &v->scalar);
		members(&v->scalar, &set);
		n_values += is_same(&set, &v->set);
		assert_true(n_values < VALUES_MAX);
	}
	return 0;
}

/* How often a result was the best there is. */
struct score {
	unsigned n, n_best;
};

/* @s must have all of @wanted; counts whether it is the best that has. */
static void judge(const struct xl_scalar *s, const struct set *wanted, struct score *score)
{
	struct xl_scalar ideal, again = *s;
	struct set got, ideal_got;

	members(s, &got);
	assert_true(is_subset(wanted, &got));
	best(wanted, &ideal);
	members(&ideal, &ideal_got);
	score->n++;
	score->n_best += is_same(&got, &ideal_got);
	/* Results are synced. */
	assert_true(xl_scalar_sync(&again));
	assert_true(xl_scalar_within(s, &again));
}

static void report(const char *name, bool is64, const struct score *score, unsigned least_permille)
{
	const unsigned permille = score->n ? score->n_best * UINT64_C(1000) / score->n : 1000;

	if (permille < least_permille || getenv("XL_SCALAR_SCORES"))
		print_message("%-8s%s best %4u of 1000, at least %u\n", name, is64 ? "64" : "32",
			      permille, least_permille);
	assert_true(permille >= least_permille);
}

/* The @i-th partner of value @v: constants first, then any. */
static const struct value *partner(unsigned v, unsigned i)
{
	return &values[(v * 7919ULL + i * 104729ULL + (random_u64() & 7)) % n_values];
}

static void sync_finds_the_best_parts(void **state)
{
	struct score score = { 0 };

	for (unsigned i = 0; i < 100000; i++) {
		const struct value *a = &values[random_u64() % n_values];
		const struct value *b = &values[random_u64() % n_values];
		struct xl_scalar s = a->scalar;
		struct set both = a->set, got;

		/* Any part from the one or the other. */
		if (i & 1)
			s.bits = b->scalar.bits;
		if (i & 2) {
			s.umin = b->scalar.umin;
			s.umax = b->scalar.umax;
		}
		if (i & 4) {
			s.smin = b->scalar.smin;
			s.smax = b->scalar.smax;
		}
		if (i & 8) {
			s.u32_min = b->scalar.u32_min;
			s.u32_max = b->scalar.u32_max;
		}
		if (i & 16) {
			s.s32_min = b->scalar.s32_min;
			s.s32_max = b->scalar.s32_max;
		}
		members(&s, &both);
		if (!xl_scalar_sync(&s)) {
			assert_true(is_empty(&both));
			continue;
		}
		members(&s, &got);
		assert_true(is_same(&got, &both));
		if (is_empty(&both))
			score.n++;
		else
			judge(&s, &both, &score);
	}
	report("sync", true, &score, XL_SCALAR_WIDTH == 4 ? 900 : 900);
}

static void results_of_members_are_members_of_results(void **state)
{
	static uint8_t table[N_NUMBERS][N_NUMBERS];

	for (unsigned o = 0; o < 2 * N_ALU_OPS; o++) {
		const struct eval_op *op = &alu_ops[o / 2];
		const bool is64 = o % 2, is_unary = op->op == BPF_MOV || op->op == BPF_NEG;
		struct score score = { 0 };

		if (op->off > 1 && op->off * XL_SCALAR_WIDTH / 64 == 0)
			continue;
		for (unsigned x = 0; x < N_NUMBERS; x++)
			for (unsigned y = 0; y < N_NUMBERS; y++)
				table[x][y] = (uint8_t)eval_alu(op, is64, x, y);
		for (unsigned v = 0; v < n_values; v++) {
			for (unsigned i = 0; i < (is_unary ? 1 : N_PARTNERS); i++) {
				const struct value *a = &values[v];
				const struct value *b = is_unary ? a : partner(v, i);
				struct xl_scalar dst = a->scalar;
				struct set image = { 0 };

				for (unsigned x = 0; x < N_NUMBERS; x++)
					for (unsigned y = 0; has(&a->set, x) && y < N_NUMBERS; y++)
						if (has(&b->set, y) && (!is_unary || x == y))
							put(&image, table[x][y]);
				xl_scalar_alu(op->op, op->off, is64, &dst, &b->scalar);
				judge(&dst, &image, &score);
			}
		}
		report(op->name, is64, &score, 0);
	}
}

static void jumps_narrow_both_sides_and_lose_no_member(void **state)
{
	for (unsigned o = 0; o < 4 * N_JUMP_OPS; o++) {
		const struct eval_op *op = &jump_ops[o / 4];
		const bool is64 = o % 2, taken = o / 2 % 2;
		struct score score = { 0 }, dead = { 0 };

		for (unsigned v = 0; v < n_values; v++) {
			for (unsigned i = 0; i < N_PARTNERS; i++) {
				const struct value *a = &values[v], *b = partner(v, i);
				struct xl_scalar x = a->scalar, y = b->scalar;
				struct set left = { 0 }, right = { 0 };
				const int decided = xl_scalar_decided(op->op, is64, &x, &y);
				bool alive;

				for (unsigned m = 0; m < N_NUMBERS; m++) {
					for (unsigned n = 0; has(&a->set, m) && n < N_NUMBERS;
					     n++) {
						if (!has(&b->set, n) ||
						    eval_jump(op->op, is64, m, n) != taken)
							continue;
						put(&left, m);
						put(&right, n);
					}
				}
				alive = xl_scalar_refine(op->op, is64, taken, &x, &y);
				if (is_empty(&left)) {
					dead.n++;
					dead.n_best += decided == !taken;
					assert_true(decided != taken);
				} else {
					assert_true(alive);
					assert_true(decided != !taken);
					judge(&x, &left, &score);
					judge(&y, &right, &score);
				}
			}
		}
		report(taken ? op->name : "not", is64, &score, 0);
		report("decided", is64, &dead, 0);
	}
}

static void a_join_has_both_and_a_widening_too(void **state)
{
	struct score score = { 0 }, widened = { 0 };

	for (unsigned v = 0; v < n_values; v++) {
		for (unsigned i = 0; i < N_PARTNERS; i++) {
			const struct value *a = &values[v], *b = partner(v, i);
			struct xl_scalar s = a->scalar, w = a->scalar;
			struct set both, got;

			for (unsigned n = 0; n < SET_WORDS; n++)
				both.word[n] = a->set.word[n] | b->set.word[n];
			xl_scalar_join(&s, &b->scalar);
			judge(&s, &both, &score);
			assert_true(xl_scalar_within(&a->scalar, &s));
			assert_true(xl_scalar_within(&b->scalar, &s));
			assert_int_equal(xl_scalar_within(&a->scalar, &b->scalar),
					 is_subset(&a->set, &b->set));
			xl_scalar_widen(&w, &b->scalar);
			assert_true(xl_scalar_within(&a->scalar, &w));
			assert_true(xl_scalar_within(&b->scalar, &w));
			members(&w, &got);
			assert_true(is_subset(&both, &got));
			assert_true(xl_scalar_sync(&w));
			widened.n++;
		}
	}
	report("join", true, &score, 1000);
}

static void changes_of_width_keep_all_members(void **state)
{
	static const unsigned bytes[] = { 1, 2, 4, 8 };
	struct score truncated = { 0 }, extended = { 0 }, swapped = { 0 };

	if (XL_SCALAR_WIDTH < 8)
		return;
	for (unsigned v = 0; v < n_values; v++) {
		for (unsigned i = 0; i < 4; i++) {
			const unsigned bits = bytes[i] * XL_SCALAR_WIDTH / 8;
			struct xl_scalar t = values[v].scalar, e = t, s = t, le = t;
			struct set low = { 0 }, sign = { 0 }, turned = { 0 };

			for (unsigned x = 0; x < N_NUMBERS; x++) {
				unsigned reverse = 0;

				if (!has(&values[v].set, x))
					continue;
				put(&low, x & xl_low_mask(bits));
				put(&sign, (uint64_t)xl_signed(x, bits) & (N_NUMBERS - 1));
				/* A byte of this model is a bit. */
				for (unsigned n = 0; n < bits; n++)
					reverse |= (x >> n & 1) << (bits - 1 - n);
				put(&turned, reverse);
			}
			xl_scalar_truncate(&t, bytes[i]);
			judge(&t, &low, &truncated);
			xl_scalar_sign_extend(&e, bytes[i]);
			judge(&e, &sign, &extended);
			if (bytes[i] == 1)
				continue;
			xl_scalar_swap(BPF_ALU64 | BPF_END, bytes[i] * 8, &s);
			judge(&s, &turned, &swapped);
			xl_scalar_swap(BPF_ALU | BPF_END |
					       (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? BPF_TO_BE
										       : BPF_TO_LE),
				       bytes[i] * 8, &le);
			assert_memory_equal(&le, &t, sizeof(t));
		}
	}
	report("truncate", true, &truncated, 0);
	report("extend", true, &extended, 0);
	report("swap", true, &swapped, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sync_finds_the_best_parts),
		cmocka_unit_test(results_of_members_are_members_of_results),
		cmocka_unit_test(jumps_narrow_both_sides_and_lose_no_member),
		cmocka_unit_test(a_join_has_both_and_a_widening_too),
		cmocka_unit_test(changes_of_width_keep_all_members),
	};

	return cmocka_run_group_tests(tests, make_values, NULL);
}
