/* SPDX-License-Identifier: GPL-2.0-only */
/* What the dispatchers share: the generations in force, and program arrays indexed by them. */
#ifndef UBPFILTER_DISPATCH_H
#define UBPFILTER_DISPATCH_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "types.h"

/* enum table_family -> number of the generation in force; 0: none yet. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TABLE_FAMILIES);
	__type(key, __u32);
	__type(value, __u64);
} generation SEC(".maps");

#define SLOTS(hook)                                    \
	struct {                                       \
		__uint(type, BPF_MAP_TYPE_PROG_ARRAY); \
		__uint(max_entries, TABLE_SLOTS);      \
		__type(key, __u32);                    \
		__type(value, __u32);                  \
	} hook SEC(".maps")

/* Slot of @family's table; a number out of range when there is none. */
static __always_inline __u32 slot_of_family(__u32 family)
{
	__u64 *number = bpf_map_lookup_elem(&generation, &family);

	if (!number || !*number)
		return TABLE_SLOTS;
	return family * 2 + (*number & 1);
}

#endif
