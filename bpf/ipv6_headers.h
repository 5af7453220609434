/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * IPv6 extension headers, as ipv6_find_hdr() follows them: to the protocol behind them, and to the
 * first of each kind.
 */
#ifndef UBPFILTER_IPV6_HEADERS_H
#define UBPFILTER_IPV6_HEADERS_H

#include <linux/bpf.h>
#include <linux/in.h>
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "opaque.h"
#include "view.h"

/* Extension headers that are followed: as many as fit into OFFSET_MASK bytes. */
#define EXTENSIONS_MAX 2048

#define IPV6_FRAGMENT_OFFSET 0xfff8

/* What matches ask for of a header, and what lengths of most headers count. */
#define OPTIONS_HEADER_SIZE	   2
#define ROUTING_HEADER_SIZE	   4
#define FRAGMENT_HEADER_SIZE	   8
#define AUTHENTICATION_HEADER_SIZE 12
#define EXTENSION_UNIT		   8

static __always_inline bool ipv6_is_extension(__u8 protocol)
{
	return protocol == IPPROTO_HOPOPTS || protocol == IPPROTO_ROUTING ||
	       protocol == IPPROTO_FRAGMENT || protocol == IPPROTO_AH || protocol == IPPROTO_NONE ||
	       protocol == IPPROTO_DSTOPTS;
}

static __always_inline bool ipv6_ends_headers(__u8 protocol)
{
	return !ipv6_is_extension(protocol) || protocol == IPPROTO_NONE;
}

/* Where the first extension header of each kind is in the packet, 0: nowhere. */
struct header_offsets {
	__u16 hop_by_hop;
	__u16 routing;
	__u16 fragment;
	__u16 authentication;
	__u16 destination;
};

/* A walk over extension headers. A helper calls the step: as a plain loop, the many ways through
   ten headers are more than the verifier follows. */
struct walk {
	struct bytes bytes;
	__u32 length;  /* of the packet, by its IP header */
	__u32 offset;  /* of the next header in the packet */
	__u8 protocol; /* of the next header */
	__u8 flags;    /* enum packet_flags, as found */
	__u8 result;   /* enum parse_result */
	__u8 is_cut;   /* the packet ends where the walk must go on: no header behind is found */
	struct header_offsets first; /* only if NEED_IPV6_HEADERS */
};

static __always_inline void header_note(struct walk *walk, __u32 offset)
{
	struct header_offsets *first = &walk->first;
	__u16 at = (__u16)offset;

	if (walk->protocol == IPPROTO_HOPOPTS && !first->hop_by_hop)
		first->hop_by_hop = at;
	else if (walk->protocol == IPPROTO_ROUTING && !first->routing)
		first->routing = at;
	else if (walk->protocol == IPPROTO_FRAGMENT && !first->fragment)
		first->fragment = at;
	else if (walk->protocol == IPPROTO_AH && !first->authentication)
		first->authentication = at;
	else if (walk->protocol == IPPROTO_DSTOPTS && !first->destination)
		first->destination = at;
}

/* The packet ends before the walk does. */
static __always_inline long walk_cut(struct walk *walk)
{
	walk->flags = PACKET_NO_PROTOCOL;
	walk->is_cut = 1;
	return 1;
}

/* as ipv6_find_hdr(): a later fragment's protocol is known if no header stands before it */
static __always_inline long walk_later_fragment(struct walk *walk, __u8 next)
{
	walk->flags = ipv6_ends_headers(next) ? PACKET_FRAGMENT : PACKET_NO_PROTOCOL;
	walk->protocol = next;
	return 1;
}

