/* SPDX-License-Identifier: GPL-2.0-only */
/* Random packets: mostly well-formed and aimed at the rules' values, some damaged on purpose. */
#include "run.h"

#include <arpa/inet.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <string.h>

static uint32_t sum_add(uint32_t sum, const unsigned char *data, unsigned size)
{
	for (unsigned i = 0; i + 1 < size; i += 2)
		sum += (uint32_t)data[i] << 8 | data[i + 1];
	return size & 1 ? sum + ((uint32_t)data[size - 1] << 8) : sum;
}

static uint16_t sum_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

/* --- transport ------------------------------------------------------------------------------ */

static const uint16_t port_values[] = {
	53, 80, 443, 1000, 1023, 1024, 1500, 2000, 2001, 65535, 81
};

static uint16_t pick_port(struct random *random)
{
	return htons(port_values[random_below(random, sizeof(port_values) / sizeof(*port_values))]);
}

static unsigned put_tcp_options(unsigned char *options, struct random *random)
{
	static const unsigned char mss[] = { 2, 4, 5, 180 }, sack[] = { 4, 2 },
				   stamp[] = { 8, 10, 0, 0, 0, 1, 0, 0, 0, 0 },
				   scale[] = { 3, 3, 7 };
	unsigned size = 0;

	if (random_chance(random, 60)) {
		memcpy(options + size, mss, sizeof(mss));
		size += sizeof(mss);
	}
	if (random_chance(random, 40)) {
		memcpy(options + size, sack, sizeof(sack));
		size += sizeof(sack);
	}
	if (random_chance(random, 40)) {
		memcpy(options + size, stamp, sizeof(stamp));
		size += sizeof(stamp);
	}
	if (random_chance(random, 40)) {
		memcpy(options + size, scale, sizeof(scale));
		size += sizeof(scale);
	}
	while (size % 4)
		options[size++] = random_chance(random, 50) ? 1 : 0;
	if (size && random_chance(random, 10))
		options[random_below(random, size)] = (unsigned char)random_below(random, 12);
	return size;
}

static unsigned put_tcp(unsigned char *data, struct random *random)
{
	static const unsigned char flags[] = {
		0x02, 0x12, 0x10, 0x18, 0x04, 0x11, 0x00, 0x29, 0x3f
	};
	unsigned options = random_chance(random, 40) ? put_tcp_options(data + 20, random) : 0;
	struct tcphdr header = { .source = pick_port(random),
				 .dest = pick_port(random),
				 .seq = htonl(1),
				 .window = htons(1000) };

	memcpy(data, &header, sizeof(header));
	data[12] = (unsigned char)((20 + options) / 4 << 4);
	if (random_chance(random, 3))
		data[12] = (unsigned char)(random_below(random, 16) << 4);
	data[13] = flags[random_below(random, sizeof(flags))];
	return 20 + options + random_below(random, 20);
}

static unsigned put_udp(unsigned char *data, struct random *random)
{
	unsigned size = 8 + random_below(random, 60);
	struct udphdr header = { .source = pick_port(random),
				 .dest = pick_port(random),
				 .len = htons((uint16_t)size) };

	memcpy(data, &header, sizeof(header));
	return size;
}

static unsigned put_icmp(unsigned char *data, int family, struct random *random)
{
	static const unsigned char types4[] = { 8, 0, 3, 11, 13 }, types6[] = { 128, 129, 1, 2, 3 };

	data[0] = family == 4 ? types4[random_below(random, sizeof(types4))]
			      : types6[random_below(random, sizeof(types6))];
	data[1] = random_chance(random, 70) ? 0 : (unsigned char)random_below(random, 5);
	return 8 + random_below(random, 40);
}

static unsigned put_transport(unsigned char *data, int family, unsigned protocol,
			      struct random *random)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return put_tcp(data, random);
	case IPPROTO_UDP:
		return put_udp(data, random);
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return put_icmp(data, family, random);
	default:
		return random_below(random, 40);
	}
}

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

static void put_checksum(unsigned char *data, unsigned size, unsigned protocol,
			 const unsigned char *addresses, unsigned addresses_size)
{
	unsigned offset = checksum_offset(protocol);
	uint32_t sum = 0;
	uint16_t folded;

	if (!offset || size < offset + 2)
		return;
	memset(data + offset, 0, 2);
	if (protocol != IPPROTO_ICMP)
		sum = sum_add(protocol + size, addresses, addresses_size);
	folded = sum_fold(sum_add(sum, data, size));
	memcpy(data + offset, &folded, 2);
}

/* --- IPv4 ----------------------------------------------------------------------------------- */

static uint32_t pick_address4(const char *const *list, unsigned count, struct random *random)
{
	return inet_addr(list[random_below(random, count)]);
}

