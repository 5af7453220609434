/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The search for the longest prefix of an IPv4 address in a routing table of the kernel's, a node
 * or a route a step. Who searches has bpf_loop() call the step: as a plain loop, the ways through a
 * trie cost the verifier tens of thousands of instructions. Programs run under RCU, as the kernel's
 * own search.
 */
#ifndef UBPFILTER_FIB_WALK_H
#define UBPFILTER_FIB_WALK_H

#include <stdbool.h>

#include "kernel_cast.h"
#include "kernel_fib.h"
#include "opaque.h"

/* Nodes and routes of one search, at most: far more than 33 ways of 33 nodes. */
#define FIB_STEPS_MAX (1 << 20)

/* Where the search for the longest prefix of an address is. */
struct fib_walk {
	__u64 root;    /* struct key_vector, as the next */
	__u64 node;    /* 0: there is no prefix */
	__u64 route;   /* struct fib_alias of a leaf that was reached, looked at next; or 0 */
	__u32 address; /* host order, as the next two */
	__u32 leaf_key;
	__u32 key;     /* of the address what the prefix may still have */
	__u32 shorter; /* shorter prefixes that were passed leave more bits open; 32: no more */
};

static __always_inline struct fib_walk fib_walk_begin(__u64 table, __u32 address)
{
	__u64 trie = (__u64)KERNEL_FIELD(struct fib_table, table, tb_data);
	__u64 root = (__u64)KERNEL_FIELD(struct trie, trie, kv[0].tnode[0]);

	return (struct fib_walk){
		.root = root,
		.node = root,
		.route = opaque_zero,
		.address = address,
		.key = address,
		.shorter = 32 + opaque_zero,
	};
}

/*
 * No prefix is as long as the bits of the key: from the root on with fewer. A prefix lies where its
 * bits lead to, those that it leaves open being 0.
 */
static __always_inline void fib_walk_shorten(struct fib_walk *walk)
{
	__u32 key = walk->shorter < 32 ? walk->key >> walk->shorter << walk->shorter : 0;

	walk->node = key ? walk->root : 0;
	walk->key = key & (key - 1);
	walk->shorter = 32;
}

static __always_inline void fib_walk_down(struct fib_walk *walk, const struct key_vector *node)
{
	__u32 difference = walk->key ^ node->key;
	__u64 children = walk->node + bpf_core_field_offset(node->tnode);

	if ((__u64)difference >> (node->pos + node->bits)) {
		/* The address is not below. The shortest prefix there may have it all the same. */
		if (difference & (node->key | -node->key))
			fib_walk_shorten(walk);
		else
			walk->key = node->key;
		return;
	}
	if (node->slen > node->pos)
		walk->shorter = node->pos;
	walk->node = *(const __u64 *)kernel_at(children +
					       (__u64)(difference >> node->pos) * sizeof(__u64));
	if (!walk->node)
		fib_walk_shorten(walk);
}

static __always_inline bool fib_prefix_has(__u32 key, __u8 open_bits, __u32 address)
{
	return !((__u64)(key ^ address) >> open_bits);
}

static __always_inline bool fib_walk_is_over(const struct fib_walk *walk)
{
	return !walk->route && !walk->node;
}

/* A leaf's routes one by one, the longest prefix first. */
static __always_inline __u64 fib_walk_route(struct fib_walk *walk)
{
	__u64 route = walk->route;

	walk->route = (__u64)KERNEL_FIELD(struct fib_alias, route, fa_list.next);
	if (!walk->route)
		fib_walk_shorten(walk);
	return fib_prefix_has(walk->leaf_key, KERNEL_FIELD(struct fib_alias, route, fa_slen),
			      walk->address)
		       ? route
		       : 0;
}

/*
 * fib_walk_step() - one node or route on. Return: a route that the address is in (struct
 * fib_alias), after all that have a longer prefix; 0 when there was none at this step.
 */
static __always_inline __u64 fib_walk_step(struct fib_walk *walk)
{
	const struct key_vector *node;

	if (walk->route)
		return fib_walk_route(walk);
	if (!walk->node)
		return 0;
	node = kernel_at(walk->node);
	if (node->bits) {
		fib_walk_down(walk, node);
		return 0;
	}
	walk->leaf_key = node->key;
	if (fib_prefix_has(node->key, node->slen, walk->address))
		walk->route = (__u64)node->leaf.first;
	if (!walk->route)
		fib_walk_shorten(walk);
	return 0;
}

#endif
