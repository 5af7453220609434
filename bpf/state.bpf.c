/* SPDX-License-Identifier: GPL-2.0-only */
/* Stateful matches: what a compiled table with some calls for each packet that gets to one. */
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

#include "state.h"
#include "types.h"

/* wall_clock.bpf.c brings it to tables that ask what time it is: not every kernel tells. */
__weak int wall_clock(void)
{
	return 0;
}

/* groups.bpf.c brings it to tables that ask for them. */
__weak int packet_groups(struct packet *packet, __u32 min, __u32 max)
{
	return packet && packet->gid >= min && packet->gid <= max;
}

/* Number by number: there is little stack. */
static __always_inline __u64 count_read(__u64 address)
{
	__u64 number = 0;

	bpf_probe_read_kernel(&number, sizeof(number), (const void *)address);
	return number;
}

#ifdef STATE_RATES
#include "rates.h"
#define state_rate(table, packet) rate_match(table, packet)
#else
#define state_rate(table, packet) STATE_HOTDROP
#endif
#define state_is_counted(packet)       ((packet)->connection.counts != 0)
#define state_count(packet, offset)    count_read((packet)->connection.counts + (offset))
#define state_groups(packet, min, max) packet_groups((struct packet *)(packet), min, max)
#define state_ticks()		       ((__u32)bpf_jiffies64())
#define state_chance()		       bpf_get_prandom_u32()
#define state_clock()		       ((__u32)wall_clock())
#define state_swap(word, old, next)    __sync_val_compare_and_swap(word, old, next)
#include "state_step.h"

/* Of the compiled table: struct state, and how many. */
extern __u64 states[];
extern const volatile __u32 table_states;

/* table_state() - does the packet match number @index of the table's stateful matches? */
int table_state(__u32 index, struct packet *packet)
{
	__u64 at = index;

	if (!packet)
		return 0;
	/* what is compared shall be what is added */
	__asm__ volatile("" : "+r"(at));
	if (at >= table_states)
		return 0;
	return state_step((struct state *)states + at, packet);
}
