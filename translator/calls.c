/* SPDX-License-Identifier: GPL-2.0-only */
#include "calls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reach.h"

/* Up to so many items, and so many times as many as rules, jumps are followed without a thought. */
#define ITEMS_ALWAYS   (1u << 17)
#define ITEMS_PER_RULE 4

/* Following a jump to so few items is hardly more than the call. */
#define CALLED_ITEMS_MIN 5

#define LIMIT_NONE UINT64_MAX
#define ITEMS_MAX  (UINT64_MAX / 4) /* sums of them do not overflow */

struct planning {
	const struct ir *ir;
	enum calling calling;
	struct reach reach;
	uint64_t *items; /* owned; by rule: from there to the end of its chain */
	uint32_t *sites; /* owned; by rule: how many jump there */
	uint8_t *depths; /* owned; by rule: calls within calls from there on */
	bool *called;	 /* owned; by rule */
};

static uint64_t sum(uint64_t left, uint64_t right)
{
	return left + right < ITEMS_MAX ? left + right : ITEMS_MAX;
}

static bool should_call(const struct planning *p, uint32_t rule, uint64_t limit)
{
	uint64_t more;

	if (!p->sites[rule] || p->depths[rule] >= CLASSIFY_CALL_WORDS || limit == LIMIT_NONE)
		return false;
	if (p->calling == CALLING_ALWAYS)
		return true;
	if (p->items[rule] < CALLED_ITEMS_MIN)
		return false;
	return !__builtin_mul_overflow(p->sites[rule] - 1, p->items[rule], &more) ? more > limit
										  : true;
}

/* What the jump or goto @rule adds to its list behind its own item. */
static uint64_t entered_items(const struct planning *p, const struct rule *rule)
{
	uint64_t more = rule_remembers(rule);

	if (p->called[rule->target])
		return rule->action == ACTION_GOTO ? 2 * more + 1 : 0;
	return sum(more, p->items[rule->target]);
}

static void plan_rule(struct planning *p, uint32_t index, uint64_t limit)
{
	const struct rule *rule = &p->ir->rules[index];
	uint64_t items = rule->action != ACTION_NONE;
	uint8_t depth = 0;

	if (rule_enters(rule) && rule->target < p->ir->rule_count) {
		items = sum(items, entered_items(p, rule));
		depth = p->depths[rule->target] + p->called[rule->target];
	}
	if (!rule_always_leaves(rule) && index + 1 < p->ir->rule_count) {
		items = sum(items, p->items[index + 1]);
		depth = depth > p->depths[index + 1] ? depth : p->depths[index + 1];
	}
	p->items[index] = items;
	p->depths[index] = depth;
	p->called[index] = should_call(p, index, limit);
}

/* Chains are called that more than @limit items come from. Return: items of all lists. */
static uint64_t plan_all(struct planning *p, uint64_t limit, struct call_plan *plan)
{
	uint64_t total = 0;

	plan->list_count = CLASSIFY_CHAINS;
	plan->depth = 0;
	for (uint32_t i = 0; i < p->reach.count; i++) {
		uint32_t rule = p->reach.rules[i];

		plan_rule(p, rule, limit);
		if (!p->called[rule])
			continue;
		plan->list_count++;
		total = sum(total, p->items[rule] + 1);
	}
	for (int hook = HOOK_INPUT; hook <= HOOK_OUTPUT; hook++) {
		uint32_t entry = p->ir->hook_entry[hook];

		if (entry == RULE_NONE)
			continue;
		total = sum(total, p->items[entry]);
		if (p->depths[entry] > plan->depth)
			plan->depth = p->depths[entry];
		if (limit == LIMIT_NONE && p->items[entry] > plan->followed)
			plan->followed = p->items[entry];
	}
	return total;
}

static uint64_t plan_least(struct planning *p, struct call_plan *plan)
{
	uint64_t enough = ITEMS_PER_RULE * (uint64_t)p->ir->rule_count, total, limit;

	if (enough < ITEMS_ALWAYS)
		enough = ITEMS_ALWAYS;
	total = plan_all(p, LIMIT_NONE, plan);
	if (p->calling == CALLING_ALWAYS)
		return plan_all(p, 0, plan);
	for (limit = enough; total > enough; limit /= 2) {
		total = plan_all(p, limit, plan);
		if (!limit)
			break;
	}
	return total;
}

/* Callees stand before their callers in the order of what is reached. */
static int lists_number(const struct planning *p, struct call_plan *plan)
{
	uint32_t number = CLASSIFY_CHAINS;

	plan->lists = calloc(p->ir->rule_count + (size_t)1, sizeof(*plan->lists));
	plan->starts = calloc(plan->list_count, sizeof(*plan->starts));
	if (!plan->lists || !plan->starts)
		return -ENOMEM;
	for (int chain = 0; chain < CLASSIFY_CHAINS; chain++)
		plan->starts[chain] = p->ir->hook_entry[HOOK_INPUT + chain];
	for (uint32_t i = 0; i < p->reach.count; i++) {
		uint32_t rule = p->reach.rules[i];

		if (!p->called[rule])
			continue;
		plan->lists[rule] = number;
		plan->starts[number++] = rule;
	}
	return 0;
}

static int planning_open(struct planning *p)
{
	size_t count = p->ir->rule_count + (size_t)1;
	int error = reach_make(p->ir, &p->reach);

	if (error)
		return error;
	p->items = calloc(count, sizeof(*p->items));
	p->sites = calloc(count, sizeof(*p->sites));
	p->depths = calloc(count, sizeof(*p->depths));
	p->called = calloc(count, sizeof(*p->called));
	if (!p->items || !p->sites || !p->depths || !p->called)
		return -ENOMEM;
	for (uint32_t i = 0; i < p->reach.count; i++) {
		const struct rule *rule = &p->ir->rules[p->reach.rules[i]];

		if (rule_enters(rule) && rule->target < p->ir->rule_count)
			p->sites[rule->target]++;
	}
	return 0;
}

static void planning_free(struct planning *p)
{
	reach_free(&p->reach);
	free(p->items);
	free(p->sites);
	free(p->depths);
	free(p->called);
}

int call_plan_make(const struct ir *ir, enum calling calling, struct call_plan *plan,
		   struct message *message)
{
	struct planning planning = { .ir = ir, .calling = calling };
	struct call_plan made = { 0 };
	uint64_t total = 0;
	int error = planning_open(&planning);

	if (!error) {
		total = plan_least(&planning, &made);
		error = total > CLASSIFY_ITEM_MAX ? -E2BIG : lists_number(&planning, &made);
	}
	planning_free(&planning);
	if (error) {
		call_plan_free(&made);
		if (error == -E2BIG)
			return message_set(message, error,
					   "the chains have more than %u rules even where those "
					   "that are jumped to often stand once",
					   CLASSIFY_ITEM_MAX);
		return message_set(message, error, "following the chains' jumps: %s",
				   strerror(-error));
	}
	*plan = made;
	return 0;
}

void call_plan_free(struct call_plan *plan)
{
	free(plan->lists);
	free(plan->starts);
	*plan = (struct call_plan){ 0 };
}
