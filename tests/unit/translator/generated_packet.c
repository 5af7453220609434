/* SPDX-License-Identifier: GPL-2.0-only */
#include "generated.h"

#include <netinet/in.h>
#include <string.h>

#define ETHERNET_SIZE 14u

/* A packet under construction. */
struct builder {
	unsigned char *ip; /* the IP header */
	size_t size;	   /* from the IP header on */
	uint8_t family;
	struct random *random;
};

static void put16(unsigned char *bytes, unsigned value)
{
	bytes[0] = (unsigned char)(value >> 8);
	bytes[1] = (unsigned char)value;
}

static unsigned char random_byte(struct random *random)
{
	return (unsigned char)random_below(random, 256);
}

/* --- transport -------------------------------------------------------------------------------- */

static void put_ports(struct builder *builder, unsigned char *header)
{
	put16(header, port_pool[random_below(builder->random, 6)]);
	put16(header + 2, port_pool[random_below(builder->random, 6)]);
}

static size_t put_tcp_options(unsigned char *options, struct random *random)
{
	static const unsigned char kinds[] = { 0, 1, 2, 3, 4, 8, 63, 64, 200, 255 };
	size_t size = 0;

	while (size < 32 && random_chance(random, 70)) {
		unsigned char kind = kinds[random_below(random, sizeof(kinds))];
		unsigned length = 2 + random_below(random, 5);

		options[size] = kind;
		if (kind < 2) {
			size++;
			continue;
		}
		options[size + 1] = (unsigned char)(random_chance(random, 90) ? length : 0);
		for (unsigned i = 2; i < length; i++)
			options[size + i] = random_byte(random);
		size += length;
	}
	while (size % 4)
		options[size++] = 0;
	return size;
}

static void put_tcp(struct builder *builder)
{
	static const unsigned char flags[] = { 0x02, 0x12, 0x10, 0x04, 0x00, 0x3f, 0xff };
	unsigned char *header = builder->ip + builder->size;
	size_t size = 20;

	put_ports(builder, header);
	if (random_chance(builder->random, 60))
		size += put_tcp_options(header + 20, builder->random);
	header[12] = (unsigned char)(size / 4 << 4);
	if (random_chance(builder->random, 5))
		header[12] = random_byte(builder->random);
	header[13] = flags[random_below(builder->random, sizeof(flags))];
	builder->size += size;
}

static void put_icmp(struct builder *builder)
{
	static const unsigned char types[] = { 0, 3, 8, 128, 1 };
	unsigned char *header = builder->ip + builder->size;

	header[0] = types[random_below(builder->random, sizeof(types))];
	header[1] = (unsigned char)random_below(builder->random, 3);
	builder->size += 8;
}

static void put_transport(struct builder *builder, unsigned protocol)
{
	if (protocol == IPPROTO_TCP) {
		put_tcp(builder);
	} else if (protocol == IPPROTO_UDP) {
		put_ports(builder, builder->ip + builder->size);
		builder->size += 8;
	} else if (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6) {
		put_icmp(builder);
	}
	builder->size += random_below(builder->random, 30);
}

static unsigned pick_protocol(struct builder *builder)
{
	static const uint8_t protocols[] = {
		IPPROTO_TCP,  IPPROTO_TCP,    IPPROTO_UDP, IPPROTO_UDP,
		IPPROTO_ICMP, IPPROTO_ICMPV6, 47,	   IPPROTO_ESP
	};

	return protocols[random_below(builder->random, sizeof(protocols))];
}

/* --- IP --------------------------------------------------------------------------------------- */

static void put_address(struct builder *builder, unsigned char *to, unsigned first, unsigned end)
{
	unsigned index = first + random_below(builder->random, end - first);

	memcpy(to, address_pool[builder->family == 6][index], builder->family == 4 ? 4 : 16);
}

static void put_addresses(struct builder *builder, enum hook hook, unsigned char *source,
			  unsigned char *destination)
{
	/* the IP layer discards packets from multicast addresses */
	put_address(builder, source, LOCAL_ADDRESSES - 1, ADDRESSES);
	if (hook == HOOK_INPUT)
		put_address(builder, destination, 0, LOCAL_ADDRESSES);
	else /* the pool's last is behind in0, where nothing needs to be forwarded from */
		put_address(builder, destination, LOCAL_ADDRESSES, ADDRESSES - 1);
}

static void put_ipv4(struct builder *builder, enum hook hook)
{
	struct random *random = builder->random;
	unsigned words = random_chance(random, 20) ? 5 + random_below(random, 11) : 5;
	unsigned char *ip = builder->ip;

	ip[0] = (unsigned char)(0x40 | words);
	ip[8] = 64;
	ip[9] = (unsigned char)pick_protocol(builder);
	if (random_chance(random, 12))
		put16(ip + 6, random_chance(random, 40) ? 1 : random_below(random, 0x4000));
	put_addresses(builder, hook, ip + 12, ip + 16);
	for (unsigned i = 20; i < words * 4; i++)
		ip[i] = random_byte(random);
	builder->size = words * 4;
	put_transport(builder, ip[9]);
	put16(ip + 2, (unsigned)builder->size);
}

