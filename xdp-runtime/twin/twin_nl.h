/* One rtnetlink request after the other. Private to twin*.c.
 *
 * Source: rtnetlink(7), netlink(7).
 */
#ifndef XL_XDP_RUNTIME_KERNEL_TWIN_NL_H
#define XL_XDP_RUNTIME_KERNEL_TWIN_NL_H

#include <linux/rtnetlink.h>
#include <stddef.h>
#include <stdint.h>

#define XL_TWIN_NL_SIZE 8192 /* chosen: a route with some hundred next hops */

struct xl_twin_nl {
	union {
		struct nlmsghdr nlh;
		char bytes[XL_TWIN_NL_SIZE];
	};
};

/* Starts a request of @type with the family's header (struct ifinfomsg …) in front. */
void xl_twin_nl_begin(struct xl_twin_nl *req, uint16_t type, uint16_t flags, const void *header,
		      size_t size);
/* Appends. What does not fit makes the request fail when it is sent. */
void xl_twin_nl_add(struct xl_twin_nl *req, uint16_t type, const void *data, size_t len);
void xl_twin_nl_add_u32(struct xl_twin_nl *req, uint16_t type, uint32_t value);
/* Attributes between the two lie inside of one. */
struct rtattr *xl_twin_nl_nest(struct xl_twin_nl *req, uint16_t type);
void xl_twin_nl_end(struct xl_twin_nl *req, struct rtattr *nest);
/* Appends bytes without a header of their own (struct rtnexthop); NULL if they do not fit. */
void *xl_twin_nl_append(struct xl_twin_nl *req, const void *data, size_t len);
/* Sends it in the thread's network namespace. Returns the kernel's answer: 0 or -errno. */
int xl_twin_nl_send(struct xl_twin_nl *req);

#endif
