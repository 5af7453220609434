/* SPDX-License-Identifier: GPL-2.0-only */
/* The TC stage: INPUT and FORWARD at ingress where XDP is not used, OUTPUT at egress. */
#include <linux/if_packet.h>
#include <linux/pkt_cls.h>

#define PROGRAM_CONTEXT struct __sk_buff
#include "bytes_packet.h"
#include "chains.h"
#include "frame.h"
#include "master.h"
#include "slot.h"
#include "vrf_egress.h"

#define FAMILY_PROTOCOL (FAMILY == 4 ? ETH_P_IP : ETH_P_IPV6)

/* Bytes that are made linear when a packet's headers are not; headers beyond are refused. */
#define PULL_SIZE 2048u

#define ADDRESS_FAMILY_PACKET 17

CHAIN_FUNCTION(tc_input, CHAIN_INPUT)
CHAIN_FUNCTION(tc_forward, CHAIN_FORWARD)
CHAIN_FUNCTION(tc_output, CHAIN_OUTPUT)

/* connection_tc.bpf.c brings them to tables that ask for connections. */
__weak int tc_connection_in(struct __sk_buff *skb, struct packet *packet, __u32 offset)
{
	(void)skb, (void)packet, (void)offset;
	return 0;
}

__weak int tc_connection_left(struct __sk_buff *skb)
{
	(void)skb;
	return 0;
}

__weak int tc_connection_out(struct __sk_buff *skb, struct packet *packet)
{
	(void)skb, (void)packet;
	return 0;
}

/* --- where the packet is --------------------------------------------------------------------- */

/* What tells two IP headers apart. */
struct ip_header {
#if FAMILY == 4
	__u32 words[sizeof(struct iphdr) / sizeof(__u32)];
#else
	__u32 words[sizeof(struct ipv6hdr) / sizeof(__u32)];
#endif
};

/* No offset of an IP header: it is odd. */
#define NETWORK_UNKNOWN BASE_MASK

static __always_inline bool header_is(const struct ip_header *header,
				      const struct ip_header *expected)
{
	__u32 difference = 0;

	for (__u32 i = 0; i < sizeof(header->words) / sizeof(header->words[0]); i++)
		difference |= header->words[i] ^ expected->words[i];
	return !difference;
}

/*
 * network_find() - offset of the IP header that the stack will look at, or NETWORK_UNKNOWN. Not
 * every frame begins with a link-layer header of its device's kind: multicast that is looped back
 * has none, on a GRE device the outer IP header is in its place.
 *
 * A global function, so that the verifier follows what comes after it once, not for each result.
 */
__attribute__((noinline)) __u32 network_find(struct __sk_buff *skb)
{
	struct ip_header header;

	if (bpf_skb_load_bytes_relative(skb, 0, &header, sizeof(header), BPF_HDR_START_NET) ||
	    bpf_skb_pull_data(skb, skb->len < PULL_SIZE ? skb->len : PULL_SIZE))
		return NETWORK_UNKNOWN;
	for (__u32 offset = 0; offset < NETWORK_UNKNOWN; offset += 2) {
		struct ip_header *candidate = (void *)(long)skb->data + offset;

		if ((void *)(candidate + 1) > (void *)(long)skb->data_end)
			break;
		if (header_is(candidate, &header))
			return offset;
	}
	return NETWORK_UNKNOWN;
}

/*
 * Does the packet begin right behind an Ethernet header? A device that we do not know (yet) is
 * taken for an Ethernet device: most are.
 */
static __always_inline bool has_ethernet_header(const struct device *device, __u32 type)
{
	if (type == PACKET_LOOPBACK)
		return false;
	return !device ||
	       (device->flags & (DEVICE_ETHERNET | DEVICE_KEEPS_TAGS)) == DEVICE_ETHERNET;
}

/* Where and how a packet is looked at. */
struct place {
	__u32 offset;	/* of the IP header */
	bool from_here; /* as struct view */
};

static __always_inline enum parse_result parse_linear(struct __sk_buff *skb,
						      const struct place *place,
						      struct packet *packet,
						      struct route_facts *facts)
{
	struct view view = {
		.bytes = { .context = skb, .base = place->offset },
		.available = skb->len - place->offset,
		.segments = skb->gso_size != 0,
		.from_here = place->from_here,
	};

