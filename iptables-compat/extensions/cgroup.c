/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * -m cgroup: the net_cls class of the packet's socket; as xt_cgroup.c. What a path leads to is
 * decided when the kernel takes the rule: such rules are its own.
 */
#include "extensions.h"

#include <errno.h>
#include <linux/limits.h>
#include <linux/netfilter.h>
#include <linux/netfilter/xt_cgroup.h>
#include <string.h>

#define HOOKS (1u << NF_INET_LOCAL_IN | 1u << NF_INET_LOCAL_OUT | 1u << NF_INET_POST_ROUTING)

static int print_class(FILE *out, uint32_t class, enum inversion inverted)
{
	fputs(" -m cgroup", out);
	print_inverted(out, inverted);
	return fprintf(out, " --cgroup %u", class) < 0 ? -ENOMEM : 0;
}

/* Without a socket no packet is met, inverted or not. */
static int lower_class(struct rule *rule, uint32_t class, enum inversion inverted)
{
	struct predicate has = { .field = FIELD_HAS_CLASS };
	struct predicate is = { .field = FIELD_CGROUP_CLASS,
				.invert = inverted == INVERTED,
				.range = { class, class } };

	has.masked.value[0] = has.masked.mask[0] = PACKET_HAS_CLASS;
	return rule_add(rule, &has) || rule_add(rule, &is) ? -ENOMEM : 0;
}

/* --- revision 0 ------------------------------------------------------------------------------ */

static int check_0(const void *data, const struct match_context *context)
{
	const struct xt_cgroup_info_v0 *info = data;

	(void)context;
	return info->invert & ~1u ? -EINVAL : 0;
}

static int print_0(const void *data, const struct match_context *context, FILE *out)
{
	const struct xt_cgroup_info_v0 *info = data;

	(void)context;
	return print_class(out, info->id, inversion(info->invert, 1));
}

static int lower_0(const void *data, const struct match_context *context, struct rule *rule)
{
	const struct xt_cgroup_info_v0 *info = data;

	(void)context;
	return lower_class(rule, info->id, inversion(info->invert, 1));
}

const struct match_extension match_cgroup_0 = {
	.name = "cgroup",
	.families = FAMILIES_ALL,
	.hooks = HOOKS,
	.options = "--cgroup",
	.size = sizeof(struct xt_cgroup_info_v0),
	.check = check_0,
	.print = print_0,
	.lower = lower_0,
};

/* --- revision 2 ------------------------------------------------------------------------------ */

static int check_2(const void *data, const struct match_context *context)
{
	const struct xt_cgroup_info_v2 *info = data;

	(void)context;
	return (info->invert_path | info->invert_classid) & ~1 ||
			       !info->has_path == !info->has_classid
		       ? -EINVAL
		       : 0;
}

static int print_2(const void *data, const struct match_context *context, FILE *out)
{
	const struct xt_cgroup_info_v2 *info = data;
	char path[sizeof(info->path) + 1] = "";

	(void)context;
	if (!info->has_path)
		return print_class(out, info->classid, inversion(info->invert_classid, 1));
	memcpy(path, info->path, sizeof(info->path));
	fputs(" -m cgroup", out);
	print_inverted(out, inversion(info->invert_path, 1));
	fputs(" --path", out);
	return print_text(out, path);
}

static int lower_2(const void *data, const struct match_context *context, struct rule *rule)
{
	const struct xt_cgroup_info_v2 *info = data;

	(void)context;
	if (info->has_path)
		return -ENOENT;
	return lower_class(rule, info->classid, inversion(info->invert_classid, 1));
}

const struct match_extension match_cgroup_2 = {
	.name = "cgroup",
	.revision = 2,
	.families = FAMILIES_ALL,
	.hooks = HOOKS,
	.options = "--path, --cgroup",
	.limits = "--path is not done: the kernel looks it up when it takes the rule",
	.size = sizeof(struct xt_cgroup_info_v2),
	.user_size = offsetof(struct xt_cgroup_info_v2, priv),
	.check = check_2,
	.print = print_2,
	.lower = lower_2,
};
