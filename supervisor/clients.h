/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The clients: from the listening socket to complete, authorised requests for the relay, and its
 * replies back. Nothing that a client does or leaves undone delays another: all descriptors are
 * non-blocking, all waits bounded, all buffers the client's own.
 *
 * How a client proves who it is, without a gap that reused pids, exec or passed descriptors could
 * slip through:
 *	1. SO_PEERCRED names the process that connected; it is pinned by a pidfd, and its
 *	   capabilities and user namespace are taken down.
 *	2. Only then is it sent a nonce.
 *	3. Its hello must carry the nonce, a descriptor, and, attested by the kernel at the time of
 *	   sending (SCM_CREDENTIALS), the same pid, while the pidfd says that this process lives.
 * So the process that was looked at is the one that sent the hello, later than it was looked at: a
 * setuid program that the client executes in between would have to send the nonce and a descriptor.
 */
#ifndef UBPFILTER_CLIENTS_H
#define UBPFILTER_CLIENTS_H

#include "log.h"
#include "loop.h"
#include "relay.h"

struct clients;

/** clients_open() - serve the listening socket @listen_fd, which becomes the clients'. */
int clients_open(struct clients **clients, struct loop *loop, const struct log *log,
		 struct relay *relay, int listen_fd);
void clients_close(struct clients *clients);

/** clients_drain() - take no more connections. */
void clients_drain(struct clients *clients);

/** clients_pending() - whether a reply is still on its way to a client. */
bool clients_pending(const struct clients *clients);

#endif
