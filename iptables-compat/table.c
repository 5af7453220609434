/* SPDX-License-Identifier: GPL-2.0-only */
#include "table.h"

#include <errno.h>
#include <stdlib.h>

#include "layout.h"

void table_free(struct table *table)
{
	if (!table)
		return;
	free(table->entries);
	free(table->offsets);
	free(table->chains);
	free(table);
}

struct entry table_entry(const struct table *table, uint32_t index)
{
	const struct layout *layout = layout_get(table->family);
	const unsigned char *base = table->entries + table->offsets[index];
	uint16_t target_offset = field_u16(base, layout->target_offset);
	bool is_ipv4 = table->family == FAMILY_IPV4;

	return (struct entry){
		.target_offset = target_offset,
		.next_offset = field_u16(base, layout->next_offset),
		.counters = (const struct xt_counters *)(base + layout->counters),
		.match_begin = base + layout->entry_size,
		.match_end = base + target_offset,
		.target = (const struct xt_entry_target *)(base + target_offset),
		.ipv4 = is_ipv4 ? (const struct ipt_ip *)base : NULL,
		.ipv6 = is_ipv4 ? NULL : (const struct ip6t_ip6 *)base,
	};
}

uint32_t table_index(const struct table *table, uint32_t offset)
{
	uint32_t low = 0, high = table->entry_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (table->offsets[middle] == offset)
			return middle;
		if (table->offsets[middle] < offset)
			low = middle + 1;
		else
			high = middle;
	}
	return UINT32_MAX;
}

/* Room for the larger family's. */
#define INITIAL_SIZE_MAX                                                       \
	(sizeof(struct ipt_replace) +                                          \
	 3 * (sizeof(struct ip6t_entry) + sizeof(struct xt_standard_target)) + \
	 sizeof(struct ip6t_entry) + sizeof(struct xt_error_target))

/* Append an entry that matches all, with room for a target of @target_size, which is returned. */
static struct xt_entry_target *initial_add(struct ipt_replace *replace, const struct layout *layout,
					   uint16_t target_size)
{
	unsigned char *base = (unsigned char *)(replace + 1) + replace->size;
	struct xt_entry_target *target = (struct xt_entry_target *)(base + layout->entry_size);
	uint16_t target_offset = (uint16_t)layout->entry_size;
	uint16_t next_offset = (uint16_t)(target_offset + target_size);

	memcpy(base + layout->target_offset, &target_offset, sizeof(target_offset));
	memcpy(base + layout->next_offset, &next_offset, sizeof(next_offset));
	target->u.target_size = target_size;
	replace->size += next_offset;
	replace->num_entries++;
	return target;
}

int table_initial(enum family family, struct table **table)
{
	const struct layout *layout = layout_get(family);
	_cleanup_free_ struct ipt_replace *replace = calloc(1, INITIAL_SIZE_MAX);
	struct xt_entry_target *target;
	uint32_t num_counters;

	if (!replace)
		return -ENOMEM;
	strcpy(replace->name, FILTER_NAME);
	replace->valid_hooks = FILTER_HOOKS;
	replace->num_counters = 1;
	for (int hook = NF_INET_LOCAL_IN; hook <= NF_INET_LOCAL_OUT; hook++) {
		replace->hook_entry[hook] = replace->size;
		replace->underflow[hook] = replace->size;
		target = initial_add(replace, layout, sizeof(struct xt_standard_target));
		((struct xt_standard_target *)target)->verdict = -NF_ACCEPT - 1;
	}
	target = initial_add(replace, layout, sizeof(struct xt_error_target));
	strcpy(target->u.user.name, XT_ERROR_TARGET);
	strcpy(((struct xt_error_target *)target)->errorname, XT_ERROR_TARGET);
	return table_decode(family, replace, INITIAL_SIZE_MAX, table, &num_counters, NULL);
}
