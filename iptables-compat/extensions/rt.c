/* SPDX-License-Identifier: GPL-2.0-only */
/* -m rt: the first IPv6 routing header; as ip6t_rt.c. Its addresses are the kernel's to look at. */
#include "ipv6_header.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter_ipv6/ip6t_rt.h>

static int rt_check(const void *data, const struct match_context *context)
{
	const struct ip6t_rt *info = data;
	bool of_type_0 = info->flags & IP6T_RT_TYP && info->rt_type == 0 &&
			 !(info->invflags & IP6T_RT_INV_TYP);

	(void)context;
	if (info->invflags & ~IP6T_RT_INV_MASK)
		return -EINVAL;
	if (info->flags & (IP6T_RT_RES | IP6T_RT_FST_MASK) && !of_type_0)
		return -EINVAL;
	return info->addrnr > IP6T_RT_HOPS ? -EINVAL : 0; /* since 2026 */
}

static void print_addresses(FILE *out, const struct ip6t_rt *info)
{
	char text[INET6_ADDRSTRLEN];

	for (unsigned i = 0; i < info->addrnr; i++)
		fprintf(out, "%c%s", i ? ',' : ' ',
			inet_ntop(AF_INET6, &info->addrs[i], text, sizeof(text)));
}

static int rt_print(const void *data, const struct match_context *context, FILE *out)
{
	const struct ip6t_rt *info = data;

	(void)context;
	fputs(" -m rt", out);
	if (info->flags & IP6T_RT_TYP)
		print_number(out, "--rt-type", info->rt_type,
			     inversion(info->invflags, IP6T_RT_INV_TYP));
	print_some_range(out, "--rt-segsleft", info->segsleft,
			 inversion(info->invflags, IP6T_RT_INV_SGS));
	if (info->flags & IP6T_RT_LEN)
		print_number(out, "--rt-len", info->hdrlen,
			     inversion(info->invflags, IP6T_RT_INV_LEN));
	if (info->flags & IP6T_RT_RES)
		fputs(" --rt-0-res", out);
	if (info->flags & IP6T_RT_FST)
		fputs(" --rt-0-addrs", out);
	print_addresses(out, info);
	if (info->flags & IP6T_RT_FST_NSTRICT)
		fputs(" --rt-0-not-strict", out);
	return ferror(out) ? -ENOMEM : 0;
}

static int rt_lower(const void *data, const struct match_context *context, struct rule *rule)
{
	const struct ip6t_rt *info = data;

	(void)context;
	if (info->flags & IP6T_RT_FST)
		return -ENOENT;
	if (lower_header(rule, HEADER_ROUTING) ||
	    lower_range(rule, FIELD_SEGMENTS_LEFT, info->segsleft[0],
			info->segsleft[1] < UINT8_MAX ? info->segsleft[1] : UINT8_MAX, UINT8_MAX,
			inversion(info->invflags, IP6T_RT_INV_SGS)))
		return -ENOMEM;
	if (info->flags & IP6T_RT_LEN &&
	    lower_size(rule, FIELD_ROUTING_SIZE, &unit_extension, info->hdrlen,
		       inversion(info->invflags, IP6T_RT_INV_LEN)))
		return -ENOMEM;
	if (info->flags & IP6T_RT_TYP &&
	    lower_range(rule, FIELD_ROUTING_TYPE, info->rt_type, info->rt_type, UINT8_MAX,
			inversion(info->invflags, IP6T_RT_INV_TYP)))
		return -ENOMEM;
	return info->flags & IP6T_RT_RES
		       ? lower_masked(rule, FIELD_ROUTING_RESERVED, 0, UINT32_MAX, PLAIN)
		       : 0;
}

const struct match_extension match_rt = {
	.name = "rt",
	.families = FAMILY_BIT(FAMILY_IPV6),
	.options = "--rt-type, --rt-segsleft, --rt-len, --rt-0-res, --rt-0-addrs, "
		   "--rt-0-not-strict",
	.limits = "--rt-0-addrs is not done: a header has up to 127 addresses, and nobody is to "
		  "send such headers any more (RFC 5095)",
	.size = sizeof(struct ip6t_rt),
	.check = rt_check,
	.print = rt_print,
	.lower = rt_lower,
};
