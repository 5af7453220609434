/* SPDX-License-Identifier: GPL-2.0-only */
/* Transport headers and their data. */
#include "packet.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <string.h>

uint32_t sum_add(uint32_t sum, const unsigned char *data, unsigned size)
{
	for (unsigned i = 0; i + 1 < size; i += 2)
		sum += (uint32_t)data[i] << 8 | data[i + 1];
	return size & 1 ? sum + ((uint32_t)data[size - 1] << 8) : sum;
}

uint16_t sum_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

struct ports ports_make(struct random *random)
{
	static const uint16_t values[] = { 53,	 80,   443,  1000,  1023, 1024,
					   1500, 2000, 2001, 65535, 81 };

	return (struct ports){ .source = htons(PICK(random, values)),
			       .destination = htons(PICK(random, values)) };
}

static unsigned put_tcp_options(unsigned char *options, struct random *random)
{
	static const unsigned char known[4][12] = {
		/* size, then the option */
		{ 4, 2, 4, 5, 180 },
		{ 2, 4, 2 },
		{ 10, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0 },
		{ 3, 3, 3, 7 },
	};
	unsigned size = 0;

	for (unsigned i = 0; i < 4; i++) {
		if (!random_chance(random, 45))
			continue;
		memcpy(options + size, known[i] + 1, known[i][0]);
		size += known[i][0];
	}
	while (size % 4)
		options[size++] = random_chance(random, 50) ? 1 : 0;
	if (size && random_chance(random, 10))
		options[random_below(random, size)] = (unsigned char)random_below(random, 12);
	return size;
}

static void put_tcp(struct payload *payload, struct ports ports, unsigned char flags)
{
	struct tcphdr header = { .source = ports.source,
				 .dest = ports.destination,
				 .seq = htonl(1),
				 .window = htons(1000) };

	memcpy(payload->data, &header, sizeof(header));
	payload->data[12] = sizeof(header) / 4 << 4;
	payload->data[13] = flags;
	payload->size = sizeof(header);
}

static void make_tcp(struct payload *payload, struct ports ports, struct random *random)
{
	static const unsigned char flags[] = {
		0x02, 0x12, 0x10, 0x18, 0x04, 0x11, 0x00, 0x29, 0x3f
	};
	unsigned options;

	put_tcp(payload, ports, PICK(random, flags));
	options = random_chance(random, 40) ? put_tcp_options(payload->data + 20, random) : 0;
	payload->data[12] = (unsigned char)((20 + options) / 4 << 4);
	payload->size = 20 + options + random_below(random, 20);
}

static void put_udp(struct payload *payload, struct ports ports, unsigned size)
{
	struct udphdr header = { .source = ports.source,
				 .dest = ports.destination,
				 .len = htons((uint16_t)(8 + size)) };

	memcpy(payload->data, &header, sizeof(header));
	payload->size = 8 + size;
}

static void make_icmp(struct payload *payload, int family, struct random *random)
{
	static const unsigned char types4[] = { 8, 0, 3, 11, 13 }, types6[] = { 128, 129, 1, 2, 3 };

	payload->data[0] = family == 4 ? PICK(random, types4) : PICK(random, types6);
	if (random_chance(random, 30))
		payload->data[1] = (unsigned char)random_below(random, 5);
	payload->size = 8 + random_below(random, 40);
}

/* Verification tag and checksum are nobody's business here. */
static void make_sctp(struct payload *payload, struct ports ports, struct random *random)
{
	static const unsigned char types[] = { 0, 1, 3, 6, 14, 4, 200 };
	unsigned count = random_below(random, 4);

	memcpy(payload->data, &ports, sizeof(ports));
	payload->size = 12;
	for (unsigned i = 0; i < count; i++) {
		unsigned char *chunk = payload->data + payload->size;
		unsigned size = 4 + random_below(random, 12);

		chunk[0] = PICK(random, types);
		chunk[1] = (unsigned char)random_below(random, 8);
		chunk[3] = (unsigned char)(random_chance(random, 5) ? 0 : size);
		payload->size += (size + 3) & ~3u;
	}
}

/* A header that is cut short now and then. */
static void make_dccp(struct payload *payload, struct ports ports, struct random *random)
{
	memcpy(payload->data, &ports, sizeof(ports));
	payload->data[4] = 4; /* words of header */
	payload->data[8] = (unsigned char)(random_below(random, 11) << 1 | 1);
	payload->size = random_chance(random, 90) ? 16 : 4 + random_below(random, 12);
}

