/* SPDX-License-Identifier: GPL-2.0-only */
/* Which built-in chain an incoming packet belongs to: INPUT, FORWARD, or none of them. */
#ifndef UBPFILTER_ROUTE_H
#define UBPFILTER_ROUTE_H

#include <linux/if_ether.h>

#include "maps.h"
#include "parse.h"

enum route {
	ROUTE_INPUT,
	ROUTE_FORWARD,
	ROUTE_NONE,    /* the kernel drops or answers it before the chain */
	ROUTE_UNKNOWN, /* forwarded, we cannot tell where to and rules ask: must not pass */
	ROUTE_OFF,     /* IPv6: not forwarded from this device, as its own switch says */
};

#define ADDRESS_FAMILY_INET  2
#define ADDRESS_FAMILY_INET6 10

/*
 * What the FIB is not asked about: multicast and limited broadcast are for this host, if for
 * anybody, and so is 0.0.0.0 from 0.0.0.0; other packets to 0.0.0.0 are dropped, as
 * ip_route_input_slow() does.
 */
static __always_inline bool route_is_special(const struct packet *packet, enum route *route)
{
	*route = ROUTE_INPUT;
#if FAMILY == 4
	if (!packet->destination[0] && packet->source[0])
		*route = ROUTE_NONE;
	return (packet->destination[0] & bpf_htonl(0xf0000000)) == bpf_htonl(0xe0000000) ||
	       packet->destination[0] == 0xffffffff || !packet->destination[0];
#else
	return (packet->destination[0] & bpf_htonl(0xff000000)) == bpf_htonl(0xff000000);
#endif
}

static __always_inline void fib_question(struct bpf_fib_lookup *fib, const struct packet *packet,
					 const struct route_facts *facts, __u32 ifindex)
{
#if FAMILY == 4
	fib->family = ADDRESS_FAMILY_INET;
	fib->tos = packet->tos;
	fib->ipv4_src = packet->source[0];
	fib->ipv4_dst = packet->destination[0];
#else
	fib->family = ADDRESS_FAMILY_INET6;
	fib->flowinfo = bpf_htonl((__u32)packet->tos << 20);
	__builtin_memcpy(fib->ipv6_src, packet->source, 16);
	__builtin_memcpy(fib->ipv6_dst, packet->destination, 16);
#endif
	fib->l4_protocol = packet->protocol;
	if (has_ports(packet->protocol)) {
		fib->sport = bpf_htons(packet->source_port);
		fib->dport = bpf_htons(packet->destination_port);
	}
	fib->tot_len = facts->check_length;
	fib->ifindex = ifindex;
}

/* What the FIB says. Not inline for its stack, which the programs are short of. */
static __attribute__((noinline)) enum route fib_ask(void *context, const struct packet *packet,
						    const struct route_facts *facts, __u32 ifindex,
						    __u32 *output)
{
	struct bpf_fib_lookup fib = {};

	fib_question(&fib, packet, facts, ifindex);
	switch (bpf_fib_lookup(context, &fib, sizeof(fib), 0)) {
	case BPF_FIB_LKUP_RET_FRAG_NEEDED:
		if (facts->check_length)
			return ROUTE_NONE;
		break;
	case BPF_FIB_LKUP_RET_SUCCESS:
	case BPF_FIB_LKUP_RET_NO_NEIGH:
		break;
	case BPF_FIB_LKUP_RET_UNSUPP_LWT: /* comes without the output device, too */
		if (table_needs & NEED_OUT_NAME)
			return ROUTE_UNKNOWN;
		break;
	case BPF_FIB_LKUP_RET_BLACKHOLE:
	case BPF_FIB_LKUP_RET_UNREACHABLE:
	case BPF_FIB_LKUP_RET_PROHIBIT:
		return ROUTE_NONE;
#if FAMILY == 6
	case BPF_FIB_LKUP_RET_FWD_DISABLED:
		return ROUTE_OFF;
#endif
	default: /* NOT_FWDED, FWD_DISABLED: for this host, or for nobody */
		return ROUTE_INPUT;
	}
	if (packet->ttl <= 1)
		return ROUTE_NONE;
	*output = fib.ifindex;
	return ROUTE_FORWARD;
}

/*
 * @length: of the packet, 0 for what is segmented on the way out anyway. @output: ifindex of the
 * output device when forwarded.
 */
static __always_inline enum route route_find(void *context, const struct packet *packet,
					     struct route_facts *facts, __u32 ifindex, __u16 length,
					     __u32 *output)
{
	enum route special;

	if (address_is_local(packet->destination, FAMILY))
		return ROUTE_INPUT;
	if (route_is_special(packet, &special))
		return special;
	/* The MTU matters only to what must not be fragmented. And FRAG_NEEDED, when it comes of a
	   length that was asked about, comes without the output device. */
	facts->check_length = facts->dont_fragment ? length : 0;
	return fib_ask(context, packet, facts, ifindex, output);
}

/* Who sent the frame that @context starts with; for XDP and TC. */
static __always_inline void mac_set(struct packet *packet, PROGRAM_CONTEXT *context)
{
	const struct ethhdr *ethernet = (void *)(long)context->data;

	if ((void *)(ethernet + 1) > (void *)(long)context->data_end)
		return;
	__builtin_memcpy(packet->mac, ethernet->h_source, sizeof(packet->mac));
	packet->flags |= PACKET_HAS_MAC;
}

static __always_inline void name_set(__u8 name[IFACE_NAME_SIZE], const struct device *device)
{
	if (device)
		__builtin_memcpy(name, device->name, IFACE_NAME_SIZE);
}

#endif
