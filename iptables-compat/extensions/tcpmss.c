/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * -m tcpmss: the segment size that a TCP header offers; as xt_tcpmss.c, which looks for it in later
 * fragments, too.
 */
#include "extensions.h"

#include <errno.h>
#include <linux/netfilter/xt_tcpmss.h>
#include <netinet/in.h>

static int tcpmss_print(const void *data, const struct match_context *context, FILE *out)
{
	const struct xt_tcpmss_match_info *info = data;

	(void)context;
	fputs(" -m tcpmss", out);
	print_inverted(out, inversion(info->invert, UINT8_MAX));
	fputs(" --mss", out);
	print_number_range(out, info->mss_min, info->mss_max);
	return ferror(out) ? -ENOMEM : 0;
}

static int tcpmss_lower(const void *data, const struct match_context *context, struct rule *rule)
{
	const struct xt_tcpmss_match_info *info = data;
	struct predicate sound = { .field = FIELD_SOUND, .range = { .min = PACKET_TCP_MSS_BAD } };
	struct predicate has = { .field = FIELD_HAS_TCP_MSS,
				 .invert = info->invert,
				 .or_next = info->invert };
	struct predicate size = { .field = FIELD_TCP_MSS,
				  .invert = info->invert,
				  .range = { info->mss_min, info->mss_max } };

	(void)context;
	has.masked.value[0] = has.masked.mask[0] = PACKET_HAS_TCP_MSS;
	if (rule_add(rule, &sound))
		return -ENOMEM;
	if (inversion_is_both(info->invert)) { /* what is sound */
		size = has;
		size.invert = false;
		size.or_next = false;
	}
	return rule_add(rule, &has) || rule_add(rule, &size) ? -ENOMEM : 0;
}

const struct match_extension match_tcpmss = {
	.name = "tcpmss",
	.families = FAMILIES_ALL,
	.protocol = IPPROTO_TCP,
	.options = "--mss",
	.size = sizeof(struct xt_tcpmss_match_info),
	.print = tcpmss_print,
	.lower = tcpmss_lower,
};
