/* SPDX-License-Identifier: GPL-2.0-only */
#include "step.h"

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/headers.h"

#define VLAN_TAG 4

struct step step_make(const struct scope *scope, struct random *random)
{
	unsigned kind = random_below(random, 1000);
	/* where conversations of TCP are left out, sockets have more of them */
	unsigned more = scope_predicts(scope) ? 5 : 1;

	return (struct step){ .kind = kind < 12 * more	 ? STEP_UDP
				      : kind < 18 * more ? STEP_TCP
							 : STEP_FRAMES,
			      .seed = random_next(random) };
}

/* --- frames --------------------------------------------------------------------------------- */

static void put_link_addresses(unsigned char *frame, const struct maker *maker,
			       const struct packet_bytes *packet, struct random *random)
{
	static const unsigned char macs[2][2][6] = {
		{ { 2, 0, 0, 0, 0, 0x10 }, { 2, 0, 0, 0, 0, 1 } },
		{ { 2, 0, 0, 0, 0, 0x11 }, { 2, 0, 0, 0, 0, 2 } },
	};
	bool many = maker->network.family == 4 ? packet->data[16] >= 224 : packet->data[24] == 0xff;

	memcpy(frame, macs[maker->origin == FROM_SERVER], 12);
	if (many && random_chance(random, 80)) {
		static const unsigned char group4[] = { 1, 0, 0x5e }, group6[] = { 0x33, 0x33 };

		memcpy(frame, packet->data + (maker->network.family == 4 ? 14 : 34), 6);
		if (maker->network.family == 4)
			memcpy(frame, group4, 3);
		else
			memcpy(frame, group6, 2);
	}
	if (random_chance(random, 3))
		memset(frame, 0xff, 6);
	else if (random_chance(random, 2))
		frame[5] = 0x77; /* another host's */
}

/* Rarely a priority tag or two, more rarely a VLAN's. Returns their size. */
static unsigned put_tags(unsigned char *tags, struct random *random)
{
	static const unsigned char kinds[3][2 * VLAN_TAG] = {
		{ 0x81, 0, 0xe0, 0, 0x81, 0, 0x20, 0 },
		{ 0x81, 0, 0, 0, 0x88, 0xa8, 0, 0 },
		{ 0x81, 0, 0, 5, 0x81, 0, 0, 0 },
	};
	unsigned count = random_chance(random, 5) ? 1 + random_below(random, 2) : 0;

	memcpy(tags, PICK(random, kinds), count * VLAN_TAG);
	return count * VLAN_TAG;
}

struct frame *burst_add(struct maker *maker, enum origin origin, const struct packet_bytes *packet)
{
	struct burst *burst = maker->burst;
	struct frame *frame = &burst->frames[burst->count];
	unsigned char *bytes = burst->bytes + burst->used;
	unsigned size = 0;
	uint16_t type = htons(maker->network.family == 4 ? ETHERTYPE_IP : ETHERTYPE_IPV6);

	if (burst->count == BURST_FRAMES ||
	    burst->used + ETH_HLEN + 2 * VLAN_TAG + packet->size > BURST_BYTES)
		return NULL;
	if (maker->network.family == 6 && ipv6_headers_overrun(packet->data, packet->size))
		return NULL;
	if (origin != FROM_ROUTER) {
		maker->origin = origin;
		put_link_addresses(bytes, maker, packet, &maker->random);
		size = 12 + put_tags(bytes + 12, &maker->random);
		memcpy(bytes + size, &type, 2);
		size += 2;
	}
	memcpy(bytes + size, packet->data, packet->size);
	*frame = (struct frame){ .origin = origin,
				 .offset = burst->used,
				 .size = size + packet->size };
	burst->count++;
	burst->used += frame->size;
	return frame;
}

/* A connection of its own: early stages do not know what conntrack finds wrong with a segment. */
static struct ports ports_of_one(struct random *random)
{
	struct ports ports = ports_make(random);

	ports.source = htons((uint16_t)(1024 + random_below(random, 64000)));
	return ports;
}

/* Where a match drops a packet that ends inside its header, conntrack does not see it, or has seen
   it: as with DROP. */
static void end_behind_header(struct payload *payload, unsigned char protocol)
{
	if ((protocol == IPPROTO_AH || protocol == IPPROTO_ESP) && payload->size < 12)
		payload->size = 12;
}

static void make_single(struct maker *maker)
{
	static _Thread_local struct payload payload;
	static _Thread_local struct packet_bytes packet;
	bool exact = scope_is_exact(maker->scope), predicted = scope_predicts(maker->scope);

	/* early stages do not follow extension headers of a packet in an error */
	if (!(predicted && maker->network.family == 6) && random_chance(&maker->random, 12))
		extensions_make(&maker->network, !exact, &maker->random);
	payload_make(&payload, &maker->network,
		     predicted ? ports_of_one(&maker->random) : ports_make(&maker->random),
		     &maker->random);
	if (predicted)
		end_behind_header(&payload, maker->network.protocol);
	else
		payload_spoil(&payload, maker->network.protocol, &maker->random);
	packet_write(&packet, &maker->network, payload.data, payload.size);
	if (!predicted && random_chance(&maker->random, maker->origin == FROM_ROUTER ? 3 : 8))
		packet_damage(&packet, maker->network.family, !exact, &maker->random);
	burst_add(maker, maker->origin, &packet);
}

void burst_make(struct burst *burst, const struct step *step, const struct scope *scope,
		uint32_t salt)
{
	static const enum origin origins[] = { FROM_CLIENT, FROM_CLIENT, FROM_CLIENT, FROM_SERVER,
					       FROM_ROUTER };
	struct maker maker = { .scope = scope, .random = { step->seed }, .burst = burst };
	unsigned kind = random_below(&maker.random, 100);

	burst->count = 0;
	burst->used = 0;
	maker.origin = PICK(&maker.random, origins);
	maker.local = network_make(&maker.network, scope, maker.origin, &maker.random);
	maker.network.id += salt;
	if (kind < 7)
		make_fragments(&maker);
	else if (kind < 15)
		make_conversation(&maker);
	else if (kind < 17 && !scope_predicts(scope))
		make_large(&maker);
	else
		make_single(&maker);
}

/* --- in words ------------------------------------------------------------------------------- */

static void frame_print(const struct burst *burst, const struct frame *frame)
{
	static const char *const names[] = { "frame on eth0", "frame on eth1",
					     "sent by the router" };

	printf("%s, %u bytes", names[frame->origin], frame->size);
	if (frame->offload.gso_type)
		printf(", in segments of %u", frame->offload.gso_size);
	for (unsigned i = 0; i < frame->size && i < 96; i++)
		printf("%s%02x", i % 32 ? " " : "\n\t", burst->bytes[frame->offset + i]);
	printf("\n");
}

void step_print(const struct step *step, const struct scope *scope)
{
	static struct burst burst;
	struct exchange exchange;

	printf("step %016llx: ", (unsigned long long)step->seed);
	if (step->kind != STEP_FRAMES) {
		exchange_make(&exchange, step, scope);
		printf("%s ", step->kind == STEP_UDP ? "UDP" : "TCP");
		exchange_print(&exchange);
		return;
	}
	burst_make(&burst, step, scope, 0);
	for (unsigned i = 0; i < burst.count; i++)
		frame_print(&burst, &burst.frames[i]);
}
