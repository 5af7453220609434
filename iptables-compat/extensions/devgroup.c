/* SPDX-License-Identifier: GPL-2.0-only */
/* -m devgroup: the groups of the devices; as xt_devgroup.c. */
#include "extensions.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/xt_devgroup.h>

#define HOOKS_SOURCE (1u << NF_INET_PRE_ROUTING | 1u << NF_INET_LOCAL_IN | 1u << NF_INET_FORWARD)
#define HOOKS_DESTINATION \
	(1u << NF_INET_FORWARD | 1u << NF_INET_LOCAL_OUT | 1u << NF_INET_POST_ROUTING)
#define FLAGS                                                                     \
	(XT_DEVGROUP_MATCH_SRC | XT_DEVGROUP_INVERT_SRC | XT_DEVGROUP_MATCH_DST | \
	 XT_DEVGROUP_INVERT_DST)

static int devgroup_check(const void *data, const struct match_context *context)
{
	const struct xt_devgroup_info *info = data;

	if (info->flags & ~(uint32_t)FLAGS ||
	    (info->flags & XT_DEVGROUP_MATCH_SRC && context->hooks & ~HOOKS_SOURCE) ||
	    (info->flags & XT_DEVGROUP_MATCH_DST && context->hooks & ~HOOKS_DESTINATION))
		return -EINVAL;
	return 0;
}

static void print_group(FILE *out, const char *option, uint32_t group, uint32_t mask,
			enum inversion inverted)
{
	print_inverted(out, inverted);
	fprintf(out, " %s", option);
	print_value_mask(out, group, mask);
}

static int devgroup_print(const void *data, const struct match_context *context, FILE *out)
{
	const struct xt_devgroup_info *info = data;

	(void)context;
	fputs(" -m devgroup", out);
	if (info->flags & XT_DEVGROUP_MATCH_SRC)
		print_group(out, "--src-group", info->src_group, info->src_mask,
			    inversion(info->flags, XT_DEVGROUP_INVERT_SRC));
	if (info->flags & XT_DEVGROUP_MATCH_DST)
		print_group(out, "--dst-group", info->dst_group, info->dst_mask,
			    inversion(info->flags, XT_DEVGROUP_INVERT_DST));
	return ferror(out) ? -ENOMEM : 0;
}

/* Bits of the group outside of the mask are nothing to the kernel. */
static int devgroup_lower(const void *data, const struct match_context *context, struct rule *rule)
{
	const struct xt_devgroup_info *info = data;

	(void)context;
	if (info->flags & XT_DEVGROUP_MATCH_SRC &&
	    lower_masked(rule, FIELD_IN_GROUP, info->src_group & info->src_mask, info->src_mask,
			 inversion(info->flags, XT_DEVGROUP_INVERT_SRC)))
		return -ENOMEM;
	if (!(info->flags & XT_DEVGROUP_MATCH_DST))
		return 0;
	return lower_masked(rule, FIELD_OUT_GROUP, info->dst_group & info->dst_mask, info->dst_mask,
			    inversion(info->flags, XT_DEVGROUP_INVERT_DST));
}

const struct match_extension match_devgroup = {
	.name = "devgroup",
	.families = FAMILIES_ALL,
	.options = "--src-group, --dst-group",
	.size = sizeof(struct xt_devgroup_info),
	.check = devgroup_check,
	.print = devgroup_print,
	.lower = devgroup_lower,
};
