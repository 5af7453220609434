/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VRFs. What routing takes from a VRF's ports comes in by the VRF device, as INPUT and FORWARD see
 * it, although neither XDP nor TC of that device does: it is judged at the port, in its name. As
 * l3mdev_ip_rcv() and the VRF's handler of it.
 */
#ifndef UBPFILTER_VRF_H
#define UBPFILTER_VRF_H

#include "route.h"

#define DISCOVERY_FIRST 133 /* ICMPv6: router solicitation */
#define DISCOVERY_LAST	137 /* redirect */

/* as ipv6_ndisc_frame(): the port itself talks to its neighbours */
static __always_inline bool packet_is_discovery(const struct packet *packet,
						const struct route_facts *facts)
{
	return FAMILY == 6 && facts->plain && packet->protocol == IPPROTO_ICMPV6 &&
	       packet->icmp >> 8 >= DISCOVERY_FIRST && packet->icmp >> 8 <= DISCOVERY_LAST;
}

/* as rt6_need_strict(), and vrf_ip_out(): never leaves the link */
static __always_inline bool stays_on_link(const __be32 address[4])
{
#if FAMILY == 4
	return (address[0] & bpf_htonl(0xf0000000)) == bpf_htonl(0xe0000000) ||
	       address[0] == 0xffffffff;
#else
	return (address[0] & bpf_htonl(0xff000000)) == bpf_htonl(0xff000000) ||
	       (address[0] & bpf_htonl(0xffc00000)) == bpf_htonl(0xfe800000);
#endif
}

/* The device that iptables sees a packet come in by: of @device (@ifindex), or its VRF's. */
static __always_inline __u32 input_find(const struct packet *packet,
					const struct route_facts *facts,
					const struct device *device, __u32 ifindex)
{
	if (!device || !device->vrf || packet_is_discovery(packet, facts))
		return ifindex;
	return device->vrf;
}

/*
 * input_route() - as route_find(), from a device that the packet came in by and the one that
 * @input, as input_find(), says. The kernel forwards IPv6 also where the device's own switch is
 * off; what the FIB does not tell of that device, another one's answer does.
 */
static __always_inline enum route input_route(void *context, const struct packet *packet,
					      struct route_facts *facts, __u32 ifindex, __u32 input,
					      __u16 length, __u32 *output)
{
	enum route route;

	if (FAMILY == 6 && stays_on_link(packet->destination))
		input = ifindex; /* each port has a link of its own */
	route = route_find(context, packet, facts, input, length, output);
#if FAMILY == 6
	if (route == ROUTE_OFF) {
		const struct device *device = device_find(input);

		if (!device || device->ipv6_fib == IPV6_FIB_OWN ||
		    stays_on_link(packet->destination))
			return ROUTE_INPUT;
		route = ROUTE_UNKNOWN;
		if (device->ipv6_fib == IPV6_FIB_LOOPBACK)
			route = fib_ask(context, packet, facts, LOOPBACK_IFINDEX, output);
		if (route == ROUTE_OFF)
			route = ROUTE_UNKNOWN;
	}
#endif
	return route;
}

#endif
