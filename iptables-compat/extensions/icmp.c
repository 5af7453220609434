/* SPDX-License-Identifier: GPL-2.0-only */
/* -m icmp: type and range of codes; as xt_tcpudp.c: icmp_match(). */
#include "extensions.h"

#include <errno.h>
#include <netinet/in.h>

#define ICMP_TYPE_ANY 0xFF

static int icmp_check(const void *data, const struct match_context *context)
{
	const struct ipt_icmp *icmp = data;

	(void)context;
	return icmp->invflags & ~IPT_ICMP_INV ? -EINVAL : 0;
}

static int icmp_print(const void *data, const struct match_context *context, FILE *out)
{
	const struct ipt_icmp *icmp = data;

	(void)context;
	if (fputs(" -m icmp", out) < 0 ||
	    print_inverted(out, inversion(icmp->invflags, IPT_ICMP_INV)))
		return -ENOMEM;
	if (icmp->type == ICMP_TYPE_ANY)
		return fputs(" --icmp-type any", out) < 0 ? -ENOMEM : 0;
	if (fprintf(out, " --icmp-type %u", icmp->type) < 0)
		return -ENOMEM;
	if (icmp->code[0] != 0 || icmp->code[1] != UINT8_MAX)
		return fprintf(out, "/%u", icmp->code[0]) < 0 ? -ENOMEM : 0;
	return 0;
}

static int icmp_lower(const void *data, const struct match_context *context, struct rule *rule)
{
	const struct ipt_icmp *icmp = data;
	enum inversion inverted = inversion(icmp->invflags, IPT_ICMP_INV);
	uint16_t type = (uint16_t)(icmp->type << 8);

	(void)context;
	if (lower_transport(rule, false))
		return -ENOMEM;
	/* any type goes with any code, and the inversion is of both together */
	if (icmp->type == ICMP_TYPE_ANY)
		return inverted == INVERTED ? lower_never(rule) : 0;
	return lower_range(rule, FIELD_ICMP, type | icmp->code[0], type | icmp->code[1], UINT16_MAX,
			   inverted);
}

const struct match_extension match_icmp = {
	.name = "icmp",
	.families = FAMILY_BIT(FAMILY_IPV4),
	.protocol = IPPROTO_ICMP,
	.options = "--icmp-type",
	.size = sizeof(struct ipt_icmp),
	.check = icmp_check,
	.print = icmp_print,
	.lower = icmp_lower,
};
