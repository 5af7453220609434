/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The dispatcher: what stays attached to a device while tables come and go. It finds the packet's
 * family and goes on in that family's table, in the generation that is in force: a change of one
 * number in `generation` moves every device and hook to the next one at once.
 */
#include <linux/pkt_cls.h>

#include "frame.h"
#include "maps.h"

/* enum table_family -> number of the generation in force; 0: none yet. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TABLE_FAMILIES);
	__type(key, __u32);
	__type(value, __u64);
} generation SEC(".maps");

#define SLOTS(hook)                                    \
	struct {                                       \
		__uint(type, BPF_MAP_TYPE_PROG_ARRAY); \
		__uint(max_entries, TABLE_SLOTS);      \
		__type(key, __u32);                    \
		__type(value, __u32);                  \
	} hook SEC(".maps")

SLOTS(xdp_slots);
SLOTS(ingress_slots);
SLOTS(egress_slots);

/* Slot of the table for @protocol; a number out of range when there is none. */
static __always_inline __u32 slot_find(__be16 protocol)
{
	__u32 family = TABLE_IPV4;
	__u64 *number;

	if (protocol == bpf_htons(ETH_P_IPV6))
		family = TABLE_IPV6;
	else if (protocol != bpf_htons(ETH_P_IP))
		return TABLE_SLOTS;
	number = bpf_map_lookup_elem(&generation, &family);
	if (!number || !*number)
		return TABLE_SLOTS;
	return family * 2 + (*number & 1);
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
