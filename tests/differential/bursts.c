/* SPDX-License-Identifier: GPL-2.0-only */
/* Fragments, conversations with their errors, and packets larger than a page. */
#include "step.h"

#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <string.h>

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4 /* headers of Linux 6.1 and before */
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

/* --- fragments ------------------------------------------------------------------------------ */

#define PIECES_MAX 12

struct piece {
	unsigned offset; /* bytes */
	unsigned size;
	bool more;
};

/* Cut at multiples of 8, from one piece (IPv6: an "atomic" fragment) to many tiny ones. */
static unsigned pieces_cut(struct piece *pieces, unsigned size, struct random *random)
{
	unsigned count = 0, offset = 0;
	bool tiny = random_chance(random, 20);

	while (offset < size && count < PIECES_MAX) {
		unsigned left = size - offset;
		unsigned width = tiny ? 8 : 8 * (1 + random_below(random, left / 8 + 1));

		if (width >= left || count == PIECES_MAX - 1)
			width = left;
		pieces[count++] = (struct piece){ offset, width, width < left };
		offset += width;
	}
	return count;
}

/* Pieces that overlap, come twice, in another order or not at all, or lie about the end. */
static unsigned pieces_spoil(struct piece *pieces, unsigned count, unsigned size,
			     struct random *random)
{
	unsigned at = random_below(random, count), other = random_below(random, count);
	struct piece kept = pieces[at];

	switch (random_below(random, 7)) {
	case 0:
		pieces[at].size += 8 * (1 + random_below(random, 4));
		if (pieces[at].offset + pieces[at].size > size)
			pieces[at].size = size - pieces[at].offset;
		break;
	case 1:
		pieces[count++] = kept;
		break;
	case 2:
		pieces[at] = pieces[other];
		pieces[other] = kept;
		break;
	case 3:
		pieces[at] = pieces[--count];
		break;
	case 4:
		pieces[at].more = !kept.more;
		break;
	case 5:
		if (kept.more && kept.size > 1)
			pieces[at].size--; /* not a multiple of 8 */
		break;
	default: /* far behind all the others */
		pieces[at].offset = 8 * random_below(random, 8192);
		pieces[at].size = kept.size;
		break;
	}
	return count;
}

static void pieces_send(struct maker *maker, const struct piece *pieces, unsigned count,
			const struct payload *payload)
{
	static _Thread_local struct packet_bytes packet;
	unsigned size = payload->size;

	for (unsigned i = 0; i < count; i++) {
		unsigned from = pieces[i].offset < size ? pieces[i].offset : 0;
		unsigned bytes = from + pieces[i].size > size ? size - from : pieces[i].size;

		maker->network.fragment = true;
		maker->network.fragment_offset = pieces[i].offset;
		maker->network.more = pieces[i].more;
		packet_write(&packet, &maker->network, payload->data + from, bytes);
		if (random_chance(&maker->random, 3))
			packet_damage(&packet, maker->network.family, !scope_is_exact(maker->scope),
				      &maker->random);
		burst_add(maker, maker->origin, &packet);
	}
}

/* One fragment of nothing else, with any offset; 8 is what a TCP match drops. */
static void make_stray(struct maker *maker, struct payload *payload)
{
	static const unsigned offsets[] = { 0, 8, 8, 16, 24, 800, 65528 };
	struct piece piece = { .offset = PICK(&maker->random, offsets),
			       .more = random_chance(&maker->random, 50) };

	piece.size = payload->size;
	if (piece.more)
		piece.size &= ~7u;
	pieces_send(maker, &piece, 1, payload);
}

void make_fragments(struct maker *maker)
{
	static _Thread_local struct payload payload;
	struct random *random = &maker->random;
	struct piece pieces[PIECES_MAX + 1];
	unsigned count;

	/* early stages judge fragments one by one (docs/semantics.md); and so does not what tracks
	   connections: it puts them together first */
	if (!scope_is_exact(maker->scope) && (maker->local || maker->origin == FROM_ROUTER ||
					      maker->scope->variant != VARIANT_PLAIN))
		return;
	if (random_chance(random, 15))
		extensions_make(&maker->network, !scope_is_exact(maker->scope), random);
	payload_make(&payload, &maker->network, ports_make(random), random);
	payload_spoil(&payload, maker->network.protocol, random);
	if (random_chance(random, 30)) {
		make_stray(maker, &payload);
		return;
	}
	if (random_chance(random, 70)) {
		unsigned more = random_below(random, 2500);

		memset(payload.data + payload.size, 0, more);
		payload.size += more;
		payload_checksum(&payload, &maker->network);
	}
	if (!payload.size)
		return;
	count = pieces_cut(pieces, payload.size, random);
	if (random_chance(random, 40))
		count = pieces_spoil(pieces, count, payload.size, random);
	pieces_send(maker, pieces, count, &payload);
}

/* --- conversations -------------------------------------------------------------------------- */

static enum origin other_side(const struct maker *maker)
{
	return maker->origin == FROM_CLIENT ? FROM_SERVER : FROM_CLIENT;
}

static struct network error_network(const struct maker *maker, struct random *random)
{
	struct network network = maker->network;

	network.protocol = network.family == 4 ? 1 : 58;
	if (random_chance(random, 30)) /* a host on the way says it */
		network.source[network.family == 4 ? 3 : 15] = 9;
	return network;
}

/* NAT refuses what it cannot change in full: early stages count it (docs/semantics.md, "unrouted")
 */
