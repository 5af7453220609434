/* SPDX-License-Identifier: GPL-2.0-only */
/* TC ingress as an early stage: early.h says what it may do. */
#include <linux/if_packet.h>
#include <linux/pkt_cls.h>

#define PROGRAM_CONTEXT struct __sk_buff
#include "bytes_packet.h"
#include "chains.h"
#include "frame.h"
#include "early.h"
#include "slot.h"

CHAIN_FUNCTION(tc_input, CHAIN_INPUT)
CHAIN_FUNCTION(tc_forward, CHAIN_FORWARD)

/* way.h: nothing on the way to the netfilter hook would notice that the packet is gone. */
int tc_way_is_clear(struct __sk_buff *skb, struct packet *packet, __u32 hook);

static __always_inline bool is_dropped(struct arrival *arrival, const struct view *view,
				       struct packet *packet)
{
	struct route_facts facts = {};
	enum route route;

	if (parse_ip(packet, view, &facts) != PARSE_OK || !packet_is_usual(packet, &facts))
		return false;
	arrival->route_length = view->segments ? 0 : (__u16)packet->length;
	route = early_begin(arrival, packet, &facts);
	if (route == ROUTE_UNKNOWN ||
	    RUN_INGRESS(tc, packet, route == ROUTE_INPUT ? CHAIN_INPUT : CHAIN_FORWARD) !=
		    VERDICT_DROP)
		return false;
	return tc_way_is_clear(arrival->context, packet,
			       route == ROUTE_INPUT ? NF_INET_LOCAL_IN : NF_INET_FORWARD) &&
	       notes_count(packet);
}

SEC("tc")
int tc_ingress(struct __sk_buff *skb)
{
	struct arrival arrival = { .context = skb, .ifindex = skb->ifindex };
	struct view view = { .bytes = { .context = skb, .base = ETH_HLEN },
			     .available = skb->len - ETH_HLEN,
			     .segments = skb->gso_size != 0 };
	struct slot *slot;
	bool dropped;

	if (skb->protocol != bpf_htons(FAMILY_PROTOCOL) || skb->pkt_type != PACKET_HOST ||
	    skb->vlan_present || skb->len < ETH_HLEN)
		return TC_ACT_UNSPEC;
	arrival.device = device_find(arrival.ifindex);
	if (!device_is_usual(arrival.device))
		return TC_ACT_UNSPEC;
	slot = packet_slot_take(SLOT_INTERRUPTED);
	if (!slot)
		return TC_ACT_UNSPEC;
	dropped = is_dropped(&arrival, &view, &slot->packet);
	slot_release(&slot->taken);
	return dropped ? TC_ACT_SHOT : TC_ACT_UNSPEC;
}

char _license[] SEC("license") = "GPL";
