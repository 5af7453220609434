/* SPDX-License-Identifier: GPL-2.0-only */
/* The XDP stage: INPUT and FORWARD at ingress, before the stack has seen the packet. */
#include <linux/if_ether.h>
#include <stdbool.h>

#define PROGRAM_CONTEXT struct xdp_md
#include "route.h"

#define FAMILY_PROTOCOL (FAMILY == 4 ? ETH_P_IP : ETH_P_IPV6)
#define VLAN_ID_MASK	0x0fff

/* Tags with id 0 carry a priority only; the kernel takes off one after the other. */
#define PRIORITY_TAGS_MAX 4

struct vlan_tag {
	__be16 control;
	__be16 protocol;
};

int xdp_input(struct packet *packet);
int xdp_forward(struct packet *packet);

/* Frames that do not belong to this device's IP layer, or not to this table. */
enum frame_owner {
	FRAME_OURS,
	FRAME_OTHERS,
	FRAME_REFUSED, /* too many tags to know */
};

static __always_inline enum frame_owner frame_payload(struct view *view)
{
	struct ethhdr *ethernet = view->begin;
	__be16 protocol;

	if ((void *)(ethernet + 1) > view->end)
		return FRAME_OTHERS;
	protocol = ethernet->h_proto;
	view->begin = ethernet + 1;
	for (int i = 0; i < PRIORITY_TAGS_MAX; i++) {
		struct vlan_tag *tag = view->begin;

		if (protocol != bpf_htons(ETH_P_8021Q) && protocol != bpf_htons(ETH_P_8021AD))
			return protocol == bpf_htons(FAMILY_PROTOCOL) ? FRAME_OURS : FRAME_OTHERS;
		if ((void *)(tag + 1) > view->end || tag->control & bpf_htons(VLAN_ID_MASK))
			return FRAME_OTHERS;
		protocol = tag->protocol;
		view->begin = tag + 1;
	}
	return FRAME_REFUSED;
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

static __always_inline int chain_verdict(struct xdp_md *context, struct packet *packet,
					 const struct route_facts *facts,
					 const struct device *device, bool unicast)
{
	enum route route = ROUTE_INPUT;
	__u32 output = 0;

	if (table_needs & NEED_FORWARD && !(device && device->flags & DEVICE_LOOPBACK))
		route = route_find(context, packet, facts, context->ingress_ifindex,
				   (__u16)packet->length, &output);
	if (table_needs & NEED_IN_NAME)
		name_set(packet->in_name, device);
	if (route == ROUTE_INPUT)
		return xdp_input(packet);
	if (route == ROUTE_NONE || !unicast) /* ip_forward() takes no link-layer multicast */
		return VERDICT_ACCEPT;
	if (table_needs & NEED_OUT_NAME)
		name_set(packet->out_name, device_find(output));
	return xdp_forward(packet);
}

SEC("xdp")
int xdp_ingress(struct xdp_md *context)
{
	struct ethhdr *ethernet = (void *)(long)context->data;
	struct view view = { .begin = ethernet, .end = (void *)(long)context->data_end };
	struct packet packet = {};
	struct route_facts facts = {};
	const struct device *device;
	enum frame_owner owner = frame_payload(&view);
	bool unicast;

	if (owner != FRAME_OURS)
		return owner == FRAME_OTHERS ? XDP_PASS : XDP_DROP;
	if ((void *)(ethernet + 1) > view.end)
		return XDP_PASS;
	device = device_find(context->ingress_ifindex);
	if ((device && device->flags & DEVICE_HAS_MASTER) || !frame_is_for(ethernet, device))
		return XDP_PASS;
	unicast = !(ethernet->h_dest[0] & 1);
	view.context = context;
	view.base = (__u32)(view.begin - (void *)ethernet);
	view.available = (__u32)(view.end - view.begin);
	switch (parse_ip(&packet, &view, &facts)) {
	case PARSE_OK:
		break;
	case PARSE_DISCARDED:
		return XDP_PASS;
	default: /* all data are linear here: PARSE_SHORT is a packet that we cannot read */
		return XDP_DROP;
	}
	return chain_verdict(context, &packet, &facts, device, unicast) == VERDICT_DROP ? XDP_DROP
											: XDP_PASS;
}

char _license[] SEC("license") = "GPL";
