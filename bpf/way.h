/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What early stages ask before they drop a packet: would anybody notice that it is gone?
 *
 * Part of the netfilter stage's object: libbpf 1.1 does not link two objects that name the same
 * kernel function. Without that stage, in front of a table of the kernel's, way.bpf.c has it.
 */
#ifndef UBPFILTER_WAY_H
#define UBPFILTER_WAY_H

#include "surroundings.h"

/* Conntrack sees packets of connections even if they are dropped later. Without a look into its
 * table (bpf/trace.bpf.c) each packet may be of one. */
__weak int xdp_leaves_trace(struct xdp_md *context, struct packet *packet)
{
	(void)context;
	(void)packet;
	return 1;
}

__weak int tc_leaves_trace(struct __sk_buff *skb, struct packet *packet)
{
	(void)skb;
	(void)packet;
	return 1;
}

/*
 * xdp_way_is_clear(), tc_way_is_clear() - the packet would come to our program at @hook
 * (NF_INET_LOCAL_IN or NF_INET_FORWARD) as it is, and nobody before would have counted, changed,
 * dropped or remembered it. For packets as way_to() asks.
 */
int xdp_way_is_clear(struct xdp_md *context, struct packet *packet, __u32 hook)
{
	enum way way;

	if (!packet)
		return 0;
	way = way_to(hook, PLACE_XDP, xdp_device(context), packet->source);
	return way == WAY_CLEAR || (way == WAY_TRACKED && !xdp_leaves_trace(context, packet));
}

int tc_way_is_clear(struct __sk_buff *skb, struct packet *packet, __u32 hook)
{
	enum way way;

	if (!packet)
		return 0;
	way = way_to(hook, PLACE_TC, skb_device(skb), packet->source);
	return way == WAY_CLEAR || (way == WAY_TRACKED && !tc_leaves_trace(skb, packet));
}

#endif
