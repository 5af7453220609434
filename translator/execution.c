/* SPDX-License-Identifier: GPL-2.0-only */
#include "execution.h"

#include <errno.h>
#include <string.h>

#include "../iptables-compat/extension.h"
#include "../iptables-compat/text.h"
#include "flatten.h"

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

		if (extension && extension->changes && strcmp(extension->changes, match) == 0)
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

static uint32_t larger(uint32_t one, uint32_t other)
{
	return one > other ? one : other;
}

/* Items lead only to later ones: from the last one back, the most targets from an item on. */
static uint32_t longest_walk(const struct ir *ir, const struct item_list *list, uint32_t *most)
{
	for (uint32_t i = list->item_count; i-- > 0;) {
		const struct item *item = &list->items[i];
		uint32_t matched =
			item->rule != RULE_NONE && rule_code(&ir->rules[item->rule]) != 0;

		if (item->action == ITEM_SKIP && item->skip < list->item_count)
			matched += most[item->skip];
		most[i] = larger(matched, i + 1 < list->item_count ? most[i + 1] : 0);
	}
	return list->item_count ? most[0] : 0;
}

static int longest_of_hook(const struct ir *ir, enum hook hook, uint32_t *longest,
			   struct message *message)
{
	_cleanup_free_ uint32_t *most = NULL;
	struct item_list list = { 0 };
	int error = flatten(ir, hook, &list, message);

	if (error)
		return error;
	most = calloc(list.item_count + (size_t)1, sizeof(*most));
	if (most)
		*longest = larger(*longest, longest_walk(ir, &list, most));
	item_list_free(&list);
	return most ? 0 : -ENOMEM;
}

static int longest_of_all(const struct ir *ir, uint32_t *longest, struct message *message)
{
	int error = 0;

	for (int hook = HOOK_INPUT; hook <= HOOK_OUTPUT && !error; hook++)
		if (ir->hook_entry[hook] != RULE_NONE)
			error = longest_of_hook(ir, (enum hook)hook, longest, message);
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
