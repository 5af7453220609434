/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * -m helper: the connection was expected by a helper's; as xt_helper.c: helper_mt(), which takes
 * any helper whose name is how the name that is asked for begins, and any at all for none.
 */
#include "extensions.h"

#include <errno.h>
#include <stddef.h>
#include <linux/netfilter/xt_helper.h>
#include <string.h>

#define NAME_SIZE sizeof(((struct packet *)NULL)->helper)

static int helper_print(const void *data, const struct match_context *context, FILE *out)
{
	const struct xt_helper_info *info = data;
	char name[sizeof(info->name) + 1] = "";

	(void)context;
	memcpy(name, info->name, sizeof(info->name));
	fputs(" -m helper", out);
	print_inverted(out, info->invert ? INVERTED : PLAIN);
	fputs(" --helper", out);
	return print_text(out, name);
}

static struct predicate name_predicate(const char *name, size_t length, bool invert)
{
	struct predicate predicate = { .field = FIELD_HELPER, .invert = invert };

	memcpy(predicate.masked.value, name, length);
	memset(predicate.masked.mask, 0xff, NAME_SIZE);
	return predicate;
}

/* The last byte is the kernel's terminator. */
static int helper_lower(const void *data, const struct match_context *context, struct rule *rule)
{
	const struct xt_helper_info *info = data;
	size_t length = strnlen(info->name, sizeof(info->name) - 1);
	struct predicate predicate = { .field = FIELD_HELPER, .invert = !info->invert };

	(void)context;
	predicate.masked.mask[0] = 0xff;
	if (!length) /* any helper */
		return rule_add(rule, &predicate);
	if (length >= NAME_SIZE)
		length = NAME_SIZE - 1;
	for (size_t i = 1; i <= length; i++) {
		predicate = name_predicate(info->name, i, info->invert);
		predicate.or_next = !info->invert && i < length;
		if (rule_add(rule, &predicate))
			return -ENOMEM;
	}
	return 0;
}

const struct match_extension match_helper = {
	.name = "helper",
	.families = FAMILIES_ALL,
	.options = "--helper",
	.size = sizeof(struct xt_helper_info),
	.terminator = offsetof(struct xt_helper_info, name) +
		      sizeof(((struct xt_helper_info *)NULL)->name) - 1,
	.print = helper_print,
	.lower = helper_lower,
};
