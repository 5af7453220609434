/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The walk through a table with chains that are called: lists of items that lead to other lists,
 * and back. Part of classify_walk.h.
 */
#ifndef UBPFILTER_CLASSIFY_CALLS_H
#define UBPFILTER_CLASSIFY_CALLS_H

#include "classify_walk.h"

struct call_scan {
	struct leaf_scan leaf;
	__u32 back[CLASSIFY_CALL_WORDS]; /* leaf.next of those who called; the last call's on top */
};

/*
 * From the roots of list @list to the leaves. Return: whether the trees are whole. Not inlined: it
 * is called from two places, and the stack is short.
 */
static __attribute__((noinline)) int call_lists(struct call_scan *scan, __u32 list)
{
	const volatile struct classify_root *root =
		classifier_element(&classifier_head()->calls,
				   (__u64)list * CLASS_COUNT + scan->leaf.class, sizeof(*root));

	return root && scan_lists(&scan->leaf, root);
}

/* A place in the stack: no comparison that the verifier would keep states apart by. */
static __always_inline volatile __u32 *back_place(struct call_scan *scan, __u32 word)
{
	__u64 place = word & (CLASSIFY_CALL_WORDS - 1);

	__asm__ volatile("" : "+r"(place));
	return &scan->back[place & (CLASSIFY_CALL_WORDS - 1)];
}

/* Return: whether the walk can go on. */
static __always_inline int call_push(struct call_scan *scan)
{
	__u32 trees = classifier_head()->trees;

	if (scan->leaf.depth + trees > CLASSIFY_CALL_WORDS)
		return 0;
	for (__u32 t = 0; t < CLASSIFY_TREES; t++)
		if (t < trees)
			*back_place(scan, scan->leaf.depth + t) = scan->leaf.next[t];
	scan->leaf.depth += trees;
	return 1;
}

static __always_inline int call_pop(struct call_scan *scan)
{
	__u32 trees = classifier_head()->trees;

	if (scan->leaf.depth < trees)
		return 0;
	scan->leaf.depth -= trees;
	for (__u32 t = 0; t < CLASSIFY_TREES; t++) {
		if (t >= trees)
			continue;
		scan->leaf.next[t] = *back_place(scan, scan->leaf.depth + t);
		if (trees > 1)
			scan->leaf.item[t] = list_entry(scan->leaf.next[t]);
	}
	return 1;
}

/* One candidate, as scan_step(). */
static long call_step(__u32 round, void *context)
{
	struct call_scan *scan = context;
	__u32 index = scan_next(&scan->leaf);
	const struct classify_item *item;
	enum scanned scanned;
	int entered;

	(void)round;
	item = classifier_element(&classifier_head()->items, index, sizeof(*item));
	if (!item)
		return 1;
	if (index < scan->leaf.position)
		return 0;
	scanned = scan_item(&scan->leaf, item, index);
	if (scanned != SCAN_ENTERED)
		return scanned == SCAN_OVER;
	scan->leaf.position = 0; /* all that is left of either list stands behind */
	entered = item->action == CLASSIFY_CALL ? call_push(scan) && call_lists(scan, item->skip)
						: call_pop(scan);
	return !entered;
}

/** classify_calls() - the walk from item @position of the built-in chain's list on. */
CLASSIFY_FUNCTION __u64 classify_calls(const struct packet *packet, __u32 chain, __u32 position)
{
	struct call_scan scan = { .leaf.position = position, .leaf.result = CLASSIFY_FAILED };

	if (!packet || chain >= CLASSIFY_CHAINS || !classifier_head()->calls.count)
		return CLASSIFY_FAILED;
	scan.leaf.packet = packet;
	scan.leaf.class = forgotten(packet_class(packet));
	if (call_lists(&scan, chain))
		classify_repeat(CLASSIFY_STEPS_MAX, call_step, &scan);
	return scan.leaf.result;
}

#endif
