/* SPDX-License-Identifier: GPL-2.0-only */
#include "execution.h"

#include <errno.h>
#include <string.h>

#include "../iptables-compat/extension.h"
#include "../iptables-compat/text.h"
#include "reach.h"

/* --- what later rules may read --------------------------------------------------------------- */

static const struct target_extension *extension_of(const struct ir *ir,
						   const struct execution *execution)
{
	const struct xt_entry_target *target = execution->target;

	return target_find((enum family)ir->family, target->u.user.name, target->u.user.revision);
}

/* What some target of the table changes: @match reads it. */
static const struct target_extension *changed(const struct ir *ir, const char *match)
{
	for (uint32_t i = 0; i < ir->execution_count; i++) {
		const struct target_extension *extension = extension_of(ir, &ir->executions[i]);

		for (int j = 0; extension && j < TARGET_CHANGES; j++)
			if (extension->changes[j] && strcmp(extension->changes[j], match) == 0)
				return extension;
	}
	return NULL;
}

/* Which rules come after which is not asked: tables with both are few. */
int executions_check(const struct table *table, const struct ir *ir, struct message *message)
{
	char place[MESSAGE_SIZE / 2];

	for (uint32_t i = 0; ir->execution_count && i < ir->rule_count; i++)
		for (uint32_t j = 0; j < ir->rules[i].predicate_count; j++) {
			const char *match = ir->rules[i].predicates[j].match;
			const struct target_extension *target = match ? changed(ir, match) : NULL;

			if (!target)
				continue;
			rule_place(table, i, place, sizeof(place));
			return message_set(message, -EOPNOTSUPP,
					   "%s: match \"%s\" reads what target \"%s\" of the same "
					   "table changes",
					   place, match, target->name);
		}
	return 0;
}

/* --- how many a packet can get --------------------------------------------------------------- */

/*
 * The most targets that a packet gets from a rule on: before its chain ends it, and before it is
 * back at the caller; NO_WAY: none can.
 */
struct most {
	int64_t ended;
	int64_t returned;
};

#define NO_WAY	 (-1)
#define MOST_MAX INT32_MAX /* more than anybody may have, and sums do not overflow */

static int64_t most_of(int64_t one, int64_t other)
{
	return one > other ? one : other;
}

static int64_t one_after_other(int64_t first, int64_t then)
{
	if (first == NO_WAY || then == NO_WAY)
		return NO_WAY;
	return first + then < MOST_MAX ? first + then : MOST_MAX;
}

/* As for a packet that matches; @next: what follows in the chain. */
static struct most most_matched(const struct rule *rule, const struct most *next,
				const struct most *most)
{
	int64_t own = rule_code(rule) != 0;
	const struct most *inner;

	switch ((enum action)rule->action) {
	case ACTION_ACCEPT:
	case ACTION_DROP:
	case ACTION_EXECUTE_DROP:
		return (struct most){ own, NO_WAY };
	case ACTION_RETURN:
		return (struct most){ NO_WAY, 0 };
	case ACTION_GOTO:
		return rule_enters(rule) ? most[rule->target] : (struct most){ NO_WAY, NO_WAY };
	case ACTION_JUMP:
		if (!rule_enters(rule))
			return *next;
		inner = &most[rule->target];
		return (struct most){ most_of(inner->ended,
					      one_after_other(inner->returned, next->ended)),
				      one_after_other(inner->returned, next->returned) };
	default:
		return (struct most){ one_after_other(own, next->ended),
				      one_after_other(own, next->returned) };
	}
}

static void most_set(const struct ir *ir, uint32_t index, struct most *most)
{
	const struct rule *rule = &ir->rules[index];
	bool last = rule_always_leaves(rule) || index + 1 >= ir->rule_count;
	struct most next = last ? (struct most){ NO_WAY, NO_WAY } : most[index + 1];
	struct most matched = most_matched(rule, &next, most);

	most[index] = (struct most){ most_of(matched.ended, next.ended),
				     most_of(matched.returned, next.returned) };
}

static int longest_walk(const struct ir *ir, uint32_t *longest)
{
	_cleanup_free_ struct most *most = calloc(ir->rule_count + (size_t)1, sizeof(*most));
	struct reach reach = { 0 };
	int error = most ? reach_make(ir, &reach) : -ENOMEM;

	if (error)
		return error;
	for (uint32_t i = 0; i < reach.count; i++)
		most_set(ir, reach.rules[i], most);
	for (int hook = HOOK_INPUT; hook <= HOOK_OUTPUT; hook++) {
		uint32_t entry = ir->hook_entry[hook];

		if (entry != RULE_NONE)
			*longest = (uint32_t)most_of(
				*longest, most_of(most[entry].ended, most[entry].returned));
	}
	reach_free(&reach);
	return 0;
}

static int longest_of_all(const struct ir *ir, uint32_t *longest, struct message *message)
{
	int error = longest_walk(ir, longest);

	if (!error && *longest > PENDING_MAX)
		return message_set(
			message, -EOPNOTSUPP,
			"a packet may get %u targets that the kernel executes, more than "
			"the %d that BPF leaves for it",
			*longest, PENDING_MAX);
	return error;
}

/* --- the list -------------------------------------------------------------------------------- */

static size_t record_size(const struct execution *execution)
{
	const struct xt_entry_target *target = execution->target;

	return sizeof(struct execution_record) + target->u.target_size;
}

static unsigned char *record_write(unsigned char *bytes, const struct execution *execution)
{
	const struct xt_entry_target *target = execution->target;
	const struct execution_record record = {
		.target_size = target->u.target_size,
		.protocol = execution->protocol,
		.flags = execution->flags,
		.inverted = execution->inverted,
	};

	memcpy(bytes, &record, sizeof(record));
	memcpy(bytes + sizeof(record), target, target->u.target_size);
	return bytes + sizeof(record) + target->u.target_size;
}

int executions_list(const struct ir *ir, struct execution_list **list, struct message *message)
{
	struct execution_list head = { .size = sizeof(head), .count = ir->execution_count };
	struct execution_list *made;
	unsigned char *next;
	int error;

	*list = NULL;
	if (!ir->execution_count)
		return 0;
	error = longest_of_all(ir, &head.longest, message);
	if (error)
		return error;
	if (!head.longest) /* in chains that nothing leads to: the kernel checks them all the same
			    */
		head.longest = 1;
	for (uint32_t i = 0; i < ir->rule_count; i++)
		head.rules += rule_code(&ir->rules[i]) != 0;
	for (uint32_t i = 0; i < ir->execution_count; i++)
		head.size += (uint32_t)record_size(&ir->executions[i]);
	made = malloc(head.size);
	if (!made)
		return -ENOMEM;
	*made = head;
	next = (unsigned char *)(made + 1);
	for (uint32_t i = 0; i < ir->execution_count; i++)
		next = record_write(next, &ir->executions[i]);
	*list = made;
	return 0;
}
