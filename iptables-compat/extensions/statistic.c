/* SPDX-License-Identifier: GPL-2.0-only */
/* -m statistic: every nth packet, or each by chance; as xt_statistic.c. A new table starts anew. */
#include "extensions.h"

#include <errno.h>
#include <linux/netfilter/xt_statistic.h>
#include <stddef.h>

static int statistic_check(const void *data, const struct match_context *context)
{
	const struct xt_statistic_info *info = data;

	(void)context;
	return info->mode > XT_STATISTIC_MODE_MAX || info->flags & ~XT_STATISTIC_MASK ? -EINVAL : 0;
}

static int statistic_print(const void *data, const struct match_context *context, FILE *out)
{
	const struct xt_statistic_info *info = data;
	const char *inverted = info->flags & XT_STATISTIC_INVERT ? " !" : "";

	(void)context;
	fputs(" -m statistic", out);
	if (info->mode == XT_STATISTIC_MODE_RANDOM)
		fprintf(out, " --mode random%s --probability %.11f", inverted,
			1.0 * info->u.random.probability / 0x80000000u);
	else
		fprintf(out, " --mode nth%s --every %u --packet %u", inverted,
			info->u.nth.every + 1, info->u.nth.packet);
	return ferror(out) ? -ENOMEM : 0;
}

static int statistic_lower(const void *data, const struct match_context *context, struct rule *rule)
{
	const struct xt_statistic_info *info = data;
	struct predicate predicate = { .field = FIELD_STATE,
				       .invert = info->flags & XT_STATISTIC_INVERT };

	(void)context;
	if (info->mode == XT_STATISTIC_MODE_RANDOM) {
		predicate.state.kind = STATE_RANDOM;
		predicate.state.random.probability = info->u.random.probability;
	} else {
		predicate.state.kind = STATE_NTH;
		predicate.state.now = info->u.nth.count;
		predicate.state.nth.every = info->u.nth.every;
	}
	return rule_add(rule, &predicate);
}

const struct match_extension match_statistic = {
	.name = "statistic",
	.families = FAMILIES_ALL,
	.options = "--mode, --probability, --every, --packet",
	.size = sizeof(struct xt_statistic_info),
	.user_size = offsetof(struct xt_statistic_info, master),
	.check = statistic_check,
	.print = statistic_print,
	.lower = statistic_lower,
};
