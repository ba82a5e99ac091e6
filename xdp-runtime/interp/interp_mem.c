/* hot */
/* Which memory a program may touch: its packet, the stacks of the functions in progress, and
 * values of maps; see interp.h.
 *
 * It is decided by the address alone, each time: where a pointer came from does not matter.
 */
#include "xdp-runtime/interp/interp.h"

#include <stdarg.h>
#include <stdio.h>

#include "maps/map.h"
#include "xdp-runtime/region.h"

/* One piece of memory that the program owns, or was lent. */
struct piece {
	uint64_t base, size;
	bool readable, writable;
};

static bool in_piece(const struct piece *p, uint64_t addr)
{
	return addr - p->base < p->size;
}

static bool find_packet(const struct xl_interp *it, uint64_t addr, struct piece *out)
{
	const struct xl_frame *f = it->packet;

	*out = (struct piece){ (uintptr_t)f->data_meta, (uint64_t)(f->data_end - f->data_meta),
			       true, true };
	return in_piece(out, addr);
}

/* Fragments: bpf_dynptr_slice() points there. */
static bool find_frag(const struct xl_interp *it, uint64_t addr, struct piece *out)
{
	const struct xl_frame *f = it->packet;

	for (uint32_t i = 0; i < f->n_frags; i++) {
		*out = (struct piece){ (uintptr_t)f->frags[i].addr, f->frags[i].len, true, true };
		if (in_piece(out, addr))
			return true;
	}
	return false;
}

static bool find_stack(const struct xl_interp *it, uint64_t addr, struct piece *out)
{
	const uint64_t frame = (addr - (uintptr_t)it->stack) / XL_INTERP_STRIDE;

	*out = (struct piece){ (uintptr_t)it->stack + frame * XL_INTERP_STRIDE, XL_STACK_SIZE, true,
			       true };
	return frame <= it->depth && in_piece(out, addr);
}

static bool find_value(const struct xl_interp *it, uint64_t addr, struct piece *out)
{
	const struct xl_region_entry *e = xl_region_find(it->run->rt, addr);

	if (!e || e->is_head)
		return false;
	*out = (struct piece){ addr - (addr - e->region.base) % e->region.stride,
			       e->region.value_size, !e->map->wronly_prog, !e->map->rdonly_prog };
	return in_piece(out, addr);
}

/* Reserved records of ring buffers. */
static bool find_held(const struct xl_interp *it, uint64_t addr, struct piece *out)
{
	for (uint32_t i = 0; i < it->run->n_held; i++) {
		const struct xl_held *held = &it->run->held[i];

		*out = (struct piece){ (uintptr_t)held->mem, held->size, true, true };
		if (in_piece(out, addr))
			return true;
	}
	return false;
}

static bool find_lent(const struct xl_interp *it, uint64_t addr, struct piece *out)
{
	for (const struct xl_lent *lent = it->run->lent; lent; lent = lent->outer) {
		*out = (struct piece){ (uintptr_t)lent->base, lent->size, true, lent->writable };
		if (in_piece(out, addr))
			return true;
	}
	return false;
}

enum xl_fault_kind xl_interp_may(struct xl_interp *it, uint64_t addr, uint64_t size, bool write)
{
	struct piece p;

	if (find_packet(it, addr, &p) || find_stack(it, addr, &p)) {
		;
	} else if (find_value(it, addr, &p)) {
		/* interp.c looks here first, next time. */
		if (p.readable) {
			it->slot = p.base;
			it->slot_size = (uint32_t)p.size;
			it->slot_writable = p.writable;
		}
	} else if (!find_frag(it, addr, &p) && !find_held(it, addr, &p) &&
		   !find_lent(it, addr, &p)) {
		return XL_FAULT_ACCESS;
	}
	if (size > p.size - (addr - p.base) || (!write && !p.readable))
		return XL_FAULT_ACCESS;
	return write && !p.writable ? XL_FAULT_RDONLY : XL_FAULT_NONE;
}

size_t xl_interp_readable(const struct xl_run *run, uintptr_t addr, size_t len)
{
	const struct xl_interp *it = run->engine_state;
	struct piece p;
	uint64_t room;

	if (!find_packet(it, addr, &p) && !find_stack(it, addr, &p) && !find_value(it, addr, &p) &&
	    !find_frag(it, addr, &p) && !find_held(it, addr, &p) && !find_lent(it, addr, &p))
		return 0;
	room = p.readable ? p.size - (addr - p.base) : 0;
	return len < room ? len : room;
}

/* The rest is for people, once a program is dead. Each kind of place says whether @addr is there,
 * or near enough that it was meant. */

#define NEAR_NULL   4096  /* bytes; the page that is never mapped */
#define NEAR_PACKET 65536 /* bytes; what a 16-bit length can be wrong by */

static bool say_null(const struct xl_interp *it, uint64_t addr, char *buf, size_t size)
{
	const int64_t off = (int64_t)addr;

	if (off <= -NEAR_NULL || off >= NEAR_NULL)
		return false;
	if (off)
		snprintf(buf, size, "NULL%+d", (int)off);
	else
		snprintf(buf, size, "NULL");
	return true;
}

static bool say_stack(const struct xl_interp *it, uint64_t addr, char *buf, size_t size)
{
	/* From the middle of the gap below a stack: what lies there is nearest to that stack. */
	const uint64_t half_gap = (XL_INTERP_STRIDE - XL_STACK_SIZE) / 2;
	const uint64_t off = addr - (uintptr_t)it->stack + half_gap;
	const uint32_t frame = (uint32_t)(off / XL_INTERP_STRIDE);
	const int from_r10 = (int)(off % XL_INTERP_STRIDE) - (int)(half_gap + XL_STACK_SIZE);

	if (off >= sizeof(it->stack))
		return false;
	if (frame <= it->depth)
		snprintf(buf, size, "stack r10%+d of function %u: it has %u bytes", from_r10, frame,
			 XL_STACK_SIZE);
	else
		snprintf(buf, size, "stack r10%+d of a function that has returned", from_r10);
	return true;
}

