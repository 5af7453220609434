/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Classifying a packet: from the key words down a tree, then through the leaf's items in order.
 *
 * Compiled into the BPF programs (classify.bpf.c) and into the tests, which hold the very same code
 * against the evaluator. Who includes it defines before:
 *	classifier_shape	pointer to struct classifier
 *	classifier_data		pointer to the data
 *	CLASSIFY_FUNCTION	linkage of functions that the BPF verifier shall check on their own
 *	classify_count(packet, rule)	count a rule that does not end the walk
 *	classify_state(packet, index)	as table_state() of state.bpf.c
 *	classify_word		numbers of 64 bits, at whatever address in struct packet
 *	classify_repeat(times, step, context)	as bpf_loop()
 */
#ifndef UBPFILTER_CLASSIFY_WALK_H
#define UBPFILTER_CLASSIFY_WALK_H

#include "classify.h"
#include "state.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "struct classify_item::tail is laid out for little-endian machines"
#endif

/*
 * The head's numbers are constants to the verifier. They are read anew at each use: a compiler that
 * keeps them on the stack between makes the verifier forget them.
 */
static __always_inline const volatile struct classifier *classifier_head(void)
{
	return (const volatile struct classifier *)classifier_shape;
}

static __always_inline const void *classifier_element(const volatile struct classify_array *array,
						      __u64 index, __u64 size)
{
	/* what is compared shall be what is added: no address computed ahead of the comparison */
	__asm__ volatile("" : "+r"(index));
	if (index >= array->count)
		return 0;
	return (const char *)classifier_data + array->offset + index * size;
}

static __always_inline const classify_word *packet_words(const struct packet *packet, __u64 offset)
{
	return (const classify_word *)((const char *)packet + offset);
}

static __always_inline __u64 packet_tail(const struct packet *packet)
{
	return *packet_words(packet, PACKET_TAIL_OFFSET);
}

enum match {
	MATCH_NO,
	MATCH_YES,
	MATCH_HOTDROP,
	MATCH_UNKNOWN, /* at early stages: by what is not known there */
};

static __always_inline int match_transport(const struct packet *packet, int fragment_one_drops)
{
	if (packet->transport == TRANSPORT_OK)
		return MATCH_YES;
	if (packet->transport == TRANSPORT_FRAGMENT ||
	    (packet->transport == TRANSPORT_FRAGMENT_ONE && !fragment_one_drops))
		return MATCH_NO;
	return MATCH_HOTDROP;
}

/* IPv6: is there a protocol to compare? */
static __always_inline int match_has_protocol(const struct packet *packet)
{
	if (!(packet->flags & PACKET_NO_PROTOCOL))
		return MATCH_YES;
	return packet->flags & PACKET_FRAGMENT ? MATCH_NO : MATCH_HOTDROP;
}

/* Is a < b, of 16 bytes in network order? */
static __always_inline int bytes_less(const void *left, const void *right)
{
	const classify_word *a = left, *b = right;
	__u64 a_high = __builtin_bswap64(a[0]), b_high = __builtin_bswap64(b[0]);

	return a_high == b_high ? __builtin_bswap64(a[1]) < __builtin_bswap64(b[1])
				: a_high < b_high;
}

