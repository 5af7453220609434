/* SPDX-License-Identifier: GPL-2.0-only */
/* -m tos and -m dscp: the byte of IPv4's type of service, IPv6's traffic class; as xt_dscp.c. */
#include "extensions.h"

#include <errno.h>
#include <linux/netfilter/xt_dscp.h>

static int lower_tos(struct rule *rule, uint8_t value, uint8_t mask, bool invert)
{
	return rule_add(rule, &(struct predicate){
				      .field = FIELD_TOS,
				      .invert = invert,
				      .masked = { .value = { value }, .mask = { mask } },
			      });
}

static int tos_print(const void *data, const struct match_context *context, FILE *out)
{
	const struct xt_tos_match_info *info = data;
	int length = fprintf(out, " -m tos%s --tos 0x%02x/0x%02x", info->invert ? " !" : "",
			     info->tos_value, info->tos_mask);

	(void)context;
	return length < 0 ? -ENOMEM : 0;
}

static int tos_lower(const void *data, const struct match_context *context, struct rule *rule)
{
	const struct xt_tos_match_info *info = data;

	(void)context;
	return lower_tos(rule, info->tos_value, info->tos_mask, info->invert);
}

static int dscp_check(const void *data, const struct match_context *context)
{
	const struct xt_dscp_info *info = data;

	(void)context;
	return info->dscp > XT_DSCP_MAX ? -EDOM : 0;
}

static int dscp_print(const void *data, const struct match_context *context, FILE *out)
{
	const struct xt_dscp_info *info = data;
	int length = fprintf(out, " -m dscp%s --dscp 0x%02x", info->invert ? " !" : "", info->dscp);

	(void)context;
	return length < 0 ? -ENOMEM : 0;
}

static int dscp_lower(const void *data, const struct match_context *context, struct rule *rule)
{
	const struct xt_dscp_info *info = data;

	(void)context;
	return lower_tos(rule, (uint8_t)(info->dscp << XT_DSCP_SHIFT), XT_DSCP_MASK, info->invert);
}

const struct match_extension match_tos = {
	.name = "tos",
	.revision = 1,
	.families = FAMILIES_ALL,
	.options = "--tos",
	.size = sizeof(struct xt_tos_match_info),
	.print = tos_print,
	.lower = tos_lower,
};

const struct match_extension match_dscp = {
	.name = "dscp",
	.families = FAMILIES_ALL,
	.options = "--dscp, --dscp-class",
	.size = sizeof(struct xt_dscp_info),
	.check = dscp_check,
	.print = dscp_print,
	.lower = dscp_lower,
};
