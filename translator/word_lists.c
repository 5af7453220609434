/* SPDX-License-Identifier: GPL-2.0-only */
#include "word_lists.h"

#include <stdbool.h>
#include <string.h>

#include "../common/array.h"

/* One list; `count` 0: the place in the table is free. */
struct word_list {
	uint32_t first;
	uint32_t count;
	uint64_t hash;
};

uint64_t words_hash(uint64_t hash, const uint32_t *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		hash = ((hash ^ words[i]) * 0x9e3779b97f4a7c15u) ^ (hash >> 29);
	return hash ^ (hash >> 32);
}

static int table_grow(struct word_lists *lists)
{
	size_t size = lists->table_size ? lists->table_size * 2 : 1024;
	struct word_list *table = calloc(size, sizeof(*table));

	if (!table)
		return -ENOMEM;
	for (size_t i = 0; i < lists->table_size; i++) {
		const struct word_list *entry = &lists->table[i];
		size_t at = entry->hash & (size - 1);

		if (!entry->count)
			continue;
		while (table[at].count)
			at = (at + 1) & (size - 1);
		table[at] = *entry;
	}
	free(lists->table);
	lists->table = table;
	lists->table_size = size;
	return 0;
}

/* Entries of forgotten lists are still in the table: they count only as far as the words reach. */
static bool list_is(const struct word_lists *lists, const struct word_list *entry, uint64_t hash,
		    const uint32_t *list, uint32_t count)
{
	return entry->hash == hash && entry->count == count &&
	       (uint64_t)entry->first + count <= lists->count &&
	       memcmp(&lists->words[entry->first], list, count * sizeof(*list)) == 0;
}

int word_lists_add(struct word_lists *lists, const uint32_t *list, uint32_t count, uint32_t *first)
{
	uint64_t hash = words_hash(count, list, count);
	size_t at, end = (size_t)lists->count + count;

	if (count == 0) {
		*first = 0;
		return 0;
	}
	if (lists->table_used * 2 >= lists->table_size && table_grow(lists))
		return -ENOMEM;
	for (at = hash & (lists->table_size - 1); lists->table[at].count;
	     at = (at + 1) & (lists->table_size - 1)) {
		if (list_is(lists, &lists->table[at], hash, list, count)) {
			*first = lists->table[at].first;
			return 0;
		}
	}
	if (end > UINT32_MAX || array_room(&lists->words, &lists->room, end, sizeof(*list)))
		return -ENOMEM;
	*first = lists->count;
	memcpy(&lists->words[*first], list, count * sizeof(*list));
	lists->count = end;
	lists->table[at] = (struct word_list){ .first = *first, .count = count, .hash = hash };
	lists->table_used++;
	return 0;
}

void word_lists_free(struct word_lists *lists)
{
	free(lists->words);
	free(lists->table);
	*lists = (struct word_lists){ 0 };
}
