/* Claims about formatted text, decided by the running kernel: random formats from good and bad
 * pieces give the same length or errno, and the same text where addresses do not show. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/kernel_bpf.h"
#include "xdp-runtime/helpers/helper_calls_test.h"

#define ARGS_OFF    0 /* of the 12 arguments, in io */
#define FORMAT_OFF  256
#define FORMAT_SIZE 512
#define OUT_OFF	    1024
#define OUT_SIZE    1024
#define STRINGS_OFF 2560 /* of what %s and %pI4 are given */
#define ARGS_MAX    12

static struct xt_state in;

/* What a piece of a format takes. */
enum takes {
	NOTHING,
	NUMBER,
	HIDDEN, /* an address that the kernel does not show */
	ADDRESS /* of a string or an IP address */
};

struct piece {
	const char *text;
	enum takes takes;
	bool in_passing; /* formatted while packing; see next_piece() */
};

static const struct piece good[] = {
	{ "%d", NUMBER },
	{ "%i", NUMBER },
	{ "%u", NUMBER },
	{ "%x", NUMBER },
	{ "%X", NUMBER },
	{ "%ld", NUMBER },
	{ "%lu", NUMBER },
	{ "%lx", NUMBER },
	{ "%lld", NUMBER },
	{ "%llu", NUMBER },
	{ "%llX", NUMBER },
	{ "%5d", NUMBER },
	{ "%-5d|", NUMBER },
	{ "%05d", NUMBER },
	{ "%+d", NUMBER },
	{ "% d", NUMBER },
	{ "%+05d", NUMBER },
	{ "% 05lld", NUMBER },
	{ "%-05d|", NUMBER },
	{ "%+ u", NUMBER },
	{ "%020llx", NUMBER },
	{ "%20x", NUMBER },
	{ "%c", NUMBER },
	{ "%5c", NUMBER },
	{ "%-5c|", NUMBER },
	{ "%05c", NUMBER },
	{ "%s", ADDRESS },
	{ "%10s", ADDRESS },
	{ "%-10s|", ADDRESS },
	{ "%010s", ADDRESS },
	{ "%%", NOTHING },
	{ "%pI4", ADDRESS, true },
	{ "%pi4", ADDRESS, true },
	{ "%pI6", ADDRESS, true },
	{ "%pi6", ADDRESS, true },
	{ "%pI6c", ADDRESS, true },
	{ "%pI4abc", ADDRESS, true },
	{ "%20pI4", ADDRESS, true },
	{ "%pks", ADDRESS, true },
	{ "%30pks", ADDRESS, true },
	{ "%p", HIDDEN },
	{ "%pK", HIDDEN },
	{ "%20p.", HIDDEN },
	{ "%-20p|", HIDDEN },
	{ "%px", NUMBER },
	{ "%20px", NUMBER },
	{ "%-20px|", NUMBER },
	{ "%px12", NUMBER },
	{ "%pS", NUMBER },
	{ "%ps", NUMBER },
	{ "%30ps", NUMBER },
	{ "%-30pS|", NUMBER },
	{ "%pB", NUMBER, true },
	{ "%30pB", NUMBER, true },
	{ "%pSR", NUMBER },
	{ "words ", NOTHING },
	{ ", ", NOTHING },
	{ "\t\n", NOTHING },
	{ "~", NOTHING },
	{ "5000", NOTHING },
	{ "%40d", NUMBER },
	{ "%400s", ADDRESS },
};
static const struct piece bad[] = {
	{ "%!", NOTHING },	{ "%z", NUMBER },	 { "%hd", NUMBER },
	{ "%lc", NUMBER },	{ "%#x", NUMBER },	 { "%.3d", NUMBER },
	{ "%*d", NUMBER },	{ "%sabc", ADDRESS },	 { "%pM", ADDRESS },
	{ "%pI5", ADDRESS },	{ "%pksx", ADDRESS },	 { "%n", ADDRESS },
	{ "%f", NUMBER },	{ "%ll", NUMBER },	 { "\x01", NOTHING },
	{ "\x7f", NOTHING },	{ "%\xc3\xa9", NUMBER }, { "%s\xc3\xa9", ADDRESS },
	{ "%p5", NUMBER },	{ "%lls", ADDRESS },	 { "%5%", NUMBER },
	{ "\x1b[0m", NOTHING }, { "%o", NUMBER },	 { "%pE", ADDRESS },
	{ "%L", NUMBER },	{ "\x80", NOTHING },	 { "\xc3\xa9", NOTHING },
	{ "\xa0", NOTHING },	{ "%s\xa0", ADDRESS },	 { "%s\xbf", ADDRESS },
	{ "%px\xff", NUMBER },	{ "%d\xff", NUMBER },
};
#define N_GOOD (sizeof(good) / sizeof(good[0]))
#define N_BAD  (sizeof(bad) / sizeof(bad[0]))

struct format {
	char text[FORMAT_SIZE];
	struct xt_call calls[XT_CALLS_MAX]; /* that store the arguments */
	uint32_t n_args;
};

static uint64_t number(void)
{
	static const uint64_t some[] = { 0,
					 1,
					 9,
					 10,
					 65,
					 255,
					 INT32_MAX,
					 UINT32_MAX,
					 UINT64_C(1) << 31,
					 INT64_MAX,
					 UINT64_C(1) << 63,
					 UINT64_MAX,
					 (uint64_t)-4096 };
	const uint32_t r = xt_random();

	return r % 4 ? some[r / 4 % (sizeof(some) / sizeof(some[0]))]
		     : ((uint64_t)xt_random() << 32 | xt_random()) & INT64_MAX;
}

static struct xt_arg argument(enum takes takes, bool hide)
{
	static const uint64_t plain[] = { 0, (uint64_t)-1, (uint64_t)-4095 };

