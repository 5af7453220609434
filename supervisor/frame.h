/* SPDX-License-Identifier: GPL-2.0-only */
/* Frames as they cross a pipe: what a header must look like, and sending and receiving in parts. */
#ifndef UBPFILTER_FRAME_H
#define UBPFILTER_FRAME_H

#include <stddef.h>
#include <sys/uio.h>

#include "protocol.h"

/** request_check() - 0; -EPROTO: not a request of this protocol; -EMSGSIZE: too long. */
int request_check(const struct request *request);

/** reply_check() - 0; -EPROTO: not the reply to @request; -EMSGSIZE: too long. */
int reply_check(const struct reply *reply, const struct request *request);

/** reply_to() - the header of a reply; @len counts output and message. */
struct reply reply_to(const struct request *request, int status, uint32_t len,
		      uint32_t message_len);

/* What is still to be sent: header, payload, in order; the parts stay the caller's. */
struct outflow {
	struct iovec parts[2];
};

/** outflow_left() - how many bytes that is. */
size_t outflow_left(const struct outflow *flow);

/**
 * outflow_send() - send what the non-blocking @fd takes now.
 * Return: 0 when all is sent, -EAGAIN when not yet, -errno.
 */
int outflow_send(struct outflow *flow, int fd);

/* What is still to come. The buffer grows with what has come, not with what was announced. */
struct inflow {
	unsigned char *data; /* owned */
	size_t size;	     /* bytes expected */
	size_t got;
	size_t capacity;
};

/**
 * inflow_receive() - take what the non-blocking @fd has now, within a bound that is fair to others.
 * Return: 0 when all is there, -EAGAIN when not yet, -EPIPE at the end of file, -ENOMEM, -errno.
 */
int inflow_receive(struct inflow *flow, int fd);

/** inflow_reset() - forget what came and expect @size bytes. */
void inflow_reset(struct inflow *flow, size_t size);

#endif
