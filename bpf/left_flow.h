/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Connections of other protocols than TCP and UDP, which the kernel's table is not asked for. A
 * packet that leaves has been tracked, so its connection is remembered: what comes the other way
 * round belongs to it.
 */
#ifndef UBPFILTER_LEFT_FLOW_H
#define UBPFILTER_LEFT_FLOW_H

#include "tracked.h"

#define TUPLE_MEMBER(member) bpf_core_field_offset(((struct nf_conntrack_tuple *)0)->member)

/* Who sends what to whom, as tuples of the kernel's. */
struct flow {
	__be32 source[4]; /* as struct packet */
	__be32 destination[4];
	__be16 source_port; /* or the id of an ICMP message; 0 where the protocol has no such thing
			     */
	__be16 destination_port; /* or type and code */
	__u8 protocol;
	__u8 family; /* 4 or 6 */
	__u8 reserved[2];
};

/* The connection is the kernel's, not held: it may be gone, and its memory be another one's, of any
   namespace. */
struct left_flow {
	__u64 nf_conn;
	__u64 net;	 /* the namespace */
	__u32 direction; /* of what comes */
	__u32 reserved;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct flow);
	__type(value, struct left_flow);
} left_flows SEC(".maps");

/* as resolve_normal_ct(): what a packet in that direction is to a connection */
static __always_inline __u32 connection_info(__u32 status, __u32 direction)
{
	if (direction)
		return IP_CT_ESTABLISHED_REPLY;
	if (status & IPS_SEEN_REPLY)
		return IP_CT_ESTABLISHED;
	return status & IPS_EXPECTED ? IP_CT_RELATED : IP_CT_NEW;
}

static __always_inline __u64 tuple_address(__u64 nf_conn, __u32 direction)
{
	return nf_conn + (direction ? TUPLE_OFFSET(1, src) : TUPLE_OFFSET(0, src));
}

/* tuple_source() - where packets of a direction come from. @port: network order. */
static __always_inline void tuple_source(__u64 nf_conn, __u32 direction, __be32 address[4],
					 __be16 *port)
{
	__u64 tuple = tuple_address(nf_conn, direction);

	kernel_words(address, tuple + TUPLE_MEMBER(src.u3), ADDRESS_WORDS);
	*port = KERNEL_FIELD(struct nf_conntrack_tuple, tuple, src.u.all);
}

/* What comes in @direction of @net is of this connection. */
static __always_inline void flow_remember(__u64 nf_conn, __u64 net, __u32 direction)
{
	__u64 tuple = tuple_address(nf_conn, direction);
	struct left_flow left = { .nf_conn = nf_conn, .net = net, .direction = direction };
	struct flow comes = {
		.destination_port = KERNEL_FIELD(struct nf_conntrack_tuple, tuple, dst.u.all),
		.protocol = KERNEL_FIELD(struct nf_conntrack_tuple, tuple, dst.protonum),
		.family = FAMILY,
	};

	tuple_source(nf_conn, direction, comes.source, &comes.source_port);
	kernel_words(comes.destination, tuple + TUPLE_MEMBER(dst.u3), ADDRESS_WORDS);
	bpf_map_update_elem(&left_flows, &comes, &left, BPF_ANY);
}

static __always_inline bool is_in_table(__u64 nf_conn)
{
	__u32 status = (__u32)KERNEL_FIELD(struct nf_conn, nf_conn, status);

	return (status & (IPS_CONFIRMED | IPS_DYING)) == IPS_CONFIRMED;
}

static __always_inline __u64 namespace_of(__u64 nf_conn)
{
	return (__u64)KERNEL_FIELD(struct nf_conn, nf_conn, ct_net.net);
}

static __always_inline bool words_differ(const __be32 *one, const __be32 *other)
{
	__u32 difference = 0;

	for (int i = 0; i < ADDRESS_WORDS; i++)
		difference |= one[i] ^ other[i];
	return difference;
}

static __always_inline bool tuple_is(__u64 nf_conn, __u32 direction, const struct flow *flow)
{
	__u64 tuple = tuple_address(nf_conn, direction);
	__be32 address[4];
	__be16 port;

	tuple_source(nf_conn, direction, address, &port);
	if (port != flow->source_port || words_differ(address, flow->source))
		return false;
	kernel_words(address, tuple + TUPLE_MEMBER(dst.u3), ADDRESS_WORDS);
	return !words_differ(address, flow->destination) &&
	       KERNEL_FIELD(struct nf_conntrack_tuple, tuple, dst.u.all) ==
		       flow->destination_port &&
	       KERNEL_FIELD(struct nf_conntrack_tuple, tuple, dst.protonum) == flow->protocol;
}

/* Does the kernel's table have it, as it was remembered by @flow? */
static __always_inline bool flow_is_current(const struct left_flow *left, const struct flow *flow)
{
	__u32 timeout = KERNEL_FIELD(struct nf_conn, left->nf_conn, timeout);

	return is_in_table(left->nf_conn) && namespace_of(left->nf_conn) == left->net &&
	       (__s32)(timeout - (__u32)bpf_jiffies64()) > 0 &&
	       tuple_is(left->nf_conn, left->direction, flow);
}

#endif
