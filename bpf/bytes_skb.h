/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A packet's bytes by their address in the kernel, for netfilter programs, which have no direct
 * packet access. Dynptr slices would take 50 ns.
 */
#ifndef UBPFILTER_BYTES_SKB_H
#define UBPFILTER_BYTES_SKB_H

#include "kernel_cast.h"

struct bytes {
	__u64 address;	/* of the IP header */
	__u32 readable; /* bytes from there on that lie together */
};

/* bytes_at() - @size bytes at @offset from the IP header on, NULL when they cannot be read here. */
static __always_inline const void *bytes_at(const struct bytes *bytes, __u32 offset, __u32 size)
{
	if (offset + size > bytes->readable)
		return 0;
	return kernel_at(bytes->address + offset);
}

#endif
