/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One packet at a rate of -m hashlimit, as hashlimit_mt_common() of xt_hashlimit.c. Compiled into
 * the BPF programs (rates.bpf.c) and into the tests.
 */
#ifndef UBPFILTER_BPF_RATE_STEP_H
#define UBPFILTER_BPF_RATE_STEP_H

#include "rate.h"

/* as rateinfo_init() */
static __always_inline void rate_begin(struct rate *rate, const struct rate_table *table, __u64 now)
{
	rate->over = 0;
	rate->filled = now;
	rate->credit = table->flags & RATE_WINDOW ? 0 : table->first;
	rate->refills = table->refills;
}

/* as rateinfo_recalc() */
static __always_inline void rate_fill(struct rate *rate, const struct rate_table *table, __u64 now)
{
	__u64 passed = now - rate->filled, credit = rate->credit;

	if (!passed)
		return;
	if (table->flags & RATE_WINDOW) {
		if (passed < table->interval)
			return;
		rate->filled = now;
		rate->over = credit * table->interval > passed * table->rate;
		rate->credit = 0;
		return;
	}
	rate->filled = now;
	credit += table->per_tick * passed;
	if ((table->flags & RATE_BYTES && credit <= rate->credit) || credit > table->first)
		credit = table->first;
	rate->credit = credit;
}

/* as hashlimit_byte_cost() */
static __always_inline __u64 rate_cost(struct rate *rate, const struct rate_table *table,
				       __u32 length)
{
	__u64 cost = table->cost;

	if (!(table->flags & RATE_BYTES))
		return cost;
	cost *= (length >> RATE_CHUNK_SHIFT) + 1;
	if (cost > table->first)
		cost = table->first;
	if (rate->credit < cost && rate->refills) {
		rate->refills--;
		rate->credit = table->first;
	}
	return cost;
}

/* Is the packet within the limit? */
static __always_inline int rate_take(struct rate *rate, const struct rate_table *table,
				     __u32 length)
{
	__u64 cost;

	if (table->flags & RATE_WINDOW) {
		rate->credit += table->flags & RATE_BYTES ? length : 1;
		return !rate->over && rate->credit <= table->burst;
	}
	cost = rate_cost(rate, table, length);
	if (rate->credit < cost)
		return 0;
	rate->credit -= cost;
	return 1;
}

/* When expired rates were collected last; at first when the table began. */
static __always_inline __u64 rate_collection(const struct rate_table *table, __u64 now)
{
	return now - (now - table->began) % (table->collect ?: 1);
}

/* as htable_gc(): has it been collected? @collection: the last one before now. */
static __always_inline int rate_is_over(const struct rate *rate, __u64 collection)
{
	return (__s64)(collection - rate->expires) >= 0;
}

/* A packet at a rate that is there. @collection: rate_collection(). */
static __always_inline int rate_step(struct rate *rate, const struct rate_table *table, __u64 now,
				     __u64 collection, __u32 length)
{
	if (rate_is_over(rate, collection))
		rate_begin(rate, table, now);
	else
		rate_fill(rate, table, now);
	rate->expires = now + table->expire;
	return rate_take(rate, table, length);
}

#endif
