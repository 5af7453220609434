/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The classifier: a table as read-only data, laid out here for the translator, which builds it, and
 * for the walk (classify_walk.h), which reads it.
 *
 * A built-in chain is a list of *items*: rules with the guards of the jumps that lead to them, in
 * the order in which the kernel would look at them. *Trees* over the packet's key words lead to a
 * *leaf*, the ascending list of those items that may match; there the items are confirmed one
 * after the other.
 */
#ifndef UBPFILTER_BPF_CLASSIFY_H
#define UBPFILTER_BPF_CLASSIFY_H

#include "types.h"

/*
 * What a tree decides on: 32-bit numbers whose order is that of prefixes and ranges (addresses and
 * names are read as big-endian words).
 */
enum key_word {
	KEY_SOURCE,
	KEY_DESTINATION,
	KEY_SOURCE_PORT,
	KEY_DESTINATION_PORT,
	KEY_PROTOCOL,
	KEY_TRANSPORT, /* enum transport */
	KEY_ICMP,
	KEY_IN_NAME,
	KEY_OUT_NAME,
	KEY_IN_NAME_REST, /* word 1; what is behind is left to the items */
	KEY_OUT_NAME_REST,
	KEY_SOURCE_REST, /* words 1 to 3 */
	KEY_DESTINATION_REST = KEY_SOURCE_REST + 3,
	KEY_MAC = KEY_DESTINATION_REST + 3,
	KEY_MAC_REST, /* its last two bytes */
	KEY_WORDS,
};

/*
 * child = base + min((word - low) >> shift, last), in 64 bits: a binary split at `low` has shift 63
 * (0: not below, 1: below), a multiway cut any other. A leaf's list starts at `base` and ends with
 * CLASSIFY_NO_RULE.
 */
struct classify_node {
	__u32 low;
	__u32 base;
	__u32 last;
	__u8 eighth; /* which eight bytes of struct packet; CLASSIFY_LEAF */
	__u8 left;   /* where the word is in them: shift left, then right; CLASSIFY_SWAP */
	__u8 right;
	__u8 shift;
};

#define CLASSIFY_EIGHTHS (sizeof(struct packet) / sizeof(__u64))
#define CLASSIFY_SWAP	 0x80 /* first turn the bytes round: network order */
#define CLASSIFY_LEAF	 0xff
_Static_assert(CLASSIFY_EIGHTHS < CLASSIFY_LEAF, "told from each other");
#define CLASSIFY_SPLIT	  63
#define CLASSIFY_DEPTH	  32 /* nodes on a path at most, the leaf included */
#define CLASSIFY_TREES	  3  /* trees of one chain at most */
#define CLASSIFY_EXTRAS	  64 /* predicates of one item outside its fixed fields at most */
#define CLASSIFY_NO_RULE  0xffffffff
#define CLASSIFY_ITEM_MAX (1 << 22)

/*
 * Chains that are called, not repeated where they are jumped to, are lists of items of their own.
 * The walk remembers where it was in the list of each tree, in so many words altogether.
 */
#define CLASSIFY_CALL_WORDS 8
#define CLASSIFY_STEPS_MAX  (1 << 23) /* candidates for a packet at most: as bpf_loop() allows */

enum classify_action {
	CLASSIFY_DROP = VERDICT_DROP,
	CLASSIFY_ACCEPT = VERDICT_ACCEPT,
	CLASSIFY_SKIP,	 /* count, go on with item `skip` or a later one */
	CLASSIFY_CALL,	 /* count, run list `skip`, go on with the next item */
	CLASSIFY_RETURN, /* count, go back to the list that called this one */
};

enum classify_item_flags {
	ITEM_PROTOCOL = 1 << 0,		  /* IPv6: no protocol is a hotdrop */
	ITEM_TRANSPORT = 1 << 1,	  /* needs the transport header; truncated: hotdrop */
	ITEM_FRAGMENT_ONE_DROPS = 1 << 2, /* fragment offset 1: hotdrop */
	ITEM_WIDE = 1 << 3,		  /* IPv6: words 1 to 3 of the addresses matter */
	ITEM_EXTRA = 1 << 4,		  /* has extra predicates */
};

/* struct packet's bytes from `icmp` on, as one number. */
#define PACKET_TAIL_OFFSET 104
_Static_assert(__builtin_offsetof(struct packet, icmp) == PACKET_TAIL_OFFSET, "packet tail");

#define TAIL_ICMP_SHIFT	     0
#define TAIL_PROTOCOL_SHIFT  16
#define TAIL_TRANSPORT_SHIFT 24
#define TAIL_FLAGS_SHIFT     32
#define TAIL_TCP_FLAGS_SHIFT 40
/* What of the tail is looked at before the transport header is asked for. */
#define TAIL_BEFORE_TRANSPORT ((0xffULL << TAIL_PROTOCOL_SHIFT) | (0xffULL << TAIL_FLAGS_SHIFT))

/*
 * One item. For a packet that nothing in a rule can hotdrop the order of the conditions does not
 * matter; for the others it is: addresses, early extras, protocol, fragment, transport header,
 * ports and the rest, late extras.
 */
