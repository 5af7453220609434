/* SPDX-License-Identifier: GPL-2.0-only */
/* -m udp: ports; as xt_tcpudp.c: udp_mt(). */
#include "extensions.h"

#include <errno.h>
#include <linux/netfilter/xt_tcpudp.h>
#include <netinet/in.h>

static int udp_check(const void *data, const struct match_context *context)
{
	const struct xt_udp *udp = data;

	(void)context;
	return udp->invflags & ~XT_UDP_INV_MASK ? -EINVAL : 0;
}

static int udp_print(const void *data, const struct match_context *context, FILE *out)
{
	const struct xt_udp *udp = data;

	(void)context;
	if (fputs(" -m udp", out) < 0 ||
	    print_ports(out, "--sport", udp->spts, inversion(udp->invflags, XT_UDP_INV_SRCPT)))
		return -ENOMEM;
	return print_ports(out, "--dport", udp->dpts, inversion(udp->invflags, XT_UDP_INV_DSTPT));
}

static int udp_lower(const void *data, const struct match_context *context, struct rule *rule)
{
	const struct xt_udp *udp = data;

	(void)context;
	if (lower_transport(rule, false) ||
	    lower_range(rule, FIELD_SOURCE_PORT, udp->spts[0], udp->spts[1], UINT16_MAX,
			inversion(udp->invflags, XT_UDP_INV_SRCPT)))
		return -ENOMEM;
	return lower_range(rule, FIELD_DESTINATION_PORT, udp->dpts[0], udp->dpts[1], UINT16_MAX,
			   inversion(udp->invflags, XT_UDP_INV_DSTPT));
}

const struct match_extension match_udp = {
	.name = "udp",
	.families = FAMILIES_ALL,
	.protocol = IPPROTO_UDP,
	.options = "--sport, --dport",
	.size = sizeof(struct xt_udp),
	.check = udp_check,
	.print = udp_print,
	.lower = udp_lower,
};
