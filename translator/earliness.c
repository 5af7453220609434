/* SPDX-License-Identifier: GPL-2.0-only */
#include "earliness.h"

#include <errno.h>
#include <stdlib.h>

#include "../common/cleanup.h"
#include "place.h"

/* How a chain was followed from its first rule on. */
struct visit {
	bool freely;	    /* by packets that nothing had stopped */
	bool stopped;	    /* as if nothing had */
	uint32_t comes_out; /* `freely`: what stops those that come out behind it; RULE_NONE */
};

struct walk {
	const struct ir *ir;
	struct earliness *earliness;
	struct visit *visits; /* by the first rule of a chain */
};

static uint32_t chain_walk(struct walk *walk, uint32_t start, uint32_t stopped_by);

static void note(struct earliness *earliness, uint32_t stopped_by)
{
	if (stopped_by == RULE_NONE)
		earliness->arrives = true;
	else if (earliness->stopped_by == RULE_NONE)
		earliness->stopped_by = stopped_by;
}

/* What stops packets behind one rule of a chain, given what stops them at it. @returns: set when
 * some leave the chain there, and are free to go on. */
static uint32_t rule_walk(struct walk *walk, uint32_t index, uint32_t stopped_by, bool *returns)
{
	const struct rule *rule = &walk->ir->rules[index];
	uint32_t matching = stopped_by, inner;

	note(&walk->earliness[index], stopped_by);
	if (stopped_by == RULE_NONE && rule_is_unknown(rule))
		matching = index;
	if (stopped_by == RULE_NONE && rule_stops_all(rule))
		stopped_by = index;
	switch (rule->action) {
	case ACTION_RETURN:
		*returns = *returns || matching == RULE_NONE;
		return stopped_by;
	case ACTION_JUMP:
		inner = chain_walk(walk, rule->target, matching);
		return rule->predicate_count ? stopped_by : inner;
	case ACTION_GOTO:
		inner = chain_walk(walk, rule->target, matching);
		*returns = *returns || inner == RULE_NONE;
		return rule->predicate_count ? stopped_by : inner;
	default:
		return stopped_by;
	}
}

static uint32_t chain_walk(struct walk *walk, uint32_t start, uint32_t stopped_by)
{
	struct visit *visit = &walk->visits[start];
	bool freely = stopped_by == RULE_NONE, returns = false;

	if (visit->freely || (visit->stopped && !freely))
		return freely ? visit->comes_out : stopped_by;
	visit->freely = freely;
	visit->stopped = true;
	for (uint32_t i = start; i < walk->ir->rule_count; i++) {
		stopped_by = rule_walk(walk, i, stopped_by, &returns);
		if (rule_leaves(&walk->ir->rules[i]))
			break;
	}
	if (returns)
		stopped_by = RULE_NONE;
	if (freely)
		visit->comes_out = stopped_by;
	return stopped_by;
}

int rules_earliness(const struct ir *ir, struct earliness *earliness)
{
	_cleanup_free_ struct visit *visits = calloc(ir->rule_count + 1, sizeof(*visits));
	struct walk walk = { .ir = ir, .earliness = earliness, .visits = visits };

	if (!visits)
		return -ENOMEM;
	for (uint32_t i = 0; i < ir->rule_count; i++)
		earliness[i] = (struct earliness){ .stopped_by = RULE_NONE };
	for (int hook = HOOK_INPUT; hook <= HOOK_FORWARD; hook++)
		if (ir->hook_entry[hook] != RULE_NONE)
			note(&earliness[ir->underflow[hook]],
			     chain_walk(&walk, ir->hook_entry[hook], RULE_NONE));
	return 0;
}
