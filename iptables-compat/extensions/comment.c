/* SPDX-License-Identifier: GPL-2.0-only */
/* -m comment: a note for people; matches every packet, as xt_comment.c. */
#include "extensions.h"

#include <errno.h>
#include <linux/netfilter/xt_comment.h>
#include <string.h>

/* What iptables-save leaves unquoted. */
static bool is_plain(const char *text, size_t length)
{
	static const char plain[] = "_-0123456789"
				    "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

	return length && strspn(text, plain) == length;
}

static int print_quoted(FILE *out, const char *text, size_t length)
{
	if (fputs(" \"", out) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < length; i++) {
		if (strchr("\"\\'", text[i]) && fputc('\\', out) == EOF)
			return -ENOMEM;
		if (fputc(text[i], out) == EOF)
			return -ENOMEM;
	}
	return fputc('"', out) == EOF ? -ENOMEM : 0;
}

static int comment_print(const void *data, const struct match_context *context, FILE *out)
{
	const struct xt_comment_info *info = data;
	size_t length = strnlen(info->comment, sizeof(info->comment) - 1);
	char text[XT_MAX_COMMENT_LEN] = { 0 };

	(void)context;
	memcpy(text, info->comment, length);
	if (fputs(" -m comment --comment", out) < 0)
		return -ENOMEM;
	if (is_plain(text, length))
		return fprintf(out, " %s", text) < 0 ? -ENOMEM : 0;
	return print_quoted(out, text, length);
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
	.unspec = true,
	.options = "--comment",
	.size = sizeof(struct xt_comment_info),
	.print = comment_print,
	.lower = comment_lower,
};
