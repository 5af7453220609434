/* SPDX-License-Identifier: GPL-2.0-only */
/* XDP as an early stage: early.h says what it may do. */
#define PROGRAM_CONTEXT struct xdp_md
#include "bytes_packet.h"
#include "chains.h"
#include "frame.h"
#include "early.h"
#include "slot.h"

CHAIN_FUNCTION(xdp_input, CHAIN_INPUT)
CHAIN_FUNCTION(xdp_forward, CHAIN_FORWARD)

/* way.h: nothing on the way to the netfilter hook would notice that the packet is gone. */
int xdp_way_is_clear(struct xdp_md *context, struct packet *packet, __u32 hook);

static __always_inline bool is_addressed_to(const struct ethhdr *ethernet,
					    const struct device *device)
{
	const __u16 *to = (const __u16 *)ethernet->h_dest;
	const __u16 *own = (const __u16 *)device->address;

	return !(ethernet->h_dest[0] & 1) && to[0] == own[0] && to[1] == own[1] && to[2] == own[2];
}

#define TCP_SYN 0x02
#define TCP_RST 0x04

/*
 * Segments with data that follow each other are one packet by the time that iptables counts: GRO
 * joins them behind this hook.
 */
static __always_inline bool may_be_joined(const struct packet *packet)
{
	const __u32 bare = (FAMILY == 4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr)) +
			   sizeof(struct tcphdr);

	return packet->protocol == IPPROTO_TCP && !(packet->tcp_flags & (TCP_SYN | TCP_RST)) &&
	       packet->length > bare;
}

static __always_inline bool is_dropped(struct arrival *arrival, const struct view *view,
				       struct packet *packet)
{
	struct route_facts facts = {};
	enum route route;

	if (parse_ip(packet, view, &facts) != PARSE_OK || !packet_is_usual(packet, &facts) ||
	    may_be_joined(packet))
		return false;
	arrival->route_length = (__u16)packet->length;
	route = early_begin(arrival, packet, &facts);
	if (route == ROUTE_UNKNOWN ||
	    RUN_INGRESS(xdp, packet, route == ROUTE_INPUT ? CHAIN_INPUT : CHAIN_FORWARD) !=
		    VERDICT_DROP)
		return false;
	return xdp_way_is_clear(arrival->context, packet,
				route == ROUTE_INPUT ? NF_INET_LOCAL_IN : NF_INET_FORWARD) &&
	       notes_count(packet);
}

SEC("xdp")
int xdp_ingress(struct xdp_md *context)
{
	struct ethhdr *ethernet = (void *)(long)context->data;
	void *end = (void *)(long)context->data_end, *begin = ethernet + 1;
	struct arrival arrival = { .context = context, .ifindex = context->ingress_ifindex };
	struct view view = { .bytes = { .context = context, .base = sizeof(*ethernet) } };
	struct slot *slot;
	bool dropped;

	if (begin > end || ethernet->h_proto != bpf_htons(FAMILY_PROTOCOL))
		return XDP_PASS;
	arrival.device = device_find(arrival.ifindex);
	if (!device_is_usual(arrival.device) || !is_addressed_to(ethernet, arrival.device))
		return XDP_PASS;
	view.available = (__u32)(end - begin);
	slot = packet_slot_take(SLOT_INTERRUPTED);
	if (!slot)
		return XDP_PASS;
	dropped = is_dropped(&arrival, &view, &slot->packet);
	slot_release(&slot->taken);
	return dropped ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "GPL";
