/* rtnetlink requests; see twin_nl.h. A request that has outgrown its buffer carries the
 * length 0 from then on. */
#include "xdp-runtime/twin/twin_nl.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void *xl_twin_nl_append(struct xl_twin_nl *req, const void *data, size_t len)
{
	const size_t at = NLMSG_ALIGN(req->nlh.nlmsg_len);

	if (!req->nlh.nlmsg_len || len > sizeof(req->bytes) - NLMSG_ALIGNTO - at) {
		req->nlh.nlmsg_len = 0;
		return NULL;
	}
	if (len)
		memcpy(req->bytes + at, data, len);
	req->nlh.nlmsg_len = (uint32_t)(at + NLMSG_ALIGN(len));
	return req->bytes + at;
}

void xl_twin_nl_begin(struct xl_twin_nl *req, uint16_t type, uint16_t flags, const void *header,
		      size_t size)
{
	memset(req, 0, sizeof(*req));
	req->nlh.nlmsg_len = NLMSG_HDRLEN;
	req->nlh.nlmsg_type = type;
	req->nlh.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	xl_twin_nl_append(req, header, size);
}

void xl_twin_nl_add(struct xl_twin_nl *req, uint16_t type, const void *data, size_t len)
{
	const struct rtattr attr = { .rta_type = type, .rta_len = (uint16_t)RTA_LENGTH(len) };

	xl_twin_nl_append(req, &attr, sizeof(attr));
	xl_twin_nl_append(req, data, len);
}

void xl_twin_nl_add_u32(struct xl_twin_nl *req, uint16_t type, uint32_t value)
{
	xl_twin_nl_add(req, type, &value, sizeof(value));
}

struct rtattr *xl_twin_nl_nest(struct xl_twin_nl *req, uint16_t type)
{
	const struct rtattr attr = { .rta_type = type, .rta_len = RTA_LENGTH(0) };

	return xl_twin_nl_append(req, &attr, sizeof(attr));
}

void xl_twin_nl_end(struct xl_twin_nl *req, struct rtattr *nest)
{
	if (nest && req->nlh.nlmsg_len)
		nest->rta_len = (uint16_t)(req->bytes + req->nlh.nlmsg_len - (char *)nest);
}

int xl_twin_nl_send(struct xl_twin_nl *req)
{
	struct {
		struct nlmsghdr nlh;
		struct nlmsgerr err;
	} answer;
	ssize_t n;
	int fd;

	if (!req->nlh.nlmsg_len)
		return -E2BIG;
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
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
