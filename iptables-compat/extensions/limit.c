/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * -m limit: a bucket of credits, which each tick fills and each match takes from; as xt_limit.c.
 *
 * The kernel gives each new table a full bucket, also for a rule that was there before, and so do
 * we. Where it differs: the kernel's bucket begins to fill, and to overflow 32 bits, when the table
 * is made, ours when the first packet gets to it.
 */
#include "extensions.h"

#include <errno.h>
#include <linux/netfilter/xt_limit.h>
#include <math.h>
#include <stddef.h>

#include "../../common/ticks.h"

#define DEFAULT_BURST 5 /* iptables does not print it */
#define DAY	      (24 * 60 * 60)

/* What the kernel reckons in: a power of two, so that the slowest rate still has some precision. */
static uint32_t credits_per_tick(uint32_t ticks)
{
	uint32_t most = UINT32_MAX / (ticks * DAY), power = 1;

	while (power <= most / 2)
		power *= 2;
	return power;
}

/* as user2credits(); @time: in units of 1 / XT_LIMIT_SCALE seconds. Overflows as there. */
static uint32_t credits_of(uint32_t time, uint32_t ticks)
{
	uint32_t per_second = ticks * credits_per_tick(ticks);

	if (time > UINT32_MAX / per_second)
		return time / XT_LIMIT_SCALE * per_second;
	return time * per_second / XT_LIMIT_SCALE;
}

static int limit_check(const void *data, const struct match_context *context)
{
	const struct xt_rateinfo *info = data;
	uint32_t ticks = ticks_per_second();

	(void)context;
	if (!ticks)
		return -EOPNOTSUPP;
	if (info->burst == 0 ||
	    credits_of(info->avg * info->burst, ticks) < credits_of(info->avg, ticks))
		return -ERANGE;
	/* the kernel would take the cost from the client; no iptables of today sends one */
	return info->cost ? -EOPNOTSUPP : 0;
}

/* as libxt_limit's: the largest unit that the rate is not rounded much in */
static int print_rate(FILE *out, uint32_t average)
{
	static const struct {
		const char *name;
		uint32_t length;
	} units[] = {
		{ "day", XT_LIMIT_SCALE * DAY },
		{ "hour", XT_LIMIT_SCALE * 60 * 60 },
		{ "min", XT_LIMIT_SCALE * 60 },
		{ "sec", XT_LIMIT_SCALE },
	};
	size_t unit = 0;

	if (!average)
		return fprintf(out, " %f", (double)INFINITY);
	while (unit + 1 < ARRAY_SIZE(units) && average <= units[unit + 1].length &&
	       units[unit + 1].length / average >= units[unit + 1].length % average)
		unit++;
	return fprintf(out, " %u/%s", units[unit].length / average, units[unit].name);
}

static int limit_print(const void *data, const struct match_context *context, FILE *out)
{
	const struct xt_rateinfo *info = data;

	(void)context;
	fputs(" -m limit --limit", out);
	print_rate(out, info->avg);
	if (info->burst != DEFAULT_BURST)
		fprintf(out, " --limit-burst %u", info->burst);
	return ferror(out) ? -ENOMEM : 0;
}

static int limit_lower(const void *data, const struct match_context *context, struct rule *rule)
{
	const struct xt_rateinfo *info = data;
	uint32_t ticks = ticks_per_second();
	struct predicate predicate = {
		.field = FIELD_STATE,
		.state = { .now = STATE_LIMIT_FRESH, .kind = STATE_LIMIT },
	};

	(void)context;
	predicate.state.limit.per_tick = credits_per_tick(ticks);
	predicate.state.limit.cost = credits_of(info->avg, ticks);
	predicate.state.limit.cap = credits_of(info->avg * info->burst, ticks);
	predicate.state.limit.first = predicate.state.limit.cap;
	return rule_add(rule, &predicate);
}

const struct match_extension match_limit = {
	.name = "limit",
	.families = FAMILIES_ALL,
	.options = "--limit, --limit-burst",
	.size = sizeof(struct xt_rateinfo),
	.user_size = offsetof(struct xt_rateinfo, prev),
	.check = limit_check,
	.print = limit_print,
	.lower = limit_lower,
};
