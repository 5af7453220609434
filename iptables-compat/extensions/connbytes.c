/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * -m connbytes: by what a connection has transferred; as xt_connbytes.c. As there, conntrack is
 * made to count (loader/conntrack.c) and goes on doing so; connections from before are not counted.
 */
#include "extensions.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/netfilter/xt_connbytes.h>

struct named {
	const char *name;
	uint8_t number; /* as bpf/state.h has it */
};

static const struct named units[] = {
	[XT_CONNBYTES_PKTS] = { "packets", COUNTS_PACKETS },
	[XT_CONNBYTES_BYTES] = { "bytes", COUNTS_BYTES },
	[XT_CONNBYTES_AVGPKT] = { "avgpkt", COUNTS_AVERAGE },
};

static const struct named directions[] = {
	[XT_CONNBYTES_DIR_ORIGINAL] = { "original", COUNTS_ORIGINAL },
	[XT_CONNBYTES_DIR_REPLY] = { "reply", COUNTS_REPLY },
	[XT_CONNBYTES_DIR_BOTH] = { "both", COUNTS_BOTH },
};

static int connbytes_check(const void *data, const struct match_context *context)
{
	const struct xt_connbytes_info *info = data;

	(void)context;
	return info->what < ARRAY_SIZE(units) && info->direction < ARRAY_SIZE(directions) ? 0
											  : -EINVAL;
}

static int connbytes_print(const void *data, const struct match_context *context, FILE *out)
{
	const struct xt_connbytes_info *info = data;
	uint64_t min = info->count.from, max = info->count.to;
	bool inverted = min > max;

	(void)context;
	fprintf(out, " -m connbytes%s --connbytes %" PRIu64, inverted ? " !" : "",
		inverted ? max : min);
	if (inverted)
		max = min;
	if (max && max < UINT64_MAX)
		fprintf(out, ":%" PRIu64, max);
	fprintf(out, " --connbytes-mode %s --connbytes-dir %s", units[info->what].name,
		directions[info->direction].name);
	return ferror(out) ? -ENOMEM : 0;
}

static int connbytes_lower(const void *data, const struct match_context *context, struct rule *rule)
{
	const struct xt_connbytes_info *info = data;
	struct predicate predicate = {
		.field = FIELD_HOOK_STATE,
		.state = { .kind = STATE_COUNTS,
			   .counted = (uint8_t)(units[info->what].number << 4 |
						directions[info->direction].number) },
	};

	(void)context;
	for (unsigned half = 0; half < 2; half++) {
		predicate.state.counts.min[half] = (uint32_t)(info->count.from >> 32 * half);
		predicate.state.counts.max[half] = (uint32_t)(info->count.to >> 32 * half);
	}
	return rule_add(rule, &predicate);
}

const struct match_extension match_connbytes = {
	.name = "connbytes",
	.families = FAMILIES_ALL,
	.options = "--connbytes, --connbytes-mode, --connbytes-dir",
	.size = sizeof(struct xt_connbytes_info),
	.check = connbytes_check,
	.print = connbytes_print,
	.lower = connbytes_lower,
};
