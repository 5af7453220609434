/* SPDX-License-Identifier: GPL-2.0-only */
/* The TC stage: INPUT and FORWARD at ingress where XDP is not used, OUTPUT at egress. */
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/pkt_cls.h>
#include <stdbool.h>

#define PROGRAM_CONTEXT struct __sk_buff
#include "route.h"

#define FAMILY_PROTOCOL (FAMILY == 4 ? ETH_P_IP : ETH_P_IPV6)
#define VLAN_ID_MASK	0x0fff

/* Bytes that are made linear when a packet's headers are not; headers beyond are refused. */
#define PULL_SIZE 2048u

#define ADDRESS_FAMILY_PACKET 17

int tc_input(struct packet *packet);
int tc_forward(struct packet *packet);
int tc_output(struct packet *packet);

/* The IP layer of this device, and this table, gets the frame. */
static __always_inline bool frame_is_ours(const struct __sk_buff *skb, const struct device *device)
{
	if (skb->protocol != bpf_htons(FAMILY_PROTOCOL))
		return false;
	if (skb->vlan_present && skb->vlan_tci & VLAN_ID_MASK)
		return false;
	return !(device && device->flags & DEVICE_HAS_MASTER);
}

/* A device that we do not know (yet) is taken for an Ethernet device: most are. */
static __always_inline __u32 network_offset(const struct device *device)
{
	return !device || device->flags & DEVICE_ETHERNET ? ETH_HLEN : 0;
}

static __always_inline enum parse_result
parse_linear(struct __sk_buff *skb, __u32 offset, struct packet *packet, struct route_facts *facts)
{
	struct view view = {
		.context = skb,
		.base = offset,
		.begin = (void *)(long)skb->data + offset,
		.end = (void *)(long)skb->data_end,
		.available = skb->len - offset,
	};

	return parse_ip(packet, &view, facts);
}

static __always_inline enum parse_result parse(struct __sk_buff *skb, const struct device *device,
					       struct packet *packet, struct route_facts *facts)
{
	__u32 offset = network_offset(device);
	enum parse_result result;

	if (skb->len < offset)
		return PARSE_DISCARDED;
	result = parse_linear(skb, offset, packet, facts);
	if (result != PARSE_SHORT)
		return result;
	if (bpf_skb_pull_data(skb, skb->len < PULL_SIZE ? skb->len : PULL_SIZE))
		return PARSE_REFUSED;
	__builtin_memset(packet, 0, sizeof(*packet));
	return parse_linear(skb, offset, packet, facts);
}

static __always_inline int ingress_verdict(struct __sk_buff *skb, struct packet *packet,
					   const struct route_facts *facts,
					   const struct device *device, bool unicast)
{
	enum route route = ROUTE_INPUT;
	__u32 output = 0;

	if (table_needs & NEED_FORWARD && !(device && device->flags & DEVICE_LOOPBACK))
		route = route_find(skb, packet, facts, skb->ifindex,
				   skb->gso_size ? 0 : (__u16)packet->length, &output);
	if (table_needs & NEED_IN_NAME)
		name_set(packet->in_name, device);
	if (route == ROUTE_INPUT)
		return tc_input(packet);
	if (route == ROUTE_NONE || !unicast) /* ip_forward() takes no link-layer multicast */
		return VERDICT_ACCEPT;
	if (table_needs & NEED_OUT_NAME)
		name_set(packet->out_name, device_find(output));
	return tc_forward(packet);
}

SEC("tc")
int tc_ingress(struct __sk_buff *skb)
{
	const struct device *device = device_find(skb->ifindex);
	/* volatile: the verifier refuses the pointer into the context that clang would keep */
	__u32 type = *(volatile __u32 *)&skb->pkt_type;
	struct packet packet = {};
	struct route_facts facts = {};

	if (!frame_is_ours(skb, device) || type == PACKET_OTHERHOST)
		return TC_ACT_UNSPEC;
	switch (parse(skb, device, &packet, &facts)) {
	case PARSE_OK:
		break;
	case PARSE_DISCARDED:
		return TC_ACT_UNSPEC;
	default:
		return TC_ACT_SHOT;
	}
	return ingress_verdict(skb, &packet, &facts, device, type == PACKET_HOST) == VERDICT_DROP
		       ? TC_ACT_SHOT
		       : TC_ACT_UNSPEC;
}

/* Frames of packet sockets do not come through the IP layer; iptables does not see them. */
static __always_inline bool sent_by_packet_socket(struct __sk_buff *skb)
{
	struct bpf_sock *socket = skb->sk;

	return socket && socket->family == ADDRESS_FAMILY_PACKET;
}

/* A frame with another source address was made by a device above (macvlan), which judged it. */
static __always_inline bool sent_by_device_above(struct __sk_buff *skb, const struct device *device)
{
	const struct ethhdr *ethernet = (void *)(long)skb->data;
	const __u16 *from, *own;

	if (!device || !(device->flags & DEVICE_ETHERNET) || device->flags & DEVICE_LOOPBACK)
		return false;
	if ((void *)(ethernet + 1) > (void *)(long)skb->data_end)
		return false;
	from = (const __u16 *)ethernet->h_source;
	own = (const __u16 *)device->address;
	return from[0] != own[0] || from[1] != own[1] || from[2] != own[2];
}

SEC("tc")
int tc_egress(struct __sk_buff *skb)
{
	const struct device *device = device_find(skb->ifindex);
	struct packet packet = {};
	struct route_facts facts = {};

	if (!frame_is_ours(skb, device) || skb->ingress_ifindex || sent_by_packet_socket(skb) ||
	    sent_by_device_above(skb, device))
		return TC_ACT_UNSPEC;
	switch (parse(skb, device, &packet, &facts)) {
	case PARSE_OK:
		break;
	case PARSE_DISCARDED:
		return TC_ACT_UNSPEC;
	default:
		return TC_ACT_SHOT;
	}
	if (table_needs & NEED_OUT_NAME)
		name_set(packet.out_name, device);
	return tc_output(&packet) == VERDICT_DROP ? TC_ACT_SHOT : TC_ACT_UNSPEC;
}

char _license[] SEC("license") = "GPL";
