/* SPDX-License-Identifier: GPL-2.0-only */
/* Tables of rates: what iptables says of them, checked and reckoned. */
#include "../../../iptables-compat/rates.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "../../../common/ticks.h"

#include <linux/netfilter/xt_hashlimit.h>

static struct hashlimit_cfg3 packets_a_second(unsigned rate, unsigned burst)
{
	return (struct hashlimit_cfg3){
		.avg = XT_HASHLIMIT_SCALE_v2 / rate,
		.burst = burst,
		.mode = XT_HASHLIMIT_HASH_SIP,
		.gc_interval = 1000,
		.expire = 1000,
		.interval = 1,
		.srcmask = 32,
		.dstmask = 32,
	};
}

Test(rates, a_rate_brings_as_many_packets_a_second)
{
	const struct hashlimit_cfg3 config = packets_a_second(50, 7);
	struct rate_table table;

	rate_table_make(&table, &config);
	cr_expect_eq(table.per_tick * ticks_per_second() / table.cost, 50);
	cr_expect_eq(table.first / table.cost, 7);
	cr_expect_eq(table.expire, ticks_per_second());
	cr_expect_eq(table.source_mask[0], UINT32_MAX);
	cr_expect_eq(table.source_mask[1], 0);
	cr_expect_eq(table.destination_mask[0], 0, "not looked at");
}

Test(rates, a_window_has_its_rate_and_its_burst)
{
	struct hashlimit_cfg3 config = packets_a_second(50, 7);
	struct rate_table table;

	config.mode |= XT_HASHLIMIT_RATE_MATCH | XT_HASHLIMIT_HASH_DPT;
	config.interval = 3;
	rate_table_make(&table, &config);
	cr_expect_eq(table.flags, RATE_WINDOW | RATE_PORTS);
	cr_expect_eq(table.rate, 50);
	cr_expect_eq(table.burst, 57);
	cr_expect_eq(table.interval, 3 * ticks_per_second());
}

Test(rates, a_table_has_room_for_each_of_its_buckets)
{
	struct hashlimit_cfg3 config = packets_a_second(1, 1);
	struct rate_table table;

	config.size = 100;
	rate_table_make(&table, &config);
	cr_expect_eq(table.max, 800);
	config.max = 5;
	rate_table_make(&table, &config);
	cr_expect_eq(table.max, 100);
	config.max = 200;
	rate_table_make(&table, &config);
	cr_expect_eq(table.max, 200);
}

Test(rates, what_the_kernel_refuses_is_refused)
{
	struct hashlimit_cfg3 config = packets_a_second(10, 5);

	cr_expect_eq(rate_table_check(&config, FAMILY_IPV4), 0);
	config.srcmask = 33;
	cr_expect_eq(rate_table_check(&config, FAMILY_IPV4), -EINVAL);
	cr_expect_eq(rate_table_check(&config, FAMILY_IPV6), 0);
	config = packets_a_second(10, 0);
	cr_expect_eq(rate_table_check(&config, FAMILY_IPV4), -ERANGE, "no burst");
	config = packets_a_second(10, 5);
	config.expire = 0;
	cr_expect_eq(rate_table_check(&config, FAMILY_IPV4), -EINVAL);
	config = packets_a_second(10, 5);
	config.mode |= 1u << 7;
	cr_expect_eq(rate_table_check(&config, FAMILY_IPV4), -EINVAL, "an unknown mode");
	config = packets_a_second(10, 5);
	config.mode |= XT_HASHLIMIT_RATE_MATCH;
	config.interval = 0;
	cr_expect_eq(rate_table_check(&config, FAMILY_IPV4), -EINVAL);
	config.avg = 0;
	cr_expect_eq(rate_table_check(&config, FAMILY_IPV4), -ERANGE);
}
