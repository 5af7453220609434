/* SPDX-License-Identifier: GPL-2.0-only */
/* -j NFLOG: a copy of the packet to who listens in user space; as xt_NFLOG.c. */
#include "extensions.h"

#include <errno.h>
#include <linux/netfilter/xt_NFLOG.h>

static int nflog_check(const void *data, const struct match_context *context)
{
	const struct xt_nflog_info *info = data;

	(void)context;
	return info->flags & ~XT_NFLOG_MASK || info->prefix[sizeof(info->prefix) - 1] ? -EINVAL : 0;
}

static int print_option(FILE *out, const char *option, uint32_t value)
{
	return fprintf(out, " --nflog-%s %u", option, value) < 0 ? -ENOMEM : 0;
}

static int nflog_print(const void *data, FILE *out)
{
	const struct xt_nflog_info *info = data;
	const char *length = info->flags & XT_NFLOG_F_COPY_LEN ? "size" : "range";
	int error = 0;

	if (info->prefix[0] && (fputs(" --nflog-prefix", out) < 0 || print_text(out, info->prefix)))
		return -ENOMEM;
	if (info->group)
		error = print_option(out, "group", info->group);
	if (!error && (info->len || info->flags & XT_NFLOG_F_COPY_LEN))
		error = print_option(out, length, info->len);
	if (!error && info->threshold != XT_NFLOG_DEFAULT_THRESHOLD)
		error = print_option(out, "threshold", info->threshold);
	return error;
}

const struct target_extension target_nflog = {
	.name = "NFLOG",
	.families = FAMILIES_ALL,
	.end = TARGET_CONTINUES,
	.options = "--nflog-group, --nflog-prefix, --nflog-range, --nflog-size, --nflog-threshold",
	.size = sizeof(struct xt_nflog_info),
	.check = nflog_check,
	.print = nflog_print,
};