	return parse_ip(packet, &view, facts);
}

static __always_inline enum parse_result parse(struct __sk_buff *skb, const struct place *place,
					       struct packet *packet, struct route_facts *facts)
{
	enum parse_result result;

	if (skb->len < place->offset)
		return PARSE_DISCARDED;
	result = parse_linear(skb, place, packet, facts);
	if (result != PARSE_SHORT)
		return result;
	if (bpf_skb_pull_data(skb, skb->len < PULL_SIZE ? skb->len : PULL_SIZE))
		return PARSE_REFUSED;
	return parse_linear(skb, place, packet, facts);
}

/* --- the programs ---------------------------------------------------------------------------- */

static __always_inline int ingress_verdict(struct __sk_buff *skb, struct packet *packet,
					   struct route_facts *facts, const struct device *device,
					   bool unicast)
{
	__u32 input = input_find(packet, facts, device, skb->ifindex), output = 0;
	enum route route = ROUTE_INPUT;
	enum chain chain = CHAIN_INPUT;

	if (table_needs & NEED_FORWARD && !(device && device->flags & DEVICE_LOOPBACK))
		route = input_route(skb, packet, facts, skb->ifindex, input,
				    skb->gso_size ? 0 : (__u16)packet->length, &output);
	if (route == ROUTE_UNKNOWN)
		return VERDICT_DROP;
	if (table_needs & NEED_IN_NAME)
		name_set(packet->in_name, device_find(input));
	if (route != ROUTE_INPUT) {
		if (route == ROUTE_NONE ||
		    !unicast) /* ip_forward() takes no link-layer multicast */
			return VERDICT_ACCEPT;
		if (table_needs & NEED_OUT_NAME)
			name_set(packet->out_name, device_find(output));
		packet->ttl--; /* before the chain */
		chain = CHAIN_FORWARD;
	}
	return RUN_INGRESS(tc, packet, chain);
}

/* What came in by @device. @type: PACKET_HOST and so on. */
static __always_inline int ingress_judge(struct __sk_buff *skb, const struct place *place,
					 const struct device *device, __u32 type,
					 struct packet *packet)
{
	struct route_facts facts = {};

	switch (parse(skb, place, packet, &facts)) {
	case PARSE_OK:
		break;
	case PARSE_DISCARDED:
		return TC_ACT_UNSPEC;
	default:
		return TC_ACT_SHOT;
	}
	if (table_needs & NEED_MAC && has_ethernet_header(device, type) &&
	    !(device && device->flags & DEVICE_LOOPBACK))
		mac_set(packet, skb);
	if (table_needs & NEED_CONNECTION)
		tc_connection_in(skb, packet, place->offset + facts.transport);
	return ingress_verdict(skb, packet, &facts, device, type == PACKET_HOST) == VERDICT_DROP
		       ? TC_ACT_SHOT
		       : TC_ACT_UNSPEC;
}

SEC("tc")
int tc_ingress(struct __sk_buff *skb)
{
	const struct device *device = device_find(skb->ifindex);
	/* volatile: the verifier refuses the pointer into the context that clang would keep */
	__u32 type = *(volatile __u32 *)&skb->pkt_type;
	struct place place = {};
	struct frame frame;
	struct slot *slot;
	int action;

	switch (skb_open(&frame, skb)) {
	case FRAME_OPENED:
		break;
	case FRAME_OTHERS:
		return TC_ACT_UNSPEC;
	default:
		return TC_ACT_SHOT;
	}
	if (frame.protocol != bpf_htons(FAMILY_PROTOCOL) || type == PACKET_OTHERHOST ||
	    frame_is_masters(device, (void *)(long)skb->data, (void *)(long)skb->data_end))
		return TC_ACT_UNSPEC;
	place.offset = offset_behind_tags(ETH_HLEN, frame.tags_size);
	if (!has_ethernet_header(device, type))
		place.offset = network_find(skb) & BASE_MASK;
	if (place.offset == NETWORK_UNKNOWN)
		return TC_ACT_SHOT;
	slot = packet_slot_take(SLOT_INTERRUPTED);
	if (!slot)
		return TC_ACT_SHOT;
	action = ingress_judge(skb, &place, device, type, &slot->packet);
	slot_release(&slot->taken);
	return action;
}

