/* A forwarding table: links, routes and neighbours, as bpf_fib_lookup() asks for them.
 *
 * Source: bpf_ipv4_fib_lookup(), bpf_ipv6_fib_lookup() and bpf_fib_set_fwd_params() in
 * net/core/filter.c; return codes BPF_FIB_LKUP_RET_*.
 */
#ifndef XL_XDP_RUNTIME_FIB_H
#define XL_XDP_RUNTIME_FIB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/uapi.h"

struct xl_fib;

/* An empty table: any link is there and none forwards, so that each look-up answers as on a host
 * with forwarding off; lo has an MTU of 65536, any other link of 1500. */
int xl_fib_create(struct xl_fib **out_fib);
void xl_fib_destroy(struct xl_fib *fib);

/* Adds what one JSON file holds: dumps as `ip -j route`, `ip -j -6 route`, `ip -j neigh`,
 * `ip -j link` and `ip -j addr` print them, one after the other in any order, and objects
 * {"routes": [...], "neighbours": [...], "links": [...], "forwarding": true} of the same entries.
 *
 * Names of links that appear only in routes and neighbours get their ifindex from a dump of links,
 * or are numbered from 2 in order of appearance, lo being 1, with an MTU of 1500. Loopback's own
 * addresses are local whatever was loaded. Forwarding is on once a route was added, unless a file
 * says otherwise. Addresses bring the routes of the local table along. Routes of tables other than
 * main come from `ip -j route show table all` only, which names the table; neighbours without ARP
 * from `ip -j neigh show nud all` only. Rules (`ip rule`), route MTUs (a dump does not say which
 * are locked) and source prefixes are not supported.
 *
 * Errors    -EINVAL with @e naming file, entry and field; -errno of reading. The table may have
 *           taken a part then, and is good for xl_fib_destroy() only.
 */
int xl_fib_load(struct xl_fib *fib, const char *path, struct xl_err *e);

/* MTU of a link in bytes; false if there is no such link. */
bool xl_fib_link_mtu(const struct xl_fib *fib, uint32_t ifindex, uint32_t *out_mtu);

/* bpf_fib_lookup() after its argument checks: fills @params as the kernel does.
 * @flags    BPF_FIB_LOOKUP_*
 * Returns   BPF_FIB_LKUP_RET_* (>= 0) or -errno. Thread: any number of readers. */
int xl_fib_lookup(const struct xl_fib *fib, struct bpf_fib_lookup *params, uint32_t flags);

#endif
