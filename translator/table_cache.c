/* SPDX-License-Identifier: GPL-2.0-only */
#include "table_cache.h"

#include <stdbool.h>

static bool key_equal(const struct table_key *a, const struct table_key *b)
{
	return a->cookie == b->cookie && a->generation == b->generation && a->family == b->family;
}

const struct table *table_cache_find(struct table_cache *cache, const struct table_key *key)
{
	for (size_t i = 0; i < TABLE_CACHE_SIZE; i++) {
		if (!cache->slots[i].table || !key_equal(&cache->slots[i].key, key))
			continue;
		cache->slots[i].used = ++cache->clock;
		return cache->slots[i].table;
	}
	return NULL;
}

/* A table of the same namespace and family is out of date as soon as there is a newer one. */
static size_t slot_to_replace(const struct table_cache *cache, const struct table_key *key)
{
	size_t oldest = 0;

	for (size_t i = 0; i < TABLE_CACHE_SIZE; i++) {
		if (!cache->slots[i].table || (cache->slots[i].key.cookie == key->cookie &&
					       cache->slots[i].key.family == key->family))
			return i;
		if (cache->slots[i].used < cache->slots[oldest].used)
			oldest = i;
	}
	return oldest;
}

void table_cache_put(struct table_cache *cache, const struct table_key *key, struct table *table)
{
	size_t slot = slot_to_replace(cache, key);

	table_free(cache->slots[slot].table);
	cache->slots[slot].key = *key;
	cache->slots[slot].table = table;
	cache->slots[slot].used = ++cache->clock;
}

void table_cache_clear(struct table_cache *cache)
{
	for (size_t i = 0; i < TABLE_CACHE_SIZE; i++) {
		table_free(cache->slots[i].table);
		cache->slots[i].table = NULL;
	}
}
