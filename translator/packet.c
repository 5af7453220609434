/* SPDX-License-Identifier: GPL-2.0-only */
#include "packet.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define IPV4_HEADER_SIZE     20u
#define IPV6_HEADER_SIZE     40u
#define TCP_HEADER_SIZE	     20u
#define PORTS_SIZE	     4u
#define FRAGMENT_HEADER_SIZE 8u
#define MOBILITY_HEADER_SIZE 6u

/* A packet's bytes; nothing is read but through span_at(), so nothing is read beyond the end. */
struct span {
	const unsigned char *data;
	size_t size;
};

/* as skb_header_pointer(): @size bytes at @offset, NULL when they are not all there. */
static const unsigned char *span_at(const struct span *span, size_t offset, size_t size)
{
	if (offset > span->size || size > span->size - offset)
		return NULL;
	return span->data + offset;
}

static uint16_t be16_at(const unsigned char *data)
{
	return (uint16_t)(data[0] << 8 | data[1]);
}

static uint32_t be32_at(const unsigned char *data)
{
	return (uint32_t)be16_at(data) << 16 | be16_at(data + 2);
}

/* --- transport ------------------------------------------------------------------------------ */

/* as tcpmss_mt(), of the bytes at @at, whatever they are */
static void find_mss(struct packet *packet, const struct span *span, size_t at)
{
	const unsigned char *header = span_at(span, at, TCP_HEADER_SIZE);
	size_t size = header ? (size_t)(header[12] >> 4) * 4 : 0;

	if (size < TCP_HEADER_SIZE || !span_at(span, at, size)) {
		packet->flags |= PACKET_TCP_MSS_BAD;
		return;
	}
	for (size_t i = TCP_HEADER_SIZE; i < size;) {
		bool has_length = header[i] >= 2 && i + 1 < size && header[i + 1];

		if (header[i] == 2 && i + 4 <= size && header[i + 1] == 4) {
			packet->facts |= PACKET_HAS_TCP_MSS;
			packet->tcp_mss = be16_at(header + i + 2);
			return;
		}
		i += has_length ? header[i + 1] : 1;
	}
}

static void options_note(struct packet *packet, unsigned char kind)
{
	packet->tcp_options[kind / 64] |= UINT64_C(1) << kind % 64;
}

/* as tcp_find_option(), for all kinds at once */
static void parse_options(struct packet *packet, const struct span *span, size_t transport)
{
	const unsigned char *header = span_at(span, transport, TCP_HEADER_SIZE);
	size_t header_size = (size_t)(header[12] >> 4) * 4, next = TCP_HEADER_SIZE;

	header = span_at(span, transport, header_size);
	if (header_size < TCP_HEADER_SIZE || !header) {
		packet->flags |= PACKET_TCP_OPTIONS_BAD;
		return;
	}
	while (next < header_size) {
		unsigned char kind = header[next];
		bool has_length = kind >= 2 && next + 1 < header_size && header[next + 1];

		options_note(packet, kind);
		next += has_length ? header[next + 1] : 1;
	}
}

/* How much of a transport header the kernel's matches ask for. */
static size_t transport_size(const struct packet *packet)
{
	switch (packet->protocol) {
	case IPPROTO_TCP:
		return TCP_HEADER_SIZE;
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_ESP:
		return 8;
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
		return 12;
	case IPPROTO_ICMP:
		return packet->family == 4 ? 8 : 0;
	case IPPROTO_ICMPV6:
		return packet->family == 6 ? 8 : 0;
	case IPPROTO_AH: /* in IPv6 an extension header */
		return packet->family == 4 ? 12 : 0;
	case IPPROTO_MH:
		return packet->family == 6 ? MOBILITY_HEADER_SIZE : 0;
	default:
		return 0;
	}
}

static bool has_ports(unsigned protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE ||
	       protocol == IPPROTO_SCTP || protocol == IPPROTO_DCCP;
}