static bool is_too_short_for_nat(const struct payload *error, const struct network *network)
{
	unsigned quoted = error->size - (unsigned)sizeof(struct icmphdr);
	unsigned header = network->family == 4 ? sizeof(struct iphdr) : sizeof(struct ip6_hdr);

	return quoted >= header + 4 && quoted < header + 8;
}

/*
 * Packets in both directions as the two ends of a connection would send them, from the wire as far
 * as the router is concerned; some end with an error about the last one.
 */
void make_conversation(struct maker *maker)
{
	static _Thread_local struct payload payload;
	static _Thread_local struct packet_bytes packet;
	static const unsigned char flags[] = { 0x02, 0x12, 0x10, 0x18, 0x18, 0x11, 0x04 };
	/* early stages alone do not know TCP's windows */
	static const unsigned char protocols[] = { 17, 17, 1, 6, 6 };
	struct random *random = &maker->random;
	struct ports ports = ports_make(random);
	enum origin first = maker->origin, second = other_side(maker);
	unsigned rounds = 1 + random_below(random, 7);

	if (maker->origin == FROM_ROUTER)
		second = maker->network.family == 4 && maker->network.destination[2] == 2
				 ? FROM_SERVER
				 : FROM_CLIENT;
	maker->network.protocol =
		protocols[random_below(random, scope_predicts(maker->scope) ? 3 : 5)];
	if (maker->network.protocol == 1 && maker->network.family == 6)
		maker->network.protocol = 58;
	for (unsigned i = 0; i < rounds; i++) {
		bool reply = i % 2;

		payload_converse(&payload, &maker->network, ports, flags[i], reply);
		packet_write(&packet, &maker->network, payload.data, payload.size);
		burst_add(maker, reply && !maker->local ? second : first, &packet);
		network_turn(&maker->network);
		ports = (struct ports){ ports.destination, ports.source };
		if (maker->local) /* the router answers for itself */
			break;
	}
	if (random_chance(random, 40) && !maker->local) {
		bool reply = rounds % 2;
		enum origin from = reply ? second : first;
		struct network network = error_network(maker, random);

		payload_error(&payload, &network, &packet, random);
		packet_write(&packet, &network, payload.data, payload.size);
		if (!(scope_hides_errors(maker->scope) &&
		      (from == FROM_ROUTER || is_too_short_for_nat(&payload, &network))))
			burst_add(maker, from, &packet);
	}
}

/* --- large ones ----------------------------------------------------------------------------- */

/* Segments that travel as one packet, as the stack and network cards make them. */
static void add_segmented(struct maker *maker, struct payload *payload)
{
	static _Thread_local struct packet_bytes packet;
	bool tcp = maker->network.protocol == IPPROTO_TCP;
	unsigned header_size, checksum;
	struct frame *frame;

	header_size = packet_header_size(&maker->network);
	checksum = payload_pseudo_checksum(payload, &maker->network);
	packet_write(&packet, &maker->network, payload->data, payload->size);
	frame = burst_add(maker, maker->origin, &packet);
	if (!frame)
		return;
	header_size += frame->size - packet.size;
	frame->offload = (struct virtio_net_hdr){
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = tcp ? (maker->network.family == 4 ? VIRTIO_NET_HDR_GSO_TCPV4
							      : VIRTIO_NET_HDR_GSO_TCPV6)
				: VIRTIO_NET_HDR_GSO_UDP_L4,
		.gso_size = (uint16_t)(500 + random_below(&maker->random, 900)),
		.hdr_len = (uint16_t)(header_size + (tcp ? (payload->data[12] >> 4) * 4 : 8)),
		.csum_start = (uint16_t)header_size,
		.csum_offset = (uint16_t)checksum,
	};
}

/* Packets whose headers are partly behind the linear data. */
static void add_scattered(struct maker *maker, const struct payload *payload)
{
	static _Thread_local struct packet_bytes packet;
	struct frame *frame;

	packet_write(&packet, &maker->network, payload->data, payload->size);
	frame = burst_add(maker, maker->origin, &packet);
	if (frame)
		frame->offload.hdr_len = (uint16_t)(14 + random_below(&maker->random, 80));
}

/* XDP alone sees each segment (docs/semantics.md), and on veth needs packets within a page. */
void make_large(struct maker *maker)
{
	static _Thread_local struct payload payload;
	struct random *random = &maker->random;
	bool segmented = random_chance(random, 50);

	if (maker->scope->judge == JUDGE_XDP || maker->origin != FROM_CLIENT)
		return;
	if (segmented && maker->network.protocol != IPPROTO_UDP)
		maker->network.protocol = IPPROTO_TCP;
	if (random_chance(random, 15))
		extensions_make(&maker->network, !scope_is_exact(maker->scope), random);
	payload_converse(&payload, &maker->network, ports_make(random), 0x10, false);
	memset(payload.data + 60, 0, sizeof(payload.data) - 60);
	payload.size =
		segmented ? 1500 + random_below(random, 8000) : 4200 + random_below(random, 4000);
	if (maker->network.protocol == IPPROTO_UDP) {
		payload.data[4] = (unsigned char)(payload.size >> 8);
		payload.data[5] = (unsigned char)payload.size;
	}
	payload_checksum(&payload, &maker->network);
	if (segmented)
		add_segmented(maker, &payload);
	else
		add_scattered(maker, &payload);
}
