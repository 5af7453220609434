/* SPDX-License-Identifier: GPL-2.0-only */
/* -m mark and -m connmark: marks of packets and connections; as xt_mark.c and xt_connmark.c. */
#include "extensions.h"

#include <errno.h>
#include <linux/netfilter/xt_connmark.h>
#include <linux/netfilter/xt_mark.h>

_Static_assert(sizeof(struct xt_mark_mtinfo1) == sizeof(struct xt_connmark_mtinfo1) &&
		       offsetof(struct xt_mark_mtinfo1, mask) ==
			       offsetof(struct xt_connmark_mtinfo1, mask) &&
		       offsetof(struct xt_mark_mtinfo1, invert) ==
			       offsetof(struct xt_connmark_mtinfo1, invert),
	       "both are laid out alike");

static int print_mark(FILE *out, const char *name, const struct xt_mark_mtinfo1 *info)
{
	fprintf(out, " -m %s%s --mark", name, info->invert ? " !" : "");
	return print_value_mask(out, info->mark, info->mask);
}

static int mark_print(const void *data, const struct match_context *context, FILE *out)
{
	(void)context;
	return print_mark(out, "mark", data);
}

static int connmark_print(const void *data, const struct match_context *context, FILE *out)
{
	(void)context;
	return print_mark(out, "connmark", data);
}

static int lower_mark(struct rule *rule, enum field field, const struct xt_mark_mtinfo1 *info)
{
	if (inversion_is_both(info->invert))
		return 0;
	return lower_masked(rule, field, info->mark, info->mask, inversion(info->invert, 1));
}

static int mark_lower(const void *data, const struct match_context *context, struct rule *rule)
{
	(void)context;
	return lower_mark(rule, FIELD_MARK, data);
}

/* A packet without a connection matches in no way. */
static int connmark_lower(const void *data, const struct match_context *context, struct rule *rule)
{
	struct predicate tracked = { .field = FIELD_CONNECTION_FLAGS };

	(void)context;
	tracked.masked.value[0] = tracked.masked.mask[0] = CONNECTION_TRACKED;
	if (rule_add(rule, &tracked))
		return -ENOMEM;
	return lower_mark(rule, FIELD_CONNECTION_MARK, data);
}

const struct match_extension match_mark = {
	.name = "mark",
	.revision = 1,
	.families = FAMILIES_ALL,
	.options = "--mark",
	.size = sizeof(struct xt_mark_mtinfo1),
	.print = mark_print,
	.lower = mark_lower,
};

const struct match_extension match_connmark = {
	.name = "connmark",
	.revision = 1,
	.families = FAMILIES_ALL,
	.options = "--mark",
	.size = sizeof(struct xt_connmark_mtinfo1),
	.print = connmark_print,
	.lower = connmark_lower,
};