static unsigned pick_protocol(int family, struct random *random)
{
	static const unsigned char protocols[] = { IPPROTO_TCP, IPPROTO_TCP,  IPPROTO_UDP,
						   IPPROTO_UDP, 0 /* ICMP */, 0,
						   47,		132 };
	unsigned protocol = protocols[random_below(random, sizeof(protocols))];

	return protocol ? protocol : family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
}

static const char *const from4[] = { "10.91.1.1", "10.91.1.2", "10.91.1.3", "172.16.5.6",
				     "192.0.2.2" };
static const char *const local4[] = { "10.91.1.254", "10.91.2.254" };
static const char *const through4[] = { "10.91.2.7", "10.91.2.8", "10.91.2.9" };
static const char *const back4[] = { "10.91.1.1", "10.91.1.2", "10.91.2.7", "10.91.2.8",
				     "10.91.1.254" };

#define LIST(list) (list), sizeof(list) / sizeof((list)[0])

static void ipv4_addresses(struct iphdr *ip, struct test_packet *packet, struct random *random)
{
	if (packet->way == WAY_OUT) {
		ip->saddr = pick_address4(LIST(local4), random);
		ip->daddr = pick_address4(LIST(back4), random);
		return;
	}
	ip->saddr = pick_address4(LIST(from4), random);
	if (random_chance(random, 50))
		ip->daddr = pick_address4(LIST(local4), random);
	else
		ip->daddr = pick_address4(LIST(through4), random);
}

static bool ipv4_is_local(const struct iphdr *ip)
{
	return ip->daddr == inet_addr(local4[0]) || ip->daddr == inet_addr(local4[1]);
}

/* Fragments to this host: iptables sees them put together, early stages one by one. */
static void ipv4_fragment(struct iphdr *ip, struct test_packet *packet, bool early,
			  struct random *random)
{
	if (packet->way == WAY_OUT || (early && ipv4_is_local(ip)))
		return;
	switch (random_below(random, 4)) {
	case 0:
		ip->frag_off = htons(IP_MF);
		break;
	case 1:
		ip->frag_off = htons(1);
		break;
	default:
		ip->frag_off = htons((uint16_t)(random_below(random, 100) | IP_MF));
		break;
	}
}

static void ipv4_damage(struct iphdr *ip, struct test_packet *packet, struct random *random)
{
	switch (random_below(random, 4)) {
	case 0: /* cut the transport header short, lengths true */
		if (packet->size > ip->ihl * 4u)
			packet->size =
				ip->ihl * 4u + random_below(random, packet->size - ip->ihl * 4u);
		ip->tot_len = htons((uint16_t)packet->size);
		break;
	case 1: /* padding behind the packet */
		packet->size += random_below(random, 30);
		break;
	case 2:
		ip->tot_len = htons((uint16_t)(packet->size + 1 + random_below(random, 50)));
		break;
	default:
		ip->version = (unsigned char)random_below(random, 16);
		break;
	}
}

static void ipv4_make(struct test_packet *packet, bool early, struct random *random)
{
	unsigned options = random_chance(random, 10) ? 4u * (1 + random_below(random, 10)) : 0;
	unsigned header = 20 + options;
	unsigned protocol = pick_protocol(4, random);
	struct iphdr ip = { .version = 4, .ihl = (header / 4) & 15, .ttl = 64 };
	unsigned size;

	ip.protocol = (uint8_t)protocol;
	ipv4_addresses(&ip, packet, random);
	memset(packet->data + 20, 1 /* NOP */, options);
	size = put_transport(packet->data + header, 4, protocol, random);
	put_checksum(packet->data + header, size, protocol, (unsigned char *)&ip.saddr, 8);
	packet->size = header + size;
	ip.tot_len = htons((uint16_t)packet->size);
	if (random_chance(random, 10))
		ipv4_fragment(&ip, packet, early, random);
	if (packet->way == WAY_IN && random_chance(random, 8))
		ipv4_damage(&ip, packet, random);
	memcpy(packet->data, &ip, 20);
	ip.check = sum_fold(sum_add(0, packet->data, header));
	if (packet->way == WAY_IN && random_chance(random, 2))
		ip.check ^= htons(0x0100);
	memcpy(packet->data, &ip, 20);
}

/* --- IPv6 ----------------------------------------------------------------------------------- */

static const char *const from6[] = { "fd91:1::1", "fd91:1::2", "fd91:1::3", "2001:db8::5" };
static const char *const local6[] = { "fd91:1::fe", "fd91:2::fe" };
static const char *const through6[] = { "fd91:2::7", "fd91:2::8", "fd91:2::9" };
static const char *const back6[] = { "fd91:1::1", "fd91:1::2", "fd91:2::7", "fd91:2::8" };

