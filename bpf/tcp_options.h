/* SPDX-License-Identifier: GPL-2.0-only */
/* TCP options, as tcp_find_option() and tcpmss_mt() look for them. */
#ifndef UBPFILTER_TCP_OPTIONS_H
#define UBPFILTER_TCP_OPTIONS_H

#include <linux/bpf.h>
#include <linux/tcp.h>
#include <bpf/bpf_helpers.h>

#include "opaque.h"
#include "view.h"

/* A TCP header has at most 60 bytes, 20 of them fixed. */
#define TCP_OPTIONS_SIZE 40
#define OPTION_MSS	 2
#define OPTION_MSS_SIZE	 4
#define OPTIONS_MASK	 0x3f

/* A scan of TCP options. A helper calls the step, as for extension headers: as a plain loop, forty
   bytes of options are more ways than the verifier follows quickly. */
struct option_scan {
	struct bytes bytes;
	__u64 kinds[4];	     /* as struct packet::tcp_options */
	__u32 begin;	     /* of the first option in the packet */
	__u32 size;	     /* bytes of options */
	__u32 next;	     /* where the next option begins, as far as is known */
	__u8 length_is_here; /* the byte at hand is the length of the option before it */
	__u8 kind;	     /* of that option */
	__u8 mss;	     /* where the first whole segment size is among the options, or 0 */
	__u8 result;	     /* enum parse_result */
};

static __always_inline void option_note(struct option_scan *scan, __u8 kind)
{
	__u64 bit = 1ull << (kind & 63);

	if (kind < 64)
		scan->kinds[0] |= bit;
	else if (kind < 128)
		scan->kinds[1] |= bit;
	else if (kind < 192)
		scan->kinds[2] |= bit;
	else
		scan->kinds[3] |= bit;
}

/* One byte a step: a length is looked at in the step after its kind, so none is read unchecked. */
static long option_step(__u64 index, struct option_scan *scan)
{
	__u32 at = (__u32)index & OPTIONS_MASK;
	const unsigned char *byte;

	if (at >= scan->size)
		return 1;
	byte = bytes_at(&scan->bytes, scan->begin + at, 1);
	if (!byte) {
		scan->result = PARSE_SHORT;
		return 1;
	}
	if (scan->length_is_here) {
		scan->next = at - 1 + (*byte ?: 1);
		if (table_needs & NEED_TCP_MSS && scan->kind == OPTION_MSS &&
		    *byte == OPTION_MSS_SIZE && !scan->mss && scan->next <= scan->size)
			scan->mss = (__u8)(at + 1);
	}
	scan->length_is_here = 0;
	if (at < scan->next)
		return 0;
	option_note(scan, *byte);
	scan->kind = *byte;
	scan->length_is_here = *byte >= 2;
	scan->next = at + 1;
	return 0;
}

/* as tcpmss_mt(), of what the scan has found */
static __always_inline enum parse_result mss_read(struct packet *packet,
						  const struct option_scan *scan)
{
	const unsigned char *size;

	if (!(table_needs & NEED_TCP_MSS) || !scan->mss)
		return PARSE_OK;
	size = bytes_at(&scan->bytes, scan->begin + (scan->mss & OPTIONS_MASK), 2);
	if (!size)
		return PARSE_SHORT;
	packet->facts |= PACKET_HAS_TCP_MSS;
	packet->tcp_mss = (__u16)(size[0] << 8 | size[1]);
	return PARSE_OK;
}

/* What no later fragment has, and its segment size has only to -m tcpmss. */
static __always_inline void options_bad(struct packet *packet)
{
	if (!(packet->flags & PACKET_FRAGMENT))
		packet->flags |= PACKET_TCP_OPTIONS_BAD;
	if (table_needs & NEED_TCP_MSS)
		packet->flags |= PACKET_TCP_MSS_BAD;
}

/* as tcp_find_option(): which kinds a scan meets, ends of the options included */
static __attribute__((noinline)) enum parse_result parse_tcp_options(struct packet *packet,
								     const struct view *view,
								     __u32 offset, __u32 size,
								     __u32 remaining)
{
	struct option_scan scan = {
		.bytes = view->bytes,
		.begin = offset + sizeof(struct tcphdr),
		.size = size - sizeof(struct tcphdr),
		.next = opaque_zero,
		.length_is_here = (__u8)opaque_zero,
		.kind = (__u8)opaque_zero,
		.mss = (__u8)opaque_zero,
	};

	if (size < sizeof(struct tcphdr) || size > remaining) {
		options_bad(packet);
		return PARSE_OK;
	}
	if (!scan.size)
		return PARSE_OK;
	bpf_loop(TCP_OPTIONS_SIZE, option_step, &scan, 0);
	if (scan.result != PARSE_OK)
		return scan.result;
	if (!(packet->flags & PACKET_FRAGMENT))
		__builtin_memcpy(packet->tcp_options, scan.kinds, sizeof(scan.kinds));
	return mss_read(packet, &scan);
}

#endif
