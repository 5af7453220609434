/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What -m hashlimit remembers: tables by name, each with a rate of its own for every address, port
 * or combination of them. They outlive the generations that use them, as the kernel's do. The
 * translator fills in struct rate_table, the loader puts it into the map `rate_tables`, the
 * programs make and change the elements of `rates`.
 */
#ifndef UBPFILTER_BPF_RATE_H
#define UBPFILTER_BPF_RATE_H

#include <linux/bpf.h>
#include <linux/types.h>

enum rate_flags {
	RATE_BYTES = 1 << 0,  /* bytes are limited, not packets */
	RATE_WINDOW = 1 << 1, /* by what came in an interval (--hashlimit-rate-match) */
	RATE_PORTS = 1 << 2,  /* ports are looked at: packets without them are dropped */
};

/* Of which packets one rate is; what the table does not look at is 0. */
struct rate_key {
	__u32 table; /* rate_table_id() of its name */
	__be32 source[4];
	__be32 destination[4];
	__be16 source_port;
	__be16 destination_port;
};

/* Times are jiffies of 64 bits. */
struct rate {
	struct bpf_spin_lock lock; /* of all members behind it */
	__u32 over;		   /* RATE_WINDOW: the interval before was over the limit */
	__u64 filled; /* when credits came last; RATE_WINDOW: when the interval began */
	__u64 expires;
	__u64 credit;  /* RATE_WINDOW: what came in this interval */
	__u64 refills; /* RATE_BYTES: how often credits are filled up when they run out */
};

struct rate_table {
	__be32 source_mask[4];
	__be32 destination_mask[4];
	__be16 source_port_mask;
	__be16 destination_port_mask;
	__u32 flags;	 /* enum rate_flags */
	__u32 count;	 /* rates that there are; changed atomically */
	__u32 max;	 /* of these, at most */
	__u64 expire;	 /* jiffies without a packet */
	__u64 collect;	 /* jiffies from one collection of expired rates to the next */
	__u64 began;	 /* when the first packet came; 0: none has */
	__u64 collected; /* the last collection that was made because it was full */
	/* not RATE_WINDOW: */
	__u64 first;	/* credits of a new rate, and at most */
	__u64 cost;	/* credits of a packet; RATE_BYTES: of each 16 bytes */
	__u64 per_tick; /* credits that each jiffy brings */
	__u64 refills;	/* RATE_BYTES */
	/* RATE_WINDOW: */
	__u64 burst;	/* what an interval may have at most */
	__u64 rate;	/* what a second may have, over an interval */
	__u64 interval; /* jiffies */
	__u64 blank[5]; /* 0: a rate that has expired, for a new one to begin as */
};

_Static_assert(sizeof(struct rate_key) == 40, "key of the map rates");
_Static_assert(sizeof(struct rate) == 40, "value of the map rates");
_Static_assert(sizeof(struct rate_table) == 176, "value of the map rate_tables");

/* Rates that there can be at a time in all tables of a namespace and family: what comes then is
   dropped, as where a table is full. */
#define RATES_MAX	(1u << 19)
#define RATE_TABLES_MAX 1024

/* The kernel's XT_HASHLIMIT_BYTE_SHIFT. */
#define RATE_CHUNK_SHIFT 4

#endif
