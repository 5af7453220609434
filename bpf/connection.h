/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What conntrack will say of a packet that it has not seen yet: XDP and TC ingress look into its
 * table as it will (nf_conntrack_in()), without changing anything there. Where the answer would
 * depend on more than the table and the packet, docs/semantics.md says what is answered here.
 *
 * One file for both hooks: libbpf 1.1 does not link two objects that name the same kernel function.
 */
#ifndef UBPFILTER_CONNECTION_H
#define UBPFILTER_CONNECTION_H

#include <linux/bpf.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <stdbool.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "connection_find.h"
#include "connection_tcp.h"
#include "kernel_probe.h"
#include "ports.h"

extern const volatile __u32 table_needs;

#include "left_flow.h"

static __always_inline long frame_load(const struct frame_view *frame, __u32 offset, void *to,
				       __u32 size)
{
	return frame->asker == ASKER_XDP ? bpf_xdp_load_bytes(frame->context, offset, to, size)
					 : bpf_skb_load_bytes(frame->context, offset, to, size);
}

static __always_inline struct nf_conn *flow_find(const struct frame_view *frame,
						 const struct flow *flow, __u8 *direction)
{
	struct lookup_options options = {
		.namespace = BPF_F_CURRENT_NETNS,
		.protocol = flow->protocol,
	};
	const struct flow_view view = { flow->source, flow->destination, flow->source_port,
					flow->destination_port };
	struct nf_conn *found = connection_find(frame, &view, &options);

	*direction = options.direction;
	return found;
}

#define ICMP_ID_OFFSET	  4
#define ICMP_HEADER_BYTES 8

/* --- packets of no connection ---------------------------------------------------------------- */

#if FAMILY == 4

#define PROTOCOL_ICMP IPPROTO_ICMP

#define ICMP_ECHO_REPLY	  0
#define ICMP_ECHO_REQUEST 8
/* timestamp, information and address mask: an answer is one more than its question */
#define ICMP_FIRST_PAIR 13
#define ICMP_LAST_PAIR	18

/* by type: echo, timestamp, information and address mask requests ask; others answer or report */
#define ICMP_QUESTIONS (1u << 8 | 1u << 13 | 1u << 15 | 1u << 17)
/* destination unreachable, source quench, redirect, time exceeded, parameter problem */
#define ICMP_ERRORS (1u << 3 | 1u << 4 | 1u << 5 | 1u << 11 | 1u << 12)

static __always_inline __u16 icmp_state(__u8 type)
{
	return type < 32 && ICMP_QUESTIONS >> type & 1 ? CONNECTION_NEW : CONNECTION_INVALID;
}

/* of a question and its answer the other one; 0xff: neither */
static __always_inline __u8 icmp_other(__u8 type)
{
	if (type == ICMP_ECHO_REPLY || type == ICMP_ECHO_REQUEST)
		return type ^ ICMP_ECHO_REQUEST;
	return type >= ICMP_FIRST_PAIR && type <= ICMP_LAST_PAIR ? ((type - 1) ^ 1) + 1 : 0xff;
}

static __always_inline bool icmp_is_error(__u8 type)
{
	return type < 32 && ICMP_ERRORS >> type & 1;
}

#else

#define PROTOCOL_ICMP IPPROTO_ICMPV6

#define ICMPV6_ECHO_REQUEST	  128
#define ICMPV6_NODE_QUERY	  139
#define ICMPV6_NODE_REPLY	  140
#define ICMPV6_FIRST_UNTRACKED	  130 /* multicast listeners, router and neighbour discovery */
#define ICMPV6_LAST_UNTRACKED	  136
#define ICMPV6_LISTENER_REPORT_V2 143 /* neither */

static __always_inline __u16 icmp_state(__u8 type)
{
	if ((type >= ICMPV6_FIRST_UNTRACKED && type <= ICMPV6_LAST_UNTRACKED) ||
	    type == ICMPV6_LISTENER_REPORT_V2)
		return CONNECTION_UNTRACKED;
	return type == ICMPV6_ECHO_REQUEST || type == ICMPV6_NODE_QUERY ? CONNECTION_NEW
									: CONNECTION_INVALID;
}

static __always_inline __u8 icmp_other(__u8 type)
{
	return type >> 1 == ICMPV6_ECHO_REQUEST >> 1 ? type ^ 1
	       : type == ICMPV6_NODE_QUERY	     ? ICMPV6_NODE_REPLY
	       : type == ICMPV6_NODE_REPLY	     ? ICMPV6_NODE_QUERY
						     : 0xff;
}

static __always_inline bool icmp_is_error(__u8 type)
{
	return type < 128;
}

#endif

/* Broken packets and later fragments are of no connection; conntrack sees the latter reassembled.
   Nor is an IPv6 packet that has no next header. */
