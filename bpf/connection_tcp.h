/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a segment does to a connection of TCP that conntrack knows, before conntrack has seen it: as
 * nf_conntrack_tcp_packet(), without the windows (docs/semantics.md).
 */
#ifndef UBPFILTER_CONNECTION_TCP_H
#define UBPFILTER_CONNECTION_TCP_H

#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <stdbool.h>

#include "kernel_probe.h"

#define TCP_FLAGS(fin, syn, rst, ack, urg) \
	((fin) | (syn) << 1 | (rst) << 2 | (ack) << 4 | (urg) << 5)
#define TCP_FLAGS_MASK TCP_FLAGS(1, 1, 1, 1, 1)

/* What segments are to the states: the first of these that holds; numbered as the kernel does,
   which remembers the last one (proto.tcp.last_index). */
enum tcp_kind {
	TCP_SYN,
	TCP_SYN_ACK,
	TCP_FIN,
	TCP_ACK,
	TCP_RST,
	TCP_NONE,
	TCP_KINDS,
};

static __always_inline enum tcp_kind tcp_kind(__u8 flags)
{
	if (flags & TCP_FLAGS(0, 0, 1, 0, 0))
		return TCP_RST;
	if (flags & TCP_FLAGS(0, 1, 0, 0, 0))
		return flags & TCP_FLAGS(0, 0, 0, 1, 0) ? TCP_SYN_ACK : TCP_SYN;
	if (flags & TCP_FLAGS(1, 0, 0, 0, 0))
		return TCP_FIN;
	return flags & TCP_FLAGS(0, 0, 0, 1, 0) ? TCP_ACK : TCP_NONE;
}

/*
 * A row holds for each state of a connection, NONE first, the one that it goes to. Ten states of a
 * nibble each, the first one lowest.
 */
#define STATE_BITS 4
#define STATE_MASK 15u
#define ROW(no, ss, sr, es, fw, cw, la, tw, cl, s2)                                      \
	((__u64)(no) | (__u64)(ss) << 4 | (__u64)(sr) << 8 | (__u64)(es) << 12 |         \
	 (__u64)(fw) << 16 | (__u64)(cw) << 20 | (__u64)(la) << 24 | (__u64)(tw) << 28 | \
	 (__u64)(cl) << 32 | (__u64)(s2) << 36)
#define SS TCP_CONNTRACK_SYN_SENT
#define SR TCP_CONNTRACK_SYN_RECV
#define ES TCP_CONNTRACK_ESTABLISHED
#define FW TCP_CONNTRACK_FIN_WAIT
#define CW TCP_CONNTRACK_CLOSE_WAIT
#define LA TCP_CONNTRACK_LAST_ACK
#define TW TCP_CONNTRACK_TIME_WAIT
#define CL TCP_CONNTRACK_CLOSE
#define S2 TCP_CONNTRACK_SYN_SENT2
#define IV TCP_CONNTRACK_MAX	/* the segment is invalid */
#define IG TCP_CONNTRACK_IGNORE /* it is the connection's, which stays what it is */

static const volatile __u64 tcp_original_rows[TCP_KINDS] = {
	[TCP_SYN] = ROW(SS, SS, IG, IG, IG, IG, IG, SS, SS, S2),
	[TCP_SYN_ACK] = ROW(IV, IV, SR, IV, IV, IV, IV, IV, IV, SR),
	[TCP_FIN] = ROW(IV, IV, FW, FW, LA, LA, LA, TW, CL, IV),
	[TCP_ACK] = ROW(ES, IV, ES, ES, CW, CW, TW, TW, CL, IV),
	[TCP_RST] = ROW(IV, CL, CL, CL, CL, CL, CL, CL, CL, CL),
	[TCP_NONE] = ROW(IV, IV, IV, IV, IV, IV, IV, IV, IV, IV),
};
static const volatile __u64 tcp_reply_rows[TCP_KINDS] = {
	[TCP_SYN] = ROW(IV, S2, IV, IV, IV, IV, IV, SS, IV, S2),
	[TCP_SYN_ACK] = ROW(IV, SR, IG, IG, IG, IG, IG, IG, IG, SR),
	[TCP_FIN] = ROW(IV, IV, FW, FW, LA, LA, LA, TW, CL, IV),
	[TCP_ACK] = ROW(IV, IG, SR, ES, CW, CW, TW, TW, CL, IG),
	[TCP_RST] = ROW(IV, CL, CL, CL, CL, CL, CL, CL, CL, CL),
	[TCP_NONE] = ROW(IV, IV, IV, IV, IV, IV, IV, IV, IV, IV),
};