static void parse_truncated(struct packet *packet, const struct span *span, size_t transport)
{
	const unsigned char *ports = span_at(span, transport, PORTS_SIZE);

	packet->transport = TRANSPORT_TRUNCATED;
	if (!ports || !has_ports(packet->protocol))
		return;
	packet->transport = TRANSPORT_PORTS;
	packet->source_port = be16_at(ports);
	packet->destination_port = be16_at(ports + 2);
}

/* as mh_mt6(): nothing may follow, or the packet is dropped */
static void parse_mobility(struct packet *packet, const unsigned char *header)
{
	if (header[0] == IPPROTO_NONE)
		packet->icmp = header[2];
	else
		packet->transport = TRANSPORT_TRUNCATED;
}

static void parse_transport(struct packet *packet, const struct span *span, size_t transport)
{
	size_t wanted = transport_size(packet);
	const unsigned char *header = span_at(span, transport, wanted);

	if (!wanted)
		return;
	if (packet->protocol == IPPROTO_TCP)
		find_mss(packet, span, transport);
	if (!header) {
		parse_truncated(packet, span, transport);
		return;
	}
	packet->transport = TRANSPORT_OK;
	if (has_ports(packet->protocol)) {
		packet->source_port = be16_at(header);
		packet->destination_port = be16_at(header + 2);
	} else if (packet->protocol == IPPROTO_ESP) {
		packet->spi = be32_at(header);
	} else if (packet->protocol == IPPROTO_AH) {
		packet->spi = be32_at(header + 4);
	} else if (packet->protocol == IPPROTO_MH) {
		parse_mobility(packet, header);
	} else {
		packet->icmp = be16_at(header);
	}
	if (packet->protocol == IPPROTO_TCP) {
		packet->tcp_flags = header[13];
		parse_options(packet, span, transport);
	}
	if (packet->protocol == IPPROTO_DCCP)
		packet->dccp_type = header[8] >> 1 & 15;
}

/* --- IPv4 ----------------------------------------------------------------------------------- */

/* The Internet checksum (RFC 1071) over a header that holds its own checksum is all ones. */
static bool checksum_is_good(const unsigned char *header, size_t size)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < size; i += 2)
		sum += be16_at(header + i);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff;
}

/* as ip_rcv_core() and raw_send_hdrinc() */
static int parse_ipv4(struct packet *packet, enum origin origin, const unsigned char *data,
		      size_t size)
{
	struct span span = { data, size };
	size_t header_size, length = size;
	unsigned offset;

	if (!span_at(&span, 0, IPV4_HEADER_SIZE))
		return -EINVAL;
	header_size = (data[0] & 15u) * 4;
	if (origin == ORIGIN_OTHERS)
		length = be16_at(data + 2);
	if (header_size < IPV4_HEADER_SIZE || length < header_size || length > size)
		return -EINVAL;
	if (origin == ORIGIN_OTHERS && (data[0] >> 4 != 4 || !checksum_is_good(data, header_size)))
		return -EINVAL;
	span.size = length;
	packet->length = (uint32_t)length;
	packet->protocol = data[9];
	packet->tos = data[1];
	packet->ttl = data[8];
	memcpy(packet->source, data + 12, 4);
	memcpy(packet->destination, data + 16, 4);
	offset = be16_at(data + 6) & 0x1fff;
	if (!offset) {
		parse_transport(packet, &span, header_size);
		return 0;
	}
	packet->flags |= PACKET_FRAGMENT;
	packet->transport = offset == 1 ? TRANSPORT_FRAGMENT_ONE : TRANSPORT_FRAGMENT;
	if (packet->protocol == IPPROTO_TCP)
		find_mss(packet, &span, header_size);
	return 0;
}

/* --- IPv6 ----------------------------------------------------------------------------------- */

/* as ipv6_ext_hdr(), but for "no next header", behind which there is nothing to walk */
static bool is_walked(unsigned protocol)
{
	static const unsigned char walked[] = { IPPROTO_HOPOPTS, IPPROTO_ROUTING, IPPROTO_FRAGMENT,
						IPPROTO_AH, IPPROTO_DSTOPTS };

	return memchr(walked, (int)protocol, sizeof(walked)) != NULL;
}

