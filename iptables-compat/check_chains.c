/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The walk over all chains that a hook can reach, depth first, without recursion: each entry on
 * the path remembers the entry that the walk came from. An entry is walked once a hook, however
 * many jumps lead to it, so the walk is linear.
 */
#include "check.h"

#include <errno.h>
#include <stdlib.h>

#include "layout.h"

struct walk {
	const struct table *table;
	const struct layout *layout;
	uint32_t *
		came_from; /* for entries on the path: index of the one before; itself: the start */
	uint8_t *marks;	   /* HOOK_BIT()s of the hooks that reach an entry, and ON_PATH */
};

#define ON_PATH	   HOOK_BIT(TABLE_HOOKS)
#define INDEX_NONE UINT32_MAX

/* Every packet that gets here leaves the chain: an unconditional verdict or RETURN. */
static bool entry_leaves(const struct walk *walk, const struct entry *entry, uint32_t index)
{
	return target_is(entry->target, XT_STANDARD_TARGET) && target_verdict(entry->target) < 0 &&
	       entry_unconditional(walk->table->entries + walk->table->offsets[index],
				   walk->layout);
}

/* The entry that a packet which matches goes on with; INDEX_NONE when there is none. */
static uint32_t entry_successor(const struct walk *walk, const struct entry *entry, uint32_t index)
{
	if (target_is(entry->target, XT_STANDARD_TARGET) && target_verdict(entry->target) >= 0)
		return table_index(walk->table, (uint32_t)target_verdict(entry->target));
	return index + 1 < walk->table->entry_count ? index + 1 : INDEX_NONE;
}

/* Leave the chain that the path ends in: back to the jump that led there, INDEX_NONE at the start.
 */
static uint32_t walk_return(struct walk *walk, uint32_t index)
{
	uint32_t left;

	do {
		walk->marks[index] &= (uint8_t)~ON_PATH;
		left = index;
		index = walk->came_from[index];
		if (index == left)
			return INDEX_NONE;
	} while (left == index + 1); /* came by stepping, not by jumping */
	return index;
}

static int walk_hook(struct walk *walk, int hook)
{
	uint32_t index = table_index(walk->table, walk->table->hook_entry[hook]);

	walk->came_from[index] = index;
	for (;;) {
		struct entry entry = table_entry(walk->table, index);
		bool seen = walk->marks[index] & HOOK_BIT(hook);
		uint32_t next;

		if (walk->marks[index] & ON_PATH)
			return -ELOOP;
		walk->marks[index] |= (uint8_t)(HOOK_BIT(hook) | ON_PATH);
		if (seen || entry_leaves(walk, &entry, index)) {
			index = walk_return(walk, index);
			if (index == INDEX_NONE)
				return 0;
			next = index + 1 < walk->table->entry_count ? index + 1 : INDEX_NONE;
		} else {
			next = entry_successor(walk, &entry, index);
		}
		if (next == INDEX_NONE)
			return -ELOOP;
		walk->came_from[next] = index;
		index = next;
	}
}

int check_chains(struct table *table)
{
	_cleanup_free_ uint32_t *came_from = calloc(table->entry_count + 1u, sizeof(*came_from));
	_cleanup_free_ uint8_t *marks = calloc(table->entry_count + 1u, sizeof(*marks));
	struct walk walk = { table, layout_get(table->family), came_from, marks };

	if (!came_from || !marks)
		return -ENOMEM;
	for (int hook = 0; hook < TABLE_HOOKS; hook++) {
		int error = table->valid_hooks & HOOK_BIT(hook) ? walk_hook(&walk, hook) : 0;

		if (error)
			return error;
	}
	for (uint32_t i = 0; i < table->entry_count; i++) {
		uint32_t comefrom = marks[i];

		memcpy(table->entries + table->offsets[i] + walk.layout->comefrom, &comefrom,
		       sizeof(comefrom));
	}
	return 0;
}
