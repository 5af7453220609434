/* SPDX-License-Identifier: GPL-2.0-only */
/* Ports of a bridge, bond or team: which of their frames the master does not take. */
#ifndef UBPFILTER_MASTER_H
#define UBPFILTER_MASTER_H

#include <linux/if_ether.h>
#include <stdbool.h>
#include <bpf/bpf_endian.h>

#include "types.h"

/* as is_link_local_ether_addr(): 01-80-C2-00-00-0n */
static __always_inline bool address_is_link_local(const __u8 address[ETH_ALEN])
{
	const __be16 *words = (const __be16 *)address;

	return words[0] == bpf_htons(0x0180) && words[1] == bpf_htons(0xc200) &&
	       !(words[2] & bpf_htons(0xfff0));
}

/*
 * frame_is_masters() - does what came in by @device belong to its master? Frames to link-local
 * groups do not: the port itself gets them, whose IP layer takes what is in them.
 */
static __always_inline bool frame_is_masters(const struct device *device,
					     const struct ethhdr *ethernet, const void *end)
{
	if (!device || !(device->flags & DEVICE_HAS_MASTER))
		return false;
	if ((const void *)(ethernet + 1) > end || !address_is_link_local(ethernet->h_dest))
		return true;
	return !(device->kept_groups & 1u << (ethernet->h_dest[5] & 0xf));
}

#endif
