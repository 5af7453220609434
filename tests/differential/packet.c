/* SPDX-License-Identifier: GPL-2.0-only */
/* Headers as bytes, and damage to them. */
#include "packet.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <string.h>

#define FRAGMENT_HEADER 8

unsigned packet_header_size(const struct network *network)
{
	if (network->family == 4)
		return sizeof(struct iphdr) + network->extensions_size;
	return sizeof(struct ip6_hdr) + network->extensions_size +
	       (network->fragment ? FRAGMENT_HEADER : 0);
}

static void write_ipv4(struct packet_bytes *packet, const struct network *network)
{
	unsigned header_size = packet_header_size(network);
	struct iphdr ip = {
		.version = 4,
		.ihl = (header_size / 4) & 15,
		.tos = network->tos,
		.ttl = network->hop_limit,
		.protocol = network->protocol,
		.tot_len = htons((uint16_t)packet->size),
		.id = htons((uint16_t)network->id),
		.frag_off = htons(
			(uint16_t)(network->fragment_offset / 8 | (network->more ? IP_MF : 0))),
	};

	memcpy(&ip.saddr, network->source, 4);
	memcpy(&ip.daddr, network->destination, 4);
	memcpy(packet->data, &ip, sizeof(ip));
	memcpy(packet->data + sizeof(ip), network->extensions, network->extensions_size);
	ip.check = sum_fold(sum_add(0, packet->data, header_size));
	memcpy(packet->data, &ip, sizeof(ip));
}

static void write_fragment_header(unsigned char *to, const struct network *network)
{
	unsigned field = network->fragment_offset | network->more;

	to[0] = network->protocol;
	to[1] = 0;
	to[2] = (unsigned char)(field >> 8);
	to[3] = (unsigned char)field;
	for (unsigned i = 0; i < 4; i++)
		to[4 + i] = (unsigned char)(network->id >> (24 - 8 * i));
}

static void write_ipv6(struct packet_bytes *packet, const struct network *network)
{
	unsigned char *extensions = packet->data + sizeof(struct ip6_hdr);
	unsigned char behind = network->fragment ? IPPROTO_FRAGMENT : network->protocol;
	struct ip6_hdr ip = {};

	ip.ip6_flow = htonl(6u << 28 | (uint32_t)network->tos << 20);
	ip.ip6_plen = htons((uint16_t)(packet->size - sizeof(ip)));
	ip.ip6_nxt = network->extensions_size ? network->first_extension : behind;
	ip.ip6_hlim = network->hop_limit;
	memcpy(&ip.ip6_src, network->source, 16);
	memcpy(&ip.ip6_dst, network->destination, 16);
	memcpy(packet->data, &ip, sizeof(ip));
	memcpy(extensions, network->extensions, network->extensions_size);
	if (network->extensions_size)
		extensions[network->last_next] = behind;
	if (network->fragment)
		write_fragment_header(extensions + network->extensions_size, network);
}

void packet_write(struct packet_bytes *packet, const struct network *network,
		  const unsigned char *payload, unsigned size)
{
	unsigned header_size = packet_header_size(network);

	packet->size = header_size + size;
	memcpy(packet->data + header_size, payload, size);
	if (network->family == 4)
		write_ipv4(packet, network);
	else
		write_ipv6(packet, network);
}

/* --- damage --------------------------------------------------------------------------------- */

static void damage_ipv4(struct packet_bytes *packet, bool sound, struct random *random)
{
	struct iphdr ip;
	unsigned header_size;

	memcpy(&ip, packet->data, sizeof(ip));
	header_size = ip.ihl * 4u;
	switch (random_below(random, 6)) {
	case 0: /* cut the transport header short, lengths true */
		packet->size = header_size + random_below(random, packet->size - header_size + 1);
		ip.tot_len = htons((uint16_t)packet->size);
		break;
	case 1: /* something behind the packet */
		memset(packet->data + packet->size, 0x77, 30);
		packet->size += random_below(random, 30);
		break;
	case 2: /* longer by its header */
		ip.tot_len = htons((uint16_t)(packet->size + 1 + random_below(random, 50)));
		break;
	case 3: /* shorter by its header */
		ip.tot_len = htons((uint16_t)random_below(random, packet->size));
		break;
	case 4:
		ip.ihl = random_below(random, sound ? 5 : 16) & 15;
		break;
	default:
		ip.version = random_below(random, 16) & 15;
		break;
	}
	ip.check = 0;
	memcpy(packet->data, &ip, sizeof(ip));
	ip.check = sum_fold(sum_add(0, packet->data, header_size));
	if (random_chance(random, 15))
		ip.check ^= htons(0x0100);
	memcpy(packet->data, &ip, sizeof(ip));
}

static void damage_ipv6(struct packet_bytes *packet, struct random *random)
{
	struct ip6_hdr ip;
	unsigned payload;

	memcpy(&ip, packet->data, sizeof(ip));
	payload = packet->size - sizeof(ip);
	switch (random_below(random, 5)) {
	case 0: /* cut short, lengths true */
		packet->size = sizeof(ip) + random_below(random, payload + 1);
		ip.ip6_plen = htons((uint16_t)(packet->size - sizeof(ip)));
		break;
	case 1:
		memset(packet->data + packet->size, 0x77, 30);
		packet->size += random_below(random, 30);
		break;
	case 2:
		ip.ip6_plen = htons((uint16_t)(payload + 1 + random_below(random, 50)));
		break;
	case 3:
		ip.ip6_plen = htons((uint16_t)random_below(random, payload + 1));
		break;
	default:
		ip.ip6_vfc = (uint8_t)(random_below(random, 16) << 4);
		break;
	}
	memcpy(packet->data, &ip, sizeof(ip));
}

void packet_damage(struct packet_bytes *packet, int family, bool sound, struct random *random)
{
	if (family == 4)
		damage_ipv4(packet, sound, random);
	else
		damage_ipv6(packet, random);
}
