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

bool predicate_remembers(const struct predicate *predicate)
{
	return predicate->field == FIELD_STATE || predicate->field == FIELD_HOOK_STATE;
}

bool rule_remembers(const struct rule *rule)
{
	for (uint32_t i = 0; i < rule->predicate_count; i++)
		if (predicate_remembers(&rule->predicates[i]))
			return true;
	return false;
}

bool rule_always_leaves(const struct rule *rule)
{
	return rule->predicate_count == 0 && rule->action != ACTION_CONTINUE &&
	       rule->action != ACTION_JUMP && rule->action != ACTION_EXECUTE;
}

bool rule_leaves(const struct rule *rule)
{
	return rule->action == ACTION_NONE || rule_always_leaves(rule);
}

void ir_number_states(struct ir *ir)
{
	ir->state_count = 0;
	for (uint32_t i = 0; i < ir->rule_count; i++)
		for (uint32_t j = 0; j < ir->rules[i].predicate_count; j++)
			if (predicate_remembers(&ir->rules[i].predicates[j]))
				ir->rules[i].predicates[j].state_index = ir->state_count++;
}

void ir_states(const struct ir *ir, struct state *states)
{
	for (uint32_t i = 0; i < ir->rule_count; i++)
		for (uint32_t j = 0; j < ir->rules[i].predicate_count; j++) {
			const struct predicate *predicate = &ir->rules[i].predicates[j];

			if (predicate_remembers(predicate))
				states[predicate->state_index] = predicate->state;
		}
}

void ir_free(struct ir *ir)
{
	if (!ir)
		return;
	for (uint32_t i = 0; ir->rules && i < ir->rule_count; i++)
		free(ir->rules[i].predicates);
	free(ir->rules);
	free(ir->executions);
	free(ir);
}

uint32_t rule_code(const struct rule *rule)
{
	switch ((enum action)rule->action) {
	case ACTION_EXECUTE:
		return rule->target + 1;
	case ACTION_EXECUTE_DROP:
		return (rule->target + 1) | EXECUTION_ENDS;
	default:
		return 0;
	}
}

uint32_t rule_counted(const struct ir *ir, uint32_t index)
{
	if (index == RULE_NONE)
		return RULE_NONE;
	return index | rule_code(&ir->rules[index]) << COUNTED_RULE_BITS;
}
