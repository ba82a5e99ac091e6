/* The kernel twin's network namespace; ports in it are veth pairs made by rtnetlink with the
 * wanted ifindex. They need not be up: programs see only their numbers.
 *
 * Source: rtnetlink(7), veth(4), include/uapi/linux/veth.h.
 */
#include "xdp-runtime/kernel_twin_net.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

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

struct request {
	struct nlmsghdr nlh;
	struct ifinfomsg ifi;
	char attrs[256];
};

static struct rtattr *add_attr(struct request *req, uint16_t type, const void *data, size_t len)
{
	struct rtattr *attr = (struct rtattr *)((char *)req + NLMSG_ALIGN(req->nlh.nlmsg_len));

	attr->rta_type = type;
	attr->rta_len = (uint16_t)RTA_LENGTH(len);
	if (len)
		memcpy(RTA_DATA(attr), data, len);
	req->nlh.nlmsg_len = NLMSG_ALIGN(req->nlh.nlmsg_len) + RTA_ALIGN(attr->rta_len);
	return attr;
}

static void end_nest(struct request *req, struct rtattr *attr)
{
	attr->rta_len = (uint16_t)((char *)req + req->nlh.nlmsg_len - (char *)attr);
}

static int transact(const struct request *req)
{
	struct {
		struct nlmsghdr nlh;
		struct nlmsgerr err;
	} answer;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = send(fd, req, req->nlh.nlmsg_len, 0);
	if (n >= 0)
		n = recv(fd, &answer, sizeof(answer), 0);
	close(fd);
	if (n < (ssize_t)sizeof(answer) || answer.nlh.nlmsg_type != NLMSG_ERROR)
		return -EIO;
	return answer.err.error;
}

static int make_veth(uint32_t ifindex)
{
	const uint32_t n_queues = XL_TWIN_NET_QUEUES;
	const struct ifinfomsg peer = { .ifi_index = (int)(ifindex ^ PEER_OFFSET) };
	struct request req = {
		.nlh = { .nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)),
			 .nlmsg_type = RTM_NEWLINK,
			 .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL },
		.ifi = { .ifi_index = (int)ifindex },
	};
	struct rtattr *info, *data;
	char name[IFNAMSIZ];

	snprintf(name, sizeof(name), "xl%u", ifindex);
	add_attr(&req, IFLA_IFNAME, name, strlen(name) + 1);
	add_attr(&req, IFLA_NUM_RX_QUEUES, &n_queues, sizeof(n_queues));
	add_attr(&req, IFLA_NUM_TX_QUEUES, &n_queues, sizeof(n_queues));
	info = add_attr(&req, IFLA_LINKINFO, NULL, 0);
	add_attr(&req, IFLA_INFO_KIND, "veth", 5);
	data = add_attr(&req, IFLA_INFO_DATA, NULL, 0);
	add_attr(&req, VETH_INFO_PEER, &peer, sizeof(peer));
	end_nest(&req, data);
	end_nest(&req, info);
	return transact(&req);
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
	bool ok;

	if (!ifindex || ifindex >= PEER_OFFSET)
		return -ENODEV;
	xl_twin_net_enter(net);
	/* On the host we make nothing. */
	ok = port_exists(ifindex) || (net->home_fd >= 0 && !make_veth(ifindex));
	xl_twin_net_leave(net);
	return ok ? 0 : -ENODEV;
}
