// SPDX-License-Identifier: GPL-2.0-only
// way_to() and what asks it by themselves, for the source of an IPv4 packet, and a program that
// does nothing to compare its cost with.
#include <linux/in.h>
#include <bpf/bpf_endian.h>

#include "../../bpf/way.h"

static __always_inline void xdp_source(struct xdp_md *context, __be32 source[4])
{
	void *data = (void *)(long)context->data;

	if (data + 30 <= (void *)(long)context->data_end)
		__builtin_memcpy(source, data + 26, 4);
}

SEC("xdp")
int way_xdp(struct xdp_md *context)
{
	__be32 source[4] = {};

	xdp_source(context, source);
	return way_to(NF_INET_LOCAL_IN, PLACE_XDP, xdp_device(context), source);
}

static __always_inline int way_from(struct __sk_buff *skb, __u32 hook)
{
	__be32 source[4] = {};

	bpf_skb_load_bytes(skb, 26, source, 4);
	return way_to(hook, PLACE_TC, skb_device(skb), source);
}

SEC("tc")
int way_tc(struct __sk_buff *skb)
{
	return way_from(skb, NF_INET_LOCAL_IN);
}

SEC("tc")
int way_forward(struct __sk_buff *skb)
{
	return way_from(skb, NF_INET_FORWARD);
}

SEC("xdp")
int cost_xdp(struct xdp_md *context)
{
	struct packet packet = {};

	xdp_source(context, packet.source);

	return xdp_way_is_clear(context, &packet, NF_INET_LOCAL_IN);
}

SEC("tc")
int cost_tc(struct __sk_buff *skb)
{
	struct packet packet = {};

	bpf_skb_load_bytes(skb, 26, packet.source, 4);

	return tc_way_is_clear(skb, &packet, NF_INET_LOCAL_IN);
}

// The frame: Ethernet, IPv4 without options, UDP.
SEC("tc")
int unnoticed(struct __sk_buff *skb)
{
	struct packet packet = { .protocol = IPPROTO_UDP, .transport = TRANSPORT_OK };
	__be16 ports[2];

	bpf_skb_load_bytes(skb, 26, packet.source, 4);
	bpf_skb_load_bytes(skb, 30, packet.destination, 4);
	bpf_skb_load_bytes(skb, 34, ports, sizeof(ports));
	packet.source_port = bpf_ntohs(ports[0]);
	packet.destination_port = bpf_ntohs(ports[1]);
	return tc_way_is_clear(skb, &packet, NF_INET_LOCAL_IN) ? WAY_CLEAR : WAY_SHARED;
}

SEC("xdp")
int nothing(struct xdp_md *context)
{
	return context->rx_queue_index;
}

char _license[] SEC("license") = "GPL";
