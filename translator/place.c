/* SPDX-License-Identifier: GPL-2.0-only */
#include "place.h"

#include <errno.h>

#include "../iptables-compat/text.h"
#include "field.h"

/* Both early stages go by what both know: one classifier serves them. */
#define EARLY_STAGES (STAGE_BIT(STAGE_XDP) | STAGE_BIT(STAGE_TC))

/*
 * What connection tracking will find is asked of nobody ahead of it: its time has not come. And
 * what counts packets counts each of them once, in the stage that decides.
 */
#define FOUND_LATER (NEED_CONNECTION | NEED_STATE)

enum position stage_position(unsigned stages, enum stage stage)
{
	return stages & DECIDED_BEHIND && stage != STAGE_NF ? POSITION_EARLY : POSITION_LAST;
}

bool field_is_known_early(enum field field)
{
	const struct field_info *info = field_info(field);

	return (info->stages & EARLY_STAGES) == EARLY_STAGES && !(info->needs & FOUND_LATER);
}

const struct predicate *clause_end(const struct predicate *predicate)
{
	while (predicate->or_next)
		predicate++;
	return predicate + 1;
}

bool clause_is_unknown(const struct predicate *predicate)
{
	const struct predicate *end = clause_end(predicate);

	for (; predicate < end; predicate++)
		if (!field_is_known_early((enum field)predicate->field))
			return true;
	return false;
}

bool rule_is_unknown(const struct rule *rule)
{
	if (rule_code(rule)) /* what the kernel is to execute must get to it */
		return true;
	for (uint32_t i = 0; i < rule->predicate_count; i++)
		if (!field_is_known_early((enum field)rule->predicates[i].field))
			return true;
	return false;
}

bool rule_stops_all(const struct rule *rule)
{
	const struct predicate *next = rule->predicates, *end = next + rule->predicate_count;

	if (!rule_is_unknown(rule))
		return false;
	for (; next < end; next = clause_end(next))
		if (!clause_is_unknown(next))
			return false;
	return true;
}

/* A chain that is jumped to is taken to drop something: to look costs more than it saves. */
static bool chain_may_drop(const struct ir *ir, enum hook hook)
{
	for (uint32_t i = ir->hook_entry[hook]; i <= ir->underflow[hook]; i++) {
		const struct rule *rule = &ir->rules[i];

		if (rule_stops_all(rule))
			return false;
		if (!rule_is_unknown(rule) &&
		    (rule->action == ACTION_DROP || rule->action == ACTION_JUMP ||
		     rule->action == ACTION_GOTO))
			return true;
	}
	return false;
}

unsigned early_stages(const struct ir *ir, unsigned stages)
{
	if (!(stages & DECIDED_BEHIND))
		return stages;
	for (int hook = HOOK_INPUT; hook <= HOOK_FORWARD; hook++)
		if (ir->hook_entry[hook] != RULE_NONE && chain_may_drop(ir, (enum hook)hook))
			return stages;
	return stages & STAGE_BIT(STAGE_NF);
}

int refuse_unknown(const char *place, const struct predicate *unknown, enum stage stage,
		   struct message *message)
{
	return message_set(message, -EOPNOTSUPP,
			   "%s%smatch \"%s\" reads the %s, which hook %s does not know", place,
			   *place ? ": " : "", unknown->match ? unknown->match : "",
			   field_info((enum field)unknown->field)->name, stage_name(stage));
}

static int check_known(const struct table *table, const struct ir *ir, enum stage stage,
		       struct message *message)
{
	char place[MESSAGE_SIZE / 2];

	for (uint32_t i = 0; i < ir->rule_count; i++) {
		const struct predicate *unknown = rule_unknown(&ir->rules[i], stage);

		if (!unknown)
			continue;
		rule_place(table, i, place, sizeof(place));
		return refuse_unknown(place, unknown, stage, message);
	}
	return 0;
}

int check_placement(const struct table *table, const struct ir *ir, unsigned stages,
		    struct message *message)
{
	int error = 0;

	for (unsigned stage = 0; stage < STAGE_COUNT && !error; stage++)
		if (stages & STAGE_BIT(stage) &&
		    stage_position(stages, (enum stage)stage) == POSITION_LAST)
			error = check_known(table, ir, (enum stage)stage, message);
	return error;
}
