/* SPDX-License-Identifier: GPL-2.0-only */
#include "frame.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define GROWTH_FIRST ((size_t)64 << 10)
#define RECEIVE_MAX  ((size_t)1 << 20)

int request_check(const struct request *request)
{
	if (request->magic != FRAME_MAGIC || request->version != FRAME_VERSION)
		return -EPROTO;
	if (request->kind != FRAME_SOCKOPT && request->kind != FRAME_CONTROL)
		return -EPROTO;
	return request->len > FRAME_LENGTH_MAX ? -EMSGSIZE : 0;
}

int reply_check(const struct reply *reply, const struct request *request)
{
	if (reply->magic != FRAME_MAGIC || reply->version != FRAME_VERSION ||
	    reply->kind != request->kind || reply->sequence != request->sequence)
		return -EPROTO;
	if (reply->status > 0 || reply->message_len > reply->len || reply->reserved)
		return -EPROTO;
	return reply->len > FRAME_LENGTH_MAX ? -EMSGSIZE : 0;
}

struct reply reply_to(const struct request *request, int status, uint32_t len, uint32_t message_len)
{
	return (struct reply){
		.magic = FRAME_MAGIC,
		.version = FRAME_VERSION,
		.kind = request->kind,
		.sequence = request->sequence,
		.len = len,
		.status = status,
		.message_len = message_len,
	};
}

static void outflow_advance(struct outflow *flow, size_t sent)
{
	for (int i = 0; i < 2; i++) {
		struct iovec *part = &flow->parts[i];
		size_t taken = sent < part->iov_len ? sent : part->iov_len;

		part->iov_base = (unsigned char *)part->iov_base + taken;
		part->iov_len -= taken;
		sent -= taken;
	}
}

size_t outflow_left(const struct outflow *flow)
{
	return flow->parts[0].iov_len + flow->parts[1].iov_len;
}

int outflow_send(struct outflow *flow, int fd)
{
	while (outflow_left(flow)) {
		ssize_t sent = writev(fd, flow->parts, 2);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return -errno;
		outflow_advance(flow, (size_t)sent);
	}
	return 0;
}

void inflow_reset(struct inflow *flow, size_t size)
{
	free(flow->data);
	*flow = (struct inflow){ .size = size };
}

static int inflow_grow(struct inflow *flow)
{
	size_t capacity = flow->capacity ? flow->capacity * 2 : GROWTH_FIRST;
	unsigned char *data;

	if (flow->capacity > flow->got)
		return 0;
	if (capacity > flow->size)
		capacity = flow->size;
	data = realloc(flow->data, capacity);
	if (!data)
		return -ENOMEM;
	flow->data = data;
	flow->capacity = capacity;
	return 0;
}

int inflow_receive(struct inflow *flow, int fd)
{
	size_t before = flow->got;

	while (flow->got < flow->size) {
		ssize_t got;

		if (inflow_grow(flow) < 0)
			return -ENOMEM;
		if (flow->got - before >= RECEIVE_MAX)
			return -EAGAIN;
		got = read(fd, flow->data + flow->got, flow->capacity - flow->got);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (!got)
			return -EPIPE;
		flow->got += (size_t)got;
	}
	return 0;
}
