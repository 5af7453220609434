/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The client's side of the supervisor: rendezvous, autostart, one request and its reply. Used by
 * the shim inside foreign programs and by the command line, so it keeps nothing between calls: no
 * descriptor, no thread, no signal disposition.
 */
#ifndef UBPFILTER_CLIENT_H
#define UBPFILTER_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#include "../common/message.h"
#include "protocol.h"

enum client_start {
	CLIENT_AUTOSTART, /* start a supervisor when none runs, unless UBPFILTER_AUTOSTART=0 */
	CLIENT_ATTACH,	  /* only talk to one that runs */
};

struct client_request {
	enum client_start start;
	enum frame_kind kind;
	uint32_t level;	     /* SOL_IP, SOL_IPV6, or 0 */
	uint32_t cmd;	     /* option or enum control_command */
	uint32_t is_set;     /* 1: setsockopt */
	int netns_fd;	     /* network namespace asked about; stays the caller's; negative: the
				caller's own namespace */
	const void *payload; /* may be a foreign program's bad pointer: gives -EFAULT */
	size_t len;	     /* at most FRAME_LENGTH_MAX */
};

/**
 * client_call() - send one request, wait for its reply.
 * @output, @output_len: set when the call returns the reply's status: what the driver answered,
 * owned by the caller; NULL and 0 when there is nothing.
 * @message: a line for people, or empty. From the driver, or about why it could not be reached.
 * Return: the reply's status, 0 or -errno. Of its own: -EPERM without CAP_NET_ADMIN over the
 * namespace; -ENOPROTOOPT when there is no supervisor and none can or may be started; -ENOTCONN for
 * CLIENT_ATTACH when none runs; -EFAULT when the request died; -ENOMEM, -EMFILE and the like.
 */
int client_call(const struct client_request *request, void **output, size_t *output_len,
		struct message *message);

/** client_rundir() - the runtime folder: $UBPFILTER_RUNDIR, or /run/ubpfilter. */
const char *client_rundir(void);

/** client_config() - the configuration file: $UBPFILTER_CONF, or /etc/ubpfilter.conf. */
const char *client_config(void);

#endif
