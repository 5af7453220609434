/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is sent by the port of a VRF goes through OUTPUT twice: by the VRF, then by the port. And
 * what comes to a VRF device to be sent, it sends on. As l3mdev_ip_out() and the VRF's handlers.
 */
#ifndef UBPFILTER_VRF_EGRESS_H
#define UBPFILTER_VRF_EGRESS_H

#include "vrf.h"

/* How often OUTPUT sees what is sent by @device: twice, if the VRF has it first. */
static __always_inline __u32 vrf_rounds(const struct packet *packet,
					const struct route_facts *facts,
					const struct device *device)
{
	return device && device->vrf && !stays_on_link(packet->destination) &&
			       !packet_is_discovery(packet, facts)
		       ? 2
		       : 1;
}

/* Who a VRF's packet is for, beside ifindexes. */
#define OUTPUT_HERE    0	  /* this host, or nobody */
#define OUTPUT_UNKNOWN 0xffffffff /* to another, we cannot tell by which device */

/* Where a VRF (@ifindex) sends a packet on to: ifindex of a device, or one of those above. */
static __attribute__((noinline)) __u32 vrf_output(struct __sk_buff *skb,
						  const struct packet *packet,
						  const struct route_facts *facts, __u32 ifindex)
{
	struct bpf_fib_lookup fib = {};

	fib_question(&fib, packet, facts, ifindex);
	switch (bpf_fib_lookup((void *)skb, &fib, sizeof(fib), BPF_FIB_LOOKUP_OUTPUT)) {
	case BPF_FIB_LKUP_RET_SUCCESS:
	case BPF_FIB_LKUP_RET_NO_NEIGH:
	case BPF_FIB_LKUP_RET_FRAG_NEEDED:
		return fib.ifindex == ifindex ? OUTPUT_HERE : fib.ifindex;
	case BPF_FIB_LKUP_RET_FWD_DISABLED:
	case BPF_FIB_LKUP_RET_UNSUPP_LWT:
		return OUTPUT_UNKNOWN;
	default:
		return OUTPUT_HERE;
	}
}

#endif
