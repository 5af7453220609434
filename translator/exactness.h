/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How exact a rule is where it is enforced, and why it is not: what docs/semantics.md says of all
 * rules, of one.
 */
#ifndef UBPFILTER_EXACTNESS_H
#define UBPFILTER_EXACTNESS_H

#include "ir.h"

/* What can come out differently. */
enum effect {
	EFFECT_NONE,	/* nothing: exact */
	EFFECT_COUNTS,	/* the same verdict for every packet that iptables judges; counters may not
			   be the same, or the sender is not told */
	EFFECT_VERDICT, /* some packets get another verdict than iptables would give them */
};

/* Where the rules are and what is around them. */
struct surroundings {
	bool alone;	  /* XDP and TC decide: no netfilter stage comes behind */
	bool xdp;	  /* packets may be judged at XDP */
	bool connections; /* rules of the table ask for connections */
	bool nat;	  /* the namespace has NAT */
};

/* Reasons, as bits by their place in the table. */
typedef uint32_t reasons_t;

/**
 * rule_reasons() - why @rule is not exact.
 * @hooks: bits by enum hook: the built-in chains that lead to it.
 */
reasons_t rule_reasons(const struct rule *rule, unsigned hooks,
		       const struct surroundings *surroundings);

/** reasons_effect() - the worst that @reasons do. */
enum effect reasons_effect(reasons_t reasons);

/** reason_name(), reason_text() - a word, and a sentence; NULL: there is no reason @number. */
const char *reason_name(unsigned number);
const char *reason_text(unsigned number);

/**
 * rules_hooks() - for each rule of @ir the built-in chains that lead to it.
 * @hooks: one number for each rule, set: bits by enum hook.
 * Return: 0 or -ENOMEM.
 */
int rules_hooks(const struct ir *ir, uint8_t *hooks);

#endif
