/* Where the kernel's copies run: a network namespace of their own. Private to twin*.c. */
#ifndef XL_XDP_RUNTIME_KERNEL_TWIN_NET_H
#define XL_XDP_RUNTIME_KERNEL_TWIN_NET_H

#include <stdbool.h>
#include <stdint.h>

struct xl_twin_net {
	int home_fd; /* the namespace that the thread came from; -1: we have none of our own */
	int own_fd;
	uint32_t depth; /* of enter without leave */
};

/* Makes the namespace, empty but for lo (ifindex 1). Without CAP_SYS_ADMIN there is none: enter
 * and leave do nothing, and ports are those of the host. */
int xl_twin_net_create(struct xl_twin_net *net);
void xl_twin_net_destroy(struct xl_twin_net *net);

/* Moves the calling thread in and back; they nest (1.3 us for both: two setns, measured on 6.18). */
void xl_twin_net_enter(struct xl_twin_net *net);
void xl_twin_net_leave(struct xl_twin_net *net);

/* Makes sure that there is a port with this number; those made here have XL_TWIN_NET_QUEUES
 * receive queues.
 * Errors    -ENODEV there is none and none can be made */
#define XL_TWIN_NET_QUEUES 64u /* chosen: more than tests ask for */
int xl_twin_net_port(struct xl_twin_net *net, uint32_t ifindex);
/* Makes a port in the thread's namespace, up and without addresses. -errno */
int xl_twin_net_veth(uint32_t ifindex, const char *name);

#endif
