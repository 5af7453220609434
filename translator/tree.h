/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Decision trees: items' boxes in, nodes and leaves' lists in the classifier's form out.
 *
 * A tree is built level by level. Nodes of a level that have the same items and see the same of
 * them are built once.
 */
#ifndef UBPFILTER_TREE_H
#define UBPFILTER_TREE_H

#include "cut.h"
#include "word_lists.h"

/* Nodes and lists of all trees of a classifier; the lists are shared between leaves. */
struct tree_store {
	struct classify_node *nodes; /* owned */
	uint32_t node_count;
	size_t node_room;
	struct word_lists lists; /* items' numbers */
	uint32_t depth;		 /* nodes on the longest path of a tree, the leaf included */
};

enum tree_limit {
	TREE_FAIL, /* -E2BIG, and nothing is added */
	TREE_STOP, /* no more cuts: long leaves instead */
};

/**
 * tree_build() - add the tree over @input to @store.
 * @bytes: how much it may take, counted while it is built.
 * @root: set on success to the number of its first node.
 * Return: 0, -E2BIG (only TREE_FAIL) or -ENOMEM.
 */
int tree_build(struct tree_store *store, const struct tree_input *input, size_t bytes,
	       enum tree_limit limit, uint32_t *root);

void tree_store_free(struct tree_store *store);

#endif
