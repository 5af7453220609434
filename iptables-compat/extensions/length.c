/* SPDX-License-Identifier: GPL-2.0-only */
/* -m length: of the packet from the IP header on; as xt_length.c. */
#include "extensions.h"

#include <errno.h>
#include <linux/netfilter/xt_length.h>

static int length_print(const void *data, const struct match_context *context, FILE *out)
{
	const struct xt_length_info *info = data;

	(void)context;
	fprintf(out, " -m length%s --length", info->invert ? " !" : "");
	return print_number_range(out, info->min, info->max);
}

static int add_range(struct rule *rule, uint32_t min, uint32_t max, bool invert, bool or_next)
{
	return rule_add(rule, &(struct predicate){ .field = FIELD_LENGTH,
						   .invert = invert,
						   .or_next = or_next,
						   .range = { min, max } });
}

/*
 * IPv6's length is added up in 16 bits: of packets that are longer with their header only the rest
 * over 65,536 bytes counts.
 */
static int length_lower(const void *data, const struct match_context *context, struct rule *rule)
{
	const struct xt_length_info *info = data;
	bool wraps = context->family == FAMILY_IPV6, invert = info->invert;

	if (inversion_is_both(info->invert))
		return 0;
	if (wraps && add_range(rule, info->min + 0x10000u, info->max + 0x10000u, invert, !invert))
		return -ENOMEM;
	return add_range(rule, info->min, info->max, invert, false);
}

const struct match_extension match_length = {
	.name = "length",
	.families = FAMILIES_ALL,
	.options = "--length",
	.size = sizeof(struct xt_length_info),
	.print = length_print,
	.lower = length_lower,
};