static __always_inline int extra_matches(const struct packet *packet,
					 const struct classify_extra *extra)
{
	int invert = extra->flags & EXTRA_INVERT, match;
	__u64 offset = extra->offset, number;
	const classify_word *words;

	__asm__ volatile("" : "+r"(offset));
	if (offset > sizeof(*packet) - 2 * sizeof(*words))
		return MATCH_HOTDROP;
	words = packet_words(packet, offset);
	number = words[0] << (extra->shift & 63) >> (extra->shift & 63);
	switch (extra->kind) {
	case EXTRA_MASKED:
		match = ((words[0] & extra->mask[0]) ^ extra->value[0]) == 0 &&
			((words[1] & extra->mask[1]) ^ extra->value[1]) == 0;
		return match ^ invert;
	case EXTRA_PROTOCOL:
		match = match_has_protocol(packet);
		if (match != MATCH_YES)
			return match;
		return (number >= extra->value[0] && number <= extra->mask[0]) ^ invert;
	case EXTRA_RANGE:
		return (number >= extra->value[0] && number <= extra->mask[0]) ^ invert;
	case EXTRA_BYTES:
		return (!bytes_less(words, extra->value) && !bytes_less(extra->mask, words)) ^
		       invert;
	case EXTRA_SET:
		return (number < 64 && extra->value[0] >> (number & 63) & 1) ^ invert;
	case EXTRA_TCP_OPTION:
		if (packet->flags & PACKET_TCP_OPTIONS_BAD)
			return MATCH_HOTDROP;
		match = packet->tcp_options[(extra->value[0] >> 6) & 3] >> (extra->value[0] & 63) &
			1;
		return match ^ invert;
	case EXTRA_SOUND:
		return (number & extra->value[0]) ? MATCH_HOTDROP : MATCH_YES;
	case EXTRA_TRANSPORT:
		match = match_transport(packet, extra->flags & EXTRA_FRAGMENT_ONE_DROPS);
		if (extra->flags & EXTRA_PORTS_SUFFICE && packet->transport == TRANSPORT_PORTS)
			match = MATCH_YES;
		return match == MATCH_YES ? match ^ invert : match;
	case EXTRA_STATE:
		match = classify_state(packet, (__u32)extra->value[0]);
		return match == STATE_HOTDROP ? MATCH_HOTDROP : !!match ^ invert;
	default:
		return MATCH_NO;
	}
}

/* One extra predicate; @met: an alternative ahead of it holds. */
static __always_inline int extra_step(const struct packet *packet, __u64 index, int *met)
{
	const volatile struct classifier *head = classifier_head();
	const struct classify_extra *extra =
		classifier_element(&head->extras, index, sizeof(*extra));
	int match = MATCH_YES;

	if (!extra)
		return MATCH_HOTDROP;
	/* to look on whether something else is false would cost the verifier twice the states */
	if (extra->flags & EXTRA_LATER && packet->counting == COUNTING_LATER)
		return MATCH_UNKNOWN;
	if (!*met)
		match = extra_matches(packet, extra);
	*met = extra->flags & EXTRA_OR_NEXT && match == MATCH_YES;
	return extra->flags & EXTRA_OR_NEXT ? MATCH_YES : match;
}

/** classify_extras() - do @count extra predicates from @first on match? */
CLASSIFY_FUNCTION int classify_extras(const struct packet *packet, __u32 first, __u32 count)
{
	int met = 0, match = MATCH_YES;

	if (!packet)
		return MATCH_HOTDROP;
	for (__u32 i = 0; i < CLASSIFY_EXTRAS && i < count && match == MATCH_YES; i++)
		match = extra_step(packet, (__u64)first + i, &met);
	return match;
}

static __always_inline int addresses_match(const struct packet *packet,
					   const struct classify_item *item, __u64 index)
{
	const volatile struct classifier *head = classifier_head();
	const struct classify_wide *wide;
	__u32 differ = 0;

	if (((packet->source[0] ^ item->source) & item->source_mask) |
	    ((packet->destination[0] ^ item->destination) & item->destination_mask))
		return 0;
	if (!head->wide || !(item->flags & ITEM_WIDE))
		return 1;
	wide = classifier_element(&head->wides, index, sizeof(*wide));
	if (!wide)
		return 0;
	for (int i = 0; i < 3; i++)
		differ |= ((packet->source[i + 1] ^ wide->source[i]) & wide->source_mask[i]) |
			  ((packet->destination[i + 1] ^ wide->destination[i]) &
			   wide->destination_mask[i]);
	return !differ;
}

static __always_inline int ports_match(const struct packet *packet,
				       const struct classify_item *item)
{
	__u32 source = (packet->source_port - item->source_port_min) & 0xffff;
	__u32 destination = (packet->destination_port - item->destination_port_min) & 0xffff;

	return source <= item->source_port_span && destination <= item->destination_port_span;
}

