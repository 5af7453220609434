/* SPDX-License-Identifier: GPL-2.0-only */
/* A client's SET_REPLACE argument to a table, as ip_tables.c: do_replace() and translate_table().
 */
#include "table.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "check.h"
#include "layout.h"

static void cleanup_table(struct table **table)
{
	table_free(*table);
}

#define _cleanup_table_ __attribute__((cleanup(cleanup_table)))

/* Bounds of the argument, before anything is allocated. */
static int check_header(const struct ipt_replace *replace, size_t len)
{
	/* what num_counters counts must be addressable by an int */
	if (replace->num_counters >= INT_MAX / sizeof(struct xt_counters))
		return -ENOMEM;
	if (replace->num_counters == 0)
		return -EINVAL;
	if (len < (uint64_t)replace->size + sizeof(*replace))
		return -EINVAL;
	if (replace->size >= KERNEL_TABLE_SIZE_MAX - KERNEL_TABLE_HEADER)
		return -ENOMEM;
	/* the kernel's array of entry offsets has the same bound as a table */
	if (replace->num_entries > KERNEL_TABLE_SIZE_MAX / sizeof(uint32_t))
		return -ENOMEM;
	return 0;
}

/* What can only be said with the table at hand, as __do_replace(). */
static int check_identity(const struct table *table, uint32_t num_counters)
{
	if (num_counters > KERNEL_TABLE_SIZE_MAX / sizeof(struct xt_counters))
		return -ENOMEM;
	if (strcmp(table->name, FILTER_NAME) != 0)
		return -ENOENT;
	return table->valid_hooks == FILTER_HOOKS ? 0 : -EINVAL;
}

/* The first entries of chains; hook entries are ascending and so are the ERROR entries. */
static int index_chains(struct table *table)
{
	uint32_t count = 0, room = 0;

	for (uint32_t i = 0; i < table->entry_count; i++)
		if (target_is(table_entry(table, i).target, XT_ERROR_TARGET))
			room++;
	table->chains = calloc((size_t)room + TABLE_HOOKS, sizeof(*table->chains));
	if (!table->chains)
		return -ENOMEM;
	for (uint32_t i = 0; i < table->entry_count; i++) {
		bool starts = target_is(table_entry(table, i).target, XT_ERROR_TARGET);

		for (int hook = 0; hook < TABLE_HOOKS; hook++)
			starts |= table->hook_entry[hook] == table->offsets[i];
		if (starts)
			table->chains[count++] = i;
	}
	table->chain_count = count;
	return 0;
}

static int table_allocate(enum family family, const struct ipt_replace *replace,
			  const unsigned char *entries, struct table **table)
{
	_cleanup_table_ struct table *made = calloc(1, sizeof(*made));

	if (!made)
		return -ENOMEM;
	made->family = family;
	memcpy(made->name, replace->name, sizeof(made->name));
	made->name[sizeof(made->name) - 1] = '\0';
	made->valid_hooks = replace->valid_hooks;
	made->size = replace->size;
	made->entries = malloc(replace->size ? replace->size : 1);
	if (!made->entries)
		return -ENOMEM;
	memcpy(made->entries, entries, replace->size);
	*table = TAKE_PTR(made);
	return 0;
}

int table_decode_as(enum family family, enum table_demand demand, const void *optval, size_t len,
		    struct table **table, uint32_t *num_counters, struct message *message)
{
	_cleanup_table_ struct table *made = NULL;
	struct ipt_replace replace;
	int error;

	if (len < sizeof(replace))
		return -EINVAL;
	memcpy(&replace, optval, sizeof(replace));
	error = check_header(&replace, len);
	if (!error)
		error = table_allocate(family, &replace,
				       (const unsigned char *)optval + sizeof(replace), &made);
	if (!error)
		error = check_entries(made, &replace);
	if (!error)
		error = check_hooks(made);
	if (!error)
		error = check_chains(made);
	if (!error)
		error = index_chains(made);
	if (!error)
		error = check_extensions(made, demand, message);
	if (!error)
		error = check_identity(made, replace.num_counters);
	if (!error && demand == DEMAND_SUPPORTED)
		error = check_supported(made, message);
	if (error && error != -EOPNOTSUPP)
		return error;
	*num_counters = replace.num_counters;
	if (!error)
		*table = TAKE_PTR(made);
	return error;
}

int table_decode(enum family family, const void *optval, size_t len, struct table **table,
		 uint32_t *num_counters, struct message *message)
{
	return table_decode_as(family, DEMAND_SUPPORTED, optval, len, table, num_counters, message);
}
