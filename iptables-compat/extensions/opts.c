/* SPDX-License-Identifier: GPL-2.0-only */
/* -m hbh, -m dst: the first header of hop-by-hop or destination options; as ip6t_hbh.c. */
#include "ipv6_header.h"

#include <errno.h>
#include <linux/netfilter_ipv6/ip6t_opts.h>

/* An option of a rule: its type above, the length of its data below, or any. */
#define OPTION_TYPE(option)   ((option) >> 8)
#define OPTION_LENGTH(option) ((option)&0xff)
#define LENGTH_ANY	      0xff

static int opts_check(const void *data, const struct match_context *context)
{
	const struct ip6t_opts *info = data;

	(void)context;
	if (info->invflags & ~IP6T_OPTS_INV_MASK || info->flags & IP6T_OPTS_NSTRICT)
		return -EINVAL;
	return info->optsnr > IP6T_OPTS_OPTSNR ? -EINVAL : 0; /* since 2026 */
}

static void print_options(FILE *out, const struct ip6t_opts *info)
{
	for (unsigned i = 0; i < info->optsnr; i++) {
		fprintf(out, "%c%d", i ? ',' : ' ', OPTION_TYPE(info->opts[i]));
		if (OPTION_LENGTH(info->opts[i]) != LENGTH_ANY)
			fprintf(out, ":%d", OPTION_LENGTH(info->opts[i]));
	}
}

static int opts_print(const struct ip6t_opts *info, const char *name, FILE *out)
{
	fprintf(out, " -m %s", name);
	if (info->flags & IP6T_OPTS_LEN) {
		print_inverted(out, inversion(info->invflags, IP6T_OPTS_INV_LEN));
		fprintf(out, " --%s-len %u", name, info->hdrlen);
	}
	if (info->flags & IP6T_OPTS_OPTS)
		fprintf(out, " --%s-opts", name);
	print_options(out, info);
	return ferror(out) ? -ENOMEM : 0;
}

static int hbh_print(const void *data, const struct match_context *context, FILE *out)
{
	(void)context;
	return opts_print(data, "hbh", out);
}

static int dst_print(const void *data, const struct match_context *context, FILE *out)
{
	(void)context;
	return opts_print(data, "dst", out);
}

static int opts_lower(const struct ip6t_opts *info, enum ipv6_header header, enum field size,
		      struct rule *rule)
{
	if (info->flags & IP6T_OPTS_OPTS)
		return -ENOENT;
	if (lower_header(rule, header))
		return -ENOMEM;
	if (!(info->flags & IP6T_OPTS_LEN))
		return 0;
	return lower_size(rule, size, &unit_extension, info->hdrlen,
			  inversion(info->invflags, IP6T_OPTS_INV_LEN));
}

static int hbh_lower(const void *data, const struct match_context *context, struct rule *rule)
{
	(void)context;
	return opts_lower(data, HEADER_HOP_BY_HOP, FIELD_HOP_BY_HOP_SIZE, rule);
}

static int dst_lower(const void *data, const struct match_context *context, struct rule *rule)
{
	(void)context;
	return opts_lower(data, HEADER_DESTINATION, FIELD_DESTINATION_SIZE, rule);
}

const struct match_extension match_hbh = {
	.name = "hbh",
	.families = FAMILY_BIT(FAMILY_IPV6),
	.options = "--hbh-len, --hbh-opts",
	.limits = "--hbh-opts is not done: what the options say depends on all before them",
	.size = sizeof(struct ip6t_opts),
	.check = opts_check,
	.print = hbh_print,
	.lower = hbh_lower,
};

const struct match_extension match_dst = {
	.name = "dst",
	.families = FAMILY_BIT(FAMILY_IPV6),
	.options = "--dst-len, --dst-opts",
	.limits = "--dst-opts is not done: what the options say depends on all before them",
	.size = sizeof(struct ip6t_opts),
	.check = opts_check,
	.print = dst_print,
	.lower = dst_lower,
};
