/* SPDX-License-Identifier: GPL-2.0-only */
#include "execution_table.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include <linux/netfilter/xt_bpf.h>

#include "../common/array.h"
#include "layout.h"

int execution_list_check(const void *list, size_t size)
{
	const struct execution_list *head = list;
	size_t offset = sizeof(*head);

	if (size < sizeof(*head) || head->size != size || head->longest == 0)
		return -EINVAL;
	for (uint32_t i = 0; i < head->count; i++) {
		const struct execution_record *record = (const void *)((const char *)list + offset);
		size_t left = size - offset;

		if (left < sizeof(*record) || record->target_size % 8 ||
		    record->target_size < sizeof(struct xt_entry_target) ||
		    record->target_size > left - sizeof(*record))
			return -EINVAL;
		offset += sizeof(*record) + record->target_size;
	}
	return offset == size ? 0 : -EINVAL;
}

/* --- entries --------------------------------------------------------------------------------- */

/* The entries of a table, as they are written one behind the other. */
struct writer {
	const struct layout *layout;
	unsigned char *bytes; /* owned */
	size_t room;
	uint32_t size;
	uint32_t count;
	int error; /* the first one sticks */
};

/* One entry: a match with a program, or none; a target. */
struct entry_parts {
	const char *program;			 /* path; NULL: matches every packet */
	const struct execution_record *selector; /* NULL: any protocol */
	const void *target;
	uint16_t target_size;
	enum { LEAVE_BY_JUMP, LEAVE_BY_GOTO } leave;
};

static void match_write(struct writer *writer, unsigned char *bytes, const char *path)
{
	struct xt_entry_match *match = (struct xt_entry_match *)bytes;
	struct xt_bpf_info_v1 *info = (struct xt_bpf_info_v1 *)match->data;

	match->u.match_size = XT_ALIGN(sizeof(*match) + sizeof(*info));
	strcpy(match->u.user.name, "bpf");
	match->u.user.revision = 1;
	info->mode = XT_BPF_MODE_PATH_PINNED;
	info->fd = -1;
	if (strlen(path) < sizeof(info->path))
		strcpy(info->path, path);
	else if (!writer->error)
		writer->error = -ENAMETOOLONG;
}

/* Return: the entry's offset. */
static uint32_t entry_write(struct writer *writer, const struct entry_parts *parts)
{
	const struct layout *layout = writer->layout;
	size_t match_size =
		parts->program
			? XT_ALIGN(sizeof(struct xt_entry_match) + sizeof(struct xt_bpf_info_v1))
			: 0;
	uint16_t target_offset = (uint16_t)(layout->entry_size + match_size);
	uint16_t next_offset = (uint16_t)(target_offset + parts->target_size);
	uint32_t offset = writer->size;
	unsigned char *base;

	if (!writer->error &&
	    array_room(&writer->bytes, &writer->room, (size_t)offset + next_offset, 1))
		writer->error = -ENOMEM;
	if (writer->error)
		return 0;
	base = writer->bytes + offset;
	memset(base, 0, next_offset);
	memcpy(base + layout->target_offset, &target_offset, sizeof(target_offset));
	memcpy(base + layout->next_offset, &next_offset, sizeof(next_offset));
	if (parts->selector) {
		memcpy(base + layout->protocol, &parts->selector->protocol,
		       sizeof(parts->selector->protocol));
		base[layout->flags] = parts->selector->flags;
		base[layout->inverted] = parts->selector->inverted;
	}
	if (parts->leave == LEAVE_BY_GOTO)
		base[layout->flags] |= layout->goto_flag;
	if (parts->program)
		match_write(writer, base + layout->entry_size, parts->program);
	memcpy(base + target_offset, parts->target, parts->target_size);
	writer->size += next_offset;
	writer->count++;
	return offset;
}

/* @verdict: a standard target's, or the offset of where a chain starts. */
static uint32_t standard_write(struct writer *writer, const char *program, int32_t verdict)
{
	const struct xt_standard_target target = {
		.target.u.user.target_size = sizeof(target),
		.verdict = verdict,
	};

	return entry_write(writer, &(struct entry_parts){ .program = program,
							  .target = &target,
							  .target_size = sizeof(target) });
}

/* To a chain that is written later: verdict_set() says where. */
static uint32_t goto_write(struct writer *writer, const char *program)
{
	const struct xt_standard_target target = { .target.u.user.target_size = sizeof(target) };

	return entry_write(writer, &(struct entry_parts){ .program = program,
							  .target = &target,
							  .target_size = sizeof(target),
							  .leave = LEAVE_BY_GOTO });
}

static void verdict_set(struct writer *writer, uint32_t entry, uint32_t verdict)
{
	unsigned char *base = writer->bytes + entry;

	if (!writer->error)
		memcpy(base + field_u16(base, writer->layout->target_offset) +
			       offsetof(struct xt_standard_target, verdict),
		       &verdict, sizeof(verdict));
}