	switch (takes) {
	case ADDRESS:
		return xt_random() % 16 ? IO(STRINGS_OFF + xt_random() % 640)
					: IMM(xt_random() % 2);
	case HIDDEN: /* the kernel prints a hash of anything else */
		return IMM(hide ? plain[xt_random() % 3] : number());
	default:
		return IMM(number());
	}
}

/* What a format may hold. */
enum mix {
	ANY,
	SHOWN, /* nothing that the kernel prints at random */
	SHORT /* for short output: once it is full, the kernel misreads the arguments after one that
		 * it formats in passing, and may read what an earlier caller left there */
};

static const struct piece *next_piece(uint32_t bad_percent, enum mix mix)
{
	const struct piece *p;

	do
		p = xt_random() % 100 < bad_percent ? &bad[xt_random() % N_BAD]
						    : &good[xt_random() % N_GOOD];
	while (mix == SHORT && p->in_passing);
	return p;
}

static void make_format(struct format *f, uint32_t n_pieces, uint32_t bad_percent, enum mix mix)
{
	*f = (struct format){ .n_args = 0 };
	for (uint32_t i = 0; i < n_pieces; i++) {
		const struct piece *p = next_piece(bad_percent, mix);

		if (strlen(f->text) + strlen(p->text) >= sizeof(f->text) ||
		    (p->takes != NOTHING && f->n_args == ARGS_MAX))
			break;
		strcat(f->text, p->text);
		if (p->takes == NOTHING)
			continue;
		f->calls[f->n_args] = (struct xt_call){
			XT_STORE, { IO(ARGS_OFF + 8 * f->n_args), argument(p->takes, mix != ANY) }
		};
		f->n_args++;
	}
}

/* Strings of letters with a NUL now and then, and stretches without any. */
static void fill_strings(void)
{
	memset(in.io, 0, sizeof(in.io));
	for (uint32_t i = STRINGS_OFF; i < XT_IO_SIZE - 1; i++)
		in.io[i] = xt_random() % (i % 700 < 350 ? 12 : 300)
				   ? (uint8_t)('a' + xt_random() % 26)
				   : 0;
}

static void lengths_and_errors_are_the_kernels(void **state)
{
	static struct format f;
	struct xt_env env = { .note = f.text };

	xt_packet(&in, 64);
	for (int round = 0; round < 800; round++) {
		uint32_t n_args, size;

		fill_strings();
		make_format(&f, 1 + xt_random() % 6, round % 2 ? 10 : 0, ANY);
		memcpy(in.io + FORMAT_OFF, f.text, sizeof(f.text));
		n_args = xt_random() % 16 ? f.n_args : xt_random() % ARGS_MAX;
		size = xt_random() % 16 ? (uint32_t)strlen(f.text) + 1 : 1 + xt_random() % 40;
		f.calls[f.n_args] =
			(struct xt_call){ BPF_FUNC_trace_vprintk,
					  { IO(FORMAT_OFF), IMM(size),
					    n_args ? IO(ARGS_OFF) : IMM(0), IMM(8 * n_args) } };
		xt_compare(&env, f.calls, f.n_args + 1, &in);
	}
}

static void three_arguments_of_trace_printk(void **state)
{
	static struct format f;
	struct xt_env env = { .note = f.text };

	for (int round = 0; round < 500; round++) {
		struct xt_call call = { BPF_FUNC_trace_printk, { IO(FORMAT_OFF) } };

		fill_strings();
		make_format(&f, 1 + xt_random() % 5, 10, ANY);
		memcpy(in.io + FORMAT_OFF, f.text, sizeof(f.text));
		call.arg[1] = IMM(strlen(f.text) + 1);
		for (uint32_t i = 0; i < 3; i++)
			call.arg[2 + i] = i < f.n_args ? f.calls[i].arg[1] : IMM(0);
		xt_compare(&env, &call, 1, &in);
	}
}

/* The kernel reads the format when it loads the program, so a bad one does not get to run. */
static void text_of_snprintf_is_the_kernels(void **state)
{
	static struct format f;
	static struct xt_state out;
	struct xt_env env = { .text = f.text, .note = f.text };

	xt_packet(&in, 64);
	for (int round = 0; round < 800; round++) {
		static const uint32_t sizes[] = { 64, 16, 1, 0 };
		const uint32_t size = round % 2 ? sizes[xt_random() % 4] : OUT_SIZE;

		fill_strings();
		make_format(&f, 1 + xt_random() % 6, 2, size < OUT_SIZE ? SHORT : SHOWN);
		f.calls[f.n_args] =
			(struct xt_call){ BPF_FUNC_snprintf,
					  { IO(OUT_OFF), IMM(size), TEXT,
					    f.n_args ? IO(ARGS_OFF) : IMM(0), IMM(8 * f.n_args) } };
		xt_run_ours(&env, f.calls, f.n_args + 1, &in, &out);
		if (out.r0[f.n_args] == (uint64_t)-ENOSPC)
			continue; /* a bad piece may follow, which the kernel refuses first */
		env.quiet = out.r0[f.n_args] == (uint64_t)-EINVAL;
		if (!env.quiet)
			xt_compare(&env, f.calls, f.n_args + 1, &in);
		else
			assert_false(xt_run_kernel(&env, f.calls, f.n_args + 1, &in, &out));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lengths_and_errors_are_the_kernels),
		cmocka_unit_test(three_arguments_of_trace_printk),
		cmocka_unit_test(text_of_snprintf_is_the_kernels),
	};

	if (!xl_kernel_bpf_usable()) {
		fprintf(stderr, "helpers_print_kernel_test: skipped: may not load XDP programs\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
