/* SPDX-License-Identifier: GPL-2.0-only */
/* -j MARK: the packet's mark, for routing and other tables; as xt_mark.c. */
#include "extensions.h"

#include <errno.h>
#include <linux/netfilter/xt_mark.h>

static int mark_print(const void *data, FILE *out)
{
	const struct xt_mark_tginfo2 *info = data;

	return fprintf(out, " --set-xmark 0x%x/0x%x", info->mark, info->mask) < 0 ? -ENOMEM : 0;
}

const struct target_extension target_mark = {
	.name = "MARK",
	.revision = 2,
	.families = FAMILIES_ALL,
	.end = TARGET_CONTINUES,
	.changes = { "mark" },
	.options = "--set-xmark",
	.size = sizeof(struct xt_mark_tginfo2),
	.print = mark_print,
};
