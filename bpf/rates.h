/* SPDX-License-Identifier: GPL-2.0-only */
/* -m hashlimit in a program: rates by what their table looks at. */
#ifndef UBPFILTER_BPF_RATES_H
#define UBPFILTER_BPF_RATES_H

#include <linux/bpf.h>
#include <linux/in.h>
#include <stdbool.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "ports.h"
#include "rate_step.h"
#include "state.h"
#include "types.h"

struct bpf_map;

#define NO_NEXT_HEADER 59 /* of IPv6 */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, RATES_MAX);
	__type(key, struct rate_key);
	__type(value, struct rate);
} rates SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, RATE_TABLES_MAX);
	__type(key, __u32);
	__type(value, struct rate_table);
} rate_tables SEC(".maps");

/*
 * A key and what goes with it, for which there is no room on the stack. Who looks for one at the
 * same time on one processor: OUTPUT can be interrupted and preempted.
 */
#define KEYS 4u

struct key_place {
	__u64 taken;
	__u64 now; /* jiffies */
	struct rate_key key;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, KEYS);
	__type(key, __u32);
	__type(value, struct key_place);
} rate_keys SEC(".maps");

static __always_inline struct key_place *key_take(void)
{
	for (__u32 i = 0; i < KEYS; i++) {
		__u32 index = i;
		struct key_place *place = bpf_map_lookup_elem(&rate_keys, &index);

		if (place && !__sync_val_compare_and_swap(&place->taken, 0, 1))
			return place;
	}
	return NULL;
}

static __always_inline void key_release(struct key_place *place)
{
	*(volatile __u64 *)&place->taken = 0;
}

/* --- which rate it is ------------------------------------------------------------------------ */

/* An SPI, which lies where others have ports. */
static __always_inline bool has_spi(const struct packet *packet)
{
	return packet->protocol == IPPROTO_ESP ||
	       (packet->protocol == IPPROTO_AH && packet->family == 4);
}

/* as hashlimit_init_dst(). Return: whether they can be told. */
static __always_inline bool key_ports(struct rate_key *key, const struct packet *packet)
{
	__u16 source = packet->source_port, destination = packet->destination_port;

	key->source_port = key->destination_port = 0;
	if (packet->flags & PACKET_FRAGMENT)
		return true; /* IPv4: the kernel takes data for ports there */
	if (packet->flags & PACKET_NO_PROTOCOL ||
	    (packet->family == 6 && packet->protocol == NO_NEXT_HEADER))
		return false;
	if (!has_ports(packet->protocol) && !has_spi(packet))
		return true;
	if (packet->transport != TRANSPORT_OK && packet->transport != TRANSPORT_PORTS)
		return false;
	if (has_spi(packet)) {
		source = packet->spi >> 16;
		destination = (__u16)packet->spi;
	}
	key->source_port = bpf_htons(source);
	key->destination_port = bpf_htons(destination);
	return true;
}

static __always_inline bool key_make(struct rate_key *key, const struct rate_table *table,
				     const struct packet *packet)
{
	if (!key_ports(key, packet) && table->flags & RATE_PORTS)
		return false;
	key->source_port &= table->source_port_mask;
	key->destination_port &= table->destination_port_mask;
	for (int i = 0; i < 4; i++) {
		key->source[i] = packet->source[i] & table->source_mask[i];
		key->destination[i] = packet->destination[i] & table->destination_mask[i];
	}
	return true;
}

/* --- making room ----------------------------------------------------------------------------- */

static long collect_one(struct bpf_map *map, struct rate_key *key, struct rate *rate, void *context)
{
	struct rate_table *table = bpf_map_lookup_elem(&rate_tables, &key->table);

	(void)context;
	if (table && rate_is_over(rate, table->collected) && !bpf_map_delete_elem(map, key))
		__sync_fetch_and_add(&table->count, -1);
	return 0;
}

/* At most once between two of the kernel's collections. */
static __always_inline void collect(struct rate_table *table, __u64 collection)
{
	__u64 before = *(volatile __u64 *)&table->collected;

	if (before != collection &&
	    __sync_val_compare_and_swap(&table->collected, before, collection) == before)
		bpf_for_each_map_elem(&rates, collect_one, NULL, 0);
}

/* Take one of the places that the table has. */
static __always_inline bool place_take(struct rate_table *table)
{
	if (__sync_fetch_and_add(&table->count, 1) < table->max)
		return true;
	__sync_fetch_and_add(&table->count, -1);
	return false;
}

/* A new rate, or the one that somebody else has just made; NULL: there is no place for it. */
static __always_inline struct rate *rate_make(struct rate_table *table,
					      const struct key_place *place)
{
	if (!place_take(table)) {
		collect(table, rate_collection(table, place->now));
		if (!place_take(table))
			return NULL;
	}
	if (bpf_map_update_elem(&rates, &place->key, table->blank, BPF_NOEXIST))
		__sync_fetch_and_add(&table->count, -1);
	return bpf_map_lookup_elem(&rates, &place->key);
}

/* --- a packet -------------------------------------------------------------------------------- */

/* @place: its key is made. */
static __always_inline int rate_of_key(struct rate_table *table, const struct key_place *place,
				       __u32 length)
{
	struct rate *rate = bpf_map_lookup_elem(&rates, &place->key);
	__u64 now;
	int match;

	if (!rate)
		rate = rate_make(table, place);
	if (!rate)
		return STATE_HOTDROP;
	now = *(const volatile __u64 *)&place->now;
	bpf_spin_lock(&rate->lock);
	match = rate_step(rate, table, now, rate_collection(table, now), length);
	bpf_spin_unlock(&rate->lock);
	return match;
}

/* rate_match() - is the packet within the limit of table @id? STATE_HOTDROP: it cannot be told. */
static __always_inline int rate_match(__u32 id, const struct packet *packet)
{
	struct key_place *place = key_take();
	struct rate_table *table;
	int match = STATE_HOTDROP;

	if (!place)
		return STATE_HOTDROP;
	place->key.table = id;
	table = bpf_map_lookup_elem(&rate_tables, &place->key.table);
	if (table && key_make(&place->key, table, packet)) {
		place->now = bpf_jiffies64();
		if (!table->began)
			__sync_val_compare_and_swap(&table->began, 0, place->now);
		match = rate_of_key(table, place, packet->length);
	}
	key_release(place);
	return match;
}

#endif
