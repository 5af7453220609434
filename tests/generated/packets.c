/* SPDX-License-Identifier: GPL-2.0-only */
#include "generated.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "../../translator/packet.h"

/* A packet that grows at its end. */
struct writer {
	struct raw_packet *packet;
	struct random *random;
};

static unsigned char *append(struct writer *writer, size_t size)
{
	unsigned char *at = writer->packet->data + writer->packet->size;

	memset(at, 0, size);
	writer->packet->size += size;
	return at;
}

static void put_be16(unsigned char *at, unsigned value)
{
	at[0] = (unsigned char)(value >> 8);
	at[1] = (unsigned char)value;
}

/* --- transport ------------------------------------------------------------------------------ */

/* Options of a right shape mostly; the last one may be cut by the header's end. */
static void fill_tcp_options(struct writer *writer, unsigned char *options, size_t size)
{
	size_t next = 0;

	while (next < size) {
		unsigned char kind = random_pick(writer->random, tcp_option_values);
		unsigned char length = (unsigned char)(2 + random_below(writer->random, 9));

		if (random_chance(writer->random, 10))
			length = (unsigned char)random_below(writer->random, 3);
		options[next++] = kind;
		if (kind < 2 || next == size)
			continue;
		if (kind == 2 && random_chance(writer->random, 80)) {
			length = 4;
			if (next + 2 < size)
				put_be16(options + next + 1,
					 random_pick(writer->random, mss_values));
		}
		options[next] = length;
		next += length ? length - 1u : 0;
	}
}

static void put_tcp(struct writer *writer)
{
	static const unsigned char flags[] = { 0x02, 0x10, 0x12, 0x18, 0x04, 0x00, 0xff };
	size_t options = random_chance(writer->random, 50)
				 ? random_below(writer->random, 11) * (size_t)4
				 : 0;
	unsigned char *header = append(writer, 20 + options);

	put_be16(header, random_pick(writer->random, port_values));
	put_be16(header + 2, random_pick(writer->random, port_values));
	header[12] = (unsigned char)((20 + options) / 4 << 4);
	header[13] = random_pick(writer->random, flags);
	fill_tcp_options(writer, header + 20, options);
	if (random_chance(writer->random, 5))
		header[12] = (unsigned char)(random_below(writer->random, 16) << 4);
}

static void put_transport(struct writer *writer, unsigned protocol)
{
	if (protocol == IPPROTO_TCP) {
		put_tcp(writer);
	} else {
		unsigned char *header = append(writer, 8);

		put_be16(header, random_pick(writer->random, port_values));
		put_be16(header + 2, random_pick(writer->random, port_values));
		if (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6)
			put_be16(header, (protocol == IPPROTO_ICMP ? 8u : 128u) << 8 |
						 random_below(writer->random, 2));
		if (protocol == IPPROTO_MH) {
			header[0] = random_chance(writer->random, 90) ? IPPROTO_NONE : IPPROTO_UDP;
			header[2] = (unsigned char)random_below(writer->random, SMALL);
		}
		if (protocol == IPPROTO_ESP) {
			put_be16(header, 0);
			put_be16(header + 2, random_below(writer->random, SMALL));
		}
	}
	if (protocol == IPPROTO_MH && random_chance(writer->random, 10)) {
		writer->packet->size -= 1 + random_below(writer->random, 8);
		return;
	}
	random_bytes(writer->random, append(writer, 20), 20);
	if (protocol == IPPROTO_DCCP && random_chance(writer->random, 80))
		writer->packet->data[writer->packet->size - 20] &= 0x07; /* REQUEST to ACK */
	writer->packet->size -= random_below(writer->random, 21);
}

/* Bytes behind the headers that no condition reads first: damage there must change nothing else. */
static void flip_bits(struct writer *writer, size_t from)
{
	size_t size = writer->packet->size;

	for (uint32_t count = random_below(writer->random, 4); count && size > from; count--)
		writer->packet
			->data[from + random_below(writer->random, (uint32_t)(size - from))] ^=
			(unsigned char)(1u << random_below(writer->random, 8));
}

/* --- IPv4 ----------------------------------------------------------------------------------- */

static unsigned checksum(const unsigned char *header, size_t size)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < size; i += 2)
		sum += (uint32_t)(header[i] << 8 | header[i + 1]);
	sum = (sum >> 16) + (sum & 0xffff);
	sum = (sum >> 16) + (sum & 0xffff);
	return ~sum & 0xffff;
}

