/* SPDX-License-Identifier: GPL-2.0-only */
/* Whom a packet is from and to, and what stands between its IP and its transport header. */
#include "packet.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

struct address_list {
	const char *const *members;
	unsigned count;
};

#define LIST(...)                                                                       \
	{                                                                               \
		.members = (const char *const[]){ __VA_ARGS__ },                        \
		.count = sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *), \
	}

/* By origin; [0] IPv4, [1] IPv6. */
static const struct address_list sources[3][2] = {
	[FROM_CLIENT] = { LIST("10.91.1.1", "10.91.1.2", "10.91.1.3", "172.16.5.6", "192.0.2.2"),
			  LIST("fd91:1::1", "fd91:1::2", "fd91:1::3", "2001:db8::5") },
	[FROM_SERVER] = { LIST("10.91.2.7", "10.91.2.8", "10.91.2.9"),
			  LIST("fd91:2::7", "fd91:2::8", "fd91:2::9") },
	[FROM_ROUTER] = { LIST("10.91.1.254", "10.91.2.254"), LIST("fd91:1::fe", "fd91:2::fe") },
};
static const struct address_list beyond[3][2] = {
	[FROM_CLIENT] = { LIST("10.91.2.7", "10.91.2.8", "10.91.2.9"),
			  LIST("fd91:2::7", "fd91:2::8", "fd91:2::9") },
	[FROM_SERVER] = { LIST("10.91.1.1", "10.91.1.2", "10.91.1.3", "192.0.2.2"),
			  LIST("fd91:1::1", "fd91:1::2", "fd91:1::3", "2001:db8::5") },
	[FROM_ROUTER] = { LIST("10.91.1.1", "10.91.1.2", "10.91.2.7", "10.91.2.8"),
			  LIST("fd91:1::1", "fd91:1::2", "fd91:2::7", "fd91:2::8") },
};
static const struct address_list router[2] = { LIST("10.91.1.254", "10.91.2.254"),
					       LIST("fd91:1::fe", "fd91:2::fe") };
/* Broadcast, multicast, loopback, nowhere: as destinations, and as sources that are refused. */
static const struct address_list odd[2] = {
	LIST("10.91.1.255", "10.91.2.255", "255.255.255.255", "224.0.0.1", "239.1.1.1", "127.0.0.1",
	     "0.0.0.0", "10.91.1.254", "10.91.2.7", "240.0.0.1", "198.51.100.7"),
	LIST("ff02::1", "ff02::2", "ff05::9", "ff02::1:ff00:fe", "::1", "::", "fd91:1::fe",
	     "fd91:2::7"),
};

static void address_pick(unsigned char to[16], int family, const struct address_list *list,
			 struct random *random)
{
	inet_pton(family == 4 ? AF_INET : AF_INET6,
		  list->members[random_below(random, list->count)], to);
}

/*
 * Early stages alone do not look at SCTP's chunks, take an IPv6 packet that ends inside its
 * authentication header for one of no connection, and do not see what source NAT drops: without
 * ports, connections soon look the same to it.
 */
static unsigned char protocol_pick(const struct scope *scope, struct random *random)
{
	int family = scope->family;
	static const unsigned char protocols[] = { IPPROTO_TCP,	 IPPROTO_TCP,  IPPROTO_UDP,
						   IPPROTO_UDP,	 0 /* ICMP */, 0,
						   IPPROTO_GRE,	 IPPROTO_ESP,  IPPROTO_AH,
						   IPPROTO_SCTP, IPPROTO_MH,   IPPROTO_DCCP };
	unsigned known = !scope_predicts(scope) ? sizeof(protocols)
			 : scope_has_nat(scope) ? 6
			 : family == 6		? 8
						: 9;
	unsigned char protocol = protocols[random_below(random, known)];

	return protocol ? protocol : family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
}

bool network_make(struct network *network, const struct scope *scope, enum origin origin,
		  struct random *random)
{
	static const unsigned char limits[] = { 0, 1, 2, 255 };
	unsigned version = scope->family == 4 ? 0 : 1;
	bool local = random_chance(random, origin == FROM_ROUTER ? 15 : 50);
	/* early stages judge what routing then refuses, and are not where sockets' packets turn */
	unsigned odd_ones = scope_is_exact(scope) ? 4 : 0;

	memset(network, 0, offsetof(struct network, extensions));
	network->family = scope->family;
	network->extensions_size = 0;
	network->protocol = protocol_pick(scope, random);
	network->hop_limit = 64;
	if (random_chance(random, 6) && !(scope_hides_errors(scope) && origin == FROM_SERVER))
		network->hop_limit = PICK(random, limits);
	if (random_chance(random, 5))
		network->tos = (unsigned char)random_below(random, 256);
	network->id = (uint32_t)random_next(random);
	address_pick(network->source, scope->family, &sources[origin][version], random);
	address_pick(network->destination, scope->family,
		     local ? &router[version] : &beyond[origin][version], random);
	if (random_chance(random, odd_ones)) {
		address_pick(network->source, scope->family, &odd[version], random);
		return true;
	}
	if (random_chance(random, odd_ones)) {
		address_pick(network->destination, scope->family, &odd[version], random);
		return true;
	}
	return local;
}

void network_turn(struct network *network)
{
	unsigned char kept[16];

	memcpy(kept, network->source, 16);
	memcpy(network->source, network->destination, 16);
	memcpy(network->destination, kept, 16);
	network->hop_limit = 64;
}

