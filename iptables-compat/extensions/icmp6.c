/* SPDX-License-Identifier: GPL-2.0-only */
/* -m icmp6: type and range of codes; as xt_tcpudp.c: icmp6_match(). No type stands for any. */
#include "extensions.h"

#include <errno.h>
#include <netinet/in.h>

static int icmp6_check(const void *data, const struct match_context *context)
{
	const struct ip6t_icmp *icmp = data;

	(void)context;
	return icmp->invflags & ~IP6T_ICMP_INV ? -EINVAL : 0;
}

static int icmp6_print(const void *data, const struct match_context *context, FILE *out)
{
	const struct ip6t_icmp *icmp = data;

	(void)context;
	if (fputs(" -m icmp6", out) < 0 ||
	    print_inverted(out, inversion(icmp->invflags, IP6T_ICMP_INV)) ||
	    fprintf(out, " --icmpv6-type %u", icmp->type) < 0)
		return -ENOMEM;
	if (icmp->code[0] != 0 || icmp->code[1] != UINT8_MAX)
		return fprintf(out, "/%u", icmp->code[0]) < 0 ? -ENOMEM : 0;
	return 0;
}

static int icmp6_lower(const void *data, const struct match_context *context, struct rule *rule)
{
	const struct ip6t_icmp *icmp = data;
	uint16_t type = (uint16_t)(icmp->type << 8);

	(void)context;
	if (lower_transport(rule, false))
		return -ENOMEM;
	return lower_range(rule, FIELD_ICMP, type | icmp->code[0], type | icmp->code[1], UINT16_MAX,
			   inversion(icmp->invflags, IP6T_ICMP_INV));
}

const struct match_extension match_icmp6 = {
	.name = "icmp6",
	.families = FAMILY_BIT(FAMILY_IPV6),
	.protocol = IPPROTO_ICMPV6,
	.options = "--icmpv6-type",
	.size = sizeof(struct ip6t_icmp),
	.check = icmp6_check,
	.print = icmp6_print,
	.lower = icmp6_lower,
};