/* The head of a chain, or the end of the table. Return: the offset of the chain's first rule. */
static uint32_t head_write(struct writer *writer, const char *name)
{
	struct xt_error_target target = { .target.u.user.target_size = sizeof(target) };

	strcpy(target.target.u.user.name, XT_ERROR_TARGET);
	strcpy(target.errorname, name);
	entry_write(writer,
		    &(struct entry_parts){ .target = &target, .target_size = sizeof(target) });
	return writer->size;
}

/* --- chains ---------------------------------------------------------------------------------- */

#define VERDICT_OF_ACCEPT (-NF_ACCEPT - 1)
#define VERDICT_OF_DROP	  (-NF_DROP - 1)

static void name_chain(char name[XT_FUNCTION_MAXNAMELEN], const char *what, uint64_t generation)
{
	snprintf(name, XT_FUNCTION_MAXNAMELEN, "%s-%" PRIu64, what, generation);
}

/* Return: where the chain starts. */
static uint32_t targets_write(struct writer *writer, const struct execution_part *part)
{
	const unsigned char *next = (const unsigned char *)(part->list + 1);
	_cleanup_free_ uint32_t *entries = calloc(part->list->count, sizeof(*entries));
	char name[XT_FUNCTION_MAXNAMELEN];
	uint32_t start;

	if (!entries) {
		writer->error = -ENOMEM;
		return 0;
	}
	name_chain(name, "targets", part->generation);
	start = head_write(writer, name);
	for (uint32_t i = 0; i < part->list->count; i++)
		entries[i] = goto_write(writer, part->programs[EXECUTION_THIS]);
	standard_write(writer, NULL, XT_RETURN);
	for (uint32_t i = 0; i < part->list->count; i++) {
		const struct execution_record *record = (const void *)next;
		struct entry_parts target = { .selector = record,
					      .target = record + 1,
					      .target_size = record->target_size };

		snprintf(name, sizeof(name), "target-%" PRIu64 "-%" PRIu32, part->generation, i);
		verdict_set(writer, entries[i], head_write(writer, name));
		entry_write(writer, &target);
		standard_write(writer, NULL, XT_RETURN);
		next += sizeof(*record) + record->target_size;
	}
	return start;
}

/* Return: where the chain starts. */
static uint32_t run_write(struct writer *writer, const struct execution_part *part)
{
	_cleanup_free_ uint32_t *entries = calloc(part->list->longest, sizeof(*entries));
	char name[XT_FUNCTION_MAXNAMELEN];
	uint32_t start, targets;

	if (!entries) {
		writer->error = -ENOMEM;
		return 0;
	}
	name_chain(name, "run", part->generation);
	start = head_write(writer, name);
	for (uint32_t i = 0; i < part->list->longest; i++)
		entries[i] = standard_write(writer, i ? part->programs[EXECUTION_NEXT] : NULL, 0);
	standard_write(writer, part->programs[EXECUTION_DROP], VERDICT_OF_DROP);
	standard_write(writer, NULL, XT_RETURN);
	targets = targets_write(writer, part);
	for (uint32_t i = 0; i < part->list->longest; i++)
		verdict_set(writer, entries[i], targets);
	return start;
}

#define PARTS_MAX 2

static int argument_make(const struct writer *writer, const struct ipt_replace *head,
			 struct ipt_replace **argument, size_t *size)
{
	struct ipt_replace *made = malloc(sizeof(*made) + writer->size);

	if (!made)
		return -ENOMEM;
	*made = *head;
	made->size = writer->size;
	made->num_entries = writer->count;
	memcpy(made->entries, writer->bytes, writer->size);
	*argument = made;
	*size = sizeof(*made) + writer->size;
	return 0;
}

int execution_table(enum family family, const struct execution_part *parts, size_t count,
		    struct ipt_replace **argument, size_t *size)
{
	struct writer writer = { .layout = layout_get(family) };
	struct ipt_replace head = { .name = FILTER_NAME, .valid_hooks = FILTER_HOOKS };
	uint32_t entries[TABLE_HOOKS][PARTS_MAX] = {};
	int error;

	for (int hook = NF_INET_LOCAL_IN; hook <= NF_INET_LOCAL_OUT; hook++) {
		head.hook_entry[hook] = writer.size;
		for (size_t i = 0; i < count && i < PARTS_MAX; i++)
			entries[hook][i] = goto_write(&writer, parts[i].programs[EXECUTION_NEXT]);
		head.underflow[hook] = standard_write(&writer, NULL, VERDICT_OF_ACCEPT);
	}
	for (size_t i = 0; i < count && i < PARTS_MAX; i++) {
		uint32_t start = run_write(&writer, &parts[i]);

		for (int hook = NF_INET_LOCAL_IN; hook <= NF_INET_LOCAL_OUT; hook++)
			verdict_set(&writer, entries[hook][i], start);
	}
	head_write(&writer, XT_ERROR_TARGET);
	error = writer.error ? writer.error : argument_make(&writer, &head, argument, size);
	free(writer.bytes);
	return error;
}