static long walk_step(__u64 index, struct walk *walk)
{
	__u32 offset = walk->offset & OFFSET_MASK;
	bool is_fragment = walk->protocol == IPPROTO_FRAGMENT;
	const unsigned char *header;
	__u32 size;
	__u8 next;

	(void)index;

	if (ipv6_ends_headers(walk->protocol))
		return 1;
	if (walk->offset > OFFSET_MASK) {
		walk->result = PARSE_REFUSED;
		return 1;
	}
	/* the kernel asks for the fixed part, whether or not it looks at it */
	if (offset + (is_fragment || walk->protocol == IPPROTO_ROUTING ? 4 : 2) > walk->length)
		return walk_cut(walk);
	header = bytes_at(&walk->bytes, offset, 2);
	if (!header) {
		walk->result = PARSE_SHORT;
		return 1;
	}
	if (table_needs & NEED_IPV6_HEADERS)
		header_note(walk, offset);
	next = header[0];
	size = (header[1] + 1u) * 8;
	if (walk->protocol == IPPROTO_AH)
		size = (header[1] + 2u) * 4;
	if (is_fragment) {
		header = bytes_at(&walk->bytes, offset, 4);
		if (!header) {
			walk->result = PARSE_SHORT;
			return 1;
		}
		if (((__u32)header[2] << 8 | header[3]) & IPV6_FRAGMENT_OFFSET)
			return walk_later_fragment(walk, next);
		size = 8;
	}
	walk->offset = offset + size;
	walk->protocol = next;
	/* kernels of before 2026 believe a header that is longer than the packet */
	return walk->offset > walk->length ? walk_cut(walk) : 0;
}

/* --- the headers that were found ------------------------------------------------------------- */

/*
 * header_there() - is there a header of @kind at @at, with the @size bytes that its match asks for?
 * As in the kernel, a packet with less of it cannot be judged, nor one that ends before.
 */
static __always_inline bool header_there(struct packet *packet, const struct walk *walk, __u32 at,
					 __u32 size, enum ipv6_header kind)
{
	if (at ? at + size > packet->length : walk->is_cut)
		packet->headers_broken |= kind;
	return at && at + size <= packet->length;
}

/* as ah_mt6() */
static __always_inline enum parse_result authentication_read(struct packet *packet,
							     const struct walk *walk)
{
	__u32 at = walk->first.authentication & OFFSET_MASK;
	struct ipv6_headers *headers = &packet->headers;
	const unsigned char *header;

	if (!header_there(packet, walk, at, AUTHENTICATION_HEADER_SIZE, HEADER_AUTHENTICATION))
		return PARSE_OK;
	header = bytes_at(&walk->bytes, at, AUTHENTICATION_HEADER_SIZE);
	if (!header)
		return PARSE_SHORT;
	headers->found |= HEADER_AUTHENTICATION;
	headers->authentication_size = header[1];
	headers->authentication_reserved = *(const __u16 *)(header + 2);
	headers->authentication_spi = bpf_ntohl(*(const __be32 *)(header + 4));
	return PARSE_OK;
}

/* as frag_mt6() */
static __always_inline enum parse_result fragment_read(struct packet *packet,
						       const struct walk *walk)
{
	__u32 at = walk->first.fragment & OFFSET_MASK;
	struct ipv6_headers *headers = &packet->headers;
	const unsigned char *header;

	if (!header_there(packet, walk, at, FRAGMENT_HEADER_SIZE, HEADER_FRAGMENT))
		return PARSE_OK;
	header = bytes_at(&walk->bytes, at, FRAGMENT_HEADER_SIZE);
	if (!header)
		return PARSE_SHORT;
	headers->found |= HEADER_FRAGMENT;
	headers->fragment_reserved = header[1];
	headers->fragment_offset = *(const __be16 *)(header + 2);
	headers->fragment_id = bpf_ntohl(*(const __be32 *)(header + 4));
	return PARSE_OK;
}

