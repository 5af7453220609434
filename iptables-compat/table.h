/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A filter table as the kernel's ip_tables and ip6_tables hold it: the blob that iptables sent,
 * found good by the kernel's own checks. Written once for both families.
 */
#ifndef UBPFILTER_TABLE_H
#define UBPFILTER_TABLE_H

/* libc's before the kernel's: only in this order do they leave out what the other has */
#include <net/if.h>
#include <netinet/in.h>

#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../common/message.h"

enum family {
	FAMILY_IPV4 = 4,
	FAMILY_IPV6 = 6,
};

#define TABLE_HOOKS 5

struct table {
	enum family family;
	char name[XT_TABLE_MAXNAMELEN];
	uint32_t valid_hooks;		  /* bit per hook */
	uint32_t hook_entry[TABLE_HOOKS]; /* byte offsets; 0xffffffff: not hooked */
	uint32_t underflow[TABLE_HOOKS];  /* the same */
	uint32_t entry_count;
	uint32_t size;		/* bytes of entries */
	unsigned char *entries; /* owned; as GET_ENTRIES returns them, counters all 0 */
	uint32_t *offsets;	/* owned; entry_count byte offsets, ascending */
	uint32_t *chains;	/* owned; indices of the entries that start a chain, ascending: a
				   hook's first rule, an ERROR entry (head or table end) */
	uint32_t chain_count;
};

/* What of an entry is the same in both families; pointers into the table's blob. */
struct entry {
	uint16_t target_offset;
	uint16_t next_offset;
	const struct xt_counters *counters;
	const unsigned char *match_begin; /* first match header */
	const unsigned char *match_end;	  /* one past the last match: the target */
	const struct xt_entry_target *target;
	const struct ipt_ip *ipv4;   /* NULL for IPv6 */
	const struct ip6t_ip6 *ipv6; /* NULL for IPv4 */
};

/* What a table must be. */
enum table_demand {
	DEMAND_SUPPORTED, /* something that BPF does */
	DEMAND_SOUND,	  /* to be looked at: what BPF does not do stays in it, unchecked */
};

/**
 * table_decode() - check a SET_REPLACE argument as the kernel does, in its order, and decode it.
 * @optval, @len: what the client passed to setsockopt. Nothing is trusted.
 * @table: set on success; release with table_free(). `counters` of the argument is not looked at.
 * @num_counters: how many old counters the client expects back; set on success, and with
 * -EOPNOTSUPP.
 * Return: 0 or the kernel's errno, negative; -EOPNOTSUPP for a match or target that is not done in
 * BPF: @message says which, what comes behind it was not checked.
 */
int table_decode(enum family family, const void *optval, size_t len, struct table **table,
		 uint32_t *num_counters, struct message *message);

/** table_decode_as() - the same of a table that need not be more than @demand. */
int table_decode_as(enum family family, enum table_demand demand, const void *optval, size_t len,
		    struct table **table, uint32_t *num_counters, struct message *message);

/**
 * table_initial() - the filter table that the kernel registers: three empty chains, policy ACCEPT.
 */
int table_initial(enum family family, struct table **table);

void table_free(struct table *table);

/** table_entry() - view of entry @index; the table was checked, so this cannot fail. */
struct entry table_entry(const struct table *table, uint32_t index);

/**
 * table_index() - index of the entry that starts at byte @offset.
 * Return: the index, or UINT32_MAX when no entry starts there.
 */
uint32_t table_index(const struct table *table, uint32_t offset);

/**
 * table_argument() - the table as the argument of SET_REPLACE that makes it.
 * @argument, @size: set on success, owned by the caller. num_counters and counters are 0.
 */
int table_argument(const struct table *table, struct ipt_replace **argument, size_t *size);

/**
 * table_write(), table_read() - one table as bytes for a state file and back. What is read is
 * checked like a client's argument: a damaged file gives -EINVAL, never a wrong table.
 * @data: set on success, owned by the caller.
 */
int table_write(const struct table *table, void **data, size_t *size);
int table_read(const void *data, size_t size, struct table **table);

#endif
