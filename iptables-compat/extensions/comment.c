/* SPDX-License-Identifier: GPL-2.0-only */
/* -m comment: a note for people; matches every packet, as xt_comment.c. */
#include "extensions.h"

#include <errno.h>
#include <linux/netfilter/xt_comment.h>
#include <string.h>

static int comment_print(const void *data, const struct match_context *context, FILE *out)
{
	const struct xt_comment_info *info = data;
	size_t length = strnlen(info->comment, sizeof(info->comment) - 1);
	char text[XT_MAX_COMMENT_LEN] = { 0 };

	(void)context;
	memcpy(text, info->comment, length);
	if (fputs(" -m comment --comment", out) < 0)
		return -ENOMEM;
	return print_text(out, text);
}

static int comment_lower(const void *data, const struct match_context *context, struct rule *rule)
{
	(void)data;
	(void)context;
	(void)rule;
	return 0;
}

const struct match_extension match_comment = {
	.name = "comment",
	.families = FAMILIES_ALL,
	.options = "--comment",
	.size = sizeof(struct xt_comment_info),
	.print = comment_print,
	.lower = comment_lower,
};
