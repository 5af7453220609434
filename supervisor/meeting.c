/* SPDX-License-Identifier: GPL-2.0-only */
#include "meeting.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
	struct cmsghdr header; /* alignment */
	char data[CMSG_SPACE(MEETING_FDS_MAX * sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
};

int meeting_send(int socket, enum meeting_kind kind, int status, const uint8_t *nonce,
		 const int *fds, unsigned count)
{
	struct meeting meeting = {
		.magic = FRAME_MAGIC,
		.version = FRAME_VERSION,
		.kind = (uint16_t)kind,
		.status = status,
	};
	struct iovec part = { .iov_base = &meeting, .iov_len = sizeof(meeting) };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	union control control = {};
	ssize_t sent;

	if (nonce)
		memcpy(meeting.nonce, nonce, sizeof(meeting.nonce));
	if (count) {
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(&control.header), fds, count * sizeof(int));
	}
	do
		sent = sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

struct arrival {
	int fds[sizeof(union control) / sizeof(int)]; /* more than the control data can hold */
	unsigned count;
	pid_t sender;
};

static struct arrival unpack(struct msghdr *message)
{
	struct arrival arrival = {};

	for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part;
	     part = CMSG_NXTHDR(message, part)) {
		if (part->cmsg_level != SOL_SOCKET)
			continue;
		if (part->cmsg_type == SCM_CREDENTIALS) {
			struct ucred credentials;

			memcpy(&credentials, CMSG_DATA(part), sizeof(credentials));
			arrival.sender = credentials.pid;
		} else if (part->cmsg_type == SCM_RIGHTS) {
			size_t size = part->cmsg_len - CMSG_LEN(0);

			memcpy(arrival.fds, CMSG_DATA(part), size);
			arrival.count = (unsigned)(size / sizeof(int));
		}
	}
	return arrival;
}

static int check(const struct meeting *meeting, ssize_t got, int flags, unsigned arrived,
		 unsigned wanted)
{
	if (!got)
		return -EPIPE;
	if (got != sizeof(*meeting) || flags & (MSG_TRUNC | MSG_CTRUNC) ||
	    meeting->magic != FRAME_MAGIC || meeting->version != FRAME_VERSION)
		return -EPROTO;
	return arrived == (meeting->kind == MEETING_FAREWELL ? 0 : wanted) ? 0 : -EPROTO;
}

int meeting_receive(int socket, struct meeting *meeting, int *fds, unsigned count, pid_t *sender)
{
	struct meeting received;
	struct iovec part = { .iov_base = &received, .iov_len = sizeof(received) };
	union control control;
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct arrival arrival;
	ssize_t got;
	int error;

	do
		got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	arrival = unpack(&message);
	error = check(&received, got, message.msg_flags, arrival.count, count);
	if (error) {
		for (unsigned i = 0; i < arrival.count; i++)
			close(arrival.fds[i]);
		return error;
	}
	*meeting = received;
	memcpy(fds, arrival.fds, arrival.count * sizeof(int));
	if (sender)
		*sender = arrival.sender;
	return 0;
}