/* Bytes that must be there for the walk to go on; the kernel asks for the header's fixed part. */
static size_t walked_minimum(unsigned protocol)
{
	return protocol == IPPROTO_ROUTING || protocol == IPPROTO_FRAGMENT ? 4 : 2;
}

static size_t walked_size(unsigned protocol, unsigned length)
{
	if (protocol == IPPROTO_FRAGMENT)
		return FRAGMENT_HEADER_SIZE;
	return protocol == IPPROTO_AH ? (length + 2) * (size_t)4 : (length + 1) * (size_t)8;
}

/*
 * as ipv6_find_hdr(skb, &transport, -1, &fragoff, NULL): the protocol behind the extension headers.
 * Of a later fragment it is known only if the fragment header's own next header is the protocol.
 * A header that is longer than the packet ends the walk, as in kernels since 2026.
 */
static void parse_extensions(struct packet *packet, const struct span *span)
{
	size_t next = IPV6_HEADER_SIZE;

	while (is_walked(packet->protocol)) {
		const unsigned char *header = span_at(span, next, walked_minimum(packet->protocol));
		bool later = header && packet->protocol == IPPROTO_FRAGMENT &&
			     be16_at(header + 2) & 0xfff8;

		if (!header || (later && is_walked(header[0])) ||
		    (!later && walked_size(packet->protocol, header[1]) > span->size - next)) {
			packet->flags |= PACKET_NO_PROTOCOL;
			return;
		}
		next += walked_size(packet->protocol, header[1]);
		packet->protocol = header[0];
		if (later) {
			packet->flags |= PACKET_FRAGMENT;
			packet->transport = TRANSPORT_FRAGMENT;
			if (packet->protocol == IPPROTO_TCP)
				find_mss(packet, span, 0); /* the kernel looks there */
			return;
		}
	}
	parse_transport(packet, span, next);
}

/* --- the headers that matches look for ------------------------------------------------------- */

/* as ipv6_find_hdr(): the first header of one kind. */
enum search {
	SEARCH_FOUND,
	SEARCH_NONE, /* -ENOENT */
	SEARCH_CUT,  /* -EBADMSG: the packet ends before that is known */
};

static enum search find_header(const struct span *span, unsigned wanted, size_t *at)
{
	unsigned protocol = span->data[6];

	*at = IPV6_HEADER_SIZE;
	while (is_walked(protocol)) {
		const unsigned char *header = span_at(span, *at, walked_minimum(protocol));

		if (!header)
			return SEARCH_CUT;
		if (protocol == wanted)
			return SEARCH_FOUND;
		if (protocol == IPPROTO_FRAGMENT && be16_at(header + 2) & 0xfff8)
			return SEARCH_NONE;
		*at += walked_size(protocol, header[1]);
		if (*at > span->size)
			return SEARCH_CUT;
		protocol = header[0];
	}
	return SEARCH_NONE;
}

/* What the match of a header asks for. */
struct sought {
	unsigned protocol;
	size_t size;
	bool whole; /* and all of it: otherwise it has no such header (rt_mt6(), hbh_mt6()) */
	enum ipv6_header bit;
};

static const unsigned char *seek_header(struct packet *packet, const struct span *span,
					const struct sought *sought)
{
	size_t at;
	enum search search = find_header(span, sought->protocol, &at);
	const unsigned char *header =
		search == SEARCH_FOUND ? span_at(span, at, sought->size) : NULL;

	if (search == SEARCH_CUT || (search == SEARCH_FOUND && !header))
		packet->headers_broken |= sought->bit;
	if (header && sought->whole && !span_at(span, at, walked_size(sought->protocol, header[1])))
		return NULL;
	if (header)
		packet->headers.found |= sought->bit;
	return header;
}

static void seek_options(struct packet *packet, const struct span *span)
{
	static const struct sought hop_by_hop = { IPPROTO_HOPOPTS, 2, true, HEADER_HOP_BY_HOP };
	static const struct sought destination = { IPPROTO_DSTOPTS, 2, true, HEADER_DESTINATION };
	const unsigned char *header = seek_header(packet, span, &hop_by_hop);

	if (header)
		packet->headers.hop_by_hop_size = header[1];
	header = seek_header(packet, span, &destination);
	if (header)
		packet->headers.destination_size = header[1];
}