static void ipv4_damage(struct writer *writer, size_t header_size)
{
	struct raw_packet *packet = writer->packet;
	struct random *random = writer->random;

	switch (random_below(random, 6)) {
	case 0: /* the data end early, by the lengths too */
		packet->size = header_size +
			       random_below(random, (uint32_t)(packet->size - header_size + 1));
		put_be16(packet->data + 2, (unsigned)packet->size);
		break;
	case 1: /* padding */
		random_bytes(random, append(writer, 18), 18);
		break;
	case 2: /* the data end before the length does */
		packet->size -= random_below(random, (uint32_t)packet->size);
		break;
	case 3:
		put_be16(packet->data + 2, random_below(random, 100));
		break;
	case 4:
		packet->data[0] = (unsigned char)random_below(random, 256);
		break;
	default:
		flip_bits(writer, header_size);
	}
}

/* Hops that are left: what has fewer than 2 is not forwarded. */
static const uint8_t hops[] = { 64, 64, 4, 3, 2, 1 };

static unsigned random_offset(struct random *random)
{
	static const uint16_t fields[] = { 0x2000, 0x2000, 0x0001, 0x2001, 0x0002,
					   0x00b9, 0x1fff, 0x4000, 0x8000 };

	return random_pick(random, fields);
}

static void put_ipv4(struct writer *writer)
{
	struct raw_packet *packet = writer->packet;
	struct random *random = writer->random;
	size_t header_size = 20 + (random_chance(random, 15) ? random_below(random, 11) * 4 : 0);
	unsigned char *header = append(writer, header_size);
	unsigned protocol = random_pick(random, protocol_values);
	uint8_t address[16];

	header[0] = (unsigned char)(0x40 | header_size / 4);
	header[1] = (unsigned char)random_below(random, SMALL);
	header[8] = random_pick(random, hops);
	header[9] = (unsigned char)protocol;
	random_source(random, 4, address);
	memcpy(header + 12, address, 4);
	random_destination(random, 4, packet->hook, address);
	memcpy(header + 16, address, 4);
	memset(header + 20, 1 /* no operation */, header_size - 20);
	if (random_chance(random, 20))
		put_be16(header + 6, random_offset(random));
	put_transport(writer, protocol);
	put_be16(header + 2, (unsigned)packet->size);
	if (random_chance(random, 25))
		ipv4_damage(writer, header_size);
	header_size = (header[0] & 15u) * 4;
	put_be16(header + 10, checksum(header, header_size < 20 ? 20 : header_size));
	if (random_chance(random, 3))
		header[10] ^= 1;
}

/* --- IPv6 ----------------------------------------------------------------------------------- */

/* Small numbers, as rules ask for: those of 4 bytes end in one. */
static void fill_extension(struct writer *writer, unsigned char *header, size_t size)
{
	random_bytes(writer->random, header, size);
	if (random_chance(writer->random, 20))
		return;
	memset(header, 0, size);
	for (size_t i = 2; i < size; i += i < 4 ? 1 : 4)
		header[i < 4 ? i : i + 3] = (unsigned char)random_below(writer->random, SMALL);
	if (random_chance(writer->random, 40))
		header[2] = header[3] = 0;
}

static unsigned put_extension(struct writer *writer, unsigned protocol)
{
	struct random *random = writer->random;
	unsigned length = random_below(random, 3);
	size_t size = (length + 1) * (size_t)8;
	unsigned char *header;
	static const uint8_t nexts[] = { IPPROTO_HOPOPTS, IPPROTO_ROUTING, IPPROTO_FRAGMENT,
					 IPPROTO_AH, IPPROTO_DSTOPTS };

	if (protocol == IPPROTO_FRAGMENT)
		size = 8;
	if (protocol == IPPROTO_AH)
		size = (length + 2) * (size_t)4;
	header = append(writer, size);
	fill_extension(writer, header, size);
	header[0] = random_chance(random, 40) ? random_pick(random, nexts)
					      : random_pick(random, protocol_values);
	header[1] = (unsigned char)length;
	if (protocol == IPPROTO_HOPOPTS && random_chance(random, 70)) {
		header[2] = HOP_BY_HOP_PLAIN;
		header[3] = (unsigned char)(size - 4);
	}
	if (protocol == IPPROTO_FRAGMENT)
		put_be16(header + 2, random_chance(random, 60) ? random_below(random, 8)
							       : random_below(random, 65536));
	return header[0];
}

static bool is_extension(unsigned protocol)
{
	return protocol == IPPROTO_HOPOPTS || protocol == IPPROTO_ROUTING ||
	       protocol == IPPROTO_FRAGMENT || protocol == IPPROTO_AH ||
	       protocol == IPPROTO_DSTOPTS;
}

