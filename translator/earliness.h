/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What early stages (place.h) make of each rule, for people: does it drop packets early, and which
 * rule stands in the way if not.
 */
#ifndef UBPFILTER_EARLINESS_H
#define UBPFILTER_EARLINESS_H

#include "ir.h"

struct earliness {
	bool arrives;	     /* packets get to the rule early, from INPUT or FORWARD */
	uint32_t stopped_by; /* if none do, though the hook's may: the rule that stops all of them;
				RULE_NONE: no packet of these chains gets there at all */
};

/**
 * rules_earliness() - for each rule of @ir.
 * @earliness: one for each rule, set. A rule that early stages do not know in full drops nothing
 * early, whoever arrives: rule_is_unknown().
 * Return: 0 or -ENOMEM.
 */
int rules_earliness(const struct ir *ir, struct earliness *earliness);

#endif
