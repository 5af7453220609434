/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How many candidates the walk looks at for one packet at most, where lists call each other: the
 * kernel ends a loop of a program's after CLASSIFY_STEPS_MAX turns.
 */
#ifndef UBPFILTER_STEPS_H
#define UBPFILTER_STEPS_H

#include "tree.h"

struct steps {
	uint32_t (*most)[CLASS_COUNT]; /* owned; by list */
	uint32_t *leaves; /* owned; by where a leaf's list starts, and class; 0: unknown */
	size_t leaf_room;
};

/** steps_open() - for @count lists; release with steps_free(). Return: 0 or -ENOMEM. */
int steps_open(struct steps *steps, uint32_t count);

/**
 * steps_count() - count those of list @number, whose trees are @root, the last ones of @store; of
 * all that it calls they are counted. @items: all of the table.
 * Return: 0, -E2BIG (more than CLASSIFY_STEPS_MAX) or -ENOMEM.
 */
int steps_count(struct steps *steps, const struct tree_store *store,
		const struct classify_item *items, const struct classify_root *root,
		enum packet_class class, uint32_t number);

void steps_free(struct steps *steps);

#endif
