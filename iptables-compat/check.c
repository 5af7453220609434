/* SPDX-License-Identifier: GPL-2.0-only */
/* Sizes, offsets and hooks: everything that has to hold before an entry may be looked into. */
#include "check.h"

#include <errno.h>
#include <stdlib.h>

#include "layout.h"

/* Entries, matches and targets start at multiples of this, so that their fields are aligned. */
#define ENTRY_ALIGNMENT 8u

/* Headers of entry and target lie inside the blob, and the next entry is no earlier than its end.
 */
static bool entry_fits(const struct table *table, const struct layout *layout, uint32_t offset)
{
	uint32_t left = table->size - offset;
	uint16_t next_offset;

	if (offset % ENTRY_ALIGNMENT || left <= layout->entry_size)
		return false;
	next_offset = field_u16(table->entries + offset, layout->next_offset);
	return next_offset <= left &&
	       next_offset >= layout->entry_size + sizeof(struct xt_entry_target);
}

/* Bits that this kernel does not know may change the meaning of an entry. */
static bool flags_known(const unsigned char *base, const struct layout *layout)
{
	return !(field_u8(base, layout->flags) & ~layout->flags_mask) &&
	       !(field_u8(base, layout->inverted) & ~layout->inverted_mask);
}

/* 0 would jump to the start of the blob by accident: a jump to there is not possible. */
static bool verdict_known(int32_t verdict)
{
	switch (verdict) {
	case -NF_DROP - 1:
	case -NF_ACCEPT - 1:
	case -NF_QUEUE - 1:
	case XT_RETURN:
		return true;
	default:
		return verdict > 0;
	}
}

/* A chain's name ends inside its target. */
static bool errorname_fits(const unsigned char *target)
{
	return field_u16(target, 0) == sizeof(struct xt_error_target) &&
	       strnlen(target_errorname(target), XT_FUNCTION_MAXNAMELEN) < XT_FUNCTION_MAXNAMELEN;
}

/* The target ends inside its entry; a verdict or chain name is there and is one. */
static bool target_fits(const unsigned char *base, const struct layout *layout)
{
	uint32_t target_offset = field_u16(base, layout->target_offset);
	uint32_t next_offset = field_u16(base, layout->next_offset);
	const unsigned char *target = base + target_offset;

	if (target_offset < layout->entry_size ||
	    target_offset + sizeof(struct xt_entry_target) > next_offset)
		return false;
	if (field_u16(target, 0) < sizeof(struct xt_entry_target) ||
	    target_offset + field_u16(target, 0) > next_offset)
		return false;
	if (target_is(target, XT_STANDARD_TARGET))
		return XT_ALIGN(target_offset + sizeof(struct xt_standard_target)) == next_offset &&
		       verdict_known(target_verdict(target));
	return !target_is(target, XT_ERROR_TARGET) || errorname_fits(target);
}

/* Matches tile the space between entry header and target, so that walking them ends there. */
static bool matches_fit(const unsigned char *base, const struct layout *layout)
{
	uint32_t target_offset = field_u16(base, layout->target_offset);
	uint32_t offset = layout->entry_size;

	while (offset < target_offset) {
		uint32_t left = target_offset - offset;
		uint16_t size;

		if (offset % ENTRY_ALIGNMENT || left < sizeof(struct xt_entry_match))
			return false;
		size = field_u16(base + offset, 0);
		if (size < sizeof(struct xt_entry_match) || size > left)
			return false;
		offset += size;
	}
	return true;
}

/* A policy catches whatever its chain leaves undecided: it must match all, and decide. */
static bool is_policy(const unsigned char *base, const struct layout *layout)
{
	const unsigned char *target = base + layout->entry_size;

	return entry_unconditional(base, layout) && target_is(target, XT_STANDARD_TARGET) &&
	       (target_verdict(target) == -NF_ACCEPT - 1 || target_verdict(target) == -NF_DROP - 1);
}

/* Take over the hooks that start or end at this entry. */
static bool claim_hooks(struct table *table, const struct layout *layout,
			const struct ipt_replace *claimed, uint32_t offset)
{
	for (int hook = 0; hook < TABLE_HOOKS; hook++) {
		if (!(claimed->valid_hooks & HOOK_BIT(hook)))
			continue;
		if (offset == claimed->hook_entry[hook])
			table->hook_entry[hook] = offset;
		if (offset != claimed->underflow[hook])
			continue;
		if (!is_policy(table->entries + offset, layout))
			return false;
		table->underflow[hook] = offset;
	}
	return true;
}

static void entry_clear(unsigned char *base, const struct layout *layout)
{
	memset(base + layout->comefrom, 0, sizeof(uint32_t));
	memset(base + layout->counters, 0, sizeof(struct xt_counters));
}

int check_entries(struct table *table, const struct ipt_replace *claimed)
{
	const struct layout *layout = layout_get(table->family);
	uint32_t entry_min = layout->entry_size + sizeof(struct xt_entry_target);

	/* more entries than fit: the count is wrong, and must not size an allocation */
	if (claimed->num_entries > table->size / entry_min)
		return -EINVAL;
	table->offsets = calloc((size_t)claimed->num_entries + 1, sizeof(*table->offsets));
	if (!table->offsets)
		return -ENOMEM;
	for (int hook = 0; hook < TABLE_HOOKS; hook++)
		table->hook_entry[hook] = table->underflow[hook] = HOOK_NONE_OFFSET;

	for (uint32_t offset = 0; offset < table->size;) {
		unsigned char *base = table->entries + offset;

		if (table->entry_count == claimed->num_entries ||
		    !entry_fits(table, layout, offset) || !flags_known(base, layout) ||
		    !target_fits(base, layout) || !matches_fit(base, layout) ||
		    !claim_hooks(table, layout, claimed, offset))
			return -EINVAL;
		entry_clear(base, layout);
		table->offsets[table->entry_count++] = offset;
		offset += field_u16(base, layout->next_offset);
	}
	return table->entry_count == claimed->num_entries ? 0 : -EINVAL;
}

int check_hooks(const struct table *table)
{
	const uint32_t *entry = NULL, *underflow = NULL; /* of the hook before */

	for (int hook = 0; hook < TABLE_HOOKS; hook++) {
		if (!(table->valid_hooks & HOOK_BIT(hook)))
			continue;
		if (table->hook_entry[hook] == HOOK_NONE_OFFSET ||
		    table->underflow[hook] == HOOK_NONE_OFFSET)
			return -EINVAL;
		if (entry &&
		    (*entry >= table->hook_entry[hook] || *underflow >= table->underflow[hook]))
			return -EINVAL;
		entry = &table->hook_entry[hook];
		underflow = &table->underflow[hook];
	}
	return 0;
}
