/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the first byte of an IP header to a struct packet.
 *
 * FAMILY (4 or 6) is set when compiling: one object serves one table. Who includes this has
 * included bytes_packet.h or bytes_skb.h before, which know how to get at the bytes. The parsers
 * follow the kernel: ip_rcv_core() and ip6_rcv_core() for what is discarded before any hook.
 */
#ifndef UBPFILTER_PARSE_H
#define UBPFILTER_PARSE_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "opaque.h"
#include "packet_clear.h"
#include "ports.h"
#include "tcp_options.h"
#include "types.h"
#include "view.h"

#if FAMILY == 6
#include "ipv6_headers.h"
#endif

/* What routing and conntrack need to know and rules do not. */
struct route_facts {
	__u8 dont_fragment;
	__u16 check_length; /* bytes that must fit the output device; 0: any do */
	__u16 transport;    /* offset of the transport header from the IP header, if it is there */
	__u8 plain;	    /* whole, and nothing between the IP header and what it carries */
};

#define IPV4_DF	    0x4000
#define IPV4_OFFSET 0x1fff

/* struct icmphdr and struct icmp6hdr */
#define ICMP_HEADER_SIZE 8
#define ESP_HEADER_SIZE	 8

/* struct ip6_mh without data */
#define MOBILITY_HEADER_SIZE 6

#define PORTS_SIZE 4

/* A link-layer header with its tags is shorter than this. */
#define BASE_MASK 0x3f

/* --- transport headers ----------------------------------------------------------------------- */

/* Bytes of a transport header that matches read, as they ask skb_header_pointer() for; 0: none. */
static __always_inline __u32 transport_size(__u8 protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return sizeof(struct tcphdr);
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
		return sizeof(struct udphdr);
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
		return 12;
	case IPPROTO_ESP:
		return ESP_HEADER_SIZE;
#if FAMILY == 4
	case IPPROTO_AH: /* in IPv6 an extension header */
		return 12;
	case IPPROTO_ICMP:
#else
	case IPPROTO_MH:
		return MOBILITY_HEADER_SIZE;
	case IPPROTO_ICMPV6:
#endif
		return ICMP_HEADER_SIZE;
	default:
		return 0;
	}
}

/* Offset of an IP header behind @tags_size bytes of tags. The verifier follows the parser twice,
   without tags and with any number of them, not once for each number. */
static __always_inline __u32 offset_behind_tags(__u32 header_size, __u32 tags_size)
{
	return tags_size ? (header_size + tags_size + opaque_zero) & BASE_MASK : header_size;
}

static __always_inline void parse_ports(struct packet *packet, const void *header)
{
	const struct udphdr *ports = header;

	packet->source_port = bpf_ntohs(ports->source);
	packet->destination_port = bpf_ntohs(ports->dest);
}

/* Not enough for a match on the protocol, but perhaps for one on ports. */
static __always_inline enum parse_result
parse_truncated(struct packet *packet, const struct view *view, __u32 offset, __u32 remaining)
{
	const void *header;

	packet->transport = TRANSPORT_TRUNCATED;
	if (table_needs & NEED_TCP_MSS && packet->protocol == IPPROTO_TCP)
		packet->flags |= PACKET_TCP_MSS_BAD;
	if (remaining < PORTS_SIZE || !has_ports(packet->protocol))
		return PARSE_OK;
	header = bytes_at(&view->bytes, offset, PORTS_SIZE);
	if (!header)
		return PARSE_SHORT;
	packet->transport = TRANSPORT_PORTS;
	parse_ports(packet, header);
	return PARSE_OK;
}

static __always_inline enum parse_result parse_tcp(struct packet *packet, const struct view *view,
						   __u32 offset, __u32 remaining)
{
	const unsigned char *header = bytes_at(&view->bytes, offset, sizeof(struct tcphdr));

	if (!header)
		return PARSE_SHORT;
	parse_ports(packet, header);
	packet->tcp_flags = header[13];
	if (table_needs & (NEED_TCP_OPTIONS | NEED_TCP_MSS))
		return parse_tcp_options(packet, view, offset, (header[12] >> 4) * 4u, remaining);
	return PARSE_OK;
}

