/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What routing takes an IPv4 address for: as inet_addr_type(). No helper says that, so the routes
 * are read where the kernel has them, as fib_table_lookup() does. Programs run under RCU, as it.
 */
#ifndef UBPFILTER_ADDRESS_TYPE_H
#define UBPFILTER_ADDRESS_TYPE_H

#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <bpf/bpf_endian.h>

#include "fib_walk.h"
#include "kernel_net.h"

/* Devices of one route that are looked at; one behind is taken for one that can be used. */
#define ROUTE_HOPS_MAX 8

/* Chains of tables with and without CONFIG_IP_MULTIPLE_TABLES. */
#define TABLE_CHAINS	  256
#define TABLES_SAME_CHAIN 16

/* --- one route ------------------------------------------------------------------------------- */

static __always_inline __u64 nexthop_first(__u64 nexthop)
{
	__u64 group;

	if (!KERNEL_FIELD(struct nexthop, nexthop, is_group))
		return nexthop;
	group = (__u64)KERNEL_FIELD(struct nexthop, nexthop, nh_grp);
	return (__u64)KERNEL_FIELD(struct nh_group, group, nh_entries[0].nh);
}

/* as fib_lookup_good_nhc() */
static __always_inline bool hop_is_usable(__u64 hop)
{
	__u8 flags = KERNEL_FIELD(struct fib_nh_common, hop, nhc_flags);
	__u64 device, ip;

	if (flags & RTNH_F_DEAD)
		return false;
	if (!(flags & RTNH_F_LINKDOWN))
		return true;
	device = (__u64)KERNEL_FIELD(struct fib_nh_common, hop, nhc_dev);
	ip = device ? (__u64)KERNEL_FIELD(struct net_device, device, ip_ptr) : 0;
	return !ip || !*(const int *)kernel_at(
			      ip + bpf_core_field_offset(((struct in_device *)0)->cnf.data) +
			      (IPV4_DEVCONF_IGNORE_ROUTES_WITH_LINKDOWN - 1) * sizeof(int));
}

static __always_inline bool hops_are_usable(__u64 information)
{
	__u64 hop = information + bpf_core_field_offset(((struct fib_info *)0)->fib_nh);
	int count = KERNEL_FIELD(struct fib_info, information, fib_nhs);

	for (int i = 0; i < ROUTE_HOPS_MAX; i++) {
		if (i >= count)
			return false;
		if (hop_is_usable(hop + bpf_core_field_offset(((struct fib_nh *)0)->nh_common)))
			return true;
		hop += bpf_core_type_size(struct fib_nh);
	}
	return true;
}

/* What a route makes of an address: RTN_*; RTN_UNSPEC: nothing, look at the next. */
static __always_inline __u8 route_type(__u64 route)
{
	__u64 information = (__u64)KERNEL_FIELD(struct fib_alias, route, fa_info), nexthop;
	__u8 type = KERNEL_FIELD(struct fib_alias, route, fa_type);

	if (KERNEL_FIELD(struct fib_alias, route, fa_dscp) ||
	    KERNEL_FIELD(struct fib_info, information, fib_dead))
		return RTN_UNSPEC;
	if (type >= RTN_BLACKHOLE) /* an error: as if there was no route */
		return RTN_UNICAST;
	if (KERNEL_FIELD(struct fib_info, information, fib_flags) & RTNH_F_DEAD)
		return RTN_UNSPEC;
	nexthop = (__u64)KERNEL_FIELD(struct fib_info, information, nh);
	if (!nexthop)
		return hops_are_usable(information) ? type : RTN_UNSPEC;
	nexthop = (__u64)KERNEL_FIELD(struct nexthop, nexthop_first(nexthop), nh_info);
	if (KERNEL_FIELD(struct nh_info, nexthop, reject_nh))
		return RTN_UNICAST;
	return hop_is_usable(nexthop + bpf_core_field_offset(((struct nh_info *)0)->fib_nhc))
		       ? type
		       : RTN_UNSPEC;
}

/* --- the search for the longest prefix -------------------------------------------------------- */

struct route_search {
	struct fib_walk walk;
	__u8 type; /* RTN_*, as found */
};

static long search_step(__u64 index, struct route_search *search)
{
	__u64 route = fib_walk_step(&search->walk);

	(void)index;
	if (!route)
		return fib_walk_is_over(&search->walk);
	search->type = route_type(route);
	return search->type != RTN_UNSPEC;
}

/* --- the table of the host's own addresses ---------------------------------------------------- */

/* as fib_get_table(); struct fib_table, or 0 */
static __always_inline __u64 table_find(__u64 net, __u32 number)
{
	__u32 chains = bpf_core_field_exists(((struct net *)0)->ipv4.rules_ops) ? TABLE_CHAINS : 2;
	__u64 heads = (__u64)KERNEL_FIELD(struct net, net, ipv4.fib_table_hash);
	__u64 table = *(const __u64 *)kernel_at(heads + (number & (chains - 1)) * sizeof(__u64));

	for (int i = 0; i < TABLES_SAME_CHAIN && table; i++) {
		table -= bpf_core_field_offset(((struct fib_table *)0)->tb_hlist);
		if (KERNEL_FIELD(struct fib_table, table, tb_id) == number)
			return table;
		table = (__u64)KERNEL_FIELD(struct fib_table, table, tb_hlist.next);
	}
	return 0;
}

static __attribute__((noinline)) __u8 route_find(__u64 table, __u32 address)
{
	struct route_search search = { .walk = fib_walk_begin(table, address) };

	bpf_loop(FIB_STEPS_MAX, search_step, &search, 0);
	return search.type ?: RTN_UNICAST;
}

/* address_type() - RTN_* of an address (network order) in the namespace, whatever the device. */
static __always_inline __u8 address_type(const struct net *net, __be32 address)
{
	__u64 table;

	if (!address || address == bpf_htonl(0xffffffff))
		return RTN_BROADCAST;
	if ((address & bpf_htonl(0xf0000000)) == bpf_htonl(0xe0000000))
		return RTN_MULTICAST;
	table = table_find((__u64)net, RT_TABLE_LOCAL);
	return table ? route_find(table, bpf_ntohl(address)) : RTN_BROADCAST;
}

#endif
