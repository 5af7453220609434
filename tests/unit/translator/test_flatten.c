/* SPDX-License-Identifier: GPL-2.0-only */
#include <criterion/criterion.h>

#include "../../../translator/flatten.h"

static const struct predicate some = { .field = FIELD_PROTOCOL, .range = { 6, 6 } };

/* A table of rules with at most the one condition `some`; INPUT starts at @entry. */
struct small {
	struct rule rules[8];
	struct predicate copies[8];
	struct ir ir;
};

static void small_rule(struct small *small, enum action action, uint32_t target, bool conditional)
{
	uint32_t index = small->ir.rule_count++;

	small->copies[index] = some;
	small->rules[index] =
		(struct rule){ .action = action,
			       .target = target,
			       .predicates = conditional ? &small->copies[index] : NULL,
			       .predicate_count = conditional };
}

static void small_open(struct small *small, uint32_t entry, uint32_t underflow)
{
	small->ir.family = 4;
	small->ir.rules = small->rules;
	small->ir.hook_entry[HOOK_INPUT] = entry;
	small->ir.underflow[HOOK_INPUT] = underflow;
}

/* The list of INPUT, every jump followed. */
static int small_flatten(const struct small *small, struct item_list *list)
{
	uint32_t lists[8] = { 0 }, starts[CLASSIFY_CHAINS] = { small->ir.hook_entry[HOOK_INPUT] };
	const struct call_plan plan = { .lists = lists,
					.starts = starts,
					.list_count = CLASSIFY_CHAINS };

	return flatten(&small->ir, &plan, 0, list, NULL);
}

Test(flatten, a_jump_guards_its_chain_and_return_goes_on_behind_it)
{
	struct small small = { 0 };
	struct item_list list;

	small_rule(&small, ACTION_DROP, 0, true);    /* 0: the user chain */
	small_rule(&small, ACTION_RETURN, 0, true);  /* 1 */
	small_rule(&small, ACTION_DROP, 0, true);    /* 2 */
	small_rule(&small, ACTION_RETURN, 0, false); /* 3 */
	small_rule(&small, ACTION_JUMP, 0, true);    /* 4: INPUT */
	small_rule(&small, ACTION_ACCEPT, 0, false); /* 5 */
	small_open(&small, 4, 5);
	cr_assert_eq(small_flatten(&small, &list), 0);
	cr_assert_eq(list.item_count, 6);
	cr_expect_eq(list.items[0].rule, 4);
	cr_expect_eq(list.items[0].guard, GUARD_NONE);
	cr_expect_eq(list.guards[list.items[1].guard].rule, 4);
	cr_expect_eq(list.items[2].skip, 5, "RETURN goes behind the chain");
	cr_expect_eq(list.items[5].action, ITEM_ACCEPT);
	item_list_free(&list);
}

Test(flatten, return_of_a_goto_goes_to_the_policy)
{
	struct small small = { 0 };
	struct item_list list;

	small_rule(&small, ACTION_RETURN, 0, false); /* 0: the user chain */
	small_rule(&small, ACTION_GOTO, 0, true);    /* 1: INPUT */
	small_rule(&small, ACTION_DROP, 0, true);    /* 2 */
	small_rule(&small, ACTION_ACCEPT, 0, false); /* 3 */
	small_open(&small, 1, 3);
	cr_assert_eq(small_flatten(&small, &list), 0);
	cr_assert_eq(list.item_count, 4);
	cr_expect_eq(list.items[1].skip, 3, "passes rule 2 over");
	item_list_free(&list);
}

Test(flatten, a_chain_that_is_called_is_one_item)
{
	struct small small = { 0 };
	uint32_t lists[8] = { [0] = CLASSIFY_CHAINS }, starts[] = { 2, RULE_NONE, RULE_NONE, 0 };
	const struct call_plan plan = { .lists = lists, .starts = starts, .list_count = 4 };
	struct item_list list;

	small_rule(&small, ACTION_DROP, 0, true);    /* 0: the user chain */
	small_rule(&small, ACTION_RETURN, 0, false); /* 1 */
	small_rule(&small, ACTION_JUMP, 0, true);    /* 2: INPUT */
	small_rule(&small, ACTION_ACCEPT, 0, false); /* 3 */
	small_open(&small, 2, 3);
	cr_assert_eq(flatten(&small.ir, &plan, 0, &list, NULL), 0);
	cr_assert_eq(list.item_count, 2);
	cr_expect_eq(list.items[0].action, ITEM_CALL);
	cr_expect_eq(list.items[0].skip, CLASSIFY_CHAINS);
	item_list_free(&list);
	cr_assert_eq(flatten(&small.ir, &plan, CLASSIFY_CHAINS, &list, NULL), 0);
	cr_expect_eq(list.items[0].action, ITEM_DROP);
	cr_expect_eq(list.items[1].action, ITEM_RETURN);
	cr_expect_eq(list.items[1].rule, 1, "RETURN counts");
	item_list_free(&list);
}
