/* SPDX-License-Identifier: GPL-2.0-only */
/* Maps that the dispatcher and the tables' programs share; the loader reuses the pinned ones. */
#ifndef UBPFILTER_MAPS_H
#define UBPFILTER_MAPS_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

#include "types.h"

/* ifindex -> what rules and parsers need to know of a device. Kept by the loader. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, DEVICES_NEAR);
	__type(key, __u32);
	__type(value, struct device);
} devices __weak SEC(".maps");

/* The same for ifindexes that are beyond the array. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, DEVICES_FAR);
	__type(key, __u32);
	__type(value, struct device);
} devices_far __weak SEC(".maps");

static __always_inline const struct device *device_find(__u32 ifindex)
{
	const struct device *device = bpf_map_lookup_elem(&devices, &ifindex);

	if (!device)
		return bpf_map_lookup_elem(&devices_far, &ifindex);
	return device->name[0] ? device : 0;
}

/* Addresses of this host that every packet to them is taken in by. Kept by the loader. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2 * ADDRESS_BUCKETS);
	__type(key, __u32);
	__type(value, union address_bucket);
} local_addresses __weak SEC(".maps");

/*
 * address_is_local() - is a packet to this address (as struct packet::destination) taken in by this
 * host, on whatever device it arrives? No: it may be all the same, the FIB knows.
 */
static __always_inline bool address_is_local(const __be32 address[4], int family)
{
	__u32 key = address_hash(address) + (family == 6 ? ADDRESS_BUCKETS : 0);
	const union address_bucket *bucket = bpf_map_lookup_elem(&local_addresses, &key);

	if (!bucket)
		return false;
	if (family == 4) {
		for (int i = 0; i < ADDRESSES_OF_IPV4 && bucket->ipv4[i]; i++)
			if (bucket->ipv4[i] == address[0])
				return true;
		return false;
	}
	for (int i = 0; i < ADDRESSES_OF_IPV6; i++) {
		const __be32 *local = bucket->ipv6[i];

		if (!((local[0] ^ address[0]) | (local[1] ^ address[1]) | (local[2] ^ address[2]) |
		      (local[3] ^ address[3])))
			return true;
	}
	return false;
}

/* address_is_foreign() - is it certainly no IPv4 address of this host? A full bucket cannot tell.
 */
static __always_inline bool address_is_foreign(const __be32 address[4])
{
	__u32 key = address_hash(address);
	const union address_bucket *bucket = bpf_map_lookup_elem(&local_addresses, &key);

	return bucket && !bucket->ipv4[ADDRESSES_OF_IPV4 - 1] && !address_is_local(address, 4);
}

#endif
