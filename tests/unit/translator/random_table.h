/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random tables and packets that meet each other often, and the plainest way to run one over the
 * other. Everything follows from a seed.
 */
#ifndef UBPFILTER_RANDOM_TABLE_H
#define UBPFILTER_RANDOM_TABLE_H

#include "../../../translator/ir.h"

struct random {
	uint64_t state;
};

uint32_t random_below(struct random *random, uint32_t limit);

/* How odd the rules are. */
enum oddity {
	RULES_AS_LOWERED, /* predicates in the order that iptables rules have */
	RULES_SPECIFIC,	  /* the same with addresses that few packets have */
	RULES_ANY,	  /* any predicates in any order, hotdrops in the middle */
};

/** random_table() - up to @size rules in each of the three built-in and some user chains. */
struct ir *random_table(struct random *random, uint8_t family, uint32_t size, enum oddity oddity);

/** random_packet() - drawn from the same few addresses, ports and names as the rules. */
void random_packet(struct random *random, uint8_t family, struct packet *packet);

/** answer_third() - what stateful matches stand for here: each third time one is asked, it holds.
 */
bool answer_third(uint32_t *asked);

/**
 * run_chains() - as the kernel walks a table.
 * @asked: one for each stateful match. Return: an enum verdict.
 */
int run_chains(const struct ir *ir, enum hook hook, const struct packet *packet, uint32_t *asked,
	       struct counter *counters);

#endif