static unsigned char *put_extension(struct builder *builder, unsigned char *next, unsigned kind)
{
	unsigned char *header = builder->ip + builder->size;
	size_t size = 8;

	*next = (unsigned char)kind;
	if (kind == IPPROTO_FRAGMENT) {
		if (random_chance(builder->random, 40))
			put16(header + 2, random_below(builder->random, 0x100));
	} else if (kind == IPPROTO_AH) {
		header[1] = (unsigned char)random_below(builder->random, 6);
		size = (header[1] + 2u) * 4;
	} else {
		header[1] = (unsigned char)random_below(builder->random, 4);
		size = (header[1] + 1u) * 8;
	}
	builder->size += size;
	return header;
}

static void put_ipv6(struct builder *builder, enum hook hook)
{
	static const uint8_t kinds[] = { IPPROTO_HOPOPTS, IPPROTO_ROUTING, IPPROTO_FRAGMENT,
					 IPPROTO_AH, IPPROTO_DSTOPTS };
	struct random *random = builder->random;
	unsigned char *ip = builder->ip, *next = ip + 6;
	unsigned protocol = pick_protocol(builder);

	ip[0] = 0x60;
	ip[7] = 64;
	put_addresses(builder, hook, ip + 8, ip + 24);
	builder->size = 40;
	while (builder->size < 400 && random_chance(random, 40))
		next = put_extension(builder, next, kinds[random_below(random, sizeof(kinds))]);
	*next = (unsigned char)protocol;
	if (random_chance(random, 3)) {
		*next = IPPROTO_NONE;
		protocol = IPPROTO_NONE;
	}
	put_transport(builder, protocol);
	put16(ip + 4, (unsigned)builder->size - 40);
}

/* --- damage ----------------------------------------------------------------------------------- */

static void put_checksum(unsigned char *ip, size_t size)
{
	size_t header = (ip[0] & 0xfu) * 4;
	uint32_t sum = 0;

	put16(ip + 10, 0);
	for (size_t i = 0; i + 1 < header && i + 1 < size; i += 2)
		sum += (uint32_t)ip[i] << 8 | ip[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	put16(ip + 10, ~((sum & 0xffff) + (sum >> 16)) & 0xffff);
}

/* Where a packet goes is not what this test is about. */
static bool decides_route(uint8_t family, size_t offset)
{
	if (family == 4)
		return offset == 8 || (offset >= 16 && offset < 20);
	return offset == 7 || (offset >= 24 && offset < 40);
}

static void set_length(struct builder *builder, size_t size)
{
	if (builder->family == 4)
		put16(builder->ip + 2, (unsigned)size);
	else
		put16(builder->ip + 4, size < 40 ? 0 : (unsigned)size - 40);
}

static void damage(struct builder *builder)
{
	struct random *random = builder->random;
	size_t offset = random_below(random, (uint32_t)builder->size);

	switch (random_below(random, 5)) {
	case 0: /* cut short, and it says so */
		builder->size = offset;
		set_length(builder, offset);
		break;
	case 1: /* cut short */
		builder->size = offset;
		break;
	case 2: /* longer than it says */
		set_length(builder, offset);
		break;
	case 3: /* padded */
		builder->size += random_below(random, 40);
		break;
	default:
		if (random_chance(random, 50) && offset > 80)
			offset = random_below(random, 80);
		if (!decides_route(builder->family, offset))
			builder->ip[offset] = random_byte(random);
	}
}

void frame_make(struct frame *frame, uint8_t family, struct random *random)
{
	static const enum hook hooks[] = { HOOK_INPUT, HOOK_FORWARD, HOOK_OUTPUT };
	struct builder builder = { .ip = frame->data + ETHERNET_SIZE,
				   .family = family,
				   .random = random };

	memset(frame, 0, sizeof(*frame));
	frame->hook = hooks[random_below(random, 3)];
	memcpy(frame->data, IN_ADDRESS, 6);
	memcpy(frame->data + 6, OUT_ADDRESS, 6);
	put16(frame->data + 12, family == 4 ? 0x0800 : 0x86dd);
	if (family == 4)
		put_ipv4(&builder, frame->hook);
	else
		put_ipv6(&builder, frame->hook);
	if (random_chance(random, 30))
		damage(&builder);
	if (family == 4 && !random_chance(random, 2))
		put_checksum(builder.ip, builder.size);
	frame->size = ETHERNET_SIZE + builder.size;
}
