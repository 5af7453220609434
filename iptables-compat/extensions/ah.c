/* SPDX-License-Identifier: GPL-2.0-only */
/* IPv6's -m ah: the first authentication header; as ip6t_ah.c. IPv4's is in spi.c. */
#include "ipv6_header.h"

#include <errno.h>
#include <linux/netfilter_ipv6/ip6t_ah.h>

static int ah_check(const void *data, const struct match_context *context)
{
	const struct ip6t_ah *info = data;

	(void)context;
	return info->invflags & ~IP6T_AH_INV_MASK ? -EINVAL : 0;
}

static int ah_print(const void *data, const struct match_context *context, FILE *out)
{
	const struct ip6t_ah *info = data;

	(void)context;
	fputs(" -m ah", out);
	print_some_range(out, "--ahspi", info->spis, inversion(info->invflags, IP6T_AH_INV_SPI));
	if (info->hdrlen || info->invflags & IP6T_AH_INV_LEN)
		print_number(out, "--ahlen", info->hdrlen,
			     inversion(info->invflags, IP6T_AH_INV_LEN));
	if (info->hdrres)
		fputs(" --ahres", out);
	return ferror(out) ? -ENOMEM : 0;
}

static int ah_lower(const void *data, const struct match_context *context, struct rule *rule)
{
	const struct ip6t_ah *info = data;

	(void)context;
	if (lower_header(rule, HEADER_AUTHENTICATION) ||
	    lower_range(rule, FIELD_AUTHENTICATION_SPI, info->spis[0], info->spis[1], UINT32_MAX,
			inversion(info->invflags, IP6T_AH_INV_SPI)))
		return -ENOMEM;
	if (info->hdrlen && lower_size(rule, FIELD_AUTHENTICATION_SIZE, &unit_authentication,
				       info->hdrlen, inversion(info->invflags, IP6T_AH_INV_LEN)))
		return -ENOMEM;
	return info->hdrres
		       ? lower_masked(rule, FIELD_AUTHENTICATION_RESERVED, 0, UINT16_MAX, PLAIN)
		       : 0;
}

const struct match_extension match_ah_ipv6 = {
	.name = "ah",
	.families = FAMILY_BIT(FAMILY_IPV6),
	.options = "--ahspi, --ahlen, --ahres",
	.size = sizeof(struct ip6t_ah),
	.check = ah_check,
	.print = ah_print,
	.lower = ah_lower,
};
