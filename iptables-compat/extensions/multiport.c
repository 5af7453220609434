/* SPDX-License-Identifier: GPL-2.0-only */
/* -m multiport: up to 15 ports or ranges, of which one must fit; as xt_multiport.c. */
#include "extensions.h"

#include <errno.h>
#include <linux/netfilter/xt_multiport.h>

typedef struct xt_multiport_v1 info_t;

/* A range ends, not before it begins, and its end begins no other; older kernels do not look. */
static bool ranges_are_sound(const info_t *info)
{
	for (unsigned i = 0; i < info->count; i++) {
		if (!info->pflags[i])
			continue;
		i++;
		if (i == info->count || info->pflags[i] || info->ports[i - 1] > info->ports[i])
			return false;
	}
	return true;
}

static int multiport_check(const void *data, const struct match_context *context)
{
	const info_t *info = data;

	if (context->protocol_inverted || !protocol_has_ports(context->protocol) ||
	    info->flags > XT_MULTIPORT_EITHER || info->count > XT_MULTI_PORTS ||
	    !ranges_are_sound(info))
		return -EINVAL;
	return 0;
}

struct port_range {
	uint16_t min;
	uint16_t max;
};

/* The range at @index, which moves on. */
static struct port_range range_next(const info_t *info, unsigned *index)
{
	unsigned at = (*index)++;
	struct port_range range = { info->ports[at], info->ports[at] };

	if (info->pflags[at])
		range.max = info->ports[(*index)++];
	return range;
}

static int multiport_print(const void *data, const struct match_context *context, FILE *out)
{
	static const char *const options[] = { "--sports", "--dports", "--ports" };
	const info_t *info = data;
	unsigned next = 0;
	char separator = ' ';

	(void)context;
	fprintf(out, " -m multiport%s %s", info->invert ? " !" : "", options[info->flags]);
	if (!info->count)
		fputc(separator, out);
	while (next < info->count) {
		bool is_range = info->pflags[next];
		struct port_range range = range_next(info, &next);

		fprintf(out, "%c%u", separator, range.min);
		if (is_range)
			fprintf(out, ":%u", range.max);
		separator = ',';
	}
	return ferror(out) ? -ENOMEM : 0;
}

/* One alternative, or one condition of which all must hold where the match is inverted. */
static int add_range(struct rule *rule, enum field field, struct port_range range, bool invert)
{
	return rule_add(rule, &(struct predicate){ .field = (uint8_t)field,
						   .invert = invert,
						   .or_next = !invert,
						   .range = { range.min, range.max } });
}

static int lower_ports(struct rule *rule, const info_t *info)
{
	unsigned next = 0;
	int error = 0;

	while (next < info->count && !error) {
		struct port_range range = range_next(info, &next);

		if (info->flags != XT_MULTIPORT_DESTINATION)
			error = add_range(rule, FIELD_SOURCE_PORT, range, info->invert);
		if (!error && info->flags != XT_MULTIPORT_SOURCE)
			error = add_range(rule, FIELD_DESTINATION_PORT, range, info->invert);
	}
	return error;
}

static int multiport_lower(const void *data, const struct match_context *context, struct rule *rule)
{
	const info_t *info = data;

	(void)context;
	if (rule_add(rule, &(struct predicate){ .field = FIELD_TRANSPORT, .ports_suffice = true }))
		return -ENOMEM;
	if (!info->count)
		return info->invert ? 0 : lower_never(rule);
	if (inversion_is_both(info->invert))
		return 0;
	if (lower_ports(rule, info))
		return -ENOMEM;
	rule->predicates[rule->predicate_count - 1].or_next = false;
	return 0;
}

const struct match_extension match_multiport = {
	.name = "multiport",
	.revision = 1,
	.families = FAMILIES_ALL,
	.transport = true,
	.options = "--sports, --dports, --ports",
	.size = sizeof(info_t),
	.check = multiport_check,
	.print = multiport_print,
	.lower = multiport_lower,
};
