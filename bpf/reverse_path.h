/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether the kernel accepts an IPv4 source when it looks up by which route an answer would leave
 * (rp_filter): as __fib_validate_source(). No helper does that where the device does not forward,
 * so the routes are read where the kernel has them. Only what is certain is answered with yes.
 */
#ifndef UBPFILTER_REVERSE_PATH_H
#define UBPFILTER_REVERSE_PATH_H

#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <bpf/bpf_endian.h>

#include "fib_walk.h"
#include "kernel_net.h"

/* Devices of one route that are looked at. */
#define FIB_HOPS_MAX 8

/* --- the route for an address ---------------------------------------------------------------- */

struct reverse_search {
	struct fib_walk walk;
	__u64 route; /* struct fib_alias, as found */
};

static long reverse_step(__u64 index, struct reverse_search *search)
{
	(void)index;
	search->route = fib_walk_step(&search->walk);
	return search->route || fib_walk_is_over(&search->walk);
}

/* The route with the longest prefix of an address (host order) in a table: struct fib_alias, or 0.
 */
static __attribute__((noinline)) __u64 fib_route(__u64 table, __u32 address)
{
	struct reverse_search search = { .walk = fib_walk_begin(table, address) };

	bpf_loop(FIB_STEPS_MAX, reverse_step, &search, 0);
	return search.route;
}

/* --- what rp_filter makes of it -------------------------------------------------------------- */

enum reverse_path {
	REVERSE_PATH_ANY,  /* sources are not looked up */
	REVERSE_PATH_SAME, /* an answer would leave by the device that the packet came by */
	REVERSE_PATH_SOME, /* it would leave by any */
};

/* Nothing makes the kernel pass over this route. */
static __always_inline bool route_is_usual(__u64 route, __u64 information)
{
	__u64 hop = information + bpf_core_field_offset(((struct fib_info *)0)->fib_nh);

	return KERNEL_FIELD(struct fib_alias, route, fa_type) == RTN_UNICAST &&
	       !KERNEL_FIELD(struct fib_alias, route, fa_dscp) &&
	       !KERNEL_FIELD(struct fib_info, information, fib_dead) &&
	       !KERNEL_FIELD(struct fib_info, information, nh) &&
	       !(KERNEL_FIELD(struct fib_info, information, fib_flags) & RTNH_F_DEAD) &&
	       !(KERNEL_FIELD(struct fib_nh, hop, nh_common.nhc_flags) &
		 (RTNH_F_DEAD | RTNH_F_LINKDOWN));
}

static __always_inline bool route_leaves_by(__u64 information, __u64 device)
{
	__u64 hop = information + bpf_core_field_offset(((struct fib_info *)0)->fib_nh);
	int count = KERNEL_FIELD(struct fib_info, information, fib_nhs);

	for (int i = 0; i < FIB_HOPS_MAX && i < count; i++) {
		if ((__u64)KERNEL_FIELD(struct fib_nh, hop, nh_common.nhc_dev) == device)
			return true;
		hop += bpf_core_type_size(struct fib_nh);
	}
	return false;
}

/*
 * reverse_path_has() - does the kernel accept this source (network order) by this device of this
 * namespace? For sources that are none of this host's, and where routing has no rules.
 */
static __always_inline bool reverse_path_has(enum reverse_path wanted, __u64 net, __u64 device,
					     __be32 source)
{
	__u64 table = (__u64)KERNEL_FIELD(struct net, net, ipv4.fib_main);
	__u64 ip = (__u64)KERNEL_FIELD(struct net_device, device, ip_ptr);
	__u64 route, information;

	if (!table)
		return false;
	route = fib_route(table, bpf_ntohl(source));
	if (!route)
		return false;
	information = (__u64)KERNEL_FIELD(struct fib_alias, route, fa_info);
	if (!route_is_usual(route, information))
		return false;
	/* a device without an address takes what is routed back to it only */
	return route_leaves_by(information, device) ||
	       (wanted == REVERSE_PATH_SOME && KERNEL_FIELD(struct in_device, ip, ifa_list));
}

#endif
