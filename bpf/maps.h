/* SPDX-License-Identifier: GPL-2.0-only */
/* Maps that the dispatcher and the tables' programs share; the loader reuses the pinned ones. */
#ifndef UBPFILTER_MAPS_H
#define UBPFILTER_MAPS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "types.h"

/* ifindex -> what rules and parsers need to know of a device. Kept by the loader. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, DEVICES_MAX);
	__type(key, __u32);
	__type(value, struct device);
} devices __weak SEC(".maps");

static __always_inline const struct device *device_find(__u32 ifindex)
{
	return bpf_map_lookup_elem(&devices, &ifindex);
}

#endif
