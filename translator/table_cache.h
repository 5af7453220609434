/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The decoded tables of the last few requests. One iptables command asks for the same table four
 * times; decoding 100,000 rules each time would cost more than everything else.
 */
#ifndef UBPFILTER_TABLE_CACHE_H
#define UBPFILTER_TABLE_CACHE_H

#include "../iptables-compat/table.h"

/* A table never changes: its namespace, family and generation name it. */
struct table_key {
	uint64_t cookie; /* of the network namespace */
	uint64_t generation;
	enum family family;
};

/* Two families of a namespace, and a few namespaces side by side. */
#define TABLE_CACHE_SIZE 8

struct table_cache {
	struct {
		struct table_key key;
		struct table *table; /* owned; NULL: a free place */
		uint64_t used;	     /* value of `clock` when last asked for */
	} slots[TABLE_CACHE_SIZE];
	uint64_t clock;
};

/** table_cache_find() - the table, owned by the cache until the next put; NULL: not there. */
const struct table *table_cache_find(struct table_cache *cache, const struct table_key *key);

/** table_cache_put() - hand a table over; the one that was not asked for longest makes room. */
void table_cache_put(struct table_cache *cache, const struct table_key *key, struct table *table);

/** table_cache_clear() - release all tables. */
void table_cache_clear(struct table_cache *cache);

#endif
