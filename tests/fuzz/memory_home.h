/* SPDX-License-Identifier: GPL-2.0-only */
/* A table_home that keeps table and counters in memory: the options without BPF. */
#ifndef UBPFILTER_FUZZ_MEMORY_HOME_H
#define UBPFILTER_FUZZ_MEMORY_HOME_H

#include "../../iptables-compat/sockopt.h"

struct memory_home {
	struct table_home home; /* first: the functions below get a pointer to it */
	struct table *table;
	struct xt_counters *counters; /* one for each entry */
};

/** memory_home_open() - a home with the initial table. Return: 0 or -ENOMEM. */
int memory_home_open(struct memory_home *memory, enum family family);

void memory_home_close(struct memory_home *memory);

#endif
