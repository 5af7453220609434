/* SPDX-License-Identifier: GPL-2.0-only */
/* -m pkttype: to whom the frame was sent; as xt_pkttype.c. */
#include "extensions.h"

#include <errno.h>
#include <linux/netfilter/xt_pkttype.h>

static int pkttype_print(const void *data, const struct match_context *context, FILE *out)
{
	static const char *const names[] = { "unicast", "broadcast", "multicast" };
	const struct xt_pkttype_info *info = data;

	(void)context;
	fprintf(out, " -m pkttype%s --pkt-type", info->invert ? " !" : "");
	if (info->pkttype >= 0 && (size_t)info->pkttype < ARRAY_SIZE(names))
		fprintf(out, " %s", names[info->pkttype]);
	else
		fprintf(out, " %d", info->pkttype);
	return ferror(out) ? -ENOMEM : 0;
}

/* Three bits is what a packet has for its type. */
static int pkttype_lower(const void *data, const struct match_context *context, struct rule *rule)
{
	const struct xt_pkttype_info *info = data;
	bool exists = info->pkttype >= 0 && info->pkttype < 8;

	(void)context;
	if (info->invert & ~1) /* ORed into the result: true for every packet */
		return 0;
	if (!exists)
		return info->invert ? 0 : lower_never(rule);
	return rule_add(rule, &(struct predicate){ .field = FIELD_PACKET_TYPE,
						   .invert = info->invert,
						   .set = UINT64_C(1) << info->pkttype });
}

const struct match_extension match_pkttype = {
	.name = "pkttype",
	.families = FAMILIES_ALL,
	.options = "--pkt-type",
	.size = sizeof(struct xt_pkttype_info),
	.print = pkttype_print,
	.lower = pkttype_lower,
};
