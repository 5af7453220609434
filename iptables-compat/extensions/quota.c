/* SPDX-License-Identifier: GPL-2.0-only */
/* -m quota: matches until so many bytes are through; as xt_quota.c. A new table starts anew. */
#include "extensions.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/netfilter/xt_quota.h>
#include <stddef.h>

static int quota_check(const void *data, const struct match_context *context)
{
	const struct xt_quota_info *info = data;

	(void)context;
	return info->flags & ~XT_QUOTA_MASK ? -EINVAL : 0;
}

static int quota_print(const void *data, const struct match_context *context, FILE *out)
{
	const struct xt_quota_info *info = data;

	(void)context;
	fprintf(out, " -m quota%s --quota %" PRIu64, info->flags & XT_QUOTA_INVERT ? " !" : "",
		(uint64_t)info->quota);
	return ferror(out) ? -ENOMEM : 0;
}

static int quota_lower(const void *data, const struct match_context *context, struct rule *rule)
{
	const struct xt_quota_info *info = data;

	(void)context;
	return rule_add(rule, &(struct predicate){
				      .field = FIELD_STATE,
				      .invert = info->flags & XT_QUOTA_INVERT,
				      .state = { .now = info->quota, .kind = STATE_QUOTA },
			      });
}

const struct match_extension match_quota = {
	.name = "quota",
	.families = FAMILIES_ALL,
	.options = "--quota",
	.size = sizeof(struct xt_quota_info),
	.user_size = offsetof(struct xt_quota_info, master),
	.check = quota_check,
	.print = quota_print,
	.lower = quota_lower,
};
