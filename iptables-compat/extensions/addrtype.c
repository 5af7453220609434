/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * -m addrtype: what routing takes an address for; as xt_addrtype.c. For IPv6 that is a search of
 * all routing tables by their rules, which is left to the kernel; what the address itself says is
 * not.
 */
#include "extensions.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/xt_addrtype.h>
#include <string.h>

#define LIMITS	  (XT_ADDRTYPE_LIMIT_IFACE_IN | XT_ADDRTYPE_LIMIT_IFACE_OUT)
#define HOOKS_IN  (1u << NF_INET_PRE_ROUTING | 1u << NF_INET_LOCAL_IN)
#define HOOKS_OUT (1u << NF_INET_POST_ROUTING | 1u << NF_INET_LOCAL_OUT)

/* What IPv6 has not. */
#define IPV4_TYPES (XT_ADDRTYPE_BLACKHOLE | XT_ADDRTYPE_BROADCAST)

/* What an IPv6 address does not say itself. */
#define ROUTED_TYPES (XT_ADDRTYPE_LOCAL | XT_ADDRTYPE_ANYCAST | XT_ADDRTYPE_UNREACHABLE)

static int addrtype_check(const void *data, const struct match_context *context)
{
	const struct xt_addrtype_info_v1 *info = data;
	unsigned types = info->source | info->dest;

	if ((info->flags & LIMITS) == LIMITS ||
	    (info->flags & XT_ADDRTYPE_LIMIT_IFACE_OUT && context->hooks & HOOKS_IN) ||
	    (info->flags & XT_ADDRTYPE_LIMIT_IFACE_IN && context->hooks & HOOKS_OUT))
		return -EINVAL;
	if (context->family == FAMILY_IPV6 && (types & IPV4_TYPES || types >= XT_ADDRTYPE_PROHIBIT))
		return -EINVAL;
	return 0;
}

static void print_types(FILE *out, const char *option, uint16_t types, enum inversion inverted)
{
	static const char *const names[] = { "UNSPEC",	 "UNICAST",   "LOCAL",	   "BROADCAST",
					     "ANYCAST",	 "MULTICAST", "BLACKHOLE", "UNREACHABLE",
					     "PROHIBIT", "THROW",     "NAT",	   "XRESOLVE" };
	const char *separator = " ";

	if (!types)
		return;
	print_inverted(out, inverted);
	fprintf(out, " %s", option);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (types >> i & 1) {
			fprintf(out, "%s%s", separator, names[i]);
			separator = ",";
		}
}

static int addrtype_print(const void *data, const struct match_context *context, FILE *out)
{
	const struct xt_addrtype_info_v1 *info = data;

	(void)context;
	fputs(" -m addrtype", out);
	print_types(out, "--src-type", info->source,
		    inversion(info->flags, XT_ADDRTYPE_INVERT_SOURCE));
	print_types(out, "--dst-type", info->dest, inversion(info->flags, XT_ADDRTYPE_INVERT_DEST));
	if (info->flags & XT_ADDRTYPE_LIMIT_IFACE_IN)
		fputs(" --limit-iface-in", out);
	if (info->flags & XT_ADDRTYPE_LIMIT_IFACE_OUT)
		fputs(" --limit-iface-out", out);
	return ferror(out) ? -ENOMEM : 0;
}

/* --- IPv6 ------------------------------------------------------------------------------------ */

struct prefix {
	uint8_t value[16];
	uint8_t mask[16];
};

static const struct prefix multicast = { { 0xff }, { 0xff } };
static const struct prefix unspecified = { { 0 },
					   { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
					     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };
static const struct prefix ipv4_mapped = { { [10] = 0xff, [11] = 0xff },
					   { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
					     0xff, 0xff, 0xff } };

static struct predicate prefix_predicate(enum field field, const struct prefix *prefix, bool within)
{
	struct predicate predicate = { .field = (uint8_t)field, .invert = !within };

	memcpy(predicate.masked.value, prefix->value, sizeof(prefix->value));
	memcpy(predicate.masked.mask, prefix->mask, sizeof(prefix->mask));
	return predicate;
}

/* as match_type6(): each type that is asked for must be met, as ipv6_addr_type() has it */
static int lower_ipv6(struct rule *rule, enum field field, uint16_t types, enum inversion inverted)
{
	struct predicate wanted[5];
	size_t count = 0;

	if (types & XT_ADDRTYPE_MULTICAST)
		wanted[count++] = prefix_predicate(field, &multicast, true);
	if (types & XT_ADDRTYPE_UNICAST) {
		wanted[count++] = prefix_predicate(field, &multicast, false);
		wanted[count++] = prefix_predicate(field, &unspecified, false);
		wanted[count++] = prefix_predicate(field, &ipv4_mapped, false);
	}
	if (types & XT_ADDRTYPE_UNSPEC)
		wanted[count++] = prefix_predicate(field, &unspecified, true);
	for (size_t i = 0; i < count; i++) {
		if (inverted == INVERTED) {
			wanted[i].invert = !wanted[i].invert;
			wanted[i].or_next = i + 1 < count;
		}
		if (rule_add(rule, &wanted[i]))
			return -ENOMEM;
	}
	return 0;
}

/* --- both ------------------------------------------------------------------------------------ */

static int lower_types(struct rule *rule, const struct match_context *context, enum field address,
		       enum field type, uint16_t types, enum inversion inverted)
{
	if (!types)
		return 0;
	if (context->family == FAMILY_IPV6)
		return lower_ipv6(rule, address, types, inverted);
	return rule_add(rule, &(struct predicate){ .field = (uint8_t)type,
						   .invert = inverted == INVERTED,
						   .set = types });
}

static int addrtype_lower(const void *data, const struct match_context *context, struct rule *rule)
{
	const struct xt_addrtype_info_v1 *info = data;

	if (context->family == FAMILY_IPV6 && (info->source | info->dest) & ROUTED_TYPES)
		return -ENOENT;
	if (context->family == FAMILY_IPV4 && info->flags & LIMITS)
		return -ENOENT;
	if (lower_types(rule, context, FIELD_SOURCE, FIELD_SOURCE_TYPE, info->source,
			inversion(info->flags, XT_ADDRTYPE_INVERT_SOURCE)))
		return -ENOMEM;
	return lower_types(rule, context, FIELD_DESTINATION, FIELD_DESTINATION_TYPE, info->dest,
			   inversion(info->flags, XT_ADDRTYPE_INVERT_DEST));
}

const struct match_extension match_addrtype = {
	.name = "addrtype",
	.revision = 1,
	.families = FAMILIES_ALL,
	.options = "--src-type, --dst-type, --limit-iface-in, --limit-iface-out",
	.limits = "not done: IPv6's LOCAL, ANYCAST and UNREACHABLE, for which the kernel goes "
		  "through all routing tables by their rules; IPv4's --limit-iface-*, for which it "
		  "may look into a VRF's table; IPv6's other types are known everywhere",
	.size = sizeof(struct xt_addrtype_info_v1),
	.check = addrtype_check,
	.print = addrtype_print,
	.lower = addrtype_lower,
};
