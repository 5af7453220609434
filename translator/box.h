/* SPDX-License-Identifier: GPL-2.0-only */
/* The box of an item: what its condition says about each key word, as a range. */
#ifndef UBPFILTER_BOX_H
#define UBPFILTER_BOX_H

#include "condition.h"

struct range {
	uint32_t min;
	uint32_t max; /* inclusive */
};

#define RANGE_ALL ((struct range){ 0, UINT32_MAX })

static inline bool range_is_all(struct range range)
{
	return range.min == 0 && range.max == UINT32_MAX;
}

struct box {
	struct range words[KEY_WORDS]; /* enum key_word */
	bool exact; /* every packet of the class in the box matches; else some outside never do */
};

/**
 * box_build() - a box that no packet of @class outside it can match the item, or be dropped by it.
 */
void box_build(const struct condition *condition, enum packet_class class, uint8_t family,
	       struct box *box);

/*
 * Alternatives on ports make a box each, up to this many; more are left to the confirmation. An
 * item may then be in several boxes, which are next to each other.
 */
#define BOX_PARTS_MAX 16

/** box_parts() - how many boxes the condition's alternatives make of its one; 1: none. */
uint32_t box_parts(const struct condition *condition, enum packet_class class);

/** box_part() - @box, of box_build(), less what alternative @part does not let in. */
struct box box_part(const struct condition *condition, enum packet_class class,
		    const struct box *box, uint32_t part);

/**
 * condition_wants_header() - is a packet asked for its transport header whose protocol has none?
 * Not in a table from iptables, where a match on ports stands behind one on the protocol.
 */
bool condition_wants_header(const struct condition *condition, uint8_t family);

/** condition_can_hotdrop() - may a packet of CLASS_BROKEN fare otherwise than a sound one? */
bool condition_can_hotdrop(const struct condition *condition);

#endif
