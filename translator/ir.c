/* SPDX-License-Identifier: GPL-2.0-only */
#include "ir.h"

#include <errno.h>
#include <stdlib.h>

/* Rules have few predicates: growing by doubling from 4 keeps a table at one allocation a rule. */
#define PREDICATES_FIRST 4u

/* The array has no capacity field: it is full exactly when the count is 0 or a power of two >= 4.
 */
static bool predicates_full(uint32_t count)
{
	return count == 0 || (count >= PREDICATES_FIRST && (count & (count - 1)) == 0);
}

int rule_add(struct rule *rule, const struct predicate *predicate)
{
	if (predicates_full(rule->predicate_count)) {
		size_t room = rule->predicate_count ? rule->predicate_count * (size_t)2
						    : PREDICATES_FIRST;
		struct predicate *more =
			reallocarray(rule->predicates, room, sizeof(*rule->predicates));

		if (!more)
			return -ENOMEM;
		rule->predicates = more;
	}
	rule->predicates[rule->predicate_count++] = *predicate;
	return 0;
}

void ir_free(struct ir *ir)
{
	if (!ir)
		return;
	for (uint32_t i = 0; ir->rules && i < ir->rule_count; i++) {
		free(ir->rules[i].predicates);
		free(ir->rules[i].text);
	}
	free(ir->rules);
	free(ir);
}
