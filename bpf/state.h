/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What stateful matches remember and go by: layouts shared by the translator, which fills them in,
 * and the programs, which change them. A table has one element of `states` for each such match of
 * its rules, common to all CPUs, as the kernel's are.
 */
#ifndef UBPFILTER_BPF_STATE_H
#define UBPFILTER_BPF_STATE_H

#include <linux/types.h>

enum state_kind {
	STATE_LIMIT,  /* a bucket of credits that fills with time (-m limit) */
	STATE_NTH,    /* every nth packet (-m statistic --mode nth) */
	STATE_RANDOM, /* each packet by chance (-m statistic --mode random); remembers nothing */
	STATE_QUOTA,  /* until so many bytes are through (-m quota) */
	STATE_TIME,   /* at certain times (-m time); remembers nothing */
	STATE_COUNTS, /* by what the connection has transferred (-m connbytes); remembers nothing */
	STATE_RATE,   /* of its addresses and ports, a table by name keeps (-m hashlimit): rate.h */
	/* those that are asked of the packet alone, by functions of their own; remember nothing */
	STATE_GROUPS, /* by the groups of who sends (-m owner --suppl-groups): groups.bpf.c */
};

/* What a step says beside yes and no: the packet is to be dropped, as xt_action_param::hotdrop. */
#define STATE_HOTDROP 2

/* STATE_COUNTS: which number it goes by */
enum counts_unit {
	COUNTS_PACKETS,
	COUNTS_BYTES,
	COUNTS_AVERAGE, /* bytes a packet, rounded down */
};

enum counts_direction {
	COUNTS_ORIGINAL,
	COUNTS_REPLY,
	COUNTS_BOTH,
};

/* What a connection has transferred, by direction: the original one, that of replies. In memory as
   the kernel's struct nf_conn_acct. */
struct connection_counts {
	struct {
		__u64 packets;
		__u64 bytes;
	} of[2];
};

struct state {
	__u64 now;	 /* all that is remembered; changed as a whole, in one step.
			    STATE_LIMIT: jiffies (32 bits) when it was filled << 32 | credits
			    STATE_NTH: packets since the last match
			    STATE_QUOTA: bytes left */
	__u8 kind;	 /* enum state_kind */
	__u8 weekdays;	 /* STATE_TIME: bits, Monday is 1 */
	__u8 contiguous; /* STATE_TIME: hours past midnight belong to the day before */
	__u8 counted;	 /* STATE_COUNTS: enum counts_unit << 4 | enum counts_direction */
	union {
		struct {
			__u32 cost;	/* credits of a packet */
			__u32 cap;	/* credits at most */
			__u32 per_tick; /* credits that each jiffy brings */
			__u32 first;	/* credits at the first packet, before cap and cost */
		} limit;
		struct {
			__u32 every; /* packets that do not match between two that do */
		} nth;
		struct {
			__u32 probability; /* of 2^31 */
		} random;
		struct {
			__u32 date_first; /* seconds since 1970, UTC */
			__u32 date_last;
			__u32 second_first; /* of the day; above the last one: over midnight */
			__u32 second_last;
			__u32 monthdays; /* bits, the first day is 1 */
		} time;
		struct {
			__u32 min[2]; /* the lower half first */
			__u32 max[2]; /* inclusive; below min: numbers outside of both match */
		} counts;
		struct {
			__u32 table; /* rate_table_id() */
		} rate;
		struct {
			__u32 min; /* of a group's number */
			__u32 max; /* inclusive */
		} groups;
	};
};

_Static_assert(sizeof(struct state) == 32, "an element of the data section `states`");

/* STATE_LIMIT that no packet has met yet. */
#define STATE_LIMIT_FRESH (~0ull)

#endif
