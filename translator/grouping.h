/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Grouping: how many trees a chain gets, and which items go into which.
 *
 * An item that is wide in a word is copied into every part that a cut of that word makes. One tree
 * is the quickest to walk; where copies would make it large, wide items get trees of their own.
 */
#ifndef UBPFILTER_GROUPING_H
#define UBPFILTER_GROUPING_H

#include "tree.h"

/** tree_input_room() - allocate for @count items; dims is set. Return: 0 or -ENOMEM. */
int tree_input_room(struct tree_input *input, uint32_t count);

void tree_input_free(struct tree_input *input);

/* How much care goes into trees. */
enum grouping_care {
	GROUPING_FINE,
	GROUPING_ROUGH, /* quick to build and small, for packets that are rare */
};

struct grouping_limits {
	unsigned percent;   /* of the usual memory that trees may take */
	size_t bytes_first; /* what they may take for however few items */
	unsigned trees;	    /* at least 1 */
};

#define GROUPING_FIRST	      65536
#define GROUPING_FIRST_CALLED 4096 /* there may be thousands of them */

/**
 * grouping_build() - the trees of one chain and class of packets.
 * Return: 0 or -ENOMEM; @root is set on success.
 */
int grouping_build(struct tree_store *store, const struct tree_input *input,
		   const struct grouping_limits *limits, enum grouping_care care,
		   struct classify_root *root);

#endif