static __always_inline bool is_broken(const struct packet *packet)
{
	if (packet->flags & (PACKET_FRAGMENT | PACKET_NO_PROTOCOL) ||
	    (FAMILY == 6 && packet->protocol == IPPROTO_NONE))
		return true;
	/* of other protocols conntrack reads no header */
	if (packet->transport != TRANSPORT_OK &&
	    (has_ports(packet->protocol) || packet->protocol == PROTOCOL_ICMP))
		return true;
	return packet->protocol == IPPROTO_TCP && !tcp_flags_are_valid(packet->tcp_flags);
}

static __always_inline __u16 stranger_state(const struct packet *packet)
{
	if (packet->protocol == PROTOCOL_ICMP)
		return icmp_state(packet->icmp >> 8);
	if (packet->protocol == IPPROTO_TCP && !tcp_begins(packet->tcp_flags))
		return CONNECTION_INVALID;
	return CONNECTION_NEW;
}

/* What a connection is that the packet begins. */
static __always_inline void connection_begin(struct packet *packet)
{
	struct connection *connection = &packet->connection;

	connection->state = stranger_state(packet);
	if (connection->state != CONNECTION_NEW)
		return;
	connection->flags = CONNECTION_TRACKED;
	connection->protocol = packet->protocol;
	connection->original_source_port = connection->reply_destination_port = packet->source_port;
	connection->original_destination_port = connection->reply_source_port =
		packet->destination_port;
	__builtin_memcpy(connection->original_source, packet->source, 16);
	__builtin_memcpy(connection->original_destination, packet->destination, 16);
	__builtin_memcpy(connection->reply_source, packet->destination, 16);
	__builtin_memcpy(connection->reply_destination, packet->source, 16);
}

/* --- packets of a connection ----------------------------------------------------------------- */

/*
 * Where the packet goes once PREROUTING has undone or done what NAT does in its direction: to where
 * the other direction's packets come from.
 */
static __always_inline void destination_translate(struct packet *packet, __u64 nf_conn,
						  __u8 direction)
{
	__be16 port;

	if (!(packet->connection.status & IPS_NAT_MASK))
		return;
	tuple_source(nf_conn, !direction, packet->destination, &port);
	if (has_ports(packet->protocol))
		packet->destination_port = bpf_ntohs(port);
}

/* as nf_conntrack_udp_packet(): is a connection to be kept? */
static __always_inline bool datagram_assures(__u64 nf_conn)
{
	return bpf_jiffies64() > KERNEL_FIELD(struct nf_conn, nf_conn, proto.udp.stream_ts);
}

/* A packet of a connection that conntrack knows; what it adds to that is added. */
static __always_inline void connection_join(struct packet *packet, __u64 nf_conn, __u8 direction)
{
	struct connection *connection = &packet->connection;
	__u32 status = (__u32)KERNEL_FIELD(struct nf_conn, nf_conn, status);
	enum tcp_fate fate = TCP_TAKEN;

	if (packet->protocol == IPPROTO_TCP)
		fate = tcp_fate(nf_conn, direction, packet->tcp_flags, status);
	else if (packet->protocol == IPPROTO_UDP && status & IPS_SEEN_REPLY &&
		 datagram_assures(nf_conn))
		fate = TCP_ASSURES;
	if (fate == TCP_INVALID) {
		connection->state = CONNECTION_INVALID;
		return;
	}
	if (fate == TCP_REOPENS) {
		connection_begin(packet);
		return;
	}
	connection_note(connection, nf_conn, connection_info(status, direction));
	if (fate == TCP_ASSURES)
		connection->status |= IPS_ASSURED;
	if (direction)
		connection->status |= IPS_SEEN_REPLY;
	destination_translate(packet, nf_conn, direction);
}

static __always_inline void connection_of_flow(const struct frame_view *frame,
					       struct packet *packet)
{
	struct flow flow = {
		.source_port = bpf_htons(packet->source_port),
		.destination_port = bpf_htons(packet->destination_port),
		.protocol = packet->protocol,
	};
	struct nf_conn *found;
	__u8 direction;

	__builtin_memcpy(flow.source, packet->source, 16);
	__builtin_memcpy(flow.destination, packet->destination, 16);
	found = flow_find(frame, &flow, &direction);
	if (!found) {
		connection_begin(packet);
		return;
	}
	connection_join(packet, (__u64)found, direction);
	bpf_ct_release(found);
}

static __always_inline void connection_of_left(const struct frame_view *frame,
					       struct packet *packet, __u32 offset)
{
	struct flow flow = { .protocol = packet->protocol, .family = FAMILY };
	const struct left_flow *left;
	__u32 direction;
	__u64 nf_conn;

