/* SPDX-License-Identifier: GPL-2.0-only */
/* What a table has the kernel execute: how many targets a packet can get, and the kernel's table.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../../common/cleanup.h"
#include "../../../iptables-compat/execution_table.h"
#include "../../../translator/execution.h"

#define RULES 40

/* INPUT and its policy; then a chain of its own. Rules have a predicate: they may be passed by. */
struct small {
	struct ir ir;
	struct rule rules[RULES];
	struct predicate predicates[RULES];
	struct execution executions[2];
	struct xt_standard_target targets[2];
};

static void small_begin(struct small *small)
{
	*small = (struct small){ .ir = { .family = 4 } };
	small->ir.rules = small->rules;
	small->ir.executions = small->executions;
	small->ir.execution_count = ARRAY_SIZE(small->executions);
	for (size_t i = 0; i < ARRAY_SIZE(small->targets); i++) {
		small->targets[i].target.u.target_size = sizeof(small->targets[i]);
		strcpy(small->targets[i].target.u.user.name, i ? "LOG" : "REJECT");
		small->executions[i] = (struct execution){ .target = &small->targets[i] };
	}
	for (int hook = 0; hook < HOOK_COUNT; hook++)
		small->ir.hook_entry[hook] = small->ir.underflow[hook] = RULE_NONE;
	small->ir.hook_entry[HOOK_INPUT] = 0;
}

static void small_rule(struct small *small, enum action action, uint32_t target)
{
	uint32_t at = small->ir.rule_count++;

	small->predicates[at] =
		(struct predicate){ .field = FIELD_PROTOCOL, .range = { .min = 6, .max = 6 } };
	small->rules[at] = (struct rule){ .action = (uint8_t)action,
					  .target = target,
					  .predicates = &small->predicates[at],
					  .predicate_count = 1 };
}

static void small_policy(struct small *small)
{
	small->ir.underflow[HOOK_INPUT] = small->ir.rule_count;
	small_rule(small, ACTION_ACCEPT, 0);
	small->rules[small->ir.rule_count - 1].predicate_count = 0;
}

static uint32_t longest(const struct small *small)
{
	_cleanup_free_ struct execution_list *list = NULL;
	struct message message = { 0 };

	cr_assert_eq(executions_list(&small->ir, &list, &message), 0, "%s", message.text);
	cr_assert_eq(execution_list_check(list, list->size), 0);
	return list->longest;
}

Test(execution, targets_that_continue_add_up)
{
	struct small small;

	small_begin(&small);
	for (int i = 0; i < 5; i++)
		small_rule(&small, ACTION_EXECUTE, 1);
	small_rule(&small, ACTION_EXECUTE_DROP, 0);
	small_rule(&small, ACTION_EXECUTE, 1);
	small_rule(&small, ACTION_EXECUTE, 1);
	small_policy(&small);
	cr_expect_eq(longest(&small), 7); /* past the one that drops: five and two */
}

Test(execution, what_drops_is_the_last)
{
	struct small small;

	small_begin(&small);
	for (int i = 0; i < 9; i++)
		small_rule(&small, ACTION_EXECUTE_DROP, 0);
	small_policy(&small);
	cr_expect_eq(longest(&small), 1);
}

Test(execution, a_chain_counts_as_often_as_it_is_gone_through)
{
	struct small small;

	small_begin(&small);
	small_rule(&small, ACTION_JUMP, 4);
	small_rule(&small, ACTION_JUMP, 4);
	small_policy(&small);
	small_rule(&small, ACTION_NONE, 0);
	small_rule(&small, ACTION_EXECUTE, 1);
	small_rule(&small, ACTION_EXECUTE, 0);
	small_rule(&small, ACTION_RETURN, 0);
	small.rules[6].predicate_count = 0;
	cr_expect_eq(longest(&small), 4);
}

Test(execution, more_than_bpf_leaves_for_a_packet_is_refused)
{
	_cleanup_free_ struct execution_list *list = NULL;
	struct message message = { 0 };
	struct small small;

	small_begin(&small);
	for (int i = 0; i < PENDING_MAX; i++)
		small_rule(&small, ACTION_EXECUTE, 1);
	small_policy(&small);
	cr_expect_eq(longest(&small), PENDING_MAX);
	small_begin(&small);
	for (int i = 0; i <= PENDING_MAX; i++)
		small_rule(&small, ACTION_EXECUTE, 1);
	small_policy(&small);
	cr_expect_eq(executions_list(&small.ir, &list, &message), -EOPNOTSUPP);
	cr_expect_str_eq(message.text, "a packet may get 16 targets that the kernel executes, more "
				       "than the 15 that BPF leaves for it");
}

Test(execution, damaged_lists_are_refused)
{
	_cleanup_free_ struct execution_list *list = NULL;
	struct execution_record *record;
	struct message message = { 0 };
	struct small small;

	small_begin(&small);
	small_rule(&small, ACTION_EXECUTE, 1);
	small_policy(&small);
	cr_assert_eq(executions_list(&small.ir, &list, &message), 0);
	record = (struct execution_record *)(list + 1);
	cr_expect_eq(execution_list_check(list, list->size - 1u), -EINVAL);
	list->count++;
	cr_expect_eq(execution_list_check(list, list->size), -EINVAL);
	list->count--;
	record->target_size += 8;
	cr_expect_eq(execution_list_check(list, list->size), -EINVAL);
	record->target_size = 4;
	cr_expect_eq(execution_list_check(list, list->size), -EINVAL);
}

/* Its structure: what comes behind are the matches, and `bpf` is none of ours. */
static void expect_sound(enum family family, size_t generations)
{
	_cleanup_free_ struct execution_list *list = NULL;
	_cleanup_free_ struct ipt_replace *argument = NULL;
	struct execution_part parts[2];
	struct message message = { 0 };
	struct table *table = NULL;
	struct small small;
	uint32_t counters;
	size_t size;
	int error;

	small_begin(&small);
	small_rule(&small, ACTION_EXECUTE, 1);
	small_rule(&small, ACTION_EXECUTE_DROP, 0);
	small_policy(&small);
	cr_assert_eq(executions_list(&small.ir, &list, &message), 0);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		parts[i] = (struct execution_part){ list, { "/next", "/this", "/drop" }, i };
	cr_assert_eq(execution_table(family, parts, generations, &argument, &size), 0);
	argument->num_counters = 1;
	error = table_decode(family, argument, size, &table, &counters, &message);
	cr_expect_eq(error, generations ? -EOPNOTSUPP : 0, "%d", error);
	cr_expect_str_eq(
		message.text,
		generations
			? "filter/INPUT rule 1: match \"bpf\" is not done in BPF: programs do not "
			  "run the user's own on a packet"
			: "");
	table_free(table);
}

Test(execution, the_kernels_table_is_sound)
{
	for (size_t generations = 0; generations <= 2; generations++) {
		expect_sound(FAMILY_IPV4, generations);
		expect_sound(FAMILY_IPV6, generations);
	}
}

Test(execution, a_path_that_the_kernel_does_not_take)
{
	struct {
		struct execution_list list;
		struct execution_record record;
		struct xt_standard_target target;
	} one = {
		.list = { .size = sizeof(one), .count = 1, .longest = 1 },
		.record = { .target_size = sizeof(one.target) },
	};
	char path[600];
	struct execution_part part = { &one.list, { path, path, path }, 1 };
	struct ipt_replace *argument = NULL;
	size_t size;

	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	cr_expect_eq(execution_table(FAMILY_IPV4, &part, 1, &argument, &size), -ENAMETOOLONG);
	cr_expect_eq(argument, NULL);
}
