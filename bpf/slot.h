/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory of a processor that one packet uses at a time: what is too large for the stack, of which
 * all functions together have 512 bytes. A slot is an element of a per-CPU array, whose value
 * begins with `taken`. Programs stay on their processor, but a packet that is sent can be
 * interrupted and preempted by others: so there are several slots.
 */
#ifndef UBPFILTER_SLOT_H
#define UBPFILTER_SLOT_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "types.h"

#define SLOTS_MAX 4

/*
 * slot_take() - an element of @map (of SLOTS_MAX) that nobody else uses, to be let go of with
 * slot_release(). Return: its `taken`, the first of its members, or NULL.
 */
static __always_inline __u64 *slot_take(void *map)
{
	for (__u32 i = 0; i < SLOTS_MAX; i++) {
		__u32 key = i;
		__u64 *taken = bpf_map_lookup_elem(map, &key);

		if (taken && !__sync_val_compare_and_swap(taken, 0, 1))
			return taken;
	}
	return NULL;
}

static __always_inline void slot_release(__u64 *taken)
{
	*(volatile __u64 *)taken = 0;
}

/* Where entry programs have their packet. */
struct slot {
	__u64 taken;
	struct packet packet;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SLOTS_MAX);
	__type(key, __u32);
	__type(value, struct slot);
} slots __weak SEC(".maps");

/* As slot_take(). What an earlier packet left is still there: parse_ip() clears it. */
static __always_inline struct slot *packet_slot_take(void)
{
	return (struct slot *)slot_take(&slots);
}

#endif
