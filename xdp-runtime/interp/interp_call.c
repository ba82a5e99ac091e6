/* hot */
/* Calls out of a program: helpers with their arguments checked by their row, callbacks, tail
 * calls; see interp.h.
 *
 * A helper may trust what its row says about its arguments, so nothing else stands between a
 * program and the helper's code. What the kernel's verifier would have proved is looked up here.
 *
 * Source: check_func_arg() and check_map_func_compatibility(), kernel/bpf/verifier.c; tail calls:
 * arch/x86/net/bpf_jit_comp.c, emit_bpf_tail_call_indirect().
 */
#include "xdp-runtime/interp/interp.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "maps/map.h"
#include "xdp-runtime/dynptr.h"
#include "xdp-runtime/helpers/helpers.h"
#include "xdp-runtime/helpers/kfuncs.h"
#include "xdp-runtime/region.h"

struct call {
	struct xl_interp *it;
	const struct xl_helper *helper;
	const uint64_t *arg; /* five */
	struct xl_map *map;  /* the last CONST_MAP_PTR argument */
};

/* Records that argument @i is not what the row asks for. Always false. */
__attribute__((format(printf, 3, 4))) static bool refuse(const struct call *c, uint32_t i,
							 const char *fmt, ...)
{
	char why[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	xl_interp_fault(c->it, XL_FAULT_HELPER_ARG, "argument %u of %s: %s", i + 1, c->helper->name,
			why);
	c->it->run->fault.addr = c->arg[i];
	return false;
}

/* Argument @i points to @size bytes that the program may read, or write. */
static bool check_range(struct call *c, uint32_t i, uint64_t size, bool write)
{
	char where[96];

	if (!size || xl_interp_may(c->it, c->arg[i], size, write) == XL_FAULT_NONE)
		return true;
	xl_interp_where(c->it, c->arg[i], where, sizeof(where));
	refuse(c, i, "%llu bytes at %s", (unsigned long long)size, where);
	c->it->run->fault.size = size < UINT32_MAX ? (uint32_t)size : UINT32_MAX;
	c->it->run->fault.write = write;
	return false;
}

static bool is_size(enum xl_arg kind)
{
	return kind == XL_ARG_CONST_SIZE || kind == XL_ARG_CONST_SIZE_OR_ZERO;
}

/* The size of memory argument @i: the next argument, or what the row fixes. */
static uint64_t size_of(const struct call *c, uint32_t i)
{
	return i < 4 && is_size(c->helper->arg[i + 1]) ? c->arg[i + 1] : c->helper->fixed_size;
}

/* Checks by kind of argument. */

static bool check_anything(struct call *c, uint32_t i)
{
	return true;
}

static bool check_ctx(struct call *c, uint32_t i)
{
	char where[96];

	if (c->arg[i] == (uintptr_t)&c->it->ctx)
		return true;
	xl_interp_where(c->it, c->arg[i], where, sizeof(where));
	return refuse(c, i, "the context is expected, not %s", where);
}

static bool check_map_ptr(struct call *c, uint32_t i)
{
	char where[96];

	c->map = xl_region_map(c->it->run->rt, c->arg[i]);
	if (c->map)
		return true;
	xl_interp_where(c->it, c->arg[i], where, sizeof(where));
	return refuse(c, i, "a map is expected, not %s", where);
}

static bool check_map_key(struct call *c, uint32_t i)
{
	return check_range(c, i, c->map->key_size, false);
}

static bool check_map_value(struct call *c, uint32_t i)
{
	return check_range(c, i, c->map->value_size, false);
}

static bool check_uninit_map_value(struct call *c, uint32_t i)
{
	/* A bloom filter is asked with it and writes nothing. */
	return check_range(c, i, c->map->value_size, !c->map->ops->peek_asks);
}

static bool check_mem(struct call *c, uint32_t i)
{
	return check_range(c, i, size_of(c, i), false);
}

static bool check_mem_or_null(struct call *c, uint32_t i)
{
	if (!c->arg[i] && size_of(c, i))
		return refuse(c, i, "%llu bytes at NULL", (unsigned long long)size_of(c, i));
	return !c->arg[i] || check_mem(c, i);
}

static bool check_uninit_mem(struct call *c, uint32_t i)
{
	return check_range(c, i, size_of(c, i), true);
}

static bool check_opt_uninit_mem(struct call *c, uint32_t i)
{
	return !c->arg[i] || check_uninit_mem(c, i);
}

static bool check_mem_rw(struct call *c, uint32_t i)
{
	return check_range(c, i, size_of(c, i), false) && check_range(c, i, size_of(c, i), true);
}

static bool check_fixed_mem(struct call *c, uint32_t i)
{
	const struct xl_helper *h = c->helper;

	return check_range(c, i, i == 1 && h->fixed_size_2 ? h->fixed_size_2 : h->fixed_size,
			   false);
}

static bool check_fixed_uninit_mem(struct call *c, uint32_t i)
{
	return check_range(c, i, c->helper->fixed_size, true);
}

static bool check_size_or_zero(struct call *c, uint32_t i)
{
	/* The kernel asks for a proof that it is a non-negative int. */
	if (c->arg[i] > INT32_MAX)
		return refuse(c, i, "a size of %lld", (long long)c->arg[i]);
	return true;
}

static bool check_size(struct call *c, uint32_t i)
{
	if (!c->arg[i])
		return refuse(c, i, "a size of 0");
	return check_size_or_zero(c, i);
}

static bool check_const_str(struct call *c, uint32_t i)
{
	const struct xl_region_entry *e = xl_region_find(c->it->run->rt, c->arg[i]);
	uint64_t off;

	if (!e || e->is_head || !e->map->rdonly_prog)
		return refuse(c, i, "a string in a read-only map is expected");
	off = (c->arg[i] - e->region.base) % e->region.stride;
	if (off >= e->region.value_size ||
	    !memchr((const void *)(uintptr_t)c->arg[i], 0, e->region.value_size - off))
		return refuse(c, i, "the string has no end");
	return true;
}

/* The function that starts at address @func, NULL if none of the running program does. */
static const struct bpf_insn *function_at(const struct xl_interp *it, uint64_t func)
{
	const struct xl_prog *prog = it->prog;
	const uint64_t off = func - (uintptr_t)prog->insns;

	if (off % sizeof(struct bpf_insn))
		return NULL;
	for (uint32_t i = 0; i < prog->n_subprogs; i++)
		if (prog->subprog_start[i] == off / sizeof(struct bpf_insn))
			return &prog->insns[prog->subprog_start[i]];
	return NULL;
}

static bool check_func(struct call *c, uint32_t i)
{
	return function_at(c->it, c->arg[i]) ||
	       refuse(c, i, "a function of the program is expected");
}

static bool check_stack_or_null(struct call *c, uint32_t i)
{
	const struct xl_interp *it = c->it;

	if (!c->arg[i] || c->arg[i] - (uintptr_t)it->stack <=
				  it->depth * (uint64_t)XL_INTERP_STRIDE + XL_STACK_SIZE)
		return true;
	return refuse(c, i, "the stack or NULL is expected");
}

static bool check_alloc_size(struct call *c, uint32_t i)
{
	if (c->it->run->n_held < XL_RUN_HELD_MAX)
		return true;
	return refuse(c, i, "%u records are reserved already, which is as many as can be",
		      XL_RUN_HELD_MAX);
}

static bool check_ringbuf_mem(struct call *c, uint32_t i)
{
	char where[96];

	if (xl_run_held(c->it->run, c->arg[i]))
		return true;
	xl_interp_where(c->it, c->arg[i], where, sizeof(where));
	return refuse(c, i, "the start of a reserved record is expected, not %s", where);
}

/* Aligned, on the stack. */
static bool check_on_stack(struct call *c, uint32_t i, uint32_t size)
{
	if (c->arg[i] - (uintptr_t)c->it->stack >= sizeof(c->it->stack) || c->arg[i] % 8)
		return refuse(c, i, "an aligned place on the stack is expected");
	return check_range(c, i, size, true);
}

static bool check_uninit_dynptr(struct call *c, uint32_t i)
{
	return check_on_stack(c, i, sizeof(struct xl_dynptr));
}

static bool may_read_and_write(struct xl_interp *it, uint64_t addr, uint64_t size)
{
	return !size || (xl_interp_may(it, addr, size, false) == XL_FAULT_NONE &&
			 xl_interp_may(it, addr, size, true) == XL_FAULT_NONE);
}

static bool is_record(const struct xl_interp *it, const struct xl_dynptr *d)
{
	const struct xl_held *held = xl_run_held(it->run, d->data);

	return held && (uint64_t)d->offset + xl_dynptr_size(d) <= held->size;
}

static bool is_dynptr(struct xl_interp *it, const struct xl_dynptr *d)
{
	if (!d->data)
		return true;
	switch (xl_dynptr_type(d)) {
	case XL_DYNPTR_LOCAL:
		return may_read_and_write(it, d->data + d->offset, xl_dynptr_size(d));
	case XL_DYNPTR_RINGBUF:
		return is_record(it, d);
	case XL_DYNPTR_XDP:
		return d->data == (uintptr_t)it->packet;
	default:
		return false;
	}
}

/* What lies there may have been written by the program. */
static bool check_dynptr(struct call *c, uint32_t i)
{
	struct xl_dynptr d;

	if (!xl_run_lent_dynptr(c->it->run, c->arg[i]) && !check_uninit_dynptr(c, i))
		return false;
	d = xl_dynptr_get(c->arg[i]);
	return is_dynptr(c->it, &d) ||
	       refuse(c, i, "what lies there is no dynptr, or its memory is gone");
}

static bool check_ringbuf_dynptr(struct call *c, uint32_t i)
{
	struct xl_dynptr d;

	if (!check_dynptr(c, i))
		return false;
	d = xl_dynptr_get(c->arg[i]);
	return !d.data || xl_dynptr_type(&d) == XL_DYNPTR_RINGBUF ||
	       refuse(c, i, "a dynptr of a reserved record is expected");
}

static bool check_iter(struct call *c, uint32_t i)
{
	return check_on_stack(c, i, sizeof(uint64_t));
}

static bool check_iter_16(struct call *c, uint32_t i)
{
	return check_on_stack(c, i, 2 * sizeof(uint64_t));
}

static bool check_kernel_obj(struct call *c, uint32_t i)
{
	return refuse(c, i, "there is no such object");
}

/* Spin locks and timers: where the values of a map have them, at @off; -1: nowhere. */
static bool check_field(struct call *c, uint32_t i, const char *what,
			int32_t (*off_in)(const struct xl_map *map))
{
	const struct xl_region_entry *e = xl_region_find(c->it->run->rt, c->arg[i]);
	const int32_t off = e && !e->is_head ? off_in(e->map) : -1;

	if (off < 0 || (c->arg[i] - e->region.base) % e->region.stride != (uint32_t)off)
		return refuse(c, i, "the %s of a map value is expected", what);
	return true;
}

static int32_t lock_off(const struct xl_map *map)
{
	return map->lock_off;
}

static bool check_spin_lock(struct call *c, uint32_t i)
{
	return check_field(c, i, "bpf_spin_lock", lock_off);
}

static int32_t timer_off(const struct xl_map *map)
{
	return map->timer_off;
}

static bool check_timer(struct call *c, uint32_t i)
{
	return check_field(c, i, "bpf_timer", timer_off);
}

static bool (*const check_arg[])(struct call *c, uint32_t i) = {
	[XL_ARG_NONE] = check_anything,
	[XL_ARG_ANYTHING] = check_anything,
	[XL_ARG_CTX] = check_ctx,
	[XL_ARG_CONST_MAP_PTR] = check_map_ptr,
	[XL_ARG_MAP_KEY] = check_map_key,
	[XL_ARG_MAP_VALUE] = check_map_value,
	[XL_ARG_UNINIT_MAP_VALUE] = check_uninit_map_value,
	[XL_ARG_MEM] = check_mem,
	[XL_ARG_MEM_OR_NULL] = check_mem_or_null,
	[XL_ARG_UNINIT_MEM] = check_uninit_mem,
	[XL_ARG_OPT_UNINIT_MEM] = check_opt_uninit_mem,
	[XL_ARG_MEM_RW] = check_mem_rw,
	[XL_ARG_FIXED_MEM] = check_fixed_mem,
	[XL_ARG_FIXED_UNINIT_MEM] = check_fixed_uninit_mem,
	[XL_ARG_CONST_SIZE] = check_size,
	[XL_ARG_CONST_SIZE_OR_ZERO] = check_size_or_zero,
	[XL_ARG_CONST_STR] = check_const_str,
	[XL_ARG_FUNC] = check_func,
	[XL_ARG_STACK_OR_NULL] = check_stack_or_null,
	[XL_ARG_ALLOC_SIZE] = check_alloc_size,
	[XL_ARG_RINGBUF_MEM] = check_ringbuf_mem,
	[XL_ARG_DYNPTR] = check_dynptr,
	[XL_ARG_UNINIT_DYNPTR] = check_uninit_dynptr,
	[XL_ARG_RINGBUF_DYNPTR] = check_ringbuf_dynptr,
	[XL_ARG_ITER] = check_iter,
	[XL_ARG_ITER_16] = check_iter_16,
	[XL_ARG_KERNEL_OBJ] = check_kernel_obj,
	[XL_ARG_SPIN_LOCK] = check_spin_lock,
	[XL_ARG_TIMER] = check_timer,
};

/* Which types of maps a helper takes that does not take all. */

#define TYPE(name) (UINT64_C(1) << BPF_MAP_TYPE_##name)

static const uint64_t map_types_of[] = {
	[BPF_FUNC_tail_call] = TYPE(PROG_ARRAY),
	[BPF_FUNC_perf_event_output] = TYPE(PERF_EVENT_ARRAY),
	[BPF_FUNC_redirect_map] = TYPE(DEVMAP) | TYPE(DEVMAP_HASH) | TYPE(CPUMAP) | TYPE(XSKMAP),
	[BPF_FUNC_map_push_elem] = TYPE(QUEUE) | TYPE(STACK) | TYPE(BLOOM_FILTER),
	[BPF_FUNC_map_pop_elem] = TYPE(QUEUE) | TYPE(STACK),
	[BPF_FUNC_map_peek_elem] = TYPE(QUEUE) | TYPE(STACK) | TYPE(BLOOM_FILTER),
	[BPF_FUNC_map_lookup_percpu_elem] =
		TYPE(PERCPU_ARRAY) | TYPE(PERCPU_HASH) | TYPE(LRU_PERCPU_HASH),
	[BPF_FUNC_ringbuf_output] = TYPE(RINGBUF),
	[BPF_FUNC_ringbuf_reserve] = TYPE(RINGBUF),
	[BPF_FUNC_ringbuf_query] = TYPE(RINGBUF),
	[BPF_FUNC_ringbuf_reserve_dynptr] = TYPE(RINGBUF),
	[BPF_FUNC_user_ringbuf_drain] = TYPE(USER_RINGBUF),
};
#define N_MAP_TYPES_OF ((int32_t)(sizeof(map_types_of) / sizeof(map_types_of[0])))

static bool map_takes(const struct xl_map *map, int32_t id)
{
	const uint64_t types = id < N_MAP_TYPES_OF ? map_types_of[id] : 0;

	if (id == BPF_FUNC_map_lookup_elem)
		return !map->ops->no_prog_access;
	if (id == BPF_FUNC_map_update_elem || id == BPF_FUNC_map_delete_elem)
		return !map->ops->no_prog_access && !map->ops->no_prog_write;
	return !types || types >> map->type & 1;
}

static bool check_map_type(struct call *c, int32_t id)
{
	if (map_takes(c->map, id))
		return true;
	xl_interp_fault(c->it, XL_FAULT_HELPER_ARG, "cannot pass map_type %u into func %s#%d: %.*s",
			c->map->type, c->helper->name, id, BPF_OBJ_NAME_LEN, c->map->name);
	return false;
}

static bool check_args(struct call *c)
{
	for (uint32_t i = 0; i < 5; i++) {
		const enum xl_arg kind = c->helper->arg[i];

		/* A size is wrong before the memory that it measures. */
		if (i < 4 && is_size(c->helper->arg[i + 1]) &&
		    !check_arg[c->helper->arg[i + 1]](c, i + 1))
			return false;
		if (!check_arg[kind](c, i))
			return false;
	}
	return !c->map || check_map_type(c, c->it->insn->imm);
}

bool xl_interp_helper(struct xl_interp *it, uint64_t *r)
{
	struct call c = { it, xl_helper_of(it->insn->imm), &r[BPF_REG_1], NULL };

	if (it->insn->imm == XL_KFUNC_ABSENT) {
		xl_interp_fault(it, XL_FAULT_BAD_INSN, "the kernel function is absent");
		return false;
	}
	if (!c.helper || !c.helper->fn) {
		xl_interp_fault(it, XL_FAULT_BAD_INSN, "helper #%d", it->insn->imm);
		return false;
	}
	if (!check_args(&c))
		return false;
	r[BPF_REG_0] = c.helper->fn(r[1], r[2], r[3], r[4], r[5]);
	if (it->run->complaint) {
		xl_interp_fault(it, XL_FAULT_HELPER_ARG, "%s: %s", c.helper->name,
				it->run->complaint);
		it->run->complaint = NULL;
		return false;
	}
	return !c.helper->calls_back || it->run->fault.kind == XL_FAULT_NONE;
}

uint64_t xl_interp_call_back(struct xl_run *run, uint64_t func, uint64_t r1, uint64_t r2,
			     uint64_t r3, uint64_t r4, uint64_t r5)
{
	const uint64_t args[5] = { r1, r2, r3, r4, r5 };
	struct xl_interp *it = run->engine_state;
	const struct bpf_insn *call = it->insn, *start = function_at(it, func);
	uint64_t r0;

	if (!start) {
		xl_interp_fault(it, XL_FAULT_HELPER_ARG, "a callback that is no function");
		return 0;
	}
	if (!xl_interp_push(it, NULL))
		return 0;
	r0 = xl_interp_execute(it, start, args);
	it->insn = call;
	return r0;
}

/* Enters @target in place of the running function, whose caller stays its caller. */
static const struct bpf_insn *enter(struct xl_interp *it, struct xl_prog *target)
{
	struct xl_interp_frame *f = &it->frame[it->depth];

	f->prog = target;
	f->level = 1;
	it->prog = target;
	it->run->prog = target;
	memset(it->stack + it->depth * XL_INTERP_STRIDE, 0, XL_STACK_SIZE);
	return target->insns;
}

const struct bpf_insn *xl_interp_tail_call(struct xl_interp *it, const uint64_t *r)
{
	struct call c = { it, xl_helper_of(BPF_FUNC_tail_call), &r[BPF_REG_1], NULL };
	const struct bpf_insn *miss = it->insn + 1;
	struct xl_prog *target;
	struct xl_obj *obj;

	if (!check_args(&c))
		return NULL;
	if (it->run->tail_calls >= XL_TAIL_CALL_MAX)
		return miss;
	obj = xl_prog_array_at(c.map, (uint32_t)r[BPF_REG_3]);
	if (!obj)
		return miss;
	target = xl_prog_of(obj);
	if (target->refused) {
		refuse(&c, 2, "the program there cannot run: %s", target->refused);
		return NULL;
	}
	it->run->tail_calls++;
	return enter(it, target);
}
