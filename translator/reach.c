/* SPDX-License-Identifier: GPL-2.0-only */
#include "reach.h"

#include "../common/array.h"
#include "../common/cleanup.h"

static bool never_matches(const struct rule *rule)
{
	return rule->predicate_count > 0 && rule->predicates[0].field == FIELD_NEVER;
}

bool rule_enters(const struct rule *rule)
{
	return (rule->action == ACTION_JUMP || rule->action == ACTION_GOTO) && !never_matches(rule);
}

enum seen {
	SEEN_NOT,
	SEEN_OPEN, /* what it leads to is being looked at */
	SEEN_DONE,
};

struct search {
	const struct ir *ir;
	struct reach reach;
	uint8_t *seen;	 /* owned; enum seen, by rule */
	uint32_t *stack; /* owned; those that are open, and what they lead to above them */
	size_t depth, room;
};

static int search_push(struct search *search, uint32_t rule)
{
	if (rule >= search->ir->rule_count || search->seen[rule] == SEEN_DONE)
		return 0;
	if (search->seen[rule] == SEEN_OPEN)
		return -ELOOP;
	if (array_room(&search->stack, &search->room, search->depth + 1, sizeof(*search->stack)))
		return -ENOMEM;
	search->stack[search->depth++] = rule;
	return 0;
}

static int search_open(struct search *search, uint32_t index)
{
	const struct rule *rule = &search->ir->rules[index];
	int error = 0;

	search->seen[index] = SEEN_OPEN;
	if (!rule_always_leaves(rule))
		error = search_push(search, index + 1);
	if (!error && rule_enters(rule))
		error = search_push(search, rule->target);
	return error;
}

static int search_from(struct search *search, uint32_t entry)
{
	int error = search_push(search, entry);

	while (!error && search->depth) {
		uint32_t rule = search->stack[search->depth - 1];

		if (search->seen[rule] == SEEN_NOT) {
			error = search_open(search, rule);
			continue;
		}
		search->depth--;
		if (search->seen[rule] == SEEN_OPEN)
			search->reach.rules[search->reach.count++] = rule;
		search->seen[rule] = SEEN_DONE;
	}
	return error;
}

int reach_make(const struct ir *ir, struct reach *reach)
{
	struct search search = { .ir = ir };
	int error = 0;

	search.seen = calloc(ir->rule_count + (size_t)1, sizeof(*search.seen));
	search.reach.rules = calloc(ir->rule_count + (size_t)1, sizeof(*search.reach.rules));
	if (!search.seen || !search.reach.rules)
		error = -ENOMEM;
	for (int hook = HOOK_INPUT; hook <= HOOK_OUTPUT && !error; hook++)
		error = search_from(&search, ir->hook_entry[hook]);
	free(search.seen);
	free(search.stack);
	if (error)
		reach_free(&search.reach);
	else
		*reach = search.reach;
	return error;
}

void reach_free(struct reach *reach)
{
	free(reach->rules);
	*reach = (struct reach){ 0 };
}
