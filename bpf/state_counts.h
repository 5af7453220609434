/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * -m connbytes in a program: as connbytes_mt() of xt_connbytes.c. Who includes it defines before:
 *	state_is_counted(packet)	somebody counts what its connection transfers
 *	state_count(packet, offset)	the number that lies there in struct connection_counts
 */
#ifndef UBPFILTER_BPF_STATE_COUNTS_H
#define UBPFILTER_BPF_STATE_COUNTS_H

#include "state.h"
#include "types.h"

#define COUNT_PACKETS __builtin_offsetof(struct connection_counts, of[0].packets)
#define COUNT_BYTES   __builtin_offsetof(struct connection_counts, of[0].bytes)

/* The sum in the directions that are asked for. @offset: of the original direction's. */
static __always_inline __u64 counts_sum(const struct packet *packet, __u32 offset, __u32 direction)
{
	__u64 sum = 0;

	if (direction != COUNTS_REPLY)
		sum = state_count(packet, offset);
	if (direction != COUNTS_ORIGINAL)
		sum += state_count(packet, offset + sizeof(((struct connection_counts *)0)->of[0]));
	return sum;
}

static __always_inline int counts_match(const struct state *state, const struct packet *packet)
{
	__u32 unit = state->counted >> 4;
	__u64 min, max, number;

	if (!state_is_counted(packet))
		return 0;
	number = counts_sum(packet, unit == COUNTS_PACKETS ? COUNT_PACKETS : COUNT_BYTES,
			    state->counted & 15);
	if (unit == COUNTS_AVERAGE) {
		__u64 packets = counts_sum(packet, COUNT_PACKETS, state->counted & 15);

		number = packets ? number / packets : 0;
	}
	/* not kept on the stack from before on, of which there is little */
	__asm__ volatile("" : "+r"(state));
	min = (__u64)state->counts.min[1] << 32 | state->counts.min[0];
	max = (__u64)state->counts.max[1] << 32 | state->counts.max[0];
	if (max >= min)
		return number >= min && number <= max;
	return number < max || number > min;
}

#endif
