/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What conntrack has found out about a packet on its way through the stack: from skb->_nfct. Who
 * includes it chooses how the kernel's memory is read: kernel_cast.h or kernel_probe.h.
 */
#ifndef UBPFILTER_TRACKED_H
#define UBPFILTER_TRACKED_H

#include <bpf/bpf_endian.h>
#include <linux/netfilter/nf_conntrack_common.h>

#include "kernel.h"

#define NFCT_INFO_MASK 7ul
#define NFCT_UNTRACKED 7 /* IP_CT_UNTRACKED, which the UAPI header keeps to itself */

/* jiffies begin five minutes before the number of 32 bits wraps (INITIAL_JIFFIES). */
#define JIFFIES_AT_FIVE_MINUTES (1ll << 32)
#define FIVE_MINUTES_MS		300000ll
#define NANOSECONDS_PER_MS	1000000

/* The kernel's CONFIG_HZ, which it tells nobody: ticks and time since boot have that ratio. */
static __always_inline __u32 ticks_per_second(__u64 jiffies)
{
	__s64 ticks = (__s64)jiffies - JIFFIES_AT_FIVE_MINUTES;
	__s64 milliseconds = (__s64)(bpf_ktime_get_ns() / NANOSECONDS_PER_MS) - FIVE_MINUTES_MS;
	__u64 ratio;

	if (milliseconds < 0) {
		ticks = -ticks;
		milliseconds = -milliseconds;
	}
	ratio = (__u64)ticks * 1000 / (__u64)(milliseconds ?: 1);
	if (ratio < 175)
		return 100;
	if (ratio < 275)
		return 250;
	return ratio < 650 ? 300 : 1000;
}

/* as nf_ct_expires() */
static __always_inline __u32 expires_in(__u32 timeout)
{
	__u64 jiffies = bpf_jiffies64();
	__s32 left = (__s32)(timeout - (__u32)jiffies);

	return left > 0 ? (__u32)left / ticks_per_second(jiffies) : 0;
}

#define ADDRESS_WORDS (FAMILY == 4 ? 1 : 4)

#define TUPLE_OFFSET(direction, member) \
	bpf_core_field_offset(((struct nf_conn *)0)->tuplehash[direction].tuple.member)

static __always_inline void tuples_read(struct connection *connection, __u64 nf_conn)
{
	kernel_words(connection->original_source, nf_conn + TUPLE_OFFSET(0, src.u3), ADDRESS_WORDS);
	kernel_words(connection->original_destination, nf_conn + TUPLE_OFFSET(0, dst.u3),
		     ADDRESS_WORDS);
	kernel_words(connection->reply_source, nf_conn + TUPLE_OFFSET(1, src.u3), ADDRESS_WORDS);
	kernel_words(connection->reply_destination, nf_conn + TUPLE_OFFSET(1, dst.u3),
		     ADDRESS_WORDS);
#define PORT(direction, member) \
	bpf_ntohs(KERNEL_FIELD(struct nf_conn, nf_conn, tuplehash[direction].tuple.member))
	connection->original_source_port = PORT(0, src.u.all);
	connection->original_destination_port = PORT(0, dst.u.all);
	connection->reply_source_port = PORT(1, src.u.all);
	connection->reply_destination_port = PORT(1, dst.u.all);
#undef PORT
	connection->protocol =
		KERNEL_FIELD(struct nf_conn, nf_conn, tuplehash[0].tuple.dst.protonum);
}

/* as nf_ct_ext_find(). @kind: the running kernel's enum nf_ct_ext_id. */
static __always_inline __u64 extension_find(__u64 nf_conn, __u64 kind)
{
	__u64 extensions = (__u64)KERNEL_FIELD(struct nf_conn, nf_conn, ext);
	__u8 offset;

	if (!extensions)
		return 0;
	offset = KERNEL_FIELD(struct nf_ct_ext, extensions + kind, offset[0]); /* a byte each */
	return offset ? extensions + offset : 0;
}

/* connection_note() - as `-m conntrack` sees it. @info: IP_CT_*, what the packet is to @nf_conn. */
static __always_inline void connection_note(struct connection *connection, __u64 nf_conn,
					    __u32 info)
{
	connection->status = (__u32)KERNEL_FIELD(struct nf_conn, nf_conn, status);
	connection->flags = CONNECTION_TRACKED | (info >= IP_CT_IS_REPLY ? CONNECTION_REPLY : 0);
	connection->state = NF_CT_STATE_BIT(info);
	if (connection->status & IPS_SRC_NAT)
		connection->state |= CONNECTION_SNAT;
	if (connection->status & IPS_DST_NAT)
		connection->state |= CONNECTION_DNAT;
	connection->mark = KERNEL_FIELD(struct nf_conn, nf_conn, mark);
	if (table_needs & NEED_CONNECTION_COUNTS)
		connection->counts = extension_find(
			nf_conn, bpf_core_enum_value(enum nf_ct_ext_id, NF_CT_EXT_ACCT));
	if (table_needs & NEED_CONNECTION_TUPLES)
		tuples_read(connection, nf_conn);
	if (table_needs & NEED_CONNECTION_EXPIRY)
		connection->expires = expires_in(KERNEL_FIELD(struct nf_conn, nf_conn, timeout));
}

/* connection_read() - the same of a packet that conntrack has seen. @nfct: skb->_nfct. */
static __always_inline void connection_read(struct connection *connection, unsigned long nfct)
{
	__u64 nf_conn = nfct & ~NFCT_INFO_MASK;
	__u32 info = nfct & NFCT_INFO_MASK;

	if (nf_conn)
		connection_note(connection, nf_conn, info);
	else
		connection->state =
			info == NFCT_UNTRACKED ? CONNECTION_UNTRACKED : CONNECTION_INVALID;
}

#endif
