/* SPDX-License-Identifier: GPL-2.0-only */
#include "memory_home.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int home_entry_count(struct table_home *home, uint32_t *count, struct message *message)
{
	(void)message;
	*count = ((struct memory_home *)home)->table->entry_count;
	return 0;
}

static int home_current(struct table_home *home, const struct table **table,
			struct message *message)
{
	(void)message;
	*table = ((struct memory_home *)home)->table;
	return 0;
}

static int home_counters(struct table_home *home, struct xt_counters *counters,
			 struct message *message)
{
	const struct memory_home *memory = (struct memory_home *)home;

	(void)message;
	memcpy(counters, memory->counters, memory->table->entry_count * sizeof(*counters));
	return 0;
}

static int home_replace(struct table_home *home, struct table *table, struct xt_counters *old,
			struct message *message)
{
	struct memory_home *memory = (struct memory_home *)home;
	struct xt_counters *counters = calloc(table->entry_count, sizeof(*counters));

	if (!counters)
		return -ENOMEM;
	home_counters(home, old, message);
	memory_home_close(memory);
	memory->table = table;
	memory->counters = counters;
	return 0;
}

static int home_add_counters(struct table_home *home, const struct xt_counters *add,
			     struct message *message)
{
	struct memory_home *memory = (struct memory_home *)home;

	(void)message;
	for (uint32_t i = 0; i < memory->table->entry_count; i++) {
		memory->counters[i].pcnt += add[i].pcnt;
		memory->counters[i].bcnt += add[i].bcnt;
	}
	return 0;
}

int memory_home_open(struct memory_home *memory, enum family family)
{
	struct table *table;
	struct xt_counters *counters;
	int error = table_initial(family, &table);

	if (error)
		return error;
	counters = calloc(table->entry_count, sizeof(*counters));
	if (!counters) {
		table_free(table);
		return -ENOMEM;
	}
	*memory = (struct memory_home){
		.home = { .entry_count = home_entry_count,
			  .current = home_current,
			  .counters = home_counters,
			  .replace = home_replace,
			  .add_counters = home_add_counters },
		.table = table,
		.counters = counters,
	};
	return 0;
}

void memory_home_close(struct memory_home *memory)
{
	table_free(memory->table);
	free(memory->counters);
	memory->table = NULL;
	memory->counters = NULL;
}