/* A packet that nothing can hotdrop: the order of the conditions does not matter. */
static __always_inline int item_matches_sound(const struct packet *packet,
					      const struct classify_item *item, __u64 index)
{
	if (!addresses_match(packet, item, index) ||
	    ((packet_tail(packet) ^ item->tail) & item->tail_mask) || !ports_match(packet, item))
		return MATCH_NO;
	if (!(item->flags & ITEM_EXTRA))
		return MATCH_YES;
	return classify_extras(packet, item->extra, item->extra_early + item->extra_late);
}

/* What stands between an item's early and late extras. */
static __always_inline int fixed_match(const struct packet *packet,
				       const struct classify_item *item)
{
	__u64 differ = (packet_tail(packet) ^ item->tail) & item->tail_mask;
	int match = MATCH_YES;

	if (item->flags & ITEM_PROTOCOL)
		match = match_has_protocol(packet);
	if (match != MATCH_YES)
		return match;
	if (differ & TAIL_BEFORE_TRANSPORT)
		return MATCH_NO;
	if (item->flags & ITEM_TRANSPORT)
		match = match_transport(packet, item->flags & ITEM_FRAGMENT_ONE_DROPS);
	if (match != MATCH_YES)
		return match;
	return !differ && ports_match(packet, item) ? MATCH_YES : MATCH_NO;
}

/**
 * classify_broken() - does item @index match a packet that rules may hotdrop? In strict order. One
 * loop over all extras: a call for each part would take 32 bytes more of the stack.
 */
CLASSIFY_FUNCTION int classify_broken(const struct packet *packet, __u32 index)
{
	const volatile struct classifier *head = classifier_head();
	const struct classify_item *item;
	int met = 0, match = MATCH_YES;

	if (!packet)
		return MATCH_HOTDROP;
	item = classifier_element(&head->items, index, sizeof(*item));
	if (!item)
		return MATCH_HOTDROP;
	if (!addresses_match(packet, item, index))
		return MATCH_NO;
	for (__u32 i = 0; i <= CLASSIFY_EXTRAS; i++) {
		/* read anew each time: a number that was compared is another one to the verifier */
		const volatile struct classify_item *now = item;

		if (match == MATCH_YES && i == now->extra_early)
			match = fixed_match(packet, item);
		if (match != MATCH_YES || i >= (__u32)now->extra_early + now->extra_late)
			return match;
		match = extra_step(packet, (__u64)item->extra + i, &met);
	}
	return MATCH_HOTDROP;
}

struct leaf_scan {
	const struct packet *packet;
	__u32 next[CLASSIFY_TREES]; /* place in each tree's list */
	__u32 item[CLASSIFY_TREES]; /* what stands there; only where there are several trees */
	__u32 position;		    /* items before are not looked at */
	__u8 class;		    /* enum packet_class; the verifier forgets what is in a byte */
	__u8 depth;		    /* words in use of the stack that classify_calls.h has */
	__u64 result;
};

/* What classify() returns: the verdict, and the rule that it still has to count. */
#define CLASSIFY_RESULT(rule, verdict) (((__u64)(rule) << 8) | (verdict))
#define CLASSIFY_FAILED		       CLASSIFY_RESULT(CLASSIFY_NO_RULE, VERDICT_DROP)

/* No comparison here: what the verifier learned from it would keep apart what is the same. */
static __always_inline __u32 list_entry(__u32 at)
{
	const volatile struct classify_array *lists = &classifier_head()->lists;
	__u64 masked = at & (lists->count - 1);

	return *(const __u32 *)((const char *)classifier_data + lists->offset +
				masked * sizeof(__u32));
}

/* The lowest candidate of all trees; its tree's list moves on. */
static __always_inline __u32 scan_next(struct leaf_scan *scan)
{
	__u32 trees = classifier_head()->trees;
	__u32 lowest = scan->item[0];

	if (trees == 1)
		return list_entry(scan->next[0]++);
	for (__u32 t = 1; t < CLASSIFY_TREES; t++)
		if (t < trees && scan->item[t] < lowest)
			lowest = scan->item[t];
	if (lowest == CLASSIFY_NO_RULE)
		return lowest;
	for (__u32 t = 0; t < CLASSIFY_TREES; t++)
		if (t < trees && scan->item[t] == lowest)
			scan->item[t] = list_entry(++scan->next[t]);
	return lowest;
}

