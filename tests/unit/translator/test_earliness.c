/* SPDX-License-Identifier: GPL-2.0-only */
/* Which rules packets get to early, and what stands in the way of the others. */
#include <criterion/criterion.h>

#include "../../../translator/earliness.h"
#include "small_ir.h"

static struct earliness earliness[SMALL_RULES];

static void look_at(struct small_ir *small)
{
	cr_assert_eq(rules_earliness(&small->ir, earliness), 0);
}

#define ARRIVES(rule) cr_expect(earliness[rule].arrives, "at rule %u", rule)
#define STOPPED(rule, by)                                            \
	do {                                                         \
		cr_expect_not(earliness[rule].arrives, "at " #rule); \
		cr_expect_eq(earliness[rule].stopped_by, by, #rule); \
	} while (0)

Test(earliness, packets_get_as_far_as_a_rule_that_each_may_match)
{
	struct small_ir small;
	uint32_t first, unknown, behind, policy;

	small_begin(&small);
	first = SMALL_RULE(&small, ACTION_DROP, 0, FIELD_SOURCE);
	unknown = SMALL_RULE(&small, ACTION_ACCEPT, 0, FIELD_CONNECTION_STATE);
	behind = SMALL_RULE(&small, ACTION_DROP, 0, FIELD_SOURCE);
	policy = small_policy(&small, HOOK_INPUT, first, ACTION_DROP);
	look_at(&small);
	ARRIVES(first);
	ARRIVES(unknown);
	STOPPED(behind, unknown);
	STOPPED(policy, unknown);
}

Test(earliness, a_rule_that_some_may_match_lets_the_others_on)
{
	struct small_ir small;
	uint32_t first, behind;

	small_begin(&small);
	first = SMALL_RULE(&small, ACTION_ACCEPT, 0, FIELD_PROTOCOL, FIELD_CONNECTION_STATE);
	behind = SMALL_RULE(&small, ACTION_DROP, 0, FIELD_SOURCE);
	small_policy(&small, HOOK_INPUT, first, ACTION_ACCEPT);
	look_at(&small);
	ARRIVES(behind);
}

Test(earliness, what_this_host_sends_is_not_looked_at)
{
	struct small_ir small;
	uint32_t rule;

	small_begin(&small);
	rule = SMALL_RULE(&small, ACTION_DROP, 0, FIELD_SOURCE);
	small_policy(&small, HOOK_OUTPUT, rule, ACTION_ACCEPT);
	look_at(&small);
	STOPPED(rule, RULE_NONE);
}

/* A user chain of one rule and its end, behind the built-in one. */
struct chain {
	uint32_t rule, end;
};

static struct chain chain_add(struct small_ir *small, enum action action, enum field field)
{
	struct chain chain = { SMALL_RULE(small, action, 0, field),
			       SMALL_RULE(small, ACTION_RETURN, 0, ALWAYS) };

	SMALL_RULE(small, ACTION_NONE, 0, ALWAYS);
	return chain;
}

/* A jump of those that @field is asked for to a chain that may accept each; a rule @behind. */
static struct chain jump_to_unknown(struct small_ir *small, enum field field, uint32_t *behind)
{
	struct chain chain;
	uint32_t jump;

	small_begin(small);
	jump = SMALL_RULE(small, ACTION_JUMP, 0, field);
	*behind = SMALL_RULE(small, ACTION_DROP, 0, FIELD_SOURCE);
	small_policy(small, HOOK_INPUT, jump, ACTION_ACCEPT);
	chain = chain_add(small, ACTION_ACCEPT, FIELD_CONNECTION_STATE);
	small->rules[jump].target = chain.rule;
	look_at(small);
	return chain;
}

Test(earliness, a_chain_that_all_go_through_stops_them_like_a_rule)
{
	struct small_ir small;
	uint32_t behind;
	struct chain chain = jump_to_unknown(&small, ALWAYS, &behind);

	ARRIVES(chain.rule);
	STOPPED(chain.end, chain.rule);
	STOPPED(behind, chain.rule);
}

Test(earliness, a_chain_that_some_go_through_lets_the_others_on)
{
	struct small_ir small;
	uint32_t behind;
	struct chain chain = jump_to_unknown(&small, FIELD_PROTOCOL, &behind);

	ARRIVES(chain.rule);
	ARRIVES(behind);
}

Test(earliness, who_returns_before_a_chain_stops_all_is_free)
{
	struct small_ir small;
	uint32_t jump, behind, returns, unknown;

	small_begin(&small);
	jump = SMALL_RULE(&small, ACTION_JUMP, 0, ALWAYS);
	behind = SMALL_RULE(&small, ACTION_DROP, 0, FIELD_SOURCE);
	small_policy(&small, HOOK_INPUT, jump, ACTION_ACCEPT);
	returns = SMALL_RULE(&small, ACTION_RETURN, 0, FIELD_SOURCE);
	unknown = SMALL_RULE(&small, ACTION_ACCEPT, 0, FIELD_MARK);
	SMALL_RULE(&small, ACTION_RETURN, 0, ALWAYS);
	small.rules[jump].target = returns;
	look_at(&small);
	ARRIVES(unknown);
	ARRIVES(behind);
}

Test(earliness, a_chain_behind_an_unknown_condition_is_not_gone_into)
{
	struct small_ir small;
	uint32_t jump, behind;
	struct chain chain;

	small_begin(&small);
	jump = SMALL_RULE(&small, ACTION_JUMP, 0, FIELD_PROTOCOL, FIELD_MARK);
	behind = SMALL_RULE(&small, ACTION_DROP, 0, FIELD_SOURCE);
	small_policy(&small, HOOK_INPUT, jump, ACTION_ACCEPT);
	chain = chain_add(&small, ACTION_DROP, FIELD_SOURCE);
	small.rules[jump].target = chain.rule;
	look_at(&small);
	STOPPED(chain.rule, jump);
	ARRIVES(behind);
}

Test(earliness, one_free_way_to_a_chain_is_enough)
{
	struct small_ir small;
	uint32_t stops, jump, free_jump;
	struct chain chain;

	small_begin(&small);
	stops = SMALL_RULE(&small, ACTION_ACCEPT, 0, FIELD_MARK);
	jump = SMALL_RULE(&small, ACTION_GOTO, 0, ALWAYS);
	small_policy(&small, HOOK_INPUT, stops, ACTION_ACCEPT);
	free_jump = SMALL_RULE(&small, ACTION_GOTO, 0, ALWAYS);
	small_policy(&small, HOOK_FORWARD, free_jump, ACTION_DROP);
	chain = chain_add(&small, ACTION_DROP, FIELD_SOURCE);
	small.rules[jump].target = small.rules[free_jump].target = chain.rule;
	look_at(&small);
	ARRIVES(chain.rule);
	STOPPED(jump, stops);
	STOPPED(small.ir.underflow[HOOK_INPUT], stops);
	ARRIVES(small.ir.underflow[HOOK_FORWARD]);
}
