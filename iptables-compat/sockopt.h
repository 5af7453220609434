/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The iptables socket options, as ip_tables.c: do_ipt_get_ctl() and do_ipt_set_ctl() answer them,
 * over a `table_home` that keeps the table. Pure but for the home: the driver's home loads BPF, the
 * fuzzer's keeps the table in memory.
 *
 * Only the table "filter" is ours; the shim sends requests for other tables to the kernel.
 */
#ifndef UBPFILTER_SOCKOPT_H
#define UBPFILTER_SOCKOPT_H

#include "table.h"

/* Where the filter table of one network namespace and family lives. */
struct table_home {
	/* Entries of the table in force, the initial one at first: a client that speaks of another
	   number speaks of another table. */
	int (*entry_count)(struct table_home *home, uint32_t *count, struct message *message);
	/* The table in force; the initial one is put in force first when there is none yet.
	 *table stays the home's, valid until the next replace. */
	int (*current)(struct table_home *home, const struct table **table,
		       struct message *message);
	/* All counters now, one for each entry of the current table, in order. */
	int (*counters)(struct table_home *home, struct xt_counters *counters,
			struct message *message);
	/* Put @table in force (ownership moves on success only) and return the old table's final
	   counters in @old, one for each of its entries. On failure the old table stays. */
	int (*replace)(struct table_home *home, struct table *table, struct xt_counters *old,
		       struct message *message);
	/* Add to the counters, one for each entry. All or nothing. */
	int (*add_counters)(struct table_home *home, const struct xt_counters *counters,
			    struct message *message);
	/* Have somebody else enforce a table that BPF does not, for the reason in @message; NULL:
	   there is nobody. @argument: of SET_REPLACE, not decoded. @old: as for replace(), but
	   NULL when the client speaks of another table than the one in force: then check as the
	   kernel does, and return -EAGAIN at best. @message is emptied on success. */
	int (*hand_over)(struct table_home *home, const void *argument, size_t len,
			 struct xt_counters *old, struct message *message);
};

/**
 * sockopt_get() - answer a getsockopt.
 * @input, @input_len: the option buffer that the client passed in.
 * @output, @output_len: set on success: the bytes to copy back and the new optlen, owned by the
 * caller; NULL and 0: buffer and optlen stay as they are.
 * Return: 0 or the kernel's errno, negative. -EOPNOTSUPP from a REVISION option means: not ours,
 * ask the kernel.
 */
int sockopt_get(struct table_home *home, enum family family, int option, const void *input,
		size_t input_len, void **output, size_t *output_len, struct message *message);

/**
 * sockopt_set() - answer a setsockopt.
 * @output, @output_len: set on success: for REPLACE the old counters, to be written to the
 * `counters` pointer of the client's argument; otherwise nothing. Owned by the caller.
 */
int sockopt_set(struct table_home *home, enum family family, int option, const void *input,
		size_t input_len, void **output, size_t *output_len, struct message *message);

/**
 * entries_add() - add to the counters in an answer to GET_ENTRIES, whoever gave it.
 * @entries, @size: the entries in it.
 * @counters: one for each, @count of them.
 * Return: 0; -EINVAL where these are not @count entries, of which some may be changed then.
 */
int entries_add(enum family family, void *entries, size_t size, const struct xt_counters *counters,
		uint32_t count);

/** entries_last() - the counters of the last one in such an answer; NULL when it is damaged. */
struct xt_counters *entries_last(enum family family, void *entries, size_t size);

/**
 * sockopt_is_ours() - whether the shim takes this option for us, given the option buffer: right
 * level, an iptables option, and it names the table "filter" (or is a REVISION query).
 * @level: SOL_IP or SOL_IPV6. @family: set when true.
 */
bool sockopt_is_ours(int level, int option, bool is_set, const void *input, size_t input_len,
		     enum family *family);

/**
 * sockopt_extent() - how much of an option buffer the kernel reads: what lies behind need not be
 * there, however long the client says that it is.
 * @head, @head_len: the buffer's first bytes, SOCKOPT_HEAD_SIZE of them where there are as many.
 * @len: the length that the client passed.
 * @extent: set when true: bytes, no more than @len.
 * Return: false for a length that the kernel refuses unseen; better let it do that.
 */
bool sockopt_extent(int option, bool is_set, const void *head, size_t head_len, size_t len,
		    size_t *extent);

#define SOCKOPT_HEAD_SIZE 64

#endif