/* What became of a candidate. */
enum scanned {
	SCAN_ON,      /* does not match, or the walk goes on all the same */
	SCAN_OVER,    /* scan->result is the result */
	SCAN_ENTERED, /* CLASSIFY_CALL, CLASSIFY_RETURN: matches, is counted */
};

static __always_inline enum scanned scan_item(struct leaf_scan *scan,
					      const struct classify_item *item, __u32 index)
{
	int match;

	scan->position = index + 1;
	match = scan->class == CLASS_SOUND ? item_matches_sound(scan->packet, item, index)
					   : classify_broken(scan->packet, index);
	if (match == MATCH_NO)
		return SCAN_ON;
	if (match == MATCH_HOTDROP)
		return SCAN_OVER;
	if (match == MATCH_UNKNOWN) {
		scan->result = CLASSIFY_RESULT(CLASSIFY_NO_RULE, VERDICT_DEFER);
		return SCAN_OVER;
	}
	if (item->action < CLASSIFY_SKIP) {
		scan->result = CLASSIFY_RESULT(item->rule, item->action);
		return SCAN_OVER;
	}
	scan->position = item->skip;
	if (item->rule != CLASSIFY_NO_RULE)
		classify_count(scan->packet, item->rule);
	return item->action == CLASSIFY_SKIP ? SCAN_ON : SCAN_ENTERED;
}

/* A result that is none yet: the scan goes on at an item. */
#define CLASSIFY_MORE 0xff

/* Look at one candidate. Return 1 when the walk is over; then scan->result is its result. */
static __always_inline int scan_step(struct leaf_scan *scan)
{
	__u32 index = scan_next(scan);
	const struct classify_item *item;

	item = classifier_element(&classifier_head()->items, index, sizeof(*item));
	if (!item)
		return 1; /* no more candidates: not in a whole table; fail closed */
	if (index < scan->position)
		return 0;
	if (classifier_head()->calls.count && item->action > CLASSIFY_SKIP) {
		scan->result = CLASSIFY_RESULT(scan->position, CLASSIFY_MORE);
		return 1;
	}
	return scan_item(scan, item, index) == SCAN_OVER;
}

static long scan_step_again(__u32 round, void *context)
{
	(void)round;
	return scan_step(context);
}

static __always_inline __u64 node_word(const struct packet *packet,
				       const struct classify_node *node, __u64 eighth)
{
	__u64 word = packet_words(packet, 0)[eighth];

	if (node->left & CLASSIFY_SWAP)
		word = __builtin_bswap64(word);
	return word << (node->left & 63) >> (node->right & 63);
}

/* From a root down to its leaf: where its list starts. CLASSIFY_NO_RULE: the tree is malformed. */
static __always_inline __u32 tree_walk(const struct packet *packet, __u32 root)
{
	const volatile struct classifier *head = classifier_head();
	__u64 index = root;

	for (__u32 depth = 0; depth < CLASSIFY_DEPTH; depth++) {
		const struct classify_node *node =
			classifier_element(&head->nodes, index, sizeof(*node));
		__u64 eighth, child;

		if (!node || depth >= head->depth)
			break;
		eighth = node->eighth;
		__asm__ volatile("" : "+r"(eighth));
		if (eighth >= CLASSIFY_EIGHTHS)
			return node->base;
		child = (node_word(packet, node, eighth) - node->low) >> (node->shift & 63);
		if (child > node->last)
			child = node->last;
		index = node->base + child;
	}
	return CLASSIFY_NO_RULE;
}

#define FLAGS_BROKEN (PACKET_NO_PROTOCOL | PACKET_TCP_OPTIONS_BAD | PACKET_TCP_MSS_BAD)

static __always_inline __u32 packet_class(const struct packet *packet)
{
	if (classifier_head()->headless_breaks && packet->transport == TRANSPORT_NONE)
		return CLASS_BROKEN;
	return packet->transport == TRANSPORT_TRUNCATED || packet->transport == TRANSPORT_PORTS ||
			       packet->transport == TRANSPORT_FRAGMENT_ONE ||
			       (packet->flags & FLAGS_BROKEN) || packet->headers_broken
		       ? CLASS_BROKEN
		       : CLASS_SOUND;
}

