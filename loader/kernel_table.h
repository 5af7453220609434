/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The filter table of the kernel's own ip_tables or ip6_tables in a network namespace: what
 * enforces a table that BPF does not do. All calls return the kernel's errno, negative;
 * -ENOPROTOOPT where the kernel has no such code.
 */
#ifndef UBPFILTER_KERNEL_TABLE_H
#define UBPFILTER_KERNEL_TABLE_H

#include <stdbool.h>

#include "../bpf/types.h"
#include "../iptables-compat/table.h"

struct loader;

/* Which one. Owns nothing. */
struct kernel_table {
	const struct loader *loader;
	int netns_fd;
	enum table_family family;
};

/** kernel_table_name() - of the kernel's code: "ip_tables", "ip6_tables". */
const char *kernel_table_name(enum table_family family);

/** kernel_table_call() - one of the socket options of iptables; @value: in and out. */
int kernel_table_call(const struct kernel_table *table, int option, bool is_set, void *value,
		      size_t size);

/** kernel_table_count() - how many entries it has. It comes into being when asked for. */
int kernel_table_count(const struct kernel_table *table, uint32_t *count);

/**
 * kernel_table_entries() - GET_ENTRIES, as kernel_table_call() with it.
 * @marked: set on success, unless NULL.
 */
int kernel_table_entries(const struct kernel_table *table, struct ipt_get_entries *entries,
			 size_t size, bool *marked);

/** kernel_table_is_vacant() - whether it holds no rule, and accepts all. */
int kernel_table_is_vacant(const struct kernel_table *table, bool *vacant);

/**
 * kernel_table_replace() - SET_REPLACE, all or nothing.
 * @argument, @size: a client's, but for its counters.
 * @old: the counters of the table before, final, @old_count of them: -EAGAIN when it has another
 * number of entries; NULL: whatever table is there, its counters are dropped.
 */
int kernel_table_replace(const struct kernel_table *table, const void *argument, size_t size,
			 struct counter *old, uint32_t old_count);

/** kernel_table_put() - the same, but @old is left as it is when the table before had another
 * number of entries. */
int kernel_table_put(const struct kernel_table *table, const void *argument, size_t size,
		     struct counter *old, uint32_t old_count);

/** kernel_table_check() - what SET_REPLACE would find wrong, without doing it; -EAGAIN: nothing. */
int kernel_table_check(const struct kernel_table *table, const void *argument, size_t size);

/**
 * kernel_table_mark() - mark the table of @count entries that is there: the mark goes when that is
 * replaced, and only those who ask for it see it. kernel_table_unmark() takes it back.
 * Return: -EAGAIN when the table has another number of entries.
 */
int kernel_table_mark(const struct kernel_table *table, uint32_t count);
int kernel_table_unmark(const struct kernel_table *table, uint32_t count);
int kernel_table_is_marked(const struct kernel_table *table, bool *marked);

/** kernel_table_empty() - no rules, policies ACCEPT. */
int kernel_table_empty(const struct kernel_table *table);

#endif