#if FAMILY == 6
/* as mh_mt6(): nothing may follow, or the packet is dropped */
static __always_inline enum parse_result parse_mobility(struct packet *packet,
							const struct view *view, __u32 offset)
{
	const unsigned char *header = bytes_at(&view->bytes, offset, MOBILITY_HEADER_SIZE);

	if (!header)
		return PARSE_SHORT;
	if (header[0] == IPPROTO_NONE)
		packet->icmp = header[2];
	else
		packet->transport = TRANSPORT_TRUNCATED;
	return PARSE_OK;
}
#endif

/* A later fragment has no header, but tcpmss_mt() takes what is at @offset for one. */
static __always_inline enum parse_result parse_fragment(struct packet *packet,
							const struct view *view, __u32 offset)
{
	const unsigned char *header;
	__u32 remaining = packet->length - offset;

	if (!(table_needs & NEED_TCP_MSS) || packet->protocol != IPPROTO_TCP)
		return PARSE_OK;
	if (remaining < sizeof(struct tcphdr)) {
		packet->flags |= PACKET_TCP_MSS_BAD;
		return PARSE_OK;
	}
	header = bytes_at(&view->bytes, offset, sizeof(struct tcphdr));
	if (!header)
		return PARSE_SHORT;
	return parse_tcp_options(packet, view, offset, (header[12] >> 4) * 4u, remaining);
}

static __always_inline enum parse_result parse_dccp_type(struct packet *packet,
							 const struct view *view, __u32 offset)
{
	const unsigned char *type = bytes_at(&view->bytes, offset + 8, 1);

	if (!type)
		return PARSE_SHORT;
	packet->dccp_type = *type >> 1 & 15;
	return PARSE_OK;
}

/* @offset: of the header in the packet. @remaining: bytes from there on, by the IP lengths. */
static __always_inline enum parse_result
parse_transport(struct packet *packet, const struct view *view, __u32 offset, __u32 remaining)
{
	__u32 size = transport_size(packet->protocol);
	const unsigned char *header;

	if (!size)
		return PARSE_OK;
	if (remaining < size)
		return parse_truncated(packet, view, offset, remaining);
	packet->transport = TRANSPORT_OK;
	if (packet->protocol == IPPROTO_TCP)
		return parse_tcp(packet, view, offset, remaining);
#if FAMILY == 6
	if (packet->protocol == IPPROTO_MH)
		return parse_mobility(packet, view, offset);
#endif
	header = bytes_at(&view->bytes, offset, sizeof(struct udphdr));
	if (!header)
		return PARSE_SHORT;
	if (has_ports(packet->protocol))
		parse_ports(packet, header);
	else if (packet->protocol == IPPROTO_ESP)
		packet->spi = bpf_ntohl(*(const __be32 *)header);
	else if (packet->protocol == IPPROTO_AH)
		packet->spi = bpf_ntohl(*(const __be32 *)(header + 4));
	else
		packet->icmp = bpf_ntohs(*(const __be16 *)header);
	if (table_needs & NEED_DCCP_TYPE && packet->protocol == IPPROTO_DCCP)
		return parse_dccp_type(packet, view, offset);
	return PARSE_OK;
}

#if FAMILY == 4

/* --- IPv4 ------------------------------------------------------------------------------------ */

static __always_inline bool ipv4_checksum_is_good(const struct iphdr *ip, const struct bytes *bytes)
{
	const __u32 *words = (const __u32 *)ip;
	const __u16 *half;
	__u64 sum = 0;

	for (int i = 0; i < 5; i++)
		sum += words[i];
	if (ip->ihl > 5) {
		for (__u32 i = 10; i < 30; i++) {
			half = i < ip->ihl * 2u ? bytes_at(bytes, i * 2, 2) : 0;
			if (!half)
				break;
			sum += *half;
		}
	}
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff;
}

/* as ip_rcv_core() */
static __always_inline enum parse_result parse_ip(struct packet *packet, const struct view *view,
						  struct route_facts *facts)
{
	const struct iphdr *ip = bytes_at(&view->bytes, 0, sizeof(*ip));
	__u32 header_size, length, offset;

