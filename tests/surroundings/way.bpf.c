// SPDX-License-Identifier: GPL-2.0-only
// way_to() by itself, and a program that does nothing to compare its cost with.
#include "../../bpf/way.h"

SEC("xdp")
int way_xdp(struct xdp_md *context)
{
	return way_to(NF_INET_LOCAL_IN, PLACE_XDP, xdp_device(context));
}

SEC("tc")
int way_tc(struct __sk_buff *skb)
{
	return way_to(NF_INET_LOCAL_IN, PLACE_TC, skb_device(skb));
}

SEC("tc")
int way_forward(struct __sk_buff *skb)
{
	return way_to(NF_INET_FORWARD, PLACE_TC, skb_device(skb));
}

SEC("xdp")
int cost_xdp(struct xdp_md *context)
{
	struct packet packet = {};

	return xdp_way_is_clear(context, &packet, NF_INET_LOCAL_IN);
}

SEC("tc")
int cost_tc(struct __sk_buff *skb)
{
	struct packet packet = {};

	return tc_way_is_clear(skb, &packet, NF_INET_LOCAL_IN);
}

SEC("xdp")
int nothing(struct xdp_md *context)
{
	return context->rx_queue_index;
}

char _license[] SEC("license") = "GPL";
