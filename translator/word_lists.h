/* SPDX-License-Identifier: GPL-2.0-only */
/* Lists of 32-bit words behind one another, each kept once. */
#ifndef UBPFILTER_WORD_LISTS_H
#define UBPFILTER_WORD_LISTS_H

#include <stddef.h>
#include <stdint.h>

struct word_lists {
	uint32_t *words; /* owned */
	uint32_t count;	 /* words in use; may be set back to forget what was added last */
	size_t room;
	struct word_list *table; /* owned; which lists there are, by hash */
	size_t table_size;
	size_t table_used;
};

/** words_hash() - mix @count words into @hash. */
uint64_t words_hash(uint64_t hash, const uint32_t *words, size_t count);

/**
 * word_lists_add() - find or add a list.
 * @first: set on success to where it starts in words; 0 for an empty one.
 * Return: 0 or -ENOMEM.
 */
int word_lists_add(struct word_lists *lists, const uint32_t *list, uint32_t count, uint32_t *first);

void word_lists_free(struct word_lists *lists);

#endif