/* --- IPv4 options --------------------------------------------------------------------------- */

/* size, then the option; 10.91.1.254 is the router, 10.91.2.7 behind it */
static const unsigned char options4[][16] = {
	{ 1, 1 },					  /* no operation */
	{ 7, 7, 7, 4, 0, 0, 0, 0 },			  /* record route */
	{ 8, 68, 8, 5, 0, 0, 0, 0, 0 },			  /* time stamp */
	{ 4, 148, 4, 0, 0 },				  /* router alert */
	{ 4, 136, 4, 0, 1 },				  /* stream id */
	{ 11, 131, 11, 4, 10, 91, 1, 254, 10, 91, 2, 7 }, /* loose source route */
	{ 7, 137, 7, 4, 10, 91, 2, 7 },			  /* strict source route */
	{ 3, 7, 3, 4 },					  /* record route without room */
	{ 2, 7, 39 },					  /* longer than what is there */
	{ 3, 68, 3, 5 },				  /* time stamp, too short */
	{ 3, 134, 6, 0 },				  /* CIPSO, cut off */
};

/* Any number of them, valid together or not. */
static unsigned put_any_options(unsigned char *to, struct random *random)
{
	unsigned size = 0, wanted = 4 * (1 + random_below(random, 10));

	while (size < wanted) {
		const unsigned char *option = PICK(random, options4);

		if (size + option[0] > 40)
			break;
		memcpy(to + size, option + 1, option[0]);
		size += option[0];
	}
	while (size % 4)
		to[size++] = random_chance(random, 80) ? 1 : 0;
	return size;
}

/* Such as the kernel does not refuse; a route is recorded once. */
static unsigned put_sound_options(unsigned char *to, struct random *random)
{
	unsigned size = 4 * (2 + random_below(random, 9));

	memset(to, 1, size);
	if (random_chance(random, 50))
		memcpy(to, options4[1] + 1, options4[1][0]);
	return size;
}

/* --- IPv6 extension headers ----------------------------------------------------------------- */

static unsigned char *extension_add(struct network *network, unsigned char kind, unsigned size)
{
	unsigned char *header = network->extensions + network->extensions_size;

	if (network->extensions_size)
		network->extensions[network->last_next] = kind;
	else
		network->first_extension = kind;
	network->last_next = network->extensions_size;
	network->extensions_size += size;
	memset(header, 0, size);
	return header;
}

/* Options of one header: padding, known and unknown ones. */
static void put_options(unsigned char *header, unsigned size, bool sound, struct random *random)
{
	static const unsigned char kinds[] = { 1, 5, 0xc2, 0x3e, 0x7e, 0xbe, 0xfe };
	unsigned char kind = sound ? 1 : PICK(random, kinds);

	header[1] = (unsigned char)(size / 8 - 1);
	header[2] = kind;
	header[3] = (unsigned char)(size - 4);
	if (!sound && random_chance(random, 10))
		header[3] = (unsigned char)random_below(random, 256);
	if (!sound && random_chance(random, 5))
		header[1] = (unsigned char)random_below(random, 256);
}

static void put_routing(unsigned char *header, struct random *random)
{
	static const unsigned char types[] = { 0, 2, 3, 4, 200 };

	header[1] = 2;
	header[2] = PICK(random, types);
	header[3] = (unsigned char)random_below(random, 2); /* segments left */
	inet_pton(AF_INET6, "fd91:2::7", header + 8);
}

static void put_some_fragment_header(unsigned char *header, struct random *random)
{
	header[3] = random_chance(random, 50) ? 0 : (unsigned char)(8 * random_below(random, 30));
	header[3] |= random_chance(random, 50);
	for (unsigned i = 4; i < 8; i++)
		header[i] = (unsigned char)random_below(random, 256);
}

static void extension_make(struct network *network, bool sound, struct random *random)
{
	static const unsigned char sizes[] = { 8, 8, 16, 24, 64 };
	unsigned size = PICK(random, sizes);
	unsigned char *header;

	switch (random_below(random, sound ? 2 : 6)) {
	case 0:
		if (sound && network->extensions_size) /* hop-by-hop options come first */
			break;
		if (sound) /* more padding than aligns anything is refused */
			size = 8;
		header = extension_add(network, IPPROTO_HOPOPTS, size);
		put_options(header, size, sound, random);
		break;
	case 1:
		header = extension_add(network, IPPROTO_DSTOPTS, size);
		put_options(header, size, sound, random);
		break;
	case 2:
		put_routing(extension_add(network, IPPROTO_ROUTING, 24), random);
		break;
	case 3:
		put_some_fragment_header(extension_add(network, IPPROTO_FRAGMENT, 8), random);
		break;
	case 4: /* 4 * (field + 2) bytes */
		extension_add(network, IPPROTO_AH, 16)[1] = 2;
		break;
	default:
		if (random_chance(random, 20))
			extension_add(network, IPPROTO_NONE, 8);
		break;
	}
}

void extensions_make(struct network *network, bool sound, struct random *random)
{
	unsigned count;

	network->extensions_size = 0;
	if (network->family == 4) {
		network->extensions_size = sound ? put_sound_options(network->extensions, random)
						 : put_any_options(network->extensions, random);
		return;
	}
	count = 1 + random_below(random, random_chance(random, 20) ? 7 : 3);
	for (unsigned i = 0; i < count; i++)
		extension_make(network, sound, random);
}