static void pick_address6(struct in6_addr *address, const char *const *list, unsigned count,
			  struct random *random)
{
	inet_pton(AF_INET6, list[random_below(random, count)], address);
}

static void ipv6_addresses(struct ip6_hdr *ip, struct test_packet *packet, bool *local,
			   struct random *random)
{
	*local = false;
	if (packet->way == WAY_OUT) {
		pick_address6(&ip->ip6_src, LIST(local6), random);
		pick_address6(&ip->ip6_dst, LIST(back6), random);
		return;
	}
	pick_address6(&ip->ip6_src, LIST(from6), random);
	*local = random_chance(random, 50);
	if (*local)
		pick_address6(&ip->ip6_dst, LIST(local6), random);
	else
		pick_address6(&ip->ip6_dst, LIST(through6), random);
}

/* Append extension headers that the IP layer lets through; returns the next free byte. */
static unsigned ipv6_extensions(struct test_packet *packet, unsigned char **next, bool fragments,
				bool *later_fragment, struct random *random)
{
	unsigned at = 40;

	*later_fragment = false;
	if (random_chance(random, 15)) {
		static const unsigned char options[8] = { 0, 0, 1, 4, 0, 0, 0, 0 };

		**next = IPPROTO_HOPOPTS;
		*next = packet->data + at;
		memcpy(packet->data + at, options, 8);
		at += 8;
	}
	if (random_chance(random, 15)) {
		static const unsigned char options[16] = { 0, 1, 1, 12, 0 };

		**next = IPPROTO_DSTOPTS;
		*next = packet->data + at;
		memcpy(packet->data + at, options, 16);
		at += 16;
	}
	if (fragments && random_chance(random, 15)) {
		unsigned offset = random_chance(random, 50) ? 0 : 8 * random_below(random, 50);
		unsigned char header[8] = {
			0, 0, (unsigned char)(offset >> 8), (unsigned char)(offset | 1), 0, 0, 0, 9
		};

		**next = IPPROTO_FRAGMENT;
		*next = packet->data + at;
		memcpy(packet->data + at, header, 8);
		at += 8;
		*later_fragment = offset != 0;
	}
	return at;
}

static void ipv6_make(struct test_packet *packet, bool early, struct random *random)
{
	unsigned protocol = pick_protocol(6, random);
	struct ip6_hdr ip = {};
	unsigned char next_first = 0, *next = &next_first;
	bool local, later_fragment;
	unsigned header, size;

	ipv6_addresses(&ip, packet, &local, random);
	header = ipv6_extensions(packet, &next, packet->way == WAY_IN && !(early && local),
				 &later_fragment, random);
	*next = (unsigned char)protocol;
	size = put_transport(packet->data + header, 6, protocol, random);
	put_checksum(packet->data + header, size, protocol, (unsigned char *)&ip.ip6_src, 32);
	packet->size = header + size;
	ip.ip6_ctlun.ip6_un1.ip6_un1_nxt = next_first;
	ip.ip6_ctlun.ip6_un1.ip6_un1_hlim = 64;
	ip.ip6_ctlun.ip6_un1.ip6_un1_plen = htons((uint16_t)(packet->size - 40));
	ip.ip6_ctlun.ip6_un2_vfc = 0x60;
	if (packet->way == WAY_IN && random_chance(random, 6)) {
		switch (random_below(random, 3)) {
		case 0: /* cut short, lengths true */
			packet->size = 40 + random_below(random, packet->size - 39);
			ip.ip6_ctlun.ip6_un1.ip6_un1_plen = htons((uint16_t)(packet->size - 40));
			break;
		case 1:
			packet->size += random_below(random, 30);
			break;
		default:
			ip.ip6_ctlun.ip6_un1.ip6_un1_plen =
				htons((uint16_t)(packet->size - 40 + 1 + random_below(random, 50)));
			break;
		}
	}
	memcpy(packet->data, &ip, 40);
}

void packet_make(struct test_packet *packet, int family, bool early, struct random *random)
{
	memset(packet, 0, sizeof(*packet));
	packet->way = random_chance(random, 75) ? WAY_IN : WAY_OUT;
	if (family == 4)
		ipv4_make(packet, early, random);
	else
		ipv6_make(packet, early, random);
}

void packet_print(const struct test_packet *packet)
{
	printf("%s, %u bytes:", packet->way == WAY_IN ? "frame on eth0" : "sent by the router",
	       packet->size);
	for (unsigned i = 0; i < packet->size; i++)
		printf("%s%02x", i % 32 ? " " : "\n\t", packet->data[i]);
	printf("\n");
}
