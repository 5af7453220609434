/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the driver does with a request: the socket options through iptables-compat, the tables
 * through compiler and loader. driver_main.c feeds it frames and knows nothing of tables.
 */
#ifndef UBPFILTER_SERVICE_H
#define UBPFILTER_SERVICE_H

#include "../common/message.h"
#include "../supervisor/protocol.h"

struct service;

struct service_options {
	const char *rundir; /* runtime folder; exists */
	const char *config; /* configuration file; need not exist */
	const char *hook;   /* "auto", "netfilter", "xdp", "tc": overrides the configuration; NULL:
			       does not */
	const char *strict; /* "yes", "no": the same */
};

/** service_open() - open the loader: adopts what is in force. */
int service_open(struct service **service, const struct service_options *options,
		 struct message *message);
void service_close(struct service *service);

/** service_event_fd(), service_event() - device and namespace changes; see loader.h. */
int service_event_fd(const struct service *service);
int service_event(struct service *service, struct message *message);

/**
 * service_handle() - answer one request other than CONTROL_HEALTH and CONTROL_STOP.
 * @netns_fd: the client's network namespace; stays the caller's.
 * @payload: request->len bytes.
 * @output, @output_len: set always; owned by the caller; NULL and 0 when there are none.
 * @message: a line for the client's stderr, or empty.
 * Return: the status for the reply: 0 or -errno.
 */
int service_handle(struct service *service, const struct request *request, int netns_fd,
		   const void *payload, void **output, size_t *output_len, struct message *message);

#endif
