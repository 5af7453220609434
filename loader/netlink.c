/* SPDX-License-Identifier: GPL-2.0-only */
/* Netlink: questions to the namespace that the thread is in, events of all namespaces. */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "internal.h"

/* What libmnl advises for dumps (MNL_SOCKET_DUMP_SIZE of newer versions). */
#define RECEIVE_SIZE 32768

static int transact(struct mnl_socket *socket, struct nlmsghdr *request, size_t size,
		    mnl_cb_t handle, void *data)
{
	_cleanup_free_ char *buffer = malloc(RECEIVE_SIZE);
	unsigned port = mnl_socket_get_portid(socket);
	int result = MNL_CB_OK;

	if (!buffer)
		return -ENOMEM;
	if (mnl_socket_sendto(socket, request, size) < 0)
		return -errno;
	while (result > MNL_CB_STOP) {
		ssize_t got = mnl_socket_recvfrom(socket, buffer, RECEIVE_SIZE);

		if (got < 0)
			return -errno;
		/* the socket is new: what comes is of this request */
		result = mnl_cb_run(buffer, (size_t)got, 0, port, handle, data);
	}
	return result < 0 ? -errno : 0;
}

int netlink_send(int protocol, void *messages, size_t size, mnl_cb_t handle, void *data)
{
	struct mnl_socket *socket = mnl_socket_open2(protocol, SOCK_CLOEXEC);
	int one = 1;
	int error;

	if (!socket)
		return -errno;
	/* a dump of one routing table shall not be one of all; before 4.20 it is */
	mnl_socket_setsockopt(socket, NETLINK_GET_STRICT_CHK, &one, sizeof(one));
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID))
		error = -errno;
	else
		error = transact(socket, messages, size, handle, data);
	mnl_socket_close(socket);
	return error;
}

struct nlmsghdr *netlink_dump(char buffer[NETLINK_DUMP_SIZE], uint16_t type, uint8_t family,
			      size_t header_size)
{
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct rtgenmsg *header = mnl_nlmsg_put_extra_header(request, header_size);

	request->nlmsg_type = type;
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	header->rtgen_family = family;
	return request;
}

int netlink_ask(int protocol, struct nlmsghdr *request, mnl_cb_t handle, void *data)
{
	return netlink_send(protocol, request, request->nlmsg_len, handle, data);
}

int netlink_listen(int protocol, const int *groups, size_t count, int *listener)
{
	_cleanup_close_ int fd =
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
	struct sockaddr_nl address = { .nl_family = AF_NETLINK };
	int one = 1;

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)))
		return -errno;
	for (size_t i = 0; i < count; i++)
		if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &groups[i],
			       sizeof(groups[i])))
			return -errno;
	if (setsockopt(fd, SOL_NETLINK, NETLINK_LISTEN_ALL_NSID, &one, sizeof(one)))
		return -errno;
	*listener = TAKE_FD(fd);
	return 0;
}

/* libmnl's receive drops the ancillary data that names the namespace. */
static ssize_t receive(int fd, void *buffer, size_t size, int *nsid)
{
	char control[CMSG_SPACE(sizeof(int))];
	struct iovec vector = { buffer, size };
	struct msghdr message = { .msg_iov = &vector,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	ssize_t got = recvmsg(fd, &message, MSG_DONTWAIT);

	*nsid = -1;
	for (struct cmsghdr *c = got < 0 ? NULL : CMSG_FIRSTHDR(&message); c;
	     c = CMSG_NXTHDR(&message, c))
		if (c->cmsg_level == SOL_NETLINK && c->cmsg_type == NETLINK_LISTEN_ALL_NSID)
			memcpy(nsid, CMSG_DATA(c), sizeof(*nsid));
	return got;
}

int netlink_hear(int listener, int *nsid, mnl_cb_t handle, void *data)
{
	_cleanup_free_ char *buffer = malloc(RECEIVE_SIZE);
	ssize_t got;

	if (!buffer)
		return -ENOMEM;
	got = receive(listener, buffer, RECEIVE_SIZE, nsid);
	if (got < 0)
		return -errno;
	mnl_cb_run(buffer, (size_t)got, 0, 0, handle, data);
	return 0;
}
