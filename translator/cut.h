/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A cut: how one node of a tree divides the packets of its region by one key word, and the choice
 * of the one that costs least.
 */
#ifndef UBPFILTER_CUT_H
#define UBPFILTER_CUT_H

#include "box.h"

/* What a tree is built over: items in order, each with a range for each key word in use. */
struct tree_input {
	uint32_t count;
	unsigned dims;
	uint8_t words[KEY_WORDS]; /* enum key_word of each dimension */
	uint32_t *index;	  /* owned; number of each item in the classifier's data */
	uint32_t *skip;		  /* owned; items before this are passed over behind it */
	bool *ends;		  /* owned; in its box, nothing behind it is looked at */
	struct range *ranges;	  /* owned; dims for each item */
};

/* A node being divided. */
struct region {
	struct range ranges[KEY_WORDS]; /* by dimension */
	uint64_t settled;		/* bit set: dimensions in which every item covers it all */
};

enum cut_kind {
	CUT_NONE,   /* a leaf is as good */
	CUT_SPLIT,  /* child 0: from `low` on, child 1: below */
	CUT_EVEN,   /* equal parts of the whole region */
	CUT_WINDOW, /* equal parts of a window, then one child for both sides of it */
};

struct cut {
	enum cut_kind kind;
	unsigned dim;
	uint32_t low;
	uint32_t last; /* number of the last child */
	uint8_t shift;
};

/* The children that one item falls into: from..to, and the outside child. */
struct cut_share {
	uint32_t from;
	uint32_t to; /* inclusive; below `from`: none */
	bool outside;
};

struct cut_share cut_share(const struct cut *cut, const struct region *region, struct range range);

/** cut_child_range() - what of the region's range child @child gets (outside: all of it). */
struct range cut_child_range(const struct cut *cut, const struct region *region, uint32_t child);

#define CUT_COSTS 1024

/* So few items are a leaf: no cut is better. */
#define CUT_LEAF_ITEMS 2u

/* Memory of the choice, kept from one to the next. */
struct cut_scratch {
	uint32_t *counts; /* owned */
	size_t room;
	struct range *ranges; /* owned; one dimension of the items */
	size_t range_room;
	uint64_t costs[CUT_COSTS]; /* of lists, by their length; [0] is 0 before they are known */
};

/**
 * cut_choose() - the best cut of @region for items @items (positions in @input).
 * Return: 0 or -ENOMEM. @cut->kind is CUT_NONE when a leaf costs less.
 */
int cut_choose(const struct tree_input *input, const struct region *region, const uint32_t *items,
	       uint32_t count, struct cut_scratch *scratch, struct cut *cut);

#endif
