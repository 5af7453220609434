/* SPDX-License-Identifier: GPL-2.0-only */
/* -m frag: the first IPv6 fragment header; as ip6t_frag.c, which never looks at a length. */
#include "ipv6_header.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter_ipv6/ip6t_frag.h>

/* The 16 bits of offset and flags. */
#define OFFSET_BITS   0xfff8
#define RESERVED_BITS 0x0006
#define MORE_BIT      0x0001

static int frag_check(const void *data, const struct match_context *context)
{
	const struct ip6t_frag *info = data;

	(void)context;
	return info->invflags & ~IP6T_FRAG_INV_MASK ? -EINVAL : 0;
}

static int frag_print(const void *data, const struct match_context *context, FILE *out)
{
	static const struct {
		uint8_t flag;
		const char *option;
	} switches[] = {
		{ IP6T_FRAG_RES, " --fragres" },
		{ IP6T_FRAG_FST, " --fragfirst" },
		{ IP6T_FRAG_MF, " --fragmore" },
		{ IP6T_FRAG_NMF, " --fraglast" },
	};
	const struct ip6t_frag *info = data;

	(void)context;
	fputs(" -m frag", out);
	print_some_range(out, "--fragid", info->ids, inversion(info->invflags, IP6T_FRAG_INV_IDS));
	if (info->flags & IP6T_FRAG_LEN)
		print_number(out, "--fraglen", info->hdrlen,
			     inversion(info->invflags, IP6T_FRAG_INV_LEN));
	for (size_t i = 0; i < ARRAY_SIZE(switches); i++)
		if (info->flags & switches[i].flag)
			fputs(switches[i].option, out);
	return ferror(out) ? -ENOMEM : 0;
}

static int lower_bits(struct rule *rule, uint16_t bits, enum inversion inverted)
{
	return lower_masked(rule, FIELD_FRAGMENT_OFFSET, 0, htons(bits), inverted);
}

static int frag_lower(const void *data, const struct match_context *context, struct rule *rule)
{
	const struct ip6t_frag *info = data;

	(void)context;
	if (lower_header(rule, HEADER_FRAGMENT) ||
	    lower_range(rule, FIELD_FRAGMENT_ID, info->ids[0], info->ids[1], UINT32_MAX,
			inversion(info->invflags, IP6T_FRAG_INV_IDS)))
		return -ENOMEM;
	if (info->flags & IP6T_FRAG_RES &&
	    (lower_masked(rule, FIELD_FRAGMENT_RESERVED, 0, UINT8_MAX, PLAIN) ||
	     lower_bits(rule, RESERVED_BITS, PLAIN)))
		return -ENOMEM;
	if (info->flags & IP6T_FRAG_FST && lower_bits(rule, OFFSET_BITS, PLAIN))
		return -ENOMEM;
	if (info->flags & IP6T_FRAG_MF && lower_bits(rule, MORE_BIT, INVERTED))
		return -ENOMEM;
	return info->flags & IP6T_FRAG_NMF ? lower_bits(rule, MORE_BIT, PLAIN) : 0;
}

const struct match_extension match_frag = {
	.name = "frag",
	.families = FAMILY_BIT(FAMILY_IPV6),
	.options = "--fragid, --fraglen, --fragres, --fragfirst, --fragmore, --fraglast",
	.size = sizeof(struct ip6t_frag),
	.check = frag_check,
	.print = frag_print,
	.lower = frag_lower,
};
