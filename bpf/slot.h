/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory of a processor that one packet uses at a time: what is too large for the stack, of which
 * all functions together have 512 bytes. A slot is an element of a per-CPU array, whose value
 * begins with `taken`. Programs stay on their processor, but can be interrupted by others, and
 * where a process sends a packet, preempted: so there are several slots.
 */
#ifndef UBPFILTER_SLOT_H
#define UBPFILTER_SLOT_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

#include "types.h"

#define SLOTS_MAX 4

/*
 * XDP and TC run while bottom halves are off. Who interrupts them has let go of its slot before
 * they go on, so taking one need not be atomic, which costs 6 ns. Not so with PREEMPT_RT:
 * since 6.18 one bottom half can preempt another there. The loader says where that is.
 */
const volatile __u32 slots_preempted __weak SEC(SLOTS_SECTION) = 0;

/* How programs run that take slots. */
enum slot_users {
	SLOT_INTERRUPTED, /* bottom halves are off */
	SLOT_PREEMPTED,	  /* maybe on behalf of a process */
};

static __always_inline bool slot_claim(__u64 *taken, enum slot_users users)
{
	if (users == SLOT_PREEMPTED || slots_preempted)
		return !__sync_val_compare_and_swap(taken, 0, 1);
	if (*(volatile __u64 *)taken)
		return false;
	*(volatile __u64 *)taken = 1;
	return true;
}

/*
 * slot_take() - an element of @map (of SLOTS_MAX) that nobody else uses, to be let go of with
 * slot_release(). Return: its `taken`, the first of its members, or NULL.
 */
static __always_inline __u64 *slot_take(void *map, enum slot_users users)
{
	for (__u32 i = 0; i < SLOTS_MAX; i++) {
		__u32 key = i;
		__u64 *taken = bpf_map_lookup_elem(map, &key);

		if (taken && slot_claim(taken, users))
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
static __always_inline struct slot *packet_slot_take(enum slot_users users)
{
	return (struct slot *)slot_take(&slots, users);
}

#endif
