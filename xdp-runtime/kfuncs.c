/* The table of kfuncs; see kfuncs.h. */
#include "xdp-runtime/kfuncs.h"

#include <string.h>

#include "xdp-runtime/dynptr.h"
#include "xdp-runtime/helpers_fn.h"

#define ROW(id, since_version, ...)                                                                \
	{                                                                                          \
		.name = "bpf_" #id, .fn = xl_kfunc_##id, .since = since_version, .gpl_only = true, \
		__VA_ARGS__                                                                        \
	}

static const struct xl_helper kfuncs[] = {
	ROW(dynptr_from_xdp, "0.1", .fixed_size = XL_DYNPTR_SIZE,
	    .arg = { XL_ARG_CTX, XL_ARG_ANYTHING, XL_ARG_FIXED_UNINIT_MEM }),
	ROW(dynptr_slice, "0.1", .ret = XL_RET_MEM_OR_NULL, .fixed_size = XL_DYNPTR_SIZE,
	    .arg = { XL_ARG_FIXED_MEM, XL_ARG_ANYTHING, XL_ARG_OPT_UNINIT_MEM,
		     XL_ARG_CONST_SIZE_OR_ZERO }),
	ROW(dynptr_slice_rdwr, "0.1", .ret = XL_RET_MEM_OR_NULL, .fixed_size = XL_DYNPTR_SIZE,
	    .arg = { XL_ARG_FIXED_MEM, XL_ARG_ANYTHING, XL_ARG_OPT_UNINIT_MEM,
		     XL_ARG_CONST_SIZE_OR_ZERO }),
	ROW(dynptr_adjust, "0.1", .fixed_size = XL_DYNPTR_SIZE,
	    .arg = { XL_ARG_FIXED_UNINIT_MEM, XL_ARG_ANYTHING, XL_ARG_ANYTHING }),
	ROW(dynptr_is_null, "0.1", .fixed_size = XL_DYNPTR_SIZE, .arg = { XL_ARG_FIXED_MEM }),
	ROW(dynptr_is_rdonly, "0.1", .fixed_size = XL_DYNPTR_SIZE, .arg = { XL_ARG_FIXED_MEM }),
	ROW(dynptr_size, "0.1", .fixed_size = XL_DYNPTR_SIZE, .arg = { XL_ARG_FIXED_MEM }),
	ROW(dynptr_clone, "0.1", .fixed_size = XL_DYNPTR_SIZE,
	    .arg = { XL_ARG_FIXED_MEM, XL_ARG_FIXED_UNINIT_MEM }),
	ROW(xdp_ct_lookup, "0.1", .ret = XL_RET_MEM_OR_NULL,
	    .arg = { XL_ARG_CTX, XL_ARG_MEM_OR_NULL, XL_ARG_CONST_SIZE_OR_ZERO, XL_ARG_MEM_RW,
		     XL_ARG_CONST_SIZE }),
	ROW(ct_release, "0.1", .ret = XL_RET_VOID, .arg = { XL_ARG_ANYTHING }),
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
