/* SPDX-License-Identifier: GPL-2.0-only */
/* -j LOG: a line in the kernel's log; as xt_LOG.c. */
#include "extensions.h"

#include <errno.h>
#include <linux/netfilter/xt_LOG.h>

#define LEVELS	      8
#define LEVEL_DEFAULT 4 /* warning: not printed */

static const struct {
	unsigned char flag;
	const char *option;
} options[] = {
	{ XT_LOG_TCPSEQ, " --log-tcp-sequence" }, { XT_LOG_TCPOPT, " --log-tcp-options" },
	{ XT_LOG_IPOPT, " --log-ip-options" },	  { XT_LOG_UID, " --log-uid" },
	{ XT_LOG_MACDECODE, " --log-macdecode" },
};

static int log_check(const void *data, const struct match_context *context)
{
	const struct xt_log_info *info = data;

	(void)context;
	return info->level >= LEVELS || info->prefix[sizeof(info->prefix) - 1] ? -EINVAL : 0;
}

static int log_print(const void *data, FILE *out)
{
	const struct xt_log_info *info = data;

	if (info->prefix[0] && (fputs(" --log-prefix", out) < 0 || print_text(out, info->prefix)))
		return -ENOMEM;
	if (info->level != LEVEL_DEFAULT && fprintf(out, " --log-level %d", info->level) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (info->logflags & options[i].flag && fputs(options[i].option, out) < 0)
			return -ENOMEM;
	return 0;
}

const struct target_extension target_log = {
	.name = "LOG",
	.families = FAMILIES_ALL,
	.end = TARGET_CONTINUES,
	.options = "--log-level, --log-prefix, --log-tcp-sequence, --log-tcp-options, "
		   "--log-ip-options, --log-uid, --log-macdecode",
	.size = sizeof(struct xt_log_info),
	.check = log_check,
	.print = log_print,
};
