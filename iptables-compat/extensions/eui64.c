/* SPDX-License-Identifier: GPL-2.0-only */
/* -m eui64: the source's lower half is made of the frame's source; as ip6t_eui64.c. */
#include "extensions.h"

#include <errno.h>
#include <linux/netfilter.h>

static int eui64_print(const void *data, const struct match_context *context, FILE *out)
{
	(void)data, (void)context;
	return fputs(" -m eui64", out) < 0 ? -ENOMEM : 0;
}

static int eui64_lower(const void *data, const struct match_context *context, struct rule *rule)
{
	struct predicate made = { .field = FIELD_EUI64 };

	(void)data, (void)context;
	made.masked.value[0] = made.masked.mask[0] = PACKET_EUI64;
	return rule_add(rule, &made);
}

const struct match_extension match_eui64 = {
	.name = "eui64",
	.families = FAMILY_BIT(FAMILY_IPV6),
	.hooks = 1u << NF_INET_PRE_ROUTING | 1u << NF_INET_LOCAL_IN | 1u << NF_INET_FORWARD,
	.options = "(none)",
	.limits = "later fragments that came without an Ethernet header do not match, as in "
		  "kernels of 2026; older ones drop them",
	.size = sizeof(int), /* which nobody reads */
	.print = eui64_print,
	.lower = eui64_lower,
};
