/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Test helper: a driver that answers health check and configuration, and then does wrong what FAULT
 * says. It has neither arguments nor environment, so each fault is a program of its own.
 */
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "../../../common/cleanup.h"
#include "../../../common/io.h"
#include "../../../supervisor/frame.h"

enum fault {
	FAULT_health,	/* dies in its health check */
	FAULT_short,	/* answers half a reply and dies */
	FAULT_sequence, /* answers another request than the one that was asked */
	FAULT_death,	/* dies when it has read a request */
	FAULT_deaf,	/* dies when a request is there, without reading it */
	FAULT_half,	/* dies when it has read half of a request's header */
	FAULT_length,	/* announces more than any reply may be long */
	FAULT_chatter,	/* speaks unasked after its first answer */
};

static void reply(const struct request *request, size_t size, uint64_t off, uint32_t len)
{
	struct reply answer = reply_to(request, 0, len, 0);

	answer.sequence += off;
	io_write(STDOUT_FILENO, &answer, size);
}

static void misbehave(const struct request *request)
{
	switch (FAULT) {
	case FAULT_short:
		reply(request, sizeof(struct reply) / 2, 0, 0);
		_exit(3);
	case FAULT_sequence:
		reply(request, sizeof(struct reply), 1, 0);
		return;
	case FAULT_length:
		reply(request, sizeof(struct reply), 0, FRAME_LENGTH_MAX + 1);
		return;
	case FAULT_chatter:
		reply(request, sizeof(struct reply), 0, 0);
		reply(request, sizeof(struct reply), 0, 0);
		return;
	default:
		_exit(3);
	}
}

/* What it does to a request before it reads it. */
static void meet(void)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
	char half[sizeof(struct request) / 2];

	if (FAULT == FAULT_deaf)
		poll(&input, 1, -1);
	if (FAULT == FAULT_half)
		io_read(STDIN_FILENO, half, sizeof(half));
	if (FAULT == FAULT_deaf || FAULT == FAULT_half)
		_exit(3);
}

int main(void)
{
	struct request request;
	char payload[4096];

	while (!io_read(STDIN_FILENO, &request, sizeof(request)) &&
	       request.len <= sizeof(payload) && !io_read(STDIN_FILENO, payload, request.len)) {
		if (FAULT == FAULT_health)
			_exit(3);
		if (request.kind != FRAME_CONTROL) {
			misbehave(&request);
			continue;
		}
		reply(&request, sizeof(struct reply), 0, 0);
		if (request.cmd == CONTROL_CONFIGURE)
			meet();
	}
	return 0;
}
