/* SPDX-License-Identifier: GPL-2.0-only */
/* -m connbytes in a program: as connbytes_mt() of xt_connbytes.c. */
#ifndef UBPFILTER_BPF_STATE_COUNTS_H
#define UBPFILTER_BPF_STATE_COUNTS_H

#include "state.h"

static __always_inline __u64 counts_sum(const __u64 counts[2], __u32 direction)
{
	__u64 sum = 0;

	if (direction != COUNTS_REPLY)
		sum += counts[0];
	if (direction != COUNTS_ORIGINAL)
		sum += counts[1];
	return sum;
}

static __always_inline int counts_match(const struct state *state,
					const struct connection_counts *counts)
{
	__u64 min = (__u64)state->counts.min[1] << 32 | state->counts.min[0];
	__u64 max = (__u64)state->counts.max[1] << 32 | state->counts.max[0];
	__u32 unit = state->counted >> 4, direction = state->counted & 15;
	__u64 packets = counts_sum(counts->packets, direction);
	__u64 bytes = counts_sum(counts->bytes, direction);
	__u64 number = unit == COUNTS_PACKETS ? packets : bytes;

	if (unit == COUNTS_AVERAGE)
		number = packets ? bytes / packets : 0;
	if (max >= min)
		return number >= min && number <= max;
	return number < max || number > min;
}

#endif