static bool say_ctx(const struct xl_interp *it, uint64_t addr, char *buf, size_t size)
{
	if (!xl_interp_in_ctx(it, addr))
		return false;
	snprintf(buf, size, "context+%u: only whole fields of struct xdp_md can be read there",
		 (unsigned)(addr - (uintptr_t)&it->ctx));
	return true;
}

static bool say_map(const struct xl_interp *it, uint64_t addr, char *buf, size_t size)
{
	const struct xl_region_entry *e = xl_region_find(it->run->rt, addr);
	const int name_size = BPF_OBJ_NAME_LEN;

	if (!e)
		return false;
	if (e->is_head)
		snprintf(buf, size, "map pointer of %.*s itself, which is not memory", name_size,
			 e->map->name);
	else
		snprintf(buf, size, "map %.*s, value+%llu: a value has %u bytes%s", name_size,
			 e->map->name,
			 (unsigned long long)((addr - e->region.base) % e->region.stride),
			 e->region.value_size,
			 e->map->rdonly_prog   ? " and is read-only"
			 : e->map->wronly_prog ? " and is write-only"
					       : "");
	return true;
}

static bool say_held(const struct xl_interp *it, uint64_t addr, char *buf, size_t size)
{
	for (uint32_t i = 0; i < it->run->n_held; i++) {
		const struct xl_held *held = &it->run->held[i];
		const int64_t off = (int64_t)(addr - (uintptr_t)held->mem);

		/* Before it lies its header. */
		if (off < -(int64_t)BPF_RINGBUF_HDR_SZ || off >= (int64_t)held->size + 8)
			continue;
		snprintf(buf, size, "record%+lld of ring buffer %.*s: it has %u bytes",
			 (long long)off, BPF_OBJ_NAME_LEN, held->map->name, held->size);
		return true;
	}
	return false;
}

static bool say_lent(const struct xl_interp *it, uint64_t addr, char *buf, size_t size)
{
	if (xl_run_lent_dynptr(it->run, addr)) {
		snprintf(buf, size, "a dynptr, which is for helpers");
		return true;
	}
	for (const struct xl_lent *lent = it->run->lent; lent; lent = lent->outer) {
		const int64_t off = (int64_t)(addr - (uintptr_t)lent->base);

		if (off < -8 || off >= (int64_t)lent->size + 8)
			continue;
		snprintf(buf, size, "%s%+lld: it has %zu bytes%s",
			 lent->writable ? "sample" : "key", (long long)off, lent->size,
			 lent->writable ? "" : " and is read-only");
		return true;
	}
	return false;
}

static bool say_packet(const struct xl_interp *it, uint64_t addr, char *buf, size_t size)
{
	const struct xl_frame *f = it->packet;
	const int64_t off = (int64_t)(addr - (uintptr_t)f->data);
	const uint32_t len = xl_frame_linear_len(f), meta_len = xl_frame_meta_len(f);

	if (off <= -NEAR_PACKET || off >= NEAR_PACKET + (int64_t)len)
		return false;
	if (off < 0)
		snprintf(buf, size, "packet%lld: there are %u bytes of metadata before it",
			 (long long)off, meta_len);
	else
		snprintf(buf, size, "packet+%lld: the packet has %u bytes%s", (long long)off, len,
			 f->n_frags ? " before its fragments" : "");
	return true;
}

static bool say_function(const struct xl_interp *it, uint64_t addr, char *buf, size_t size)
{
	if (addr - (uintptr_t)it->prog->insns >= it->prog->n_insns * sizeof(struct bpf_insn))
		return false;
	snprintf(buf, size, "the address of a function, which is not memory");
	return true;
}

void xl_interp_where(const struct xl_interp *it, uint64_t addr, char *buf, size_t size)
{
	static bool (*const say[])(const struct xl_interp *, uint64_t, char *, size_t) = {
		say_null, say_stack, say_ctx, say_map, say_held, say_lent, say_function, say_packet,
	};

	for (size_t i = 0; i < sizeof(say) / sizeof(say[0]); i++)
		if (say[i](it, addr, buf, size))
			return;
	snprintf(buf, size, "0x%llx: no packet, stack or map value is there",
		 (unsigned long long)addr);
}

static struct xl_fault *new_fault(struct xl_interp *it, enum xl_fault_kind kind)
{
	struct xl_fault *fault = &it->run->fault;

	*fault = (struct xl_fault){
		.kind = kind,
		.prog = it->prog,
		.insn = (uint32_t)(it->insn - it->prog->insns),
	};
	return fault;
}

void xl_interp_fault_access(struct xl_interp *it, enum xl_fault_kind kind, uint64_t addr,
			    uint32_t size, bool write)
{
	struct xl_fault *fault = new_fault(it, kind);

	fault->addr = addr;
	fault->size = size;
	fault->write = write;
	xl_interp_where(it, addr, fault->detail, sizeof(fault->detail));
}

void xl_interp_fault(struct xl_interp *it, enum xl_fault_kind kind, const char *fmt, ...)
{
	struct xl_fault *fault = new_fault(it, kind);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(fault->detail, sizeof(fault->detail), fmt, ap);
	va_end(ap);
}
