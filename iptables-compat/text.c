/* SPDX-License-Identifier: GPL-2.0-only */
/* Rules as iptables-save prints them. */
#include "text.h"

#include <errno.h>
#include <stdlib.h>

#include "extension.h"
#include "layout.h"
#include "text_address.h"

static const char *const hook_names[TABLE_HOOKS] = { "PREROUTING", "INPUT", "FORWARD", "OUTPUT",
						     "POSTROUTING" };

static bool is_error(const struct table *table, uint32_t index)
{
	return target_is(table_entry(table, index).target, XT_ERROR_TARGET);
}

/* The first entry of the chain that holds @index: the last start that is not behind it. */
static uint32_t chain_start(const struct table *table, uint32_t index)
{
	uint32_t low = 0, high = table->chain_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (table->chains[middle] <= index)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? table->chains[low - 1] : 0;
}

/* The name of the chain that starts at @start. */
static const char *chain_name(const struct table *table, uint32_t start)
{
	for (int hook = 0; hook < TABLE_HOOKS; hook++)
		if (table->hook_entry[hook] == table->offsets[start])
			return hook_names[hook];
	if (is_error(table, start))
		return target_errorname(table_entry(table, start).target);
	return "?"; /* entries before the first chain, which nothing reaches */
}

/* The chain that a jump to @offset goes to; clients jump to the entry behind a head. */
static const char *jump_name(const struct table *table, uint32_t offset)
{
	uint32_t index = table_index(table, offset);

	if (index == UINT32_MAX)
		return "?"; /* in a chain that nothing reaches */
	return chain_name(table, chain_start(table, index));
}

static bool is_policy(const struct table *table, uint32_t index)
{
	for (int hook = 0; hook < TABLE_HOOKS; hook++)
		if (table->underflow[hook] == table->offsets[index])
			return true;
	return false;
}

static int print_matches(FILE *out, const struct table *table, const struct entry *entry)
{
	struct match_context context = {
		.family = table->family,
		.protocol = entry->ipv4 ? entry->ipv4->proto : entry->ipv6->proto,
		.protocol_inverted = (entry->ipv4 ? entry->ipv4->invflags : entry->ipv6->invflags) &
				     XT_INV_PROTO,
	};
	const unsigned char *next = entry->match_begin;
	int error = 0;

	while (!error && next < entry->match_end) {
		const struct xt_entry_match *match = (const struct xt_entry_match *)next;
		const struct match_extension *extension =
			match_find(table->family, match->u.user.name, match->u.user.revision);

		if (extension)
			error = extension->print(match->data, &context, out);
		else /* how it is written, only iptables knows */
			fprintf(out, " -m %s ...", match->u.user.name);
		next += match->u.match_size;
	}
	return error;
}

static const char *verdict_name(int32_t verdict)
{
	switch (verdict) {
	case -NF_ACCEPT - 1:
		return "ACCEPT";
	case -NF_DROP - 1:
		return "DROP";
	case -NF_QUEUE - 1:
		return "QUEUE";
	default:
		return "RETURN";
	}
}

/* A jump to the next entry is how a client says that there is no target. */
static int print_target(FILE *out, const struct table *table, const struct entry *entry,
			uint32_t index)
{
	const struct target_extension *extension = target_find(
		table->family, target_name(entry->target), entry->target->u.user.revision);
	bool known = target_is(entry->target, XT_STANDARD_TARGET);
	int32_t verdict = known ? target_verdict(entry->target) : 0;
	uint8_t flags = entry->ipv4 ? entry->ipv4->flags : entry->ipv6->flags;
	char letter = flags & layout_get(table->family)->goto_flag ? 'g' : 'j';

	if (!known)
		fprintf(out, " -j %s%s", target_name(entry->target),
			extension && extension->print ? "" : " ...");
	if (extension && extension->print)
		return extension->print(entry->target->data, out);
	if (!known || (uint32_t)verdict == table->offsets[index] + entry->next_offset)
		return 0;
	fprintf(out, " -%c %s", letter,
		verdict < 0 ? verdict_name(verdict) : jump_name(table, (uint32_t)verdict));
	return ferror(out) ? -ENOMEM : 0;
}

static int print_rule(FILE *out, const struct table *table, uint32_t index)
{
	struct entry entry = table_entry(table, index);
	int error;

	fprintf(out, "-A %s", chain_name(table, chain_start(table, index)));
	error = entry.ipv4 ? print_ipv4(out, entry.ipv4) : print_ipv6(out, entry.ipv6);
	if (!error)
		error = print_matches(out, table, &entry);
	return error ? error : print_target(out, table, &entry, index);
}

static int print_entry(FILE *out, const struct table *table, uint32_t index)
{
	struct entry entry = table_entry(table, index);

	if (index + 1 == table->entry_count && is_error(table, index))
		fputs("# end", out);
	else if (is_error(table, index))
		fprintf(out, ":%s -", target_errorname(entry.target));
	else if (is_policy(table, index))
		fprintf(out, ":%s %s", chain_name(table, chain_start(table, index)),
			verdict_name(target_verdict(entry.target)));
	else
		return print_rule(out, table, index);
	return ferror(out) ? -ENOMEM : 0;
}

/* Names and comments are the client's, but a rule stays one line. */
static void join_lines(char *text)
{
	for (; *text; text++)
		if (*text == '\n')
			*text = ' ';
}

int rule_text(const struct table *table, uint32_t index, char **text)
{
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&line, &size);
	int error;

	if (!out)
		return -ENOMEM;
	error = print_entry(out, table, index);
	if (fclose(out) != 0 || error)
		return -ENOMEM;
	join_lines(line);
	*text = TAKE_PTR(line);
	return 0;
}

int rule_place(const struct table *table, uint32_t index, char *text, size_t size)
{
	uint32_t start = chain_start(table, index);
	const char *chain = chain_name(table, start);
	int length;

	if (is_policy(table, index))
		length = snprintf(text, size, "%s/%s policy", table->name, chain);
	else if (is_error(table, start)) /* the head is not counted */
		length = snprintf(text, size, "%s/%s rule %u", table->name, chain, index - start);
	else
		length = snprintf(text, size, "%s/%s rule %u", table->name, chain,
				  index - start + 1);
	if (length < 0 || (size_t)length >= size)
		return -ENOSPC;
	join_lines(text);
	return 0;
}
