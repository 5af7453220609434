/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The evaluator's own view of a packet. Written apart from bpf/parse.h on purpose: each is held
 * against the other, so neither may borrow from it.
 */
#ifndef UBPFILTER_PACKET_H
#define UBPFILTER_PACKET_H

#include <stddef.h>

#include "../bpf/types.h"

/* Who made a packet. */
enum origin {
	ORIGIN_OTHERS, /* received: the IP layer has discarded what is not sound */
	ORIGIN_HOST,   /* sent by this host: OUTPUT sees what raw sockets write, unchecked */
};

/**
 * packet_parse() - a raw packet as rules see it; device names are left empty.
 * @family: 4 or 6.
 * @data, @size: from the IP header on; padding behind the IP length may follow what is received.
 * @packet: set on success, TCP options included.
 * Return: 0; -EINVAL for a packet that the IP layer discards before any hook, or does not send.
 */
int packet_parse(struct packet *packet, int family, enum origin origin, const unsigned char *data,
		 size_t size);

#endif
