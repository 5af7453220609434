/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Conntrack for XDP and TC, linked to them where a table asks. Before it has seen a packet its
 * table is looked into; what the host sends, to others or by loopback, it has seen.
 */
#include "connection.h"

int xdp_connection_in(struct xdp_md *context, struct packet *packet, __u32 offset)
{
	const struct frame_view frame = { context, ASKER_XDP };

	if (packet)
		connection_predict(&frame, packet, offset);
	return 0;
}

/* The context is the kernel's structure: only loads from it are translated. */
static __always_inline __u64 tracked(struct __sk_buff *skb)
{
	return KERNEL_FIELD(struct sk_buff, (char *)skb, _nfct);
}

int tc_connection_in(struct __sk_buff *skb, struct packet *packet, __u32 offset)
{
	const struct frame_view frame = { skb, ASKER_TC };
	__u64 nfct = tracked(skb);

	if (!packet)
		return 0;
	if (nfct)
		connection_read(&packet->connection, nfct);
	else
		connection_predict(&frame, packet, offset);
	return 0;
}

/* Source NAT, and undoing destination NAT, come after OUTPUT and before this. What neither concerns
   may have another source than the connection: an error that this host sends. */
static __always_inline void source_restore(struct packet *packet, __u64 nf_conn)
{
	bool reply = packet->connection.flags & CONNECTION_REPLY;
	__be16 port;

	if (!(packet->connection.status & (reply ? IPS_DST_NAT : IPS_SRC_NAT)))
		return;
	tuple_source(nf_conn, reply, packet->source, &port);
	if (packet->protocol != PROTOCOL_ICMP)
		packet->source_port = bpf_ntohs(port);
}

int tc_connection_out(struct __sk_buff *skb, struct packet *packet)
{
	__u64 nfct = tracked(skb);

	if (!packet)
		return 0;
	connection_read(&packet->connection, nfct);
	if (packet->connection.flags & CONNECTION_TRACKED)
		source_restore(packet, nfct & ~NFCT_INFO_MASK);
	return 0;
}

static __always_inline __u64 namespace_of_device(struct __sk_buff *skb)
{
	struct net_device *device = KERNEL_FIELD(struct sk_buff, (char *)skb, dev);

	return (__u64)KERNEL_FIELD(struct net_device, device, nd_net.net);
}

/*
 * Of every packet that leaves, forwarded ones too. What conntrack does not have in its table is not
 * remembered: an error about a packet that expired has this packet's connection, which never will
 * be there. A device that another namespace's is on top of sends that one's packets, too.
 */
int tc_connection_left(struct __sk_buff *skb)
{
	__u64 nf_conn = tracked(skb) & ~NFCT_INFO_MASK;
	__u64 net;
	__u8 protocol;

	if (!nf_conn)
		return 0;
	protocol = KERNEL_FIELD(struct nf_conn, nf_conn, tuplehash[0].tuple.dst.protonum);
	if (protocol == IPPROTO_TCP || protocol == IPPROTO_UDP)
		return 0;
	net = namespace_of(nf_conn);
	if (!is_in_table(nf_conn) || net != namespace_of_device(skb))
		return 0;
	flow_remember(nf_conn, net, 0);
	flow_remember(nf_conn, net, 1);
	return 0;
}

char _license[] SEC("license") = "GPL";
