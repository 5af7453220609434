/* SPDX-License-Identifier: GPL-2.0-only */
/* The XDP stage: INPUT and FORWARD at ingress, before the stack has seen the packet. */
#define PROGRAM_CONTEXT struct xdp_md
#include "bytes_packet.h"
#include "chains.h"
#include "frame.h"
#include "master.h"
#include "slot.h"
#include "vrf.h"

#define FAMILY_PROTOCOL (FAMILY == 4 ? ETH_P_IP : ETH_P_IPV6)

CHAIN_FUNCTION(xdp_input, CHAIN_INPUT)
CHAIN_FUNCTION(xdp_forward, CHAIN_FORWARD)

/* connection_xdp.bpf.c brings it to tables that ask for connections. */
__weak int xdp_connection_in(struct xdp_md *context, struct packet *packet, __u32 offset)
{
	(void)context, (void)packet, (void)offset;
	return 0;
}

/* A unicast frame for another host's address belongs to a device above (macvlan), or to nobody. */
static __always_inline bool frame_is_for(const struct ethhdr *ethernet, const struct device *device)
{
	const __u16 *to = (const __u16 *)ethernet->h_dest;
	const __u16 *own;

	if (!device || ethernet->h_dest[0] & 1)
		return true;
	own = (const __u16 *)device->address;
	if (!(own[0] | own[1] | own[2]))
		return true;
	return to[0] == own[0] && to[1] == own[1] && to[2] == own[2];
}

/* What of the frame and its device matters behind the parser. */
struct arrival {
	const struct device *device;
	bool unicast;
	bool loopback;
};

static __always_inline int chain_verdict(struct xdp_md *context, struct packet *packet,
					 struct route_facts *facts, struct arrival arrival)
{
	enum route route = ROUTE_INPUT;
	enum chain chain = CHAIN_INPUT;
	__u32 output = 0;
	__u32 input = input_find(packet, facts, arrival.device, context->ingress_ifindex);

	if (table_needs & NEED_FORWARD && !arrival.loopback)
		route = input_route(context, packet, facts, context->ingress_ifindex, input,
				    (__u16)packet->length, &output);
	if (route == ROUTE_UNKNOWN)
		return VERDICT_DROP;
	if (table_needs & NEED_IN_NAME)
		name_set(packet->in_name, device_find(input));
	if (route != ROUTE_INPUT) {
		/* ip_forward() takes no link-layer multicast */
		if (route == ROUTE_NONE || !arrival.unicast)
			return VERDICT_ACCEPT;
		if (table_needs & NEED_OUT_NAME)
			name_set(packet->out_name, device_find(output));
		packet->ttl--; /* before the chain */
		chain = CHAIN_FORWARD;
	}
	return RUN_INGRESS(xdp, packet, chain);
}

static __always_inline int packet_judge(struct xdp_md *context, const struct view *view,
					struct arrival arrival, struct packet *packet)
{
	struct route_facts facts = {};

	switch (parse_ip(packet, view, &facts)) {
	case PARSE_OK:
		break;
	case PARSE_DISCARDED:
		return XDP_PASS;
	default: /* all data are linear here: PARSE_SHORT is a packet that we cannot read */
		return XDP_DROP;
	}
	if (table_needs & NEED_MAC && !arrival.loopback)
		mac_set(packet, context);
	if (table_needs & NEED_CONNECTION)
		xdp_connection_in(context, packet, view->bytes.base + facts.transport);
	return chain_verdict(context, packet, &facts, arrival) == VERDICT_DROP ? XDP_DROP
									       : XDP_PASS;
}

SEC("xdp")
int xdp_ingress(struct xdp_md *context)
{
	struct ethhdr *ethernet = (void *)(long)context->data;
	void *end = (void *)(long)context->data_end, *begin;
	struct view view = { .bytes = { .context = context } };
	struct frame frame = {};
	const struct device *device;
	struct arrival arrival;
	struct slot *slot;
	int action;

	if ((void *)(ethernet + 1) > end)
		return XDP_PASS;
	frame.protocol = ethernet->h_proto;
	switch (frame_open(&frame, ethernet + 1, end)) {
	case FRAME_OPENED:
		break;
	case FRAME_OTHERS:
		return XDP_PASS;
	default:
		return XDP_DROP;
	}
	if (frame.protocol != bpf_htons(FAMILY_PROTOCOL))
		return XDP_PASS;
	device = device_find(context->ingress_ifindex);
	if (frame_is_masters(device, ethernet, end) || !frame_is_for(ethernet, device))
		return XDP_PASS;
	arrival.device = device;
	arrival.unicast = !(ethernet->h_dest[0] & 1);
	arrival.loopback = device && device->flags & DEVICE_LOOPBACK;
	view.bytes.base = offset_behind_tags(sizeof(*ethernet), frame.tags_size);
	begin = (void *)ethernet + view.bytes.base;
	if (begin > end)
		return XDP_PASS;
	view.available = (__u32)(end - begin);
	slot = packet_slot_take(SLOT_INTERRUPTED);
	if (!slot)
		return XDP_DROP;
	action = packet_judge(context, &view, arrival, &slot->packet);
	slot_release(&slot->taken);
	return action;
}

char _license[] SEC("license") = "GPL";