static void ipv6_damage(struct writer *writer)
{
	struct raw_packet *packet = writer->packet;
	struct random *random = writer->random;

	switch (random_below(random, 6)) {
	case 0:
	case 1:
		packet->size = 40 + random_below(random, (uint32_t)(packet->size - 39));
		put_be16(packet->data + 4, (unsigned)packet->size - 40);
		break;
	case 2:
		random_bytes(random, append(writer, 18), 18);
		break;
	case 3:
		packet->size -= random_below(random, (uint32_t)packet->size);
		break;
	case 4:
		put_be16(packet->data + 4,
			 random_chance(random, 50) ? 0 : random_below(random, 99));
		break;
	default:
		packet->data[0] = (unsigned char)random_below(random, 256);
	}
}

static void put_ipv6(struct writer *writer)
{
	struct raw_packet *packet = writer->packet;
	struct random *random = writer->random;
	unsigned char *header = append(writer, 40);
	unsigned protocol = random_pick(random, protocol_values);
	static const uint8_t firsts[] = { IPPROTO_HOPOPTS, IPPROTO_ROUTING, IPPROTO_FRAGMENT,
					  IPPROTO_AH, IPPROTO_DSTOPTS };

	if (random_chance(random, 50))
		protocol = random_pick(random, firsts);
	header[6] = (unsigned char)protocol;
	put_be16(header, 0x6000 | random_below(random, SMALL) << 4);
	header[7] = random_pick(random, hops);
	random_source(random, 6, header + 8);
	random_destination(random, 6, packet->hook, header + 24);
	while (is_extension(protocol) && packet->size < PACKET_BYTES_MAX - 200)
		protocol = put_extension(writer, protocol);
	put_transport(writer, protocol);
	put_be16(header + 4, (unsigned)packet->size - 40);
	if (random_chance(random, 15))
		flip_bits(writer, 40);
	if (random_chance(random, 25))
		ipv6_damage(writer);
}

static void attributes_make(struct packet *packet, struct random *random)
{
	static const uint8_t flags[] = { PACKET_HAS_MAC, PACKET_HAS_SOCKET, PACKET_HAS_OWNER };

	memset(packet, 0, sizeof(*packet));
	random_small(random, &packet->connection,
		     random_chance(random, 80) ? sizeof(packet->connection) : 0);
	random_small(random, &packet->uid, sizeof(packet->uid));
	random_small(random, &packet->gid, sizeof(packet->gid));
	random_small(random, &packet->mark, sizeof(packet->mark));
	packet->packet_type = (uint8_t)random_below(random, SMALL);
	random_small(random, &packet->in_group, sizeof(packet->in_group));
	random_small(random, &packet->out_group, sizeof(packet->out_group));
	random_small(random, &packet->realm, sizeof(packet->realm));
	packet->facts = (uint8_t)(random_below(random, 4) * PACKET_EUI64);
	random_small(random, &packet->cgroup_class, sizeof(packet->cgroup_class));
	random_small(random, packet->helper, sizeof(packet->helper));
	random_small(random, &packet->processor, sizeof(packet->processor));
	random_small(random, &packet->source_type, sizeof(packet->source_type));
	random_small(random, &packet->destination_type, sizeof(packet->destination_type));
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (random_chance(random, 50))
			packet->flags |= flags[i];
}

void packet_make(struct raw_packet *packet, struct random *random, int family)
{
	static const enum hook hooks[] = { HOOK_INPUT, HOOK_FORWARD, HOOK_OUTPUT };
	struct writer writer = { packet, random };

	packet->size = 0;
	attributes_make(&packet->attributes, random);
	packet->hook = random_pick(random, hooks);
	if (family == 4)
		put_ipv4(&writer);
	else
		put_ipv6(&writer);
}

int packet_attributed(struct packet *packet, const struct raw_packet *raw, int family)
{
	enum origin origin = raw->hook == HOOK_OUTPUT ? ORIGIN_HOST : ORIGIN_OTHERS;
	const struct packet *attributes = &raw->attributes;
	int error = packet_parse(packet, family, origin, raw->data, raw->size);

	if (error)
		return error;
	packet->flags |= attributes->flags;
	packet->uid = attributes->uid;
	packet->gid = attributes->gid;
	packet->mark = attributes->mark;
	packet->packet_type = attributes->packet_type;
	packet->in_group = attributes->in_group;
	packet->out_group = attributes->out_group;
	packet->realm = attributes->realm;
	packet->facts |= attributes->facts;
	packet->cgroup_class = attributes->cgroup_class;
	memcpy(packet->helper, attributes->helper, sizeof(packet->helper));
	packet->processor = attributes->processor;
	packet->source_type = attributes->source_type;
	packet->destination_type = attributes->destination_type;
	packet->connection = attributes->connection;
	return 0;
}

void packet_print(const struct raw_packet *packet)
{
	printf("hook %d, %zu bytes:", packet->hook, packet->size);
	for (size_t i = 0; i < packet->size; i++)
		printf("%s%02x", i % 16 ? " " : "\n\t", packet->data[i]);
	printf("\n");
}