#undef SS
#undef SR
#undef ES
#undef FW
#undef CW
#undef LA
#undef TW
#undef CL
#undef S2
#undef IV
#undef IG

/* as tcp_valid_flags of nf_conntrack_proto_tcp.c */
static __always_inline bool tcp_flags_are_valid(__u8 flags)
{
	const __u64 valid = 1ull << TCP_FLAGS(0, 1, 0, 0, 0) | 1ull << TCP_FLAGS(0, 1, 0, 0, 1) |
			    1ull << TCP_FLAGS(0, 1, 0, 1, 0) | 1ull << TCP_FLAGS(0, 0, 1, 0, 0) |
			    1ull << TCP_FLAGS(0, 0, 1, 1, 0) | 1ull << TCP_FLAGS(1, 0, 0, 1, 0) |
			    1ull << TCP_FLAGS(1, 0, 0, 1, 1) | 1ull << TCP_FLAGS(0, 0, 0, 1, 0) |
			    1ull << TCP_FLAGS(0, 0, 0, 1, 1);

	return valid >> (flags & TCP_FLAGS_MASK) & 1;
}

/* as tcp_new(): what begins a connection, or is picked up in its middle (nf_conntrack_tcp_loose) */
static __always_inline bool tcp_begins(__u8 flags)
{
	enum tcp_kind kind = tcp_kind(flags);

	return kind == TCP_SYN || kind == TCP_ACK;
}

#define TCP_MEMBER(nf_conn, member) KERNEL_FIELD(struct nf_conn, nf_conn, proto.tcp.member)

/* What becomes of a segment. */
enum tcp_fate {
	TCP_TAKEN,   /* it is the connection's */
	TCP_ASSURES, /* and the connection is to be kept from now on */
	TCP_INVALID, /* no packet of any connection */
	TCP_REOPENS, /* the first packet of a new connection, in place of this one */
};

/* A SYN begins anew if the other connection was closed by the book, or by who sends it. */
static __always_inline bool tcp_may_reopen(__u64 nf_conn, __u32 direction)
{
	__u8 closing = TCP_MEMBER(nf_conn, seen[0].flags) | TCP_MEMBER(nf_conn, seen[1].flags);

	return closing & IP_CT_TCP_FLAG_CLOSE_INIT || (TCP_MEMBER(nf_conn, last_dir) == direction &&
						       TCP_MEMBER(nf_conn, last_index) == TCP_RST);
}

/* Where both ends have sent a SYN, an ACK alone opens the connection. */
static __always_inline bool tcp_opens_both_ways(__u64 nf_conn, __u32 direction, enum tcp_kind kind)
{
	return direction && kind == TCP_ACK &&
	       TCP_MEMBER(nf_conn, last_flags) & IP_CT_TCP_SIMULTANEOUS_OPEN;
}

/*
 * tcp_fate() - of a segment with @flags in @direction of a connection, of which conntrack says that
 * its status is @status.
 */
static __always_inline enum tcp_fate tcp_fate(__u64 nf_conn, __u32 direction, __u8 flags,
					      __u32 status)
{
	enum tcp_kind kind = tcp_kind(flags);
	__u64 row = direction ? tcp_reply_rows[kind] : tcp_original_rows[kind];
	__u32 from = TCP_MEMBER(nf_conn, state);
	__u32 to = (__u32)(row >> ((from & STATE_MASK) * STATE_BITS)) & STATE_MASK;

	if (from >= TCP_CONNTRACK_MAX || to == TCP_CONNTRACK_MAX)
		return TCP_INVALID;
	if (to == TCP_CONNTRACK_SYN_SENT && from >= TCP_CONNTRACK_TIME_WAIT)
		return tcp_may_reopen(nf_conn, direction) ? TCP_REOPENS : TCP_TAKEN;
	if (to == TCP_CONNTRACK_SYN_RECV && tcp_opens_both_ways(nf_conn, direction, kind))
		to = TCP_CONNTRACK_ESTABLISHED;
	return status & IPS_SEEN_REPLY && to == TCP_CONNTRACK_ESTABLISHED &&
			       (from == TCP_CONNTRACK_SYN_RECV || from == TCP_CONNTRACK_ESTABLISHED)
		       ? TCP_ASSURES
		       : TCP_TAKEN;
}

#endif
