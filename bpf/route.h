/* SPDX-License-Identifier: GPL-2.0-only */
/* Which built-in chain an incoming packet belongs to: INPUT, FORWARD, or none of them. */
#ifndef UBPFILTER_ROUTE_H
#define UBPFILTER_ROUTE_H

#include "maps.h"
#include "parse.h"

enum route {
	ROUTE_INPUT,
	ROUTE_FORWARD,
	ROUTE_NONE, /* the kernel drops or answers it before the chain */
};

#define ADDRESS_FAMILY_INET  2
#define ADDRESS_FAMILY_INET6 10

/* Multicast and limited broadcast are not in the FIB: they are for this host, if for anybody. */
static __always_inline bool packet_is_multicast(const struct packet *packet)
{
#if FAMILY == 4
	return (packet->destination[0] & bpf_htonl(0xf0000000)) == bpf_htonl(0xe0000000) ||
	       packet->destination[0] == 0xffffffff;
#else
	return (packet->destination[0] & bpf_htonl(0xff000000)) == bpf_htonl(0xff000000);
#endif
}

static __always_inline void fib_question(struct bpf_fib_lookup *fib, const struct packet *packet,
					 const struct route_facts *facts, __u32 ifindex,
					 __u16 check_length)
{
#if FAMILY == 4
	fib->family = ADDRESS_FAMILY_INET;
	fib->tos = facts->tos;
	fib->ipv4_src = packet->source[0];
	fib->ipv4_dst = packet->destination[0];
#else
	fib->family = ADDRESS_FAMILY_INET6;
	fib->flowinfo = bpf_htonl((__u32)facts->tos << 20);
	__builtin_memcpy(fib->ipv6_src, packet->source, 16);
	__builtin_memcpy(fib->ipv6_dst, packet->destination, 16);
#endif
	fib->l4_protocol = packet->protocol;
	fib->sport = bpf_htons(packet->source_port);
	fib->dport = bpf_htons(packet->destination_port);
	fib->tot_len = check_length;
	fib->ifindex = ifindex;
}

/*
 * @check_length: the packet's length if the output device's MTU matters, 0 for what is segmented on
 * the way out anyway. @output: ifindex of the output device when forwarded.
 */
static __always_inline enum route route_find(void *context, const struct packet *packet,
					     const struct route_facts *facts, __u32 ifindex,
					     __u16 check_length, __u32 *output)
{
	struct bpf_fib_lookup fib = {};

	if (packet_is_multicast(packet))
		return ROUTE_INPUT;
	fib_question(&fib, packet, facts, ifindex, check_length);
	switch (bpf_fib_lookup(context, &fib, sizeof(fib), 0)) {
	case BPF_FIB_LKUP_RET_FRAG_NEEDED:
		if (facts->dont_fragment && check_length)
			return ROUTE_NONE;
		break;
	case BPF_FIB_LKUP_RET_SUCCESS:
	case BPF_FIB_LKUP_RET_NO_NEIGH:
	case BPF_FIB_LKUP_RET_UNSUPP_LWT:
		break;
	case BPF_FIB_LKUP_RET_BLACKHOLE:
	case BPF_FIB_LKUP_RET_UNREACHABLE:
	case BPF_FIB_LKUP_RET_PROHIBIT:
		return ROUTE_NONE;
	default: /* NOT_FWDED, FWD_DISABLED: for this host, or for nobody */
		return ROUTE_INPUT;
	}
	if (facts->hop_limit <= 1)
		return ROUTE_NONE;
	*output = fib.ifindex;
	return ROUTE_FORWARD;
}

static __always_inline void name_set(__u8 name[IFACE_NAME_SIZE], const struct device *device)
{
	if (device)
		__builtin_memcpy(name, device->name, IFACE_NAME_SIZE);
}

#endif
