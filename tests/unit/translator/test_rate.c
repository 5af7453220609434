/* SPDX-License-Identifier: GPL-2.0-only */
/* The programs' own step of -m hashlimit, compiled for user space. */
#include <criterion/criterion.h>

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

#include "../../../bpf/rate_step.h"

#define NEVER 1000000 /* jiffies */

/* Packets of @length, one after the other, in one jiffy: how many are within the limit? */
static unsigned taken(struct rate *rate, const struct rate_table *table, __u64 now,
		      unsigned packets, __u32 length)
{
	unsigned within = 0;

	while (packets--)
		within +=
			(unsigned)rate_step(rate, table, now, rate_collection(table, now), length);
	return within;
}

static const struct rate_table by_packets = {
	.max = 10,
	.expire = NEVER,
	.collect = NEVER,
	.began = 100,
	.first = 500,
	.cost = 100,
	.per_tick = 10,
};

Test(rate, packets_get_their_burst_and_then_their_rate)
{
	struct rate rate = {};

	cr_expect_eq(taken(&rate, &by_packets, 100, 20, 60), 5, "the burst");
	cr_expect_eq(taken(&rate, &by_packets, 109, 20, 60), 0, "90 credits have come");
	cr_expect_eq(taken(&rate, &by_packets, 110, 20, 60), 1, "one in ten jiffies");
	cr_expect_eq(taken(&rate, &by_packets, 139, 20, 60), 2);
	cr_expect_eq(taken(&rate, &by_packets, 140, 20, 60), 1, "what was left over counts");
	cr_expect_eq(taken(&rate, &by_packets, 9000, 20, 60), 5, "no more than the burst");
}

Test(rate, an_expired_rate_begins_anew_at_the_next_collection)
{
	struct rate_table table = by_packets;
	struct rate rate = {};

	table.expire = 15;
	table.collect = 10;
	table.per_tick = 0;
	cr_expect_eq(taken(&rate, &table, 101, 20, 60), 5);
	cr_expect_eq(taken(&rate, &table, 115, 20, 60), 0, "expires at 130 from here on");
	cr_expect_eq(taken(&rate, &table, 129, 20, 60), 0, "expires at 144");
	cr_expect_eq(taken(&rate, &table, 149, 20, 60), 0,
		     "expired, but not collected; now at 164");
	cr_expect_eq(taken(&rate, &table, 170, 20, 60), 5, "collected at 170");
}

Test(rate, bytes_cost_by_16_and_are_filled_up_as_often_as_the_burst_says)
{
	struct rate_table table = by_packets;
	struct rate rate = {};

	table.flags = RATE_BYTES;
	table.cost = 10;
	table.first = 100;
	cr_expect_eq(taken(&rate, &table, 100, 20, 15), 10, "10 credits each");
	cr_expect_eq(taken(&rate, &table, 110, 20, 16), 5, "20 credits each, 100 have come");
	cr_expect_eq(taken(&rate, &table, 200, 5, 100000), 1, "none costs more than there can be");
	table.refills = 2;
	rate = (struct rate){};
	cr_expect_eq(taken(&rate, &table, 100, 40, 15), 30, "filled up twice");
	cr_expect_eq(taken(&rate, &table, 105, 40, 15), 5, "and not again");
}

Test(rate, credits_of_bytes_that_overflow_are_full)
{
	struct rate_table table = by_packets;
	struct rate rate = {};

	table.flags = RATE_BYTES;
	taken(&rate, &table, 100, 5, 15);
	table.per_tick = 1ull << 63;
	cr_expect_eq(taken(&rate, &table, 102, 20, 15), 5);
}

Test(rate, a_window_is_over_when_the_one_before_was)
{
	const struct rate_table table = {
		.flags = RATE_WINDOW,
		.max = 10,
		.expire = NEVER,
		.collect = NEVER,
		.began = 100,
		.burst = 12,
		.rate = 10,
		.interval = 50,
	};
	struct rate rate = {};

	cr_expect_eq(taken(&rate, &table, 100, 30, 60), 12, "rate and burst");
	cr_expect_eq(taken(&rate, &table, 149, 5, 60), 0, "the same window");
	cr_expect_eq(taken(&rate, &table, 150, 5, 60), 0, "35 came in the one before");
	cr_expect_eq(taken(&rate, &table, 200, 20, 60), 12, "5 came in the one before");
}
