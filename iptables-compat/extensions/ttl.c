/* SPDX-License-Identifier: GPL-2.0-only */
/* -m ttl and IPv6's -m hl: hops that are left; as xt_hl.c. */
#include "extensions.h"

#include <errno.h>
#include <linux/netfilter_ipv4/ipt_ttl.h>
#include <linux/netfilter_ipv6/ip6t_hl.h>

_Static_assert((int)IPT_TTL_EQ == (int)IP6T_HL_EQ && (int)IPT_TTL_NE == (int)IP6T_HL_NE &&
		       (int)IPT_TTL_LT == (int)IP6T_HL_LT && (int)IPT_TTL_GT == (int)IP6T_HL_GT &&
		       sizeof(struct ipt_ttl_info) == sizeof(struct ip6t_hl_info),
	       "both are laid out alike");

static int print_hops(FILE *out, const char *name, const struct ipt_ttl_info *info)
{
	static const char *const comparisons[] = {
		[IPT_TTL_EQ] = "eq", [IPT_TTL_NE] = "eq", [IPT_TTL_LT] = "lt", [IPT_TTL_GT] = "gt"
	};

	fprintf(out, " -m %s", name);
	if (info->mode < ARRAY_SIZE(comparisons))
		fprintf(out, "%s --%s-%s %u", info->mode == IPT_TTL_NE ? " !" : "", name,
			comparisons[info->mode], info->ttl);
	return ferror(out) ? -ENOMEM : 0;
}

static int ttl_print(const void *data, const struct match_context *context, FILE *out)
{
	(void)context;
	return print_hops(out, "ttl", data);
}

static int hl_print(const void *data, const struct match_context *context, FILE *out)
{
	(void)context;
	return print_hops(out, "hl", data);
}

static int hops_lower(const void *data, const struct match_context *context, struct rule *rule)
{
	const struct ipt_ttl_info *info = data;

	(void)context;
	switch (info->mode) {
	case IPT_TTL_EQ:
		return lower_range(rule, FIELD_TTL, info->ttl, info->ttl, UINT8_MAX, PLAIN);
	case IPT_TTL_NE:
		return lower_range(rule, FIELD_TTL, info->ttl, info->ttl, UINT8_MAX, INVERTED);
	case IPT_TTL_LT:
		return info->ttl ? lower_range(rule, FIELD_TTL, 0, info->ttl - 1u, UINT8_MAX, PLAIN)
				 : lower_never(rule);
	case IPT_TTL_GT:
		return lower_range(rule, FIELD_TTL, info->ttl + 1u, UINT8_MAX, UINT8_MAX, PLAIN);
	default:
		return lower_never(rule);
	}
}

const struct match_extension match_ttl = {
	.name = "ttl",
	.families = FAMILY_BIT(FAMILY_IPV4),
	.options = "--ttl-eq, --ttl-lt, --ttl-gt",
	.size = sizeof(struct ipt_ttl_info),
	.print = ttl_print,
	.lower = hops_lower,
};

const struct match_extension match_hl = {
	.name = "hl",
	.families = FAMILY_BIT(FAMILY_IPV6),
	.options = "--hl-eq, --hl-lt, --hl-gt",
	.size = sizeof(struct ip6t_hl_info),
	.print = hl_print,
	.lower = hops_lower,
};
