/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Flattening: a built-in chain with everything that it jumps to becomes one list of guarded items.
 * Chains that are called rather than repeated (calls.h) become lists of their own.
 *
 * Running the list is: position = 0; take the first item at or after it whose rule and guards all
 * match; count its rule; do its action. That gives the verdict and the counters of running the
 * chains, also of rules that do not end the walk, of RETURN and of goto.
 */
#ifndef UBPFILTER_FLATTEN_H
#define UBPFILTER_FLATTEN_H

#include "calls.h"

enum item_action {
	ITEM_ACCEPT,
	ITEM_DROP,
	ITEM_SKIP,   /* go on at item `skip` */
	ITEM_CALL,   /* run list `skip`, then go on behind this item */
	ITEM_RETURN, /* back to the list that called this one */
};

#define GUARD_NONE UINT32_MAX

/* A jump or goto that leads to an item; the ones before it follow by `parent`. */
struct guard {
	uint32_t rule;
	uint32_t parent; /* index of a guard, or GUARD_NONE */
};

struct item {
	uint32_t rule;	/* whose predicates, and whose counter; RULE_NONE: neither */
	uint32_t guard; /* the last of its guards, or GUARD_NONE */
	uint32_t skip; /* ITEM_SKIP: index of an item behind this one; ITEM_CALL: a list's number */
	uint8_t action; /* enum item_action */
};

struct item_list {
	struct item *items; /* owned */
	uint32_t item_count;
	struct guard *guards; /* owned; guards without predicates are left out */
	uint32_t guard_count;
};

/* No list grows beyond this, whatever the table says. */
#define FLATTEN_MAX (1u << 20)

/**
 * flatten() - list @number of @plan: of a built-in chain, which the table hooks, or of one that is
 * called. @list: set on success; release with item_list_free().
 * Return: 0, -E2BIG (more than FLATTEN_MAX items; @message says so) or -ENOMEM.
 */
int flatten(const struct ir *ir, const struct call_plan *plan, uint32_t number,
	    struct item_list *list, struct message *message);

void item_list_free(struct item_list *list);

#endif
