/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An item's condition in the classifier's form: the predicates of its guards and its rule, merged
 * into the fixed fields of struct classify_item where that keeps their meaning, and a list of
 * extra predicates for the others.
 */
#ifndef UBPFILTER_CONDITION_H
#define UBPFILTER_CONDITION_H

#include "../bpf/classify.h"
#include "flatten.h"

struct condition {
	struct classify_item item; /* rule, skip, action and extra are the caller's */
	struct classify_wide wide;
	bool never; /* matches no packet and drops none */
	struct classify_extra extras[CLASSIFY_EXTRAS * 2];
	uint32_t extra_count; /* the early ones first; as item.extra_early + item.extra_late */
};

/**
 * condition_build() - the condition of @list's item @index.
 * Return: 0, or -E2BIG: more than CLASSIFY_EXTRAS predicates do not fit the fixed fields.
 */
int condition_build(const struct ir *ir, const struct item_list *list, uint32_t index,
		    struct condition *condition);

#endif
