/* SPDX-License-Identifier: GPL-2.0-only */
/* What an earlier packet left in its slot (slot.h), which no other table uses, is cleared. */
#ifndef UBPFILTER_PACKET_CLEAR_H
#define UBPFILTER_PACKET_CLEAR_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "types.h"

extern const volatile __u32 table_needs; /* as in parse.h */

/* Needs of usual tables: what belongs to each of them is cleared by itself. */
#define NEEDS_USUAL (NEED_IN_NAME | NEED_OUT_NAME | NEED_TCP_OPTIONS | NEED_FORWARD)

/* For tables without other needs: the rest of the packet nobody writes then, it stays 0. */
static __always_inline void packet_clear_usual(struct packet *packet)
{
	const __u32 begin = __builtin_offsetof(struct packet, length);
	const __u32 end = __builtin_offsetof(struct packet, pending);

	__builtin_memset(packet->source, 0, sizeof(packet->source));
	__builtin_memset(packet->destination, 0, sizeof(packet->destination));
	__builtin_memset((char *)packet + begin, 0, end - begin);
	if (table_needs & NEED_IN_NAME)
		__builtin_memset(packet->in_name, 0, sizeof(packet->in_name));
	if (table_needs & NEED_OUT_NAME)
		__builtin_memset(packet->out_name, 0, sizeof(packet->out_name));
	if (table_needs & NEED_TCP_OPTIONS)
		__builtin_memset(packet->tcp_options, 0, sizeof(packet->tcp_options));
}

/* What conntrack knows is a third of a packet, and needed by few tables; so are headers. */
static __always_inline void packet_clear(struct packet *packet)
{
	if (!(table_needs & ~NEEDS_USUAL)) {
		packet_clear_usual(packet);
		return;
	}
	__builtin_memset(packet, 0, __builtin_offsetof(struct packet, headers));
	if (table_needs & NEED_IPV6_HEADERS)
		__builtin_memset(&packet->headers, 0, sizeof(packet->headers));
	if (table_needs & NEED_CONNECTION)
		__builtin_memset(&packet->connection, 0, sizeof(packet->connection));
}

#endif
