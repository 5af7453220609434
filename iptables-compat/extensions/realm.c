/* SPDX-License-Identifier: GPL-2.0-only */
/* -m realm: of the route that the packet takes; as xt_realm.c. */
#include "extensions.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/xt_realm.h>

static int realm_print(const void *data, const struct match_context *context, FILE *out)
{
	const struct xt_realm_info *info = data;

	(void)context;
	fputs(" -m realm", out);
	print_inverted(out, inversion(info->invert, UINT8_MAX));
	fputs(" --realm", out);
	print_value_mask(out, info->id, info->mask);
	return ferror(out) ? -ENOMEM : 0;
}

static int realm_lower(const void *data, const struct match_context *context, struct rule *rule)
{
	const struct xt_realm_info *info = data;

	(void)context;
	if (inversion_is_both(info->invert))
		return 0;
	return lower_masked(rule, FIELD_REALM, info->id, info->mask, inversion(info->invert, 1));
}

const struct match_extension match_realm = {
	.name = "realm",
	.families = FAMILY_BIT(FAMILY_IPV4),
	.hooks = 1u << NF_INET_LOCAL_IN | 1u << NF_INET_FORWARD | 1u << NF_INET_LOCAL_OUT |
		 1u << NF_INET_POST_ROUTING,
	.options = "--realm",
	.size = sizeof(struct xt_realm_info),
	.print = realm_print,
	.lower = realm_lower,
};
