/* SPDX-License-Identifier: GPL-2.0-only */
/* -m mh: types of IPv6 mobility headers; as ip6t_mh.c. A header that is cut off
 * or that says something follows it is a hotdrop: to the parser, both are truncated. */
#include "extensions.h"

#include <errno.h>
#include <linux/netfilter_ipv6/ip6t_mh.h>
#include <netinet/in.h>

static int mh_check(const void *data, const struct match_context *context)
{
	const struct ip6t_mh *info = data;

	(void)context;
	return info->invflags & ~IP6T_MH_INV_MASK ? -EINVAL : 0;
}

static int mh_print(const void *data, const struct match_context *context, FILE *out)
{
	const struct ip6t_mh *info = data;

	(void)context;
	if (fputs(" -m mh", out) < 0)
		return -ENOMEM;
	if (info->types[0] == 0 && info->types[1] == UINT8_MAX)
		return 0; /* the inverse is not printed either */
	if (print_inverted(out, inversion(info->invflags, IP6T_MH_INV_TYPE)) ||
	    fputs(" --mh-type", out) < 0)
		return -ENOMEM;
	return print_number_range(out, info->types[0], info->types[1]);
}

static int mh_lower(const void *data, const struct match_context *context, struct rule *rule)
{
	const struct ip6t_mh *info = data;

	(void)context;
	if (lower_transport(rule, false))
		return -ENOMEM;
	return lower_range(rule, FIELD_MOBILITY, info->types[0], info->types[1], UINT8_MAX,
			   inversion(info->invflags, IP6T_MH_INV_TYPE));
}

const struct match_extension match_mh = {
	.name = "mh",
	.families = FAMILY_BIT(FAMILY_IPV6),
	.protocol = IPPROTO_MH,
	.options = "--mh-type",
	.size = sizeof(struct ip6t_mh),
	.check = mh_check,
	.print = mh_print,
	.lower = mh_lower,
};
