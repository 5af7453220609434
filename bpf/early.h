/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An early stage: XDP or TC ingress in front of the netfilter stage. It only drops, and only what
 * is certain: that the packet would get to the hook as it is, and there to the rule that drops it.
 * Everything else goes on undecided and uncounted.
 *
 * PROGRAM_CONTEXT is the type of the including program's context, as for bytes_packet.h.
 */
#ifndef UBPFILTER_EARLY_H
#define UBPFILTER_EARLY_H

#include <linux/netfilter.h>

#include "route.h"

#define FAMILY_PROTOCOL (FAMILY == 4 ? ETH_P_IP : ETH_P_IPV6)

/* Of the compiled table: count one rule. */
int table_count(__u32 rule, struct packet *packet);

/* What an entry program knows of a packet beside its bytes. */
struct arrival {
	PROGRAM_CONTEXT *context;
	const struct device *device; /* the input device */
	__u32 ifindex;		     /* its number */
	__u16 route_length; /* of the packet, 0 for what is segmented on the way out anyway */
};

/* Frames of such a device come to its own IP layer as they are, with an Ethernet header. */
static __always_inline bool device_is_usual(const struct device *device)
{
	return device && device->flags & DEVICE_ETHERNET && !device->vrf &&
	       !(device->flags & (DEVICE_HAS_MASTER | DEVICE_LOOPBACK | DEVICE_KEEPS_TAGS));
}

/*
 * Nothing makes the IP layer look at the packet more closely, or a rule drop it midway; its
 * addresses are none that ip_route_input_slow() or ip6_rcv_core() refuses by itself, this host's
 * own for one.
 */
static __always_inline bool packet_is_usual(const struct packet *packet, struct route_facts *facts)
{
	__u8 first = *(const __u8 *)packet->source;

	if (!facts->plain || packet->flags ||
	    (packet->transport != TRANSPORT_OK && packet->transport != TRANSPORT_NONE))
		return false;
	if (FAMILY == 6)
		return packet->source[0] && first != 0xff && packet->destination[0];
	return first && first != 127 && first < 224 && *(const __u8 *)packet->destination != 127 &&
	       address_is_foreign(packet->source);
}

/* as ip6_forward(): what comes from a link's own address stays on the link */
static __always_inline bool source_may_leave(const struct packet *packet)
{
	return FAMILY == 4 || (packet->source[0] & bpf_htonl(0xffc00000)) != bpf_htonl(0xfe800000);
}

/* ROUTE_INPUT or ROUTE_FORWARD where that is certain, otherwise ROUTE_UNKNOWN. */
static __always_inline enum route route_for_certain(const struct arrival *arrival,
						    const struct packet *packet,
						    struct route_facts *facts, __u32 *output)
{
	if (address_is_local(packet->destination, FAMILY))
		return ROUTE_INPUT;
	if (route_find(arrival->context, packet, facts, arrival->ifindex, arrival->route_length,
		       output) != ROUTE_FORWARD)
		return ROUTE_UNKNOWN;
	if (*output == arrival->ifindex) /* the sender may be told a shorter way before the hook */
		return ROUTE_UNKNOWN;
	return source_may_leave(packet) ? ROUTE_FORWARD : ROUTE_UNKNOWN;
}

/* Count the rules that were noted on the way. Return: false when there were too many for the notes.
 */
static __always_inline bool notes_count(struct packet *packet)
{
	__u32 count = packet->notes.count;

	if (count > NOTES_MAX)
		return false;
	packet->counting = COUNTING_PLAIN;
	for (__u32 i = 0; i < NOTES_MAX; i++) {
		if (i >= count)
			break;
		table_count(packet->notes.rules[i], packet);
	}
	return true;
}

/*
 * early_begin() - the chain that a packet is certain to come to, with what that chain reads of it
 * beside its bytes; or ROUTE_UNKNOWN.
 */
static __always_inline enum route early_begin(const struct arrival *arrival, struct packet *packet,
					      struct route_facts *facts)
{
	__u32 output = 0;
	enum route route = route_for_certain(arrival, packet, facts, &output);

	if (route == ROUTE_UNKNOWN)
		return route;
	packet->counting = COUNTING_LATER;
	packet->notes.count = 0; /* the parser clears it for tables that need connections only */
	if (table_needs & NEED_MAC)
		mac_set(packet, arrival->context);
	if (table_needs & NEED_IN_NAME)
		name_set(packet->in_name, arrival->device);
	if (table_needs & NEED_OUT_NAME && route == ROUTE_FORWARD)
		name_set(packet->out_name, device_find(output));
	if (route == ROUTE_FORWARD)
		packet->ttl--; /* before the chain */
	return route;
}

#endif
