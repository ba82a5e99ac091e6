/* The table of kfuncs; see kfuncs.h. */
#include "xdp-runtime/helpers/kfuncs.h"

#include <string.h>

#include "xdp-runtime/helpers/helpers_fn.h"

#define ROW(id, since_version, ...)                                                                \
	{                                                                                          \
		.name = "bpf_" #id, .fn = xl_kfunc_##id, .since = since_version, .gpl_only = true, \
		__VA_ARGS__                                                                        \
	}

/* One that has no work here. */
#define NOTHING(id, since_version, ...)                                             \
	{                                                                           \
		.name = "bpf_" #id, .fn = xl_kfunc_nothing, .since = since_version, \
		.gpl_only = true, .ret = XL_RET_VOID, __VA_ARGS__                   \
	}

/* One that takes what only another can give, and that one has nothing to give. */
#define NEVER(id, since_version, ...)                                               \
	{                                                                           \
		.name = "bpf_" #id, .fn = xl_kfunc_nothing, .since = since_version, \
		.gpl_only = true, .arg = { XL_ARG_KERNEL_OBJ }, __VA_ARGS__         \
	}

static const struct xl_helper kfuncs[] = {
	/* What the port's hardware knows of the packet. */
	ROW(xdp_metadata_rx_timestamp, "0.1", .arg = { XL_ARG_CTX, XL_ARG_FIXED_UNINIT_MEM },
	    .fixed_size = sizeof(uint64_t)),
	ROW(xdp_metadata_rx_hash, "0.1",
	    .arg = { XL_ARG_CTX, XL_ARG_FIXED_UNINIT_MEM, XL_ARG_FIXED_UNINIT_MEM },
	    .fixed_size = sizeof(uint32_t)),
	ROW(xdp_metadata_rx_vlan_tag, "0.1",
	    .arg = { XL_ARG_CTX, XL_ARG_FIXED_UNINIT_MEM, XL_ARG_FIXED_UNINIT_MEM },
	    .fixed_size = sizeof(uint16_t)),

	ROW(dynptr_from_xdp, "0.1", .arg = { XL_ARG_CTX, XL_ARG_ANYTHING, XL_ARG_UNINIT_DYNPTR }),
	ROW(dynptr_slice, "0.1", .ret = XL_RET_MEM_OR_NULL,
	    .arg = { XL_ARG_DYNPTR, XL_ARG_ANYTHING, XL_ARG_OPT_UNINIT_MEM,
		     XL_ARG_CONST_SIZE_OR_ZERO }),
	ROW(dynptr_slice_rdwr, "0.1", .ret = XL_RET_MEM_OR_NULL,
	    .arg = { XL_ARG_DYNPTR, XL_ARG_ANYTHING, XL_ARG_OPT_UNINIT_MEM,
		     XL_ARG_CONST_SIZE_OR_ZERO }),
	ROW(dynptr_adjust, "0.1", .arg = { XL_ARG_DYNPTR, XL_ARG_ANYTHING, XL_ARG_ANYTHING }),
	ROW(dynptr_is_null, "0.1", .arg = { XL_ARG_DYNPTR }),
	ROW(dynptr_is_rdonly, "0.1", .arg = { XL_ARG_DYNPTR }),
	ROW(dynptr_size, "0.1", .arg = { XL_ARG_DYNPTR }),
	ROW(dynptr_clone, "0.1", .arg = { XL_ARG_DYNPTR, XL_ARG_UNINIT_DYNPTR }),
	ROW(dynptr_copy, "0.1",
	    .arg = { XL_ARG_DYNPTR, XL_ARG_ANYTHING, XL_ARG_DYNPTR, XL_ARG_ANYTHING,
		     XL_ARG_ANYTHING }),

	ROW(dynptr_memset, "0.1",
	    .arg = { XL_ARG_DYNPTR, XL_ARG_ANYTHING, XL_ARG_ANYTHING, XL_ARG_ANYTHING }),
	ROW(xdp_pull_data, "0.1", .arg = { XL_ARG_CTX, XL_ARG_ANYTHING }, .changes_packet = true),

	ROW(iter_num_new, "0.1", .arg = { XL_ARG_ITER, XL_ARG_ANYTHING, XL_ARG_ANYTHING }),
	ROW(iter_num_next, "0.1", .ret = XL_RET_MEM_OR_NULL, .arg = { XL_ARG_ITER }),
	ROW(iter_num_destroy, "0.1", .ret = XL_RET_VOID, .arg = { XL_ARG_ITER }),
	ROW(iter_bits_new, "0.1", .arg = { XL_ARG_ITER_16, XL_ARG_ANYTHING, XL_ARG_ANYTHING }),
	ROW(iter_bits_next, "0.1", .ret = XL_RET_MEM_OR_NULL, .arg = { XL_ARG_ITER_16 }),
	ROW(iter_bits_destroy, "0.1", .ret = XL_RET_VOID, .arg = { XL_ARG_ITER_16 }),

	ROW(strcmp, "0.1", .arg = { XL_ARG_ANYTHING, XL_ARG_ANYTHING }),
	ROW(strcasecmp, "0.1", .arg = { XL_ARG_ANYTHING, XL_ARG_ANYTHING }),
	ROW(strnchr, "0.1", .arg = { XL_ARG_ANYTHING, XL_ARG_ANYTHING, XL_ARG_ANYTHING }),
	ROW(strchr, "0.1", .arg = { XL_ARG_ANYTHING, XL_ARG_ANYTHING }),
	ROW(strchrnul, "0.1", .arg = { XL_ARG_ANYTHING, XL_ARG_ANYTHING }),
	ROW(strrchr, "0.1", .arg = { XL_ARG_ANYTHING, XL_ARG_ANYTHING }),
	ROW(strlen, "0.1", .arg = { XL_ARG_ANYTHING }),
	ROW(strnlen, "0.1", .arg = { XL_ARG_ANYTHING, XL_ARG_ANYTHING }),
	ROW(strspn, "0.1", .arg = { XL_ARG_ANYTHING, XL_ARG_ANYTHING }),
	ROW(strcspn, "0.1", .arg = { XL_ARG_ANYTHING, XL_ARG_ANYTHING }),
	ROW(strnstr, "0.1", .arg = { XL_ARG_ANYTHING, XL_ARG_ANYTHING, XL_ARG_ANYTHING }),
	ROW(strstr, "0.1", .arg = { XL_ARG_ANYTHING, XL_ARG_ANYTHING }),

	/* A program here runs to its end on its thread, inside an epoch. */
	NOTHING(rcu_read_lock, "0.1"),
	NOTHING(rcu_read_unlock, "0.1"),
	NOTHING(preempt_disable, "0.1"),
	NOTHING(preempt_enable, "0.1"),
	/* The flags are 8 bytes that the program cannot look at. */
	NOTHING(local_irq_save, "0.1", .arg = { XL_ARG_ITER }),
	NOTHING(local_irq_restore, "0.1", .arg = { XL_ARG_ITER }),

	/* There are no connections, flows and security associations here: nothing is found. */
	ROW(xdp_ct_lookup, "0.1", .ret = XL_RET_MEM_OR_NULL,
	    .arg = { XL_ARG_CTX, XL_ARG_MEM_OR_NULL, XL_ARG_CONST_SIZE_OR_ZERO, XL_ARG_MEM_RW,
		     XL_ARG_CONST_SIZE }),
	ROW(ct_release, "0.1", .ret = XL_RET_VOID, .arg = { XL_ARG_ANYTHING }),
	ROW(xdp_flow_lookup, "0.1", .ret = XL_RET_MEM_OR_NULL,
	    .arg = { XL_ARG_CTX, XL_ARG_FIXED_MEM, XL_ARG_MEM_RW, XL_ARG_CONST_SIZE },
	    .fixed_size = sizeof(struct bpf_fib_lookup)),
	ROW(xdp_get_xfrm_state, "0.1", .ret = XL_RET_MEM_OR_NULL,
	    .arg = { XL_ARG_CTX, XL_ARG_MEM_RW, XL_ARG_CONST_SIZE }),
	NEVER(ct_set_timeout, "0.1", .ret = XL_RET_VOID),
	NEVER(ct_change_timeout, "0.1"),
	NEVER(ct_set_status, "0.1"),
	NEVER(ct_change_status, "0.1"),
	NEVER(xdp_xfrm_state_release, "0.1", .ret = XL_RET_VOID),
};

#define N_KFUNCS ((int32_t)(sizeof(kfuncs) / sizeof(kfuncs[0])))

int32_t xl_kfunc_number(const char *name)
{
	const char *flavour = strstr(name, "___");
	const size_t len = flavour ? (size_t)(flavour - name) : strlen(name);

	for (int32_t i = 0; i < N_KFUNCS; i++)
		if (!strncmp(kfuncs[i].name, name, len) && !kfuncs[i].name[len])
			return XL_KFUNC_FIRST + i;
	return -1;
}

const struct xl_helper *xl_kfunc_of(int32_t number)
{
	return number >= XL_KFUNC_FIRST && number - XL_KFUNC_FIRST < N_KFUNCS
		       ? &kfuncs[number - XL_KFUNC_FIRST]
		       : NULL;
}

int32_t xl_kfunc_end(void)
{
	return XL_KFUNC_FIRST + N_KFUNCS;
}