/* Not forwarded, unless to a VRF, which sends it on; not a VLAN device's, and of this table. */
static __always_inline bool sent_by_ip_layer(struct __sk_buff *skb, const struct device *device)
{
	if (skb_sent_protocol(skb, device) != bpf_htons(FAMILY_PROTOCOL))
		return false;
	if (skb->ingress_ifindex && !(device && device->flags & DEVICE_VRF))
		return false;
	if (skb->vlan_present && skb->vlan_tci & VLAN_ID_MASK)
		return false;
	return !(device && device->flags & DEVICE_HAS_MASTER);
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

/* OUTPUT by @device; with 2 @rounds by the VRF whose port it is before, which tracks nothing. */
static __always_inline int output_verdict(struct __sk_buff *skb, struct packet *packet,
					  const struct device *device, __u32 rounds)
{
	int verdict;

	do {
		if (table_needs & NEED_OUT_NAME)
			name_set(packet->out_name, rounds == 2 ? device_find(device->vrf) : device);
		if (table_needs & NEED_CONNECTION) {
			packet->connection.state = rounds == 2 ? CONNECTION_UNTRACKED : 0;
			if (rounds == 1)
				tc_connection_out(skb, packet);
		}
		verdict = RUN_OUTPUT(tc, packet);
	} while (verdict != VERDICT_DROP && --rounds);
	return verdict;
}

/*
 * What comes to a VRF device to be sent: to this host, or on by another device. From this host to
 * another, the VRF's port judges it, by the VRF's name first; from elsewhere, OUTPUT sees it by the
 * device that the VRF finds.
 */
static __always_inline int vrf_verdict(struct __sk_buff *skb, struct packet *packet,
				       const struct route_facts *facts, const struct device *vrf)
{
	__u32 output = vrf_output(skb, packet, facts, skb->ifindex);
	const struct device *device = device_find(output);

	if (!skb->ingress_ifindex) {
		if (device && device->vrf == skb->ifindex)
			return VERDICT_ACCEPT;
		device = vrf;
	} else if (output == OUTPUT_HERE) {
		return VERDICT_ACCEPT;
	} else if (output == OUTPUT_UNKNOWN && table_needs & NEED_OUT_NAME) {
		return VERDICT_DROP;
	}
	return output_verdict(skb, packet, device, 1);
}

static __always_inline int egress_judge(struct __sk_buff *skb, const struct place *place,
					const struct device *device, struct packet *packet)
{
	struct route_facts facts = {};
	int verdict;

	if (parse(skb, place, packet, &facts) != PARSE_OK)
		return TC_ACT_SHOT;
	if (device && device->flags & DEVICE_VRF)
		verdict = vrf_verdict(skb, packet, &facts, device);
	else
		verdict = output_verdict(skb, packet, device, vrf_rounds(packet, &facts, device));
	return verdict == VERDICT_DROP ? TC_ACT_SHOT : TC_ACT_UNSPEC;
}

SEC("tc")
int tc_egress(struct __sk_buff *skb)
{
	const struct device *device = device_find(skb->ifindex);
	struct place place = { .offset = ETH_HLEN, .from_here = true };
	struct slot *slot;
	int action;

	if (table_needs & NEED_CONNECTION)
		tc_connection_left(skb);
	if (!sent_by_ip_layer(skb, device) || sent_by_packet_socket(skb) ||
	    sent_by_device_above(skb, device))
		return TC_ACT_UNSPEC;
	if (!has_ethernet_header(device, PACKET_OUTGOING))
		place.offset = network_find(skb) & BASE_MASK;
	if (place.offset == NETWORK_UNKNOWN)
		return TC_ACT_SHOT;
	slot = packet_slot_take(SLOT_INTERRUPTED);
	if (!slot)
		return TC_ACT_SHOT;
	action = egress_judge(skb, &place, device, &slot->packet);
	slot_release(&slot->taken);
	return action;
}

char _license[] SEC("license") = "GPL";