	__builtin_memcpy(flow.source, packet->source, 16);
	__builtin_memcpy(flow.destination, packet->destination, 16);
	if (packet->protocol == PROTOCOL_ICMP) {
		flow.destination_port = bpf_htons(packet->icmp);
		frame_load(frame, offset + ICMP_ID_OFFSET, &flow.source_port, 2);
	} else if (has_ports(packet->protocol)) {
		frame_load(frame, offset, &flow.source_port, 4);
	}
	left = bpf_map_lookup_elem(&left_flows, &flow);
	if (!left || !flow_is_current(left, &flow)) {
		connection_begin(packet);
		return;
	}
	nf_conn = left->nf_conn;
	direction = left->direction & 1;
	connection_note(
		&packet->connection, nf_conn,
		connection_info((__u32)KERNEL_FIELD(struct nf_conn, nf_conn, status), direction));
	/* as nf_conntrack_gre_packet() */
	if (packet->protocol == IPPROTO_GRE && packet->connection.status & IPS_SEEN_REPLY)
		packet->connection.status |= IPS_ASSURED;
	if (packet->connection.flags & CONNECTION_REPLY)
		packet->connection.status |= IPS_SEEN_REPLY;
	destination_translate(packet, nf_conn, (__u8)direction);
}

/* --- ICMP errors: of the connection whose packet they carry ---------------------------------- */

#if FAMILY == 4

/* Return: offset of the transport header behind the inner IP header, or 0. */
static __always_inline __u32 inner_read(const struct frame_view *frame, __u32 offset,
					struct flow *flow)
{
	struct iphdr ip;

	if (frame_load(frame, offset, &ip, sizeof(ip)) || ip.frag_off & bpf_htons(0x1fff))
		return 0;
	flow->source[0] = ip.daddr;
	flow->destination[0] = ip.saddr;
	flow->protocol = ip.protocol;
	return offset + ip.ihl * 4u;
}

#else

static __always_inline __u32 inner_read(const struct frame_view *frame, __u32 offset,
					struct flow *flow)
{
	struct ipv6hdr ip;

	if (frame_load(frame, offset, &ip, sizeof(ip)))
		return 0;
	__builtin_memcpy(flow->source, &ip.daddr, 16);
	__builtin_memcpy(flow->destination, &ip.saddr, 16);
	flow->protocol = ip.nexthdr;
	return offset + sizeof(ip);
}

#endif

/* What follows the inner IP header at @offset: the answer's ports, or id, type and code. Return: it
   is there, and can be answered. */
static __always_inline bool inner_ports(const struct frame_view *frame, __u32 offset,
					struct flow *flow)
{
	__be16 words[4]; /* two ports; or type and code, checksum, id, number */
	__u8 type;

	if (flow->protocol == PROTOCOL_ICMP) {
		if (frame_load(frame, offset, words, sizeof(words)))
			return false;
		type = icmp_other(bpf_ntohs(words[0]) >> 8);
		flow->source_port = words[2];
		flow->destination_port = bpf_htons(type << 8 | (bpf_ntohs(words[0]) & 0xff));
		return type != 0xff;
	}
	if (!has_ports(flow->protocol))
		return true;
	if (frame_load(frame, offset, words, 2 * sizeof(words[0])))
		return false;
	flow->source_port = words[1];
	flow->destination_port = words[0];
	return true;
}

static __always_inline void connection_relate(struct packet *packet, __u64 nf_conn, __u32 direction)
{
	connection_note(&packet->connection, nf_conn,
			direction ? IP_CT_RELATED_REPLY : IP_CT_RELATED);
	destination_translate(packet, nf_conn, (__u8)direction);
}

static __always_inline void related_find(const struct frame_view *frame, struct packet *packet,
					 const struct flow *flow)
{
	const struct left_flow *left;
	struct nf_conn *found;
	__u8 direction;

	if (flow->protocol == IPPROTO_TCP || flow->protocol == IPPROTO_UDP) {
		found = flow_find(frame, flow, &direction);
		if (!found)
			return;
		connection_relate(packet, (__u64)found, direction);
		bpf_ct_release(found);
		return;
	}
	left = bpf_map_lookup_elem(&left_flows, flow);
	if (left && flow_is_current(left, flow))
		connection_relate(packet, left->nf_conn, left->direction & 1);
}

/* as nf_conntrack_inet_error(): @offset is that of the packet in the error; the answer to it is
   looked up, which goes where the error goes */
static __always_inline void connection_of_error(const struct frame_view *frame,
						struct packet *packet, __u32 offset)
{
	struct flow flow = { .family = FAMILY };

	packet->connection.state = CONNECTION_INVALID;
	offset = inner_read(frame, offset, &flow);
	if (!offset || !inner_ports(frame, offset, &flow) ||
	    words_differ(flow.destination, packet->destination))
		return;
	related_find(frame, packet, &flow);
}

/* --- all of it ------------------------------------------------------------------------------- */

/* connection_predict() - fill in @packet's connection. @offset: of what follows the IP header in
   the frame. */
static __always_inline void connection_predict(const struct frame_view *frame,
					       struct packet *packet, __u32 offset)
{
	if (is_broken(packet))
		packet->connection.state = CONNECTION_INVALID;
	else if (packet->protocol == PROTOCOL_ICMP && icmp_is_error(packet->icmp >> 8))
		connection_of_error(frame, packet, offset + ICMP_HEADER_BYTES);
	else if (packet->protocol == IPPROTO_TCP || packet->protocol == IPPROTO_UDP)
		connection_of_flow(frame, packet);
	else
		connection_of_left(frame, packet, offset);
}

#endif
