/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel knows of IPv4 routes, of that the few fields that we read: as kernel.h. */
#ifndef UBPFILTER_KERNEL_FIB_H
#define UBPFILTER_KERNEL_FIB_H

#include <stdbool.h>

#include "kernel.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct hlist_node {
	struct hlist_node *next;
};

struct hlist_head {
	struct hlist_node *first;
};

/* A routing table is a trie of such nodes: `key` is what all routes below have in common, the rest
 * of its bits are 0. */
struct key_vector {
	__u32 key;	   /* host order */
	unsigned char pos; /* the child is chosen by `bits` bits of the address from `pos` on */
	unsigned char bits;
	unsigned char slen; /* bits that the shortest prefix below leaves open */
	union {
		struct hlist_head leaf;	     /* no `bits`: its routes, the longest prefix first */
		struct key_vector *tnode[1]; /* its children */
	};
};

struct trie {
	struct key_vector kv[1]; /* the first node is its only child */
};

struct fib_table {
	struct hlist_node tb_hlist;
	__u32 tb_id;
	unsigned long *tb_data; /* struct trie */
};

struct fib_nh_common {
	struct net_device *nhc_dev;
	unsigned char nhc_flags; /* RTNH_F_* */
};

struct fib_nh {
	struct fib_nh_common nh_common;
};

struct nh_info {
	bool reject_nh;
	struct fib_nh_common fib_nhc;
};

struct nexthop;

struct nh_grp_entry {
	struct nexthop *nh;
};

struct nh_group {
	struct nh_grp_entry nh_entries[1];
};

struct nexthop {
	bool is_group;
	struct nh_info *nh_info;
	struct nh_group *nh_grp; /* in its place */
};

struct fib_info {
	unsigned int fib_flags; /* RTNH_F_* */
	unsigned char fib_dead;
	int fib_nhs;
	struct nexthop *nh; /* instead of `fib_nh` */
	struct fib_nh fib_nh[1];
};

struct fib_alias {
	struct hlist_node fa_list;
	struct fib_info *fa_info;
	unsigned char fa_dscp; /* 0: for any */
	unsigned char fa_type; /* RTN_* */
	unsigned char fa_slen; /* as key_vector::slen */
};

#pragma clang attribute pop

#endif
