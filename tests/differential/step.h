/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is done to both twins, a step after the other: frames arrive, the router sends packets by
 * raw sockets, sockets of the three hosts talk. A step is made anew from its seed each time.
 */
#ifndef UBPFILTER_DIFFERENTIAL_STEP_H
#define UBPFILTER_DIFFERENTIAL_STEP_H

#include <linux/virtio_net.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "packet.h"

#define BURST_FRAMES 24
#define BURST_BYTES  49152

enum step_kind {
	STEP_FRAMES,
	STEP_UDP,
	STEP_TCP,
};

struct step {
	enum step_kind kind;
	uint64_t seed;
};

struct step step_make(const struct scope *scope, struct random *random);
void step_print(const struct step *step, const struct scope *scope);

/* --- STEP_FRAMES ---------------------------------------------------------------------------- */

struct frame {
	enum origin origin;
	unsigned offset; /* in struct burst::bytes: the Ethernet header, FROM_ROUTER: the IP header
			  */
	unsigned size;
	struct virtio_net_hdr offload;
};

/* Frames that belong together, in order: a packet, the fragments of one, a conversation. */
struct burst {
	unsigned count;
	unsigned used;
	struct frame frames[BURST_FRAMES];
	unsigned char bytes[BURST_BYTES];
};

/* @salt: changes the fragments' ids, so that those of another run do not fit. */
void burst_make(struct burst *burst, const struct step *step, const struct scope *scope,
		uint32_t salt);

/* For the makers of bursts. */
struct maker {
	const struct scope *scope;
	struct random random;
	struct burst *burst;
	enum origin origin;
	struct network network; /* of the packet at hand */
	bool local;		/* it is for the router itself */
};

/* Append @packet; what does not fit is left out. */
struct frame *burst_add(struct maker *maker, enum origin origin, const struct packet_bytes *packet);
void make_fragments(struct maker *maker);
void make_conversation(struct maker *maker);
void make_large(struct maker *maker);

/* --- STEP_UDP and STEP_TCP ------------------------------------------------------------------ */

enum place {
	PLACE_CLIENT,
	PLACE_ROUTER,
	PLACE_SERVER,
	PLACE_COUNT,
};

/* A socket of @from speaks to @to. */
struct exchange {
	enum place from;
	struct sockaddr_storage source;
	struct sockaddr_storage to;
	socklen_t length;
	bool listened; /* somebody does */
	bool answered; /* UDP */
	unsigned size; /* UDP: bytes of data */
};

void exchange_make(struct exchange *exchange, const struct step *step, const struct scope *scope);
void exchange_print(const struct exchange *exchange);

#endif
