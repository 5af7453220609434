/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rules that packets can get to, in an order in which each stands behind all that it leads to:
 * what follows from those is known when a rule's turn comes.
 */
#ifndef UBPFILTER_REACH_H
#define UBPFILTER_REACH_H

#include "ir.h"

struct reach {
	uint32_t *rules; /* owned; the first ones lead to no other */
	uint32_t count;
};

/**
 * reach_make() - the rules that the table's hooks lead to.
 * @reach: set on success; release with reach_free().
 * Return: 0, -ELOOP (a chain leads to itself: not in a table that was checked) or -ENOMEM.
 */
int reach_make(const struct ir *ir, struct reach *reach);

void reach_free(struct reach *reach);

/** rule_enters() - does the rule jump or go to another chain, for some packet? */
bool rule_enters(const struct rule *rule);

#endif
