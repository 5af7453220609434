/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The relay: requests in, each in its turn to the driver, replies out. It starts the driver when it
 * is needed, checks its health, hands it its configuration, restarts it when it is gone, and bounds
 * the time that it may take. It knows nothing of clients and nothing of what requests mean, but for
 * the one that it answers itself (CONTROL_STOP).
 */
#ifndef UBPFILTER_RELAY_H
#define UBPFILTER_RELAY_H

#include "driver.h"
#include "frame.h"
#include "log.h"
#include "loop.h"

/* One request and its reply. Belongs to the relay from relay_submit() until `done`. */
struct exchange {
	struct request request;
	unsigned char *payload; /* owned; request.len bytes */
	struct reply reply;	/* set when answered */
	unsigned char *output;	/* owned; reply.len bytes */
	void (*done)(struct exchange *exchange);
	void *owner;
	bool begun;   /* the driver was given the request */
	bool is_last; /* no other driver is given it, should this one be lost */
	int netns_fd; /* -1, or what to close at the end in the place of an owner that left */
	struct exchange *next;
};

/** exchange_free() - release an exchange and what it owns. */
void exchange_free(struct exchange *exchange);

struct relay_options {
	const void *configuration; /* payload of CONTROL_CONFIGURE */
	uint32_t configuration_len;
	uint64_t request_timeout;  /* milliseconds that one request may take */
	void (*stop)(void *owner); /* somebody asked for an end; the answer is on its way */
	void *owner;
};

struct relay;

/** relay_open() - a relay for @driver, whose image is loaded. Nothing is started yet. */
int relay_open(struct relay **relay, struct loop *loop, const struct log *log,
	       struct driver *driver, const struct relay_options *options);

/** relay_close() - stop the driver; the exchanges still waiting end with -EFAULT or -EAGAIN. */
void relay_close(struct relay *relay);

/** relay_start() - start the driver now, without a request. */
void relay_start(struct relay *relay);

/**
 * relay_submit() - have a request answered. `done` may be called before this returns.
 * A request that a lost driver did not read a byte of is given to the next one, once.
 * The status is -ENOPROTOOPT when no driver could be started, -EFAULT when the driver was lost with
 * the request, -EAGAIN when the request was not begun because of a stop.
 */
void relay_submit(struct relay *relay, struct exchange *exchange);

/**
 * relay_abandon() - its owner left: a request that was not begun is dropped, one that is in flight
 * is finished, and its reply dropped. @netns_fd is closed then.
 */
void relay_abandon(struct relay *relay, struct exchange *exchange, int netns_fd);

/** relay_drain() - begin nothing more; what is in flight goes on. */
void relay_drain(struct relay *relay);

/** relay_busy() - whether a request is in flight. */
bool relay_busy(const struct relay *relay);

#endif