/* as rt_mt6(): there is none to match if the packet has not all of it */
static __always_inline enum parse_result routing_read(struct packet *packet,
						      const struct walk *walk)
{
	__u32 at = walk->first.routing & OFFSET_MASK;
	struct ipv6_headers *headers = &packet->headers;
	const unsigned char *header;

	if (!header_there(packet, walk, at, ROUTING_HEADER_SIZE, HEADER_ROUTING) ||
	    at + EXTENSION_UNIT > packet->length)
		return PARSE_OK;
	header = bytes_at(&walk->bytes, at, EXTENSION_UNIT);
	if (!header)
		return PARSE_SHORT;
	if (at + (header[1] + 1u) * EXTENSION_UNIT > packet->length)
		return PARSE_OK;
	headers->found |= HEADER_ROUTING;
	headers->routing_size = header[1];
	headers->routing_type = header[2];
	headers->segments_left = header[3];
	headers->routing_reserved = *(const __u32 *)(header + 4);
	return PARSE_OK;
}

/* as hbh_mt6(): the same. @size: where the header's own goes to. */
static __always_inline enum parse_result options_read(struct packet *packet,
						      const struct walk *walk, __u32 at,
						      enum ipv6_header kind, __u8 *size)
{
	const unsigned char *header;

	if (!header_there(packet, walk, at, OPTIONS_HEADER_SIZE, kind))
		return PARSE_OK;
	header = bytes_at(&walk->bytes, at, OPTIONS_HEADER_SIZE);
	if (!header)
		return PARSE_SHORT;
	if (at + (header[1] + 1u) * EXTENSION_UNIT > packet->length)
		return PARSE_OK;
	packet->headers.found |= kind;
	*size = header[1];
	return PARSE_OK;
}

static __attribute__((noinline)) enum parse_result headers_read(struct packet *packet,
								const struct walk *walk)
{
	struct ipv6_headers *headers = &packet->headers;
	enum parse_result result;

	result = options_read(packet, walk, walk->first.hop_by_hop & OFFSET_MASK, HEADER_HOP_BY_HOP,
			      &headers->hop_by_hop_size);
	if (result == PARSE_OK)
		result = options_read(packet, walk, walk->first.destination & OFFSET_MASK,
				      HEADER_DESTINATION, &headers->destination_size);
	if (result == PARSE_OK)
		result = routing_read(packet, walk);
	if (result == PARSE_OK)
		result = fragment_read(packet, walk);
	if (result == PARSE_OK)
		result = authentication_read(packet, walk);
	return result;
}

/* --- the walk -------------------------------------------------------------------------------- */

/* as ipv6_find_hdr(skb, &offset, -1, &fragoff, NULL); packet->protocol is where it starts */
static __attribute__((noinline)) enum parse_result
ipv6_walk_headers(struct packet *packet, const struct view *view, __u32 *transport)
{
	struct walk walk = {
		.bytes = view->bytes,
		.length = packet->length,
		.offset = sizeof(struct ipv6hdr) + opaque_zero,
		.protocol = packet->protocol,
		.is_cut = (__u8)opaque_zero,
		.first = { .hop_by_hop = (__u16)opaque_zero,
			   .routing = (__u16)opaque_zero,
			   .fragment = (__u16)opaque_zero,
			   .authentication = (__u16)opaque_zero,
			   .destination = (__u16)opaque_zero },
	};

	if (bpf_loop(EXTENSIONS_MAX, walk_step, &walk, 0) == EXTENSIONS_MAX)
		return PARSE_REFUSED;
	*transport = walk.offset;
	packet->protocol = walk.protocol;
	packet->flags |= walk.flags;
	if (walk.flags & PACKET_FRAGMENT)
		packet->transport = TRANSPORT_FRAGMENT;
	if (table_needs & NEED_IPV6_HEADERS && walk.result == PARSE_OK)
		return headers_read(packet, &walk);
	return walk.result;
}

static __always_inline enum parse_result ipv6_walk(struct packet *packet, const struct view *view,
						   __u32 *transport)
{
	*transport = sizeof(struct ipv6hdr);
	return ipv6_ends_headers(packet->protocol) ? PARSE_OK
						   : ipv6_walk_headers(packet, view, transport);
}

#endif
