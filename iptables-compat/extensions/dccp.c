/* SPDX-License-Identifier: GPL-2.0-only */
/* -m dccp: ports and packet types; as xt_dccp.c. Options are the kernel's to look for. */
#include "extensions.h"

#include <errno.h>
#include <linux/netfilter/xt_dccp.h>
#include <netinet/in.h>

static int dccp_check(const void *data, const struct match_context *context)
{
	const struct xt_dccp_info *info = data;

	(void)context;
	return info->flags & ~XT_DCCP_VALID_FLAGS || info->invflags & ~XT_DCCP_VALID_FLAGS ||
			       info->invflags & ~info->flags
		       ? -EINVAL
		       : 0;
}

static bool print_option(FILE *out, const struct xt_dccp_info *info, uint16_t flag,
			 const char *option)
{
	if (!(info->flags & flag))
		return false;
	print_inverted(out, inversion(info->invflags, flag));
	fprintf(out, " %s", option);
	return true;
}

/* INVALID stands for all types from 10 on. */
static void print_types(FILE *out, uint16_t types)
{
	static const char *const names[] = { "REQUEST", "RESPONSE", "DATA",   "ACK",
					     "DATAACK", "CLOSEREQ", "CLOSE",  "RESET",
					     "SYNC",	"SYNCACK",  "INVALID" };
	const char *separator = " ";

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!(types >> i & 1))
			continue;
		fprintf(out, "%s%s", separator, names[i]);
		separator = ",";
	}
}

static int dccp_print(const void *data, const struct match_context *context, FILE *out)
{
	const struct xt_dccp_info *info = data;

	(void)context;
	fputs(" -m dccp", out);
	if (print_option(out, info, XT_DCCP_SRC_PORTS, "--sport"))
		print_number_range(out, info->spts[0], info->spts[1]);
	if (print_option(out, info, XT_DCCP_DEST_PORTS, "--dport"))
		print_number_range(out, info->dpts[0], info->dpts[1]);
	if (print_option(out, info, XT_DCCP_TYPE, "--dccp-types"))
		print_types(out, info->typemask);
	if (print_option(out, info, XT_DCCP_OPTION, "--dccp-option"))
		fprintf(out, " %u", info->option);
	return ferror(out) ? -ENOMEM : 0;
}

static int lower_ports(struct rule *rule, const struct xt_dccp_info *info, uint16_t flag,
		       enum field field, const uint16_t ports[2])
{
	if (!(info->flags & flag))
		return 0;
	return lower_range(rule, field, ports[0], ports[1], UINT16_MAX,
			   inversion(info->invflags, flag));
}

static int dccp_lower(const void *data, const struct match_context *context, struct rule *rule)
{
	const struct xt_dccp_info *info = data;

	(void)context;
	if (info->flags & XT_DCCP_OPTION)
		return -ENOENT;
	if (lower_transport(rule, false) ||
	    lower_ports(rule, info, XT_DCCP_SRC_PORTS, FIELD_SOURCE_PORT, info->spts) ||
	    lower_ports(rule, info, XT_DCCP_DEST_PORTS, FIELD_DESTINATION_PORT, info->dpts))
		return -ENOMEM;
	if (!(info->flags & XT_DCCP_TYPE))
		return 0;
	return rule_add(rule, &(struct predicate){ .field = FIELD_DCCP_TYPE,
						   .invert = info->invflags & XT_DCCP_TYPE,
						   .set = info->typemask });
}

const struct match_extension match_dccp = {
	.name = "dccp",
	.families = FAMILIES_ALL,
	.protocol = IPPROTO_DCCP,
	.options = "--sport, --dport, --dccp-types, --dccp-option",
	.limits = "--dccp-option is not done: a header has a kilobyte of options",
	.size = sizeof(struct xt_dccp_info),
	.check = dccp_check,
	.print = dccp_print,
	.lower = dccp_lower,
};
