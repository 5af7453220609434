/* SPDX-License-Identifier: GPL-2.0-only */
/* The messages of the meeting, with their descriptors; see protocol.h. */
#ifndef UBPFILTER_MEETING_H
#define UBPFILTER_MEETING_H

#include <sys/types.h>

#include "protocol.h"

#define MEETING_FDS_MAX 2

/**
 * meeting_send() - send one message; never blocks for the other side, never raises SIGPIPE.
 * @nonce: 16 bytes, or NULL. @fds: @count descriptors to pass along; stay the caller's.
 */
int meeting_send(int socket, enum meeting_kind kind, int status, const uint8_t *nonce,
		 const int *fds, unsigned count);

/**
 * meeting_receive() - receive one message that carries exactly @count descriptors.
 * @fds: set on success; close-on-exec, owned by the caller. A farewell carries none: then they stay
 * unchanged.
 * @sender: set on success when not NULL: the pid as the kernel attests it; 0: it did not.
 * Return: 0; -EPIPE at the end; -EPROTO for anything else than a message of this protocol; -errno.
 */
int meeting_receive(int socket, struct meeting *meeting, int *fds, unsigned count, pid_t *sender);

#endif