/* Authentication headers and encrypted packets: small numbers, so that rules meet them. */
static void make_security(struct payload *payload, bool authentication, struct random *random)
{
	unsigned char *spi = payload->data + (authentication ? 4 : 0);

	if (authentication) {
		payload->data[0] = random_chance(random, 50) ? IPPROTO_UDP : IPPROTO_ICMPV6;
		payload->data[1] = (unsigned char)random_below(random, 4);
		payload->data[2] = random_chance(random, 10);
	}
	spi[3] = (unsigned char)random_below(random, 4);
	payload->size = random_below(random, 40);
}

/* Mobility headers: small types; behind some, something seems to follow. */
static void make_mobility(struct payload *payload, struct random *random)
{
	payload->data[0] = random_chance(random, 90) ? IPPROTO_NONE : IPPROTO_UDP;
	payload->data[2] = (unsigned char)random_below(random, 5);
	payload->size = random_chance(random, 90) ? 8 : random_below(random, 8);
}

void payload_make(struct payload *payload, const struct network *network, struct ports ports,
		  struct random *random)
{
	memset(payload->data, 0, 128);
	switch (network->protocol) {
	case IPPROTO_TCP:
		make_tcp(payload, ports, random);
		break;
	case IPPROTO_UDP:
		put_udp(payload, ports, random_below(random, 60));
		break;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		make_icmp(payload, network->family, random);
		break;
	case IPPROTO_SCTP:
		make_sctp(payload, ports, random);
		break;
	case IPPROTO_DCCP:
		make_dccp(payload, ports, random);
		break;
	case IPPROTO_AH:
	case IPPROTO_ESP:
		make_security(payload, network->protocol == IPPROTO_AH, random);
		break;
	case IPPROTO_MH:
		make_mobility(payload, random);
		break;
	default:
		payload->size = random_below(random, 40);
		break;
	}
	payload_checksum(payload, network);
}

void payload_spoil(struct payload *payload, unsigned char protocol, struct random *random)
{
	if (payload->size > 16 && random_chance(random, 4))
		payload->data[random_below(random, 16)] ^= 0x10;
	if (protocol == IPPROTO_TCP && random_chance(random, 3))
		payload->data[12] = (unsigned char)(random_below(random, 16) << 4);
}

void payload_converse(struct payload *payload, const struct network *network, struct ports ports,
		      unsigned char tcp_flags, bool reply)
{
	memset(payload->data, 0, 128);
	if (network->protocol == IPPROTO_TCP) {
		put_tcp(payload, ports, tcp_flags);
	} else if (network->protocol == IPPROTO_UDP) {
		put_udp(payload, ports, 20);
	} else {
		payload->data[0] = network->family == 4 ? (reply ? 0 : 8) : (reply ? 129 : 128);
		payload->data[5] = 7;
		payload->size = 30;
	}
	payload_checksum(payload, network);
}

void payload_error(struct payload *payload, const struct network *network,
		   const struct packet_bytes *about, struct random *random)
{
	static const unsigned char types4[][2] = { { 3, 3 }, { 3, 1 }, { 11, 0 }, { 12, 0 } };
	static const unsigned char types6[][2] = { { 1, 4 }, { 1, 0 }, { 3, 0 }, { 4, 0 } };
	const unsigned char *type =
		network->family == 4 ? PICK(random, types4) : PICK(random, types6);
	unsigned quoted = about->size < 200 ? about->size : 200;

	if (random_chance(random, 15))
		quoted = random_below(random, quoted + 1);
	memset(payload->data, 0, 8);
	memcpy(payload->data, type, 2);
	memcpy(payload->data + 8, about->data, quoted);
	payload->size = 8 + quoted;
	payload_checksum(payload, network);
}

/* --- checksums ------------------------------------------------------------------------------ */

/* Offset of the checksum in the transport header; 0: the protocol has none that we fill in. */
static unsigned checksum_offset(unsigned protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return 16;
	case IPPROTO_UDP:
		return 6;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return 2;
	default:
		return 0;
	}
}

static uint32_t pseudo_sum(const struct payload *payload, const struct network *network)
{
	unsigned size = network->family == 4 ? 4 : 16;

	return sum_add(sum_add(network->protocol + payload->size, network->source, size),
		       network->destination, size);
}

void payload_checksum(struct payload *payload, const struct network *network)
{
	unsigned offset = checksum_offset(network->protocol);
	uint32_t sum = network->protocol == IPPROTO_ICMP ? 0 : pseudo_sum(payload, network);
	uint16_t folded;

	if (!offset || payload->size < offset + 2)
		return;
	memset(payload->data + offset, 0, 2);
	folded = sum_fold(sum_add(sum, payload->data, payload->size));
	memcpy(payload->data + offset, &folded, 2);
}

unsigned payload_pseudo_checksum(struct payload *payload, const struct network *network)
{
	unsigned offset = checksum_offset(network->protocol);
	uint16_t folded = (uint16_t)~sum_fold(pseudo_sum(payload, network));

	memcpy(payload->data + offset, &folded, 2);
	return offset;
}