static void seek_routing(struct packet *packet, const struct span *span)
{
	static const struct sought routing = { IPPROTO_ROUTING, 4, true, HEADER_ROUTING };
	const unsigned char *header = seek_header(packet, span, &routing);

	if (!header)
		return;
	packet->headers.routing_size = header[1];
	packet->headers.routing_type = header[2];
	packet->headers.segments_left = header[3];
	memcpy(&packet->headers.routing_reserved, header + 4, 4);
}

static void seek_fragment(struct packet *packet, const struct span *span)
{
	static const struct sought fragment = { IPPROTO_FRAGMENT, FRAGMENT_HEADER_SIZE, false,
						HEADER_FRAGMENT };
	const unsigned char *header = seek_header(packet, span, &fragment);

	if (!header)
		return;
	packet->headers.fragment_reserved = header[1];
	memcpy(&packet->headers.fragment_offset, header + 2, 2);
	packet->headers.fragment_id = be32_at(header + 4);
}

static void seek_authentication(struct packet *packet, const struct span *span)
{
	static const struct sought authentication = { IPPROTO_AH, 12, false,
						      HEADER_AUTHENTICATION };
	const unsigned char *header = seek_header(packet, span, &authentication);

	if (!header)
		return;
	packet->headers.authentication_size = header[1];
	memcpy(&packet->headers.authentication_reserved, header + 2, 2);
	packet->headers.authentication_spi = be32_at(header + 4);
}

static void seek_headers(struct packet *packet, const struct span *span)
{
	seek_options(packet, span);
	seek_routing(packet, span);
	seek_fragment(packet, span);
	seek_authentication(packet, span);
}

/* as ipv6_parse_hopopts(): what does not fit is dropped with the packet; contents are not looked at
 */
static bool hop_by_hop_fits(const struct span *span)
{
	const unsigned char *header = span_at(span, IPV6_HEADER_SIZE, 8);

	return header && span_at(span, IPV6_HEADER_SIZE, walked_size(IPPROTO_HOPOPTS, header[1]));
}

/* as ip6_rcv_core(): @span is cut to the packet's length */
static int check_ipv6(struct span *span)
{
	const unsigned char *data = span->data;
	size_t payload = be16_at(data + 4);

	/* length 0 before hop-by-hop options stands for "as long as it is": a jumbogram */
	if (payload || data[6] != IPPROTO_HOPOPTS) {
		if (!span_at(span, IPV6_HEADER_SIZE, payload))
			return -EINVAL;
		span->size = IPV6_HEADER_SIZE + payload;
	}
	if (data[0] >> 4 != 6 || (data[6] == IPPROTO_HOPOPTS && !hop_by_hop_fits(span)))
		return -EINVAL;
	return 0;
}

static int parse_ipv6(struct packet *packet, enum origin origin, const unsigned char *data,
		      size_t size)
{
	struct span span = { data, size };

	if (!span_at(&span, 0, IPV6_HEADER_SIZE) ||
	    (origin == ORIGIN_OTHERS && check_ipv6(&span)) || span.size > UINT32_MAX)
		return -EINVAL;
	packet->length = (uint32_t)span.size;
	packet->protocol = data[6];
	packet->tos = (uint8_t)(be16_at(data) >> 4);
	packet->ttl = data[7];
	memcpy(packet->source, data + 8, 16);
	memcpy(packet->destination, data + 24, 16);
	parse_extensions(packet, &span);
	seek_headers(packet, &span);
	return 0;
}

int packet_parse(struct packet *packet, int family, enum origin origin, const unsigned char *data,
		 size_t size)
{
	struct packet parsed = { .family = (uint8_t)family };
	int error = family == 4 ? parse_ipv4(&parsed, origin, data, size)
				: parse_ipv6(&parsed, origin, data, size);

	if (!error)
		*packet = parsed;
	return error;
}
