/* SPDX-License-Identifier: GPL-2.0-only */
/* -m cpu: the processor that works on the packet; as xt_cpu.c. */
#include "extensions.h"

#include <errno.h>
#include <linux/netfilter/xt_cpu.h>

static int cpu_check(const void *data, const struct match_context *context)
{
	const struct xt_cpu_info *info = data;

	(void)context;
	return info->invert & ~1u ? -EINVAL : 0;
}

static int cpu_print(const void *data, const struct match_context *context, FILE *out)
{
	const struct xt_cpu_info *info = data;

	(void)context;
	fprintf(out, " -m cpu%s --cpu %u", info->invert ? " !" : "", info->cpu);
	return ferror(out) ? -ENOMEM : 0;
}

static int cpu_lower(const void *data, const struct match_context *context, struct rule *rule)
{
	const struct xt_cpu_info *info = data;

	(void)context;
	if (info->cpu > UINT16_MAX) /* there is none */
		return info->invert ? 0 : lower_never(rule);
	return lower_range(rule, FIELD_PROCESSOR, info->cpu, info->cpu, UINT16_MAX,
			   inversion(info->invert, 1));
}

const struct match_extension match_cpu = {
	.name = "cpu",
	.families = FAMILIES_ALL,
	.options = "--cpu",
	.size = sizeof(struct xt_cpu_info),
	.check = cpu_check,
	.print = cpu_print,
	.lower = cpu_lower,
};
