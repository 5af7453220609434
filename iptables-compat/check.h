/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The steps of table_decode(), in the kernel's order. Each works on a table under construction and
 * trusts only what the steps before it have found good.
 */
#ifndef UBPFILTER_CHECK_H
#define UBPFILTER_CHECK_H

#include "table.h"

/**
 * check_entries() - every entry's sizes and offsets, flags, verdict and match sizes; fills in
 * table->offsets, hook_entry and underflow, and clears counters and comefrom, as ip_tables.c:
 * check_entry_size_and_hooks().
 * @claimed: what the client says about hooks and number of entries.
 * Return: 0, -EINVAL or -ENOMEM.
 */
int check_entries(struct table *table, const struct ipt_replace *claimed);

/** check_hooks() - hooks start and end at entries, in ascending order. Return: 0 or -EINVAL. */
int check_hooks(const struct table *table);

/**
 * check_chains() - no packet can run in a circle or off the end; marks in comefrom which hooks
 * reach an entry, as ip_tables.c: mark_source_chains(). Linear in the number of entries.
 * Return: 0, -ELOOP or -ENOMEM.
 */
int check_chains(struct table *table);

/**
 * check_extensions() - every match and target is known and its data is good, as ip_tables.c:
 * find_check_entry(). Clears the padding behind the data, which the kernel does not hand out.
 * Return: 0, -EINVAL, -ENOENT, or -EOPNOTSUPP for what is not done in BPF (@message).
 */
int check_extensions(struct table *table, enum table_demand demand, struct message *message);

/**
 * check_supported() - what the kernel accepts but BPF does not do.
 * Return: 0, or -EOPNOTSUPP with a message.
 */
int check_supported(const struct table *table, struct message *message);

#endif
