/* The kernel twin's network namespace; ports in it are veth pairs made by rtnetlink with the
 * wanted ifindex.
 *
 * Source: rtnetlink(7), veth(4), include/uapi/linux/veth.h.
 */
#include "xdp-runtime/twin/twin_net.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "xdp-runtime/twin/twin_nl.h"

#define NS_PATH	    "/proc/thread-self/ns/net"
#define PEER_OFFSET 0x40000000u /* chosen: peers' numbers are far from what programs name */

int xl_twin_net_create(struct xl_twin_net *net)
{
	int err;

	*net = (struct xl_twin_net){ .home_fd = -1, .own_fd = -1 };
	net->home_fd = open(NS_PATH, O_RDONLY | O_CLOEXEC);
	if (net->home_fd < 0)
		return 0;
	if (unshare(CLONE_NEWNET)) {
		close(net->home_fd);
		net->home_fd = -1;
		return 0;
	}
	net->depth = 1; /* unshare() has entered it */
	net->own_fd = open(NS_PATH, O_RDONLY | O_CLOEXEC);
	err = net->own_fd < 0 ? -errno : 0;
	xl_twin_net_leave(net);
	if (err) {
		close(net->home_fd);
		net->home_fd = -1;
	}
	return err;
}

void xl_twin_net_destroy(struct xl_twin_net *net)
{
	if (net->home_fd < 0)
		return;
	close(net->own_fd);
	close(net->home_fd);
	net->home_fd = -1;
}

void xl_twin_net_enter(struct xl_twin_net *net)
{
	if (net->home_fd >= 0 && !net->depth++)
		setns(net->own_fd, CLONE_NEWNET);
}

void xl_twin_net_leave(struct xl_twin_net *net)
{
	if (net->home_fd >= 0 && !--net->depth)
		setns(net->home_fd, CLONE_NEWNET);
}

static int make_veth(uint32_t ifindex, const char *name)
{
	const struct ifinfomsg port = { .ifi_index = (int)ifindex };
	const struct ifinfomsg peer = { .ifi_index = (int)(ifindex ^ PEER_OFFSET) };
	struct rtattr *info, *data;
	struct xl_twin_nl req;

	xl_twin_nl_begin(&req, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &port, sizeof(port));
	xl_twin_nl_add(&req, IFLA_IFNAME, name, strlen(name) + 1);
	xl_twin_nl_add_u32(&req, IFLA_NUM_RX_QUEUES, XL_TWIN_NET_QUEUES);
	xl_twin_nl_add_u32(&req, IFLA_NUM_TX_QUEUES, XL_TWIN_NET_QUEUES);
	info = xl_twin_nl_nest(&req, IFLA_LINKINFO);
	xl_twin_nl_add(&req, IFLA_INFO_KIND, "veth", 5);
	data = xl_twin_nl_nest(&req, IFLA_INFO_DATA);
	xl_twin_nl_add(&req, VETH_INFO_PEER, &peer, sizeof(peer));
	xl_twin_nl_end(&req, data);
	xl_twin_nl_end(&req, info);
	return xl_twin_nl_send(&req);
}

/* Brings a link up, without the link-local address and the routes that IPv6 gives it by itself:
 * those are in no table that was loaded. */
static int bring_up(uint32_t ifindex)
{
	const struct ifinfomsg link = { .ifi_index = (int)ifindex };
	const struct ifinfomsg up = { .ifi_index = (int)ifindex,
				      .ifi_flags = IFF_UP,
				      .ifi_change = IFF_UP };
	const uint8_t no_address = 1; /* IN6_ADDR_GEN_MODE_NONE */
	struct rtattr *af, *inet6;
	struct xl_twin_nl req;

	xl_twin_nl_begin(&req, RTM_SETLINK, 0, &link, sizeof(link));
	af = xl_twin_nl_nest(&req, IFLA_AF_SPEC);
	inet6 = xl_twin_nl_nest(&req, AF_INET6);
	xl_twin_nl_add(&req, IFLA_INET6_ADDR_GEN_MODE, &no_address, sizeof(no_address));
	xl_twin_nl_end(&req, inet6);
	xl_twin_nl_end(&req, af);
	/* Fails where there is no IPv6, which is fine. */
	xl_twin_nl_send(&req);
	xl_twin_nl_begin(&req, RTM_SETLINK, 0, &up, sizeof(up));
	return xl_twin_nl_send(&req);
}

int xl_twin_net_veth(uint32_t ifindex, const char *name)
{
	int err = make_veth(ifindex, name);

	if (!err)
		err = bring_up(ifindex);
	return err ? err : bring_up(ifindex ^ PEER_OFFSET);
}

static bool port_exists(uint32_t ifindex)
{
	struct ifreq ifr = { .ifr_ifindex = (int)ifindex };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool exists = fd >= 0 && !ioctl(fd, SIOCGIFNAME, &ifr);

	if (fd >= 0)
		close(fd);
	return exists;
}

int xl_twin_net_port(struct xl_twin_net *net, uint32_t ifindex)
{
	char name[IFNAMSIZ];
	bool ok;

	if (!ifindex || ifindex >= PEER_OFFSET)
		return -ENODEV;
	snprintf(name, sizeof(name), "xl%u", ifindex);
	xl_twin_net_enter(net);
	/* On the host we make nothing. */
	ok = port_exists(ifindex) || (net->home_fd >= 0 && !xl_twin_net_veth(ifindex, name));
	xl_twin_net_leave(net);
	return ok ? 0 : -ENODEV;
}
