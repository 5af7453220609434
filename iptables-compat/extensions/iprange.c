/* SPDX-License-Identifier: GPL-2.0-only */
/* -m iprange: addresses between two others; as xt_iprange.c. */
#include "extensions.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/xt_iprange.h>
#include <string.h>

static void print_range(FILE *out, enum family family, const char *option,
			const union nf_inet_addr *first, const union nf_inet_addr *last)
{
	int domain = family == FAMILY_IPV4 ? AF_INET : AF_INET6;
	char text[2][INET6_ADDRSTRLEN];

	fprintf(out, " %s %s-%s", option, inet_ntop(domain, first, text[0], sizeof(text[0])),
		inet_ntop(domain, last, text[1], sizeof(text[1])));
}

static int iprange_print(const void *data, const struct match_context *context, FILE *out)
{
	const struct xt_iprange_mtinfo *info = data;

	fputs(" -m iprange", out);
	if (info->flags & IPRANGE_SRC) {
		print_inverted(out, inversion(info->flags, IPRANGE_SRC_INV));
		print_range(out, context->family, "--src-range", &info->src_min, &info->src_max);
	}
	if (info->flags & IPRANGE_DST) {
		print_inverted(out, inversion(info->flags, IPRANGE_DST_INV));
		print_range(out, context->family, "--dst-range", &info->dst_min, &info->dst_max);
	}
	return ferror(out) ? -ENOMEM : 0;
}

static int add_range(struct rule *rule, enum family family, enum field field,
		     const union nf_inet_addr *first, const union nf_inet_addr *last, bool invert)
{
	struct predicate predicate = { .field = (uint8_t)field, .invert = invert };
	size_t size = family == FAMILY_IPV4 ? 4 : 16;

	memcpy(predicate.bytes.first, first, size);
	memcpy(predicate.bytes.last, last, size);
	return rule_add(rule, &predicate);
}

static int iprange_lower(const void *data, const struct match_context *context, struct rule *rule)
{
	const struct xt_iprange_mtinfo *info = data;
	int error = 0;

	if (info->flags & IPRANGE_SRC)
		error = add_range(rule, context->family, FIELD_SOURCE_RANGE, &info->src_min,
				  &info->src_max, info->flags & IPRANGE_SRC_INV);
	if (!error && info->flags & IPRANGE_DST)
		error = add_range(rule, context->family, FIELD_DESTINATION_RANGE, &info->dst_min,
				  &info->dst_max, info->flags & IPRANGE_DST_INV);
	return error;
}

const struct match_extension match_iprange = {
	.name = "iprange",
	.revision = 1,
	.families = FAMILIES_ALL,
	.options = "--src-range, --dst-range",
	.size = sizeof(struct xt_iprange_mtinfo),
	.print = iprange_print,
	.lower = iprange_lower,
};
