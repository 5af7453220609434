/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The search for the longest prefix of an IPv4 address in a routing table of the kernel's, a node a
 * step: who searches looks at the leaves itself, and lets the walk go on with shorter prefixes.
 * Programs run under RCU, as the kernel's own search.
 */
#ifndef UBPFILTER_FIB_WALK_H
#define UBPFILTER_FIB_WALK_H

#include <stdbool.h>

#include "kernel_cast.h"
#include "kernel_fib.h"

/* Where the search for the longest prefix of an address is. */
struct fib_walk {
	__u64 root;    /* struct key_vector, as the next */
	__u64 node;    /* 0: there is no prefix */
	__u32 key;     /* of the address what the prefix may still have, host order */
	__u32 shorter; /* shorter prefixes that were passed leave more bits open; 32: no more */
};

static __always_inline struct fib_walk fib_walk_begin(__u64 table, __u32 address)
{
	__u64 trie = (__u64)KERNEL_FIELD(struct fib_table, table, tb_data);
	__u64 root = (__u64)KERNEL_FIELD(struct trie, trie, kv[0].tnode[0]);

	return (struct fib_walk){ .root = root, .node = root, .key = address, .shorter = 32 };
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

#endif