struct classify_item {
	__be32 source; /* (packet ^ value) & mask == 0 */
	__be32 source_mask;
	__be32 destination;
	__be32 destination_mask;
	__u64 tail;
	__u64 tail_mask;
	__u16 source_port_min;
	__u16 source_port_span; /* max - min */
	__u16 destination_port_min;
	__u16 destination_port_span;
	__u32 rule;	  /* counter's index; CLASSIFY_NO_RULE: counts none */
	__u32 skip;	  /* CLASSIFY_SKIP: an item's index; CLASSIFY_CALL: a list's number */
	__u32 extra;	  /* index of the first extra predicate */
	__u8 extra_early; /* how many of them stand before the protocol */
	__u8 extra_late;
	__u8 action; /* enum classify_action */
	__u8 flags;  /* enum classify_item_flags */
};

_Static_assert(sizeof(struct classify_item) == 56, "in the classifier's data");

/* IPv6: words 1 to 3 of an item's addresses (classifier::wides, same index). */
struct classify_wide {
	__be32 source[3];
	__be32 source_mask[3];
	__be32 destination[3];
	__be32 destination_mask[3];
};

/* How an extra predicate looks at struct packet. */
enum classify_extra_kind {
	EXTRA_NEVER,
	EXTRA_MASKED,	  /* 16 bytes & mask == value */
	EXTRA_RANGE,	  /* a number: value[0] <= number <= mask[0] */
	EXTRA_BYTES,	  /* 16 bytes in network order: value <= bytes <= mask */
	EXTRA_SET,	  /* a number below 64 whose bit is in value[0] */
	EXTRA_PROTOCOL,	  /* as EXTRA_RANGE; hotdrop when there is no protocol to be found */
	EXTRA_TCP_OPTION, /* option kind value[0] occurs; hotdrop if malformed */
	EXTRA_SOUND,	  /* guard: hotdrop if the number has one of the bits value[0] */
	EXTRA_TRANSPORT,  /* guard: the transport header is there */
	EXTRA_STATE,	  /* the stateful match of number value[0]; it changes it */
};

enum classify_extra_flags {
	EXTRA_INVERT = 1 << 0,
	EXTRA_OR_NEXT = 1 << 1, /* an alternative: the next extra is another; none can hotdrop */
	EXTRA_FRAGMENT_ONE_DROPS = 1 << 2,
	EXTRA_PORTS_SUFFICE = 1 << 3,
	EXTRA_LATER = 1 << 4, /* what it reads is not known at early stages */
};

/* A predicate that has no place in struct classify_item; as struct predicate of the IR. */
struct classify_extra {
	__u8 kind;    /* enum classify_extra_kind */
	__u8 flags;   /* enum classify_extra_flags */
	__u8 shift;   /* numbers: 64 less their bits */
	__u8 field;   /* enum field of the IR: for the translator */
	__u16 offset; /* in struct packet; 16 bytes from there on are read */
	__u16 reserved;
	__u64 value[2];
	__u64 mask[2];
};

_Static_assert(sizeof(struct classify_extra) == 40, "in the classifier's data");

/* The trees of one chain and class of packets; candidates of all are merged in order. */
struct classify_root {
	__u32 trees; /* for the translator; unused trees are an empty leaf */
	__u32 node[CLASSIFY_TREES];
};

/* Stands for the number of blocks of counters until the table is known. */
#define CLASSIFY_BLOCKS_UNKNOWN 0x3fb10c5

#define CLASSIFY_CHAINS 3 /* INPUT, FORWARD, OUTPUT */
enum packet_class {
	CLASS_SOUND,  /* no rule can hotdrop the packet */
	CLASS_BROKEN, /* some can */
	CLASS_COUNT,
};

/* Where an array lies in the table's data: byte offset and room, in elements. */
struct classify_array {
	__u32 offset;
	__u32 count;
};

/*
 * The shape of a table's data. The verifier knows these numbers (a frozen map) and drops dead
 * branches. All else is data to it, which may be replaced under the same programs: the arrays have
 * some more room than the table needs, so that one with a few rules more has the same shape.
 */
struct classifier {
	__u32 size;	       /* of the data, bytes; they begin with the roots of the built-in
				  chains, struct classify_root[CLASSIFY_CHAINS][CLASS_COUNT] */
	__u32 family;	       /* 4 or 6 */
	__u32 trees;	       /* most trees of a root; walked for each packet */
	__u32 depth;	       /* most nodes on a path, the leaf included */
	__u32 wide;	       /* 1: `wides` is there */
	__u32 headless_breaks; /* 1: rules ask other protocols than ours for a transport header */
	struct classify_array nodes;  /* struct classify_node */
	struct classify_array items;  /* struct classify_item */
	struct classify_array wides;  /* struct classify_wide */
	struct classify_array extras; /* struct classify_extra */
	struct classify_array lists;  /* __u32: items' indices; a power of two of them */
	struct classify_array calls;  /* struct classify_root[CLASS_COUNT] by list: the built-in
					 chains', then those that are called; none: no calls */
};

_Static_assert(sizeof(struct classifier) % 8 == 0, "linked as words");

#endif
