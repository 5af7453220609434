/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which chains are repeated where they are jumped to, and which stand once and are *called*.
 *
 * Repeating costs a packet least: what the jump asks leads to the chain's rules at once. A chain
 * of 1,000 rules that is jumped to by 1,000 rules would be a million items, though.
 */
#ifndef UBPFILTER_CALLS_H
#define UBPFILTER_CALLS_H

#include "../bpf/classify.h"
#include "../common/message.h"
#include "ir.h"

enum calling {
	CALLING_SELDOM, /* only where repeating takes too much */
	CALLING_ALWAYS, /* each chain, as deep as the walk's stack allows */
};

/* Lists of items: those of the built-in chains come first, in the order of their hooks. */
struct call_plan {
	uint32_t *lists;     /* owned; by rule: the list of the called chain that begins there */
	uint32_t *starts;    /* owned; by list: the rule that it begins at */
	uint32_t list_count; /* CLASSIFY_CHAINS: no chain is called */
	uint32_t depth;	     /* calls within calls */
	uint64_t followed;   /* items of the longest list if every jump were followed */
};

#define LIST_NONE 0 /* INPUT's: nothing calls it */

/**
 * call_plan_make() - choose.
 * @plan: set on success; release with call_plan_free(). A list that another one calls has the
 * lower number of the two, unless it is a built-in chain's.
 * Return: 0; -E2BIG (more than CLASSIFY_ITEM_MAX items all the same; @message has the number),
 * -ELOOP or -ENOMEM.
 */
int call_plan_make(const struct ir *ir, enum calling calling, struct call_plan *plan,
		   struct message *message);

void call_plan_free(struct call_plan *plan);

#endif