	if (!ip)
		return view->available < sizeof(*ip) ? PARSE_DISCARDED : PARSE_SHORT;
	header_size = ip->ihl * 4u;
	length = bpf_ntohs(ip->tot_len);
	if (view->from_here || (!length && view->segments))
		length = view->available;
	if (header_size < sizeof(*ip) || length > view->available || length < header_size)
		return PARSE_DISCARDED;
	if (!bytes_at(&view->bytes, 0, header_size))
		return PARSE_SHORT;
	if (!view->from_here && (ip->version != 4 || !ipv4_checksum_is_good(ip, &view->bytes)))
		return PARSE_DISCARDED;
	packet_clear(packet);
	packet->family = 4;
	packet->source[0] = ip->saddr;
	packet->destination[0] = ip->daddr;
	packet->length = length;
	packet->protocol = ip->protocol;
	packet->ttl = ip->ttl;
	packet->tos = ip->tos;
	facts->dont_fragment = !!(ip->frag_off & bpf_htons(IPV4_DF));
	facts->plain = header_size == sizeof(*ip) && !(ip->frag_off & ~bpf_htons(IPV4_DF));
	offset = bpf_ntohs(ip->frag_off) & IPV4_OFFSET;
	if (offset) {
		packet->flags |= PACKET_FRAGMENT;
		packet->transport = offset == 1 ? TRANSPORT_FRAGMENT_ONE : TRANSPORT_FRAGMENT;
		return parse_fragment(packet, view, header_size);
	}
	facts->transport = (__u16)header_size;
	return parse_transport(packet, view, header_size, length - header_size);
}

#else

/* --- IPv6 ------------------------------------------------------------------------------------ */

/* as ipv6_parse_hopopts(): hop-by-hop options that do not fit are dropped before any hook */
static __always_inline enum parse_result check_hop_by_hop(const struct packet *packet,
							  const struct view *view)
{
	const unsigned char *header;

	if (sizeof(struct ipv6hdr) + 8 > packet->length)
		return PARSE_DISCARDED;
	header = bytes_at(&view->bytes, sizeof(struct ipv6hdr), 2);
	if (!header)
		return PARSE_SHORT;
	if (sizeof(struct ipv6hdr) + (header[1] + 1u) * 8 > packet->length)
		return PARSE_DISCARDED;
	return PARSE_OK;
}

/* as ip6_rcv_core() */
static __always_inline enum parse_result parse_ip(struct packet *packet, const struct view *view,
						  struct route_facts *facts)
{
	const struct ipv6hdr *ip = bytes_at(&view->bytes, 0, sizeof(*ip));
	__u32 transport = 0, payload;
	enum parse_result result;

	if (!ip)
		return view->available < sizeof(*ip) ? PARSE_DISCARDED : PARSE_SHORT;
	payload = bpf_ntohs(ip->payload_len);
	/* a length of 0 before hop-by-hop options: a jumbogram, or GSO of more than 64 KiB */
	packet_clear(packet);
	packet->length = view->available;
	if (!view->from_here && (payload || ip->nexthdr != IPPROTO_HOPOPTS)) {
		packet->length = payload + sizeof(*ip);
		if (packet->length > view->available)
			return PARSE_DISCARDED;
	}
	if (!view->from_here && ip->version != 6)
		return PARSE_DISCARDED;
	packet->family = 6;
	__builtin_memcpy(packet->source, &ip->saddr, 16);
	__builtin_memcpy(packet->destination, &ip->daddr, 16);
	packet->protocol = ip->nexthdr;
	packet->ttl = ip->hop_limit;
	packet->tos = (__u8)(ip->priority << 4 | ip->flow_lbl[0] >> 4);
	facts->dont_fragment = 1;
	if (!view->from_here && ip->nexthdr == IPPROTO_HOPOPTS) {
		result = check_hop_by_hop(packet, view);
		if (result != PARSE_OK)
			return result;
	}
	result = ipv6_walk(packet, view, &transport);
	facts->plain = transport == sizeof(*ip);
	if (result == PARSE_OK && packet->flags & PACKET_FRAGMENT)
		return parse_fragment(packet, view, 0); /* to the kernel, there */
	if (result != PARSE_OK || packet->flags & PACKET_NO_PROTOCOL)
		return result;
	if (transport > packet->length) {
		packet->transport =
			transport_size(packet->protocol) ? TRANSPORT_TRUNCATED : TRANSPORT_NONE;
		return PARSE_OK;
	}
	if (transport > OFFSET_MASK)
		return PARSE_REFUSED;
	transport &= OFFSET_MASK;
	facts->transport = (__u16)transport;
	return parse_transport(packet, view, transport, packet->length - transport);
}

#endif

#endif
