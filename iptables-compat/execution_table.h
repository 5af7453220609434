/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's filter table that executes targets for packets which BPF has judged: what BPF left
 * for a packet (bpf/execute.h) is looked up by three programs, matched with `-m bpf`.
 *
 *	:INPUT, :FORWARD, :OUTPUT	-m bpf NEXT -g run
 *	:run		-j targets				the first one, the packet has some
 *			-m bpf NEXT -j targets			as often as a packet may have more
 *			-m bpf DROP -j DROP			verdict
 *	:targets	-m bpf THIS -g target			one for each target: is it the one?
 *	:target		[-p ...] -j REJECT ...			the target, as the client sent it
 *
 * Chains of user's rules are not there: BPF has walked them.
 */
#ifndef UBPFILTER_EXECUTION_TABLE_H
#define UBPFILTER_EXECUTION_TABLE_H

#include "table.h"

/* The programs, in this order in a generation. */
enum execution_program {
	EXECUTION_NEXT, /* is there another target? It becomes the current one */
	EXECUTION_THIS, /* asked once for each target, in their order: is it the current one? */
	EXECUTION_DROP, /* is the packet to be dropped? Ends its execution */
	EXECUTION_PROGRAMS,
};

/* One target, as it is kept; `target_size` bytes of struct xt_entry_target follow. */
struct execution_record {
	uint16_t target_size; /* a multiple of 8 */
	uint16_t protocol;    /* of the rule, for the kernel's checks; 0: any */
	uint8_t flags;	      /* the same: IP6T_F_PROTO */
	uint8_t inverted;     /* the same: XT_INV_PROTO */
	uint8_t reserved[2];
};

/* What a table has the kernel execute: kept in a file beside its blob. `size` bytes in all. */
struct execution_list {
	uint32_t size;
	uint32_t count;	  /* of records, which follow */
	uint32_t longest; /* targets that a packet can get, at most */
	uint32_t rules;	  /* of the client's that have one */
};

_Static_assert(sizeof(struct execution_record) == 8 && sizeof(struct execution_list) == 16,
	       "layout of a file");

/** execution_list_check() - whether bytes that were kept are a list. Return: 0 or -EINVAL. */
int execution_list_check(const void *list, size_t size);

/* The targets of one generation of a table. */
struct execution_part {
	const struct execution_list *list;
	const char *programs[EXECUTION_PROGRAMS]; /* where they are pinned */
	uint64_t generation;			  /* for the chains' names */
};

/**
 * execution_table() - the argument of SET_REPLACE that makes the table for generations of which a
 * packet may come, @count of them; for none an empty one.
 * @argument, @size: set on success, owned by the caller. num_counters and counters are 0.
 * Return: 0, -ENAMETOOLONG (a path that the kernel does not take) or -ENOMEM.
 */
int execution_table(enum family family, const struct execution_part *parts, size_t count,
		    struct ipt_replace **argument, size_t *size);

#endif
