/* BTF as an object; see btf.h. */
#include "xdp-runtime/btf.h"

#include <bpf/btf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void release(struct xl_obj *obj)
{
	struct xl_btf *btf = xl_btf_of(obj);

	btf__free(btf->btf);
	free(btf->data);
	free(btf);
}

int xl_btf_create(const void *data, size_t size, struct xl_vlog *log, struct xl_btf **out_btf)
{
	struct xl_btf *btf;
	int err = xl_btf_check(data, size, log);

	if (err)
		return err;
	btf = calloc(1, sizeof(*btf));
	if (!btf)
		return -ENOMEM;
	xl_obj_init(&btf->obj, XL_OBJ_BTF, release);
	btf->data = malloc(size);
	if (!btf->data) {
		xl_obj_put(&btf->obj);
		return -ENOMEM;
	}
	memcpy(btf->data, data, size);
	btf->size = (uint32_t)size;
	btf->btf = btf__new(btf->data, btf->size);
	if (!btf->btf) {
		/* libbpf wants the strings behind the types; the kernel does not mind. */
		err = errno == ENOMEM ? -ENOMEM : -EINVAL;
		xl_vlog(log, "BTF sections are not in the usual order\n");
		xl_obj_put(&btf->obj);
		return err;
	}
	*out_btf = btf;
	return 0;
}