/* Candidates that are looked at in plain code; more are left to a loop that calls. */
#define CLASSIFY_INLINE_STEPS 6

/*
 * The same number, but not to the verifier, which forgets what is in a byte of the stack. What it
 * knew would be walked through for each number by itself, and at each way that leads here.
 */
static __always_inline __u32 forgotten(__u32 number)
{
	volatile __u8 bytes[8] __attribute__((aligned(8)));

	bytes[1] = number;
	return bytes[1];
}

static __always_inline const volatile struct classify_root *
scan_start(struct leaf_scan *scan, const struct packet *packet, __u32 chain)
{
	__u64 root = forgotten(chain * CLASS_COUNT + packet_class(packet));

	*scan = (struct leaf_scan){ .packet = packet,
				    .class = root % CLASS_COUNT,
				    .result = CLASSIFY_FAILED };
	__asm__ volatile("" : "+r"(root));
	if (root >= CLASSIFY_CHAINS * CLASS_COUNT)
		return 0;
	return (const volatile struct classify_root *)classifier_data + root;
}

/* The list of tree @t from its start. Return: whether the tree is whole. */
static __always_inline int scan_list(struct leaf_scan *scan,
				     const volatile struct classify_root *root, __u32 t)
{
	__u32 start;

	if (t >= classifier_head()->trees)
		return 1;
	start = tree_walk(scan->packet, root->node[t]);
	if (start == CLASSIFY_NO_RULE)
		return 0; /* not kept: the verifier would count up from it, turn by turn */
	scan->next[t] = start;
	if (classifier_head()->trees > 1)
		scan->item[t] = list_entry(scan->next[t]);
	return 1;
}

/* Those of all trees. Not a loop: the scan would not be in registers. */
static __always_inline int scan_lists(struct leaf_scan *scan,
				      const volatile struct classify_root *root)
{
	_Static_assert(CLASSIFY_TREES == 3, "a line for each");
	return scan_list(scan, root, 0) && scan_list(scan, root, 1) && scan_list(scan, root, 2);
}

/* The first candidates; the scan stays in registers, as nothing has its address. */
static __always_inline __u64 classify_first(const struct packet *packet, __u32 chain)
{
	const volatile struct classify_root *root;
	struct leaf_scan scan;

	if (!packet || chain >= CLASSIFY_CHAINS)
		return CLASSIFY_FAILED;
	root = scan_start(&scan, packet, chain);
	if (!root || !scan_lists(&scan, root))
		return CLASSIFY_FAILED;
	for (int i = 0; i < CLASSIFY_INLINE_STEPS; i++)
		if (scan_step(&scan))
			return scan.result;
	return CLASSIFY_RESULT(scan.position, CLASSIFY_MORE);
}

/** classify_rest() - a long list from item @position on, which is what positions are for. */
CLASSIFY_FUNCTION __u64 classify_rest(const struct packet *packet, __u32 chain, __u32 position)
{
	const volatile struct classify_root *root;
	struct leaf_scan scan;

	if (!packet || chain >= CLASSIFY_CHAINS)
		return CLASSIFY_FAILED;
	root = scan_start(&scan, packet, chain);
	scan.position = position;
	if (!root || !scan_lists(&scan, root))
		return CLASSIFY_FAILED;
	classify_repeat(CLASSIFY_ITEM_MAX, scan_step_again, &scan);
	return scan.result;
}

#include "classify_calls.h"

/**
 * classify() - judge a packet as chain @chain (0 INPUT, 1 FORWARD, 2 OUTPUT) of the table does.
 * Return: CLASSIFY_RESULT(); its rule is not counted yet, all before are.
 */
static __always_inline __u64 classify(const struct packet *packet, __u32 chain)
{
	__u64 result = classify_first(packet, chain);

	if ((result & 0xff) != CLASSIFY_MORE)
		return result;
	if (classifier_head()->calls.count)
		return classify_calls(packet, chain, (__u32)(result >> 8));
	return classify_rest(packet, chain, (__u32)(result >> 8));
}

#endif
