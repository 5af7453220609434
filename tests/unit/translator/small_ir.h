/* SPDX-License-Identifier: GPL-2.0-only */
/* Rules by hand: a few, with a predicate on a field each, in chains one behind the other. */
#ifndef UBPFILTER_SMALL_IR_H
#define UBPFILTER_SMALL_IR_H

#include "../../../translator/ir.h"

#define SMALL_RULES 32

struct small_ir {
	struct ir ir;
	struct rule rules[SMALL_RULES];
	struct predicate predicates[SMALL_RULES][4];
};

/** small_begin() - nothing, and no chain. */
static inline void small_begin(struct small_ir *small)
{
	*small = (struct small_ir){ .ir = { .family = 4, .rules = small->rules } };
	for (int hook = 0; hook < HOOK_COUNT; hook++)
		small->ir.hook_entry[hook] = small->ir.underflow[hook] = RULE_NONE;
}

/**
 * small_rule() - append a rule.
 * @fields: that its predicates are on, each a clause; ends with FIELD_COUNT.
 * Return: its index.
 */
static inline uint32_t small_rule(struct small_ir *small, enum action action, uint32_t target,
				  const enum field *fields)
{
	uint32_t at = small->ir.rule_count++;
	struct rule *rule = &small->rules[at];

	*rule = (struct rule){ .action = (uint8_t)action,
			       .target = target,
			       .predicates = small->predicates[at] };
	while (fields[rule->predicate_count] != FIELD_COUNT) {
		rule->predicates[rule->predicate_count].field =
			(uint8_t)fields[rule->predicate_count];
		rule->predicate_count++;
	}
	return at;
}

/* SMALL_RULE(small, action, target, field...); ALWAYS instead of fields: it has no predicates. */
#define SMALL_RULE(small, action, target, ...) \
	small_rule(small, action, target, (const enum field[]){ __VA_ARGS__, FIELD_COUNT })
#define ALWAYS FIELD_COUNT

/** small_policy() - end a built-in chain that began at @begin. Return: the policy's index. */
static inline uint32_t small_policy(struct small_ir *small, enum hook hook, uint32_t begin,
				    enum action action)
{
	small->ir.hook_entry[hook] = begin;
	small->ir.underflow[hook] = SMALL_RULE(small, action, 0, ALWAYS);
	return small->ir.underflow[hook];
}

#endif
