/* SPDX-License-Identifier: GPL-2.0-only */
/* -m mac: who sent the Ethernet frame; other packets match in no way; as xt_mac.c. */
#include "extensions.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/xt_mac.h>
#include <string.h>

static int mac_print(const void *data, const struct match_context *context, FILE *out)
{
	const struct xt_mac_info *info = data;

	(void)context;
	fprintf(out, " -m mac%s --mac-source", info->invert ? " !" : "");
	for (size_t i = 0; i < sizeof(info->srcaddr); i++)
		fprintf(out, "%c%02x", i ? ':' : ' ', info->srcaddr[i]);
	return ferror(out) ? -ENOMEM : 0;
}

static int mac_lower(const void *data, const struct match_context *context, struct rule *rule)
{
	const struct xt_mac_info *info = data;
	struct predicate there = { .field = FIELD_HAS_MAC };
	struct predicate address = { .field = FIELD_MAC, .invert = info->invert };

	(void)context;
	there.masked.value[0] = there.masked.mask[0] = PACKET_HAS_MAC;
	memcpy(address.masked.value, info->srcaddr, sizeof(info->srcaddr));
	memset(address.masked.mask, 0xff, sizeof(info->srcaddr));
	if (rule_add(rule, &there))
		return -ENOMEM;
	return inversion_is_both(info->invert) ? 0 : rule_add(rule, &address);
}

const struct match_extension match_mac = {
	.name = "mac",
	.families = FAMILIES_ALL,
	.hooks = 1u << NF_INET_PRE_ROUTING | 1u << NF_INET_LOCAL_IN | 1u << NF_INET_FORWARD,
	.options = "--mac-source",
	.size = sizeof(struct xt_mac_info),
	.print = mac_print,
	.lower = mac_lower,
};
