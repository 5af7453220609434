/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The dispatcher on devices: what stays attached to one while tables come and go. It finds the
 * packet's family and goes on in that family's table, in the generation that is in force: a change
 * of one number in `generation` moves every device and hook to the next one at once.
 */
#include <linux/pkt_cls.h>

#include "dispatch.h"
#include "frame.h"
#include "maps.h"

SLOTS(xdp_slots);
SLOTS(ingress_slots);
SLOTS(egress_slots);

/* Slot of the table for @protocol; a number out of range when there is none. */
static __always_inline __u32 slot_find(__be16 protocol)
{
	if (protocol == bpf_htons(ETH_P_IPV6))
		return slot_of_family(TABLE_IPV6);
	return protocol == bpf_htons(ETH_P_IP) ? slot_of_family(TABLE_IPV4) : TABLE_SLOTS;
}

SEC("xdp")
int dispatch_xdp(struct xdp_md *context)
{
	void *end = (void *)(long)context->data_end;
	struct ethhdr *ethernet = (void *)(long)context->data;
	struct frame frame = {};

	if ((void *)(ethernet + 1) > end)
		return XDP_PASS;
	frame.protocol = ethernet->h_proto;
	switch (frame_open(&frame, ethernet + 1, end)) {
	case FRAME_OPENED:
		bpf_tail_call(context, &xdp_slots, slot_find(frame.protocol));
		return XDP_PASS;
	case FRAME_OTHERS:
		return XDP_PASS;
	default:
		return XDP_DROP;
	}
}

SEC("tc")
int dispatch_ingress(struct __sk_buff *skb)
{
	struct frame frame;

	switch (skb_open(&frame, skb)) {
	case FRAME_OPENED:
		bpf_tail_call(skb, &ingress_slots, slot_find(frame.protocol));
		return TC_ACT_UNSPEC;
	case FRAME_OTHERS:
		return TC_ACT_UNSPEC;
	default:
		return TC_ACT_SHOT;
	}
}

SEC("tc")
int dispatch_egress(struct __sk_buff *skb)
{
	__be16 protocol = (__be16)skb->protocol;

	if (protocol_is_tag(protocol))
		protocol = skb_sent_protocol(skb, device_find(skb->ifindex));
	bpf_tail_call(skb, &egress_slots, slot_find(protocol));
	return TC_ACT_UNSPEC;
}

char _license[] SEC("license") = "GPL";
