/* SPDX-License-Identifier: GPL-2.0-only */
/* Tables of rates that rules share by name (-m hashlimit): from iptables' numbers to the programs'.
 */
#ifndef UBPFILTER_RATES_H
#define UBPFILTER_RATES_H

#include "../bpf/rate.h"
#include "../common/message.h"
#include "table.h"

struct hashlimit_cfg3;

/** rate_table_id() - what programs know a table by: its name's hash. */
uint32_t rate_table_id(const char *name);

/**
 * rate_table_check() - as hashlimit_mt_check_common(). Return: 0 or the kernel's errno; -EOPNOTSUPP
 * where the tick is not known.
 */
int rate_table_check(const struct hashlimit_cfg3 *config, enum family family);

/** rate_table_make() - what the programs go by; @config was checked. */
void rate_table_make(struct rate_table *table, const struct hashlimit_cfg3 *config);

struct named_rates {
	const char *name; /* in the table's blob: as long as that is there */
	uint32_t id;
	struct rate_table table;
};

/* The tables of rates that a table's rules name, in the order of the rules. */
struct rate_list {
	uint32_t count;
	struct named_rates tables[];
};

/**
 * rate_list_make() - @list: set on success, owned by the caller; NULL where there are none.
 * Return: 0; -ENOMEM; -EOPNOTSUPP when two rules do not agree on what a table is, or when there
 * are too many (@message says so).
 */
int rate_list_make(const struct table *table, struct rate_list **list, struct message *message);

#endif
