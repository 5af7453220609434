/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Placement: which stages decide, and what an *early* stage, one that has another behind it, can be
 * certain of. Matching is three-valued there: a predicate on a field that the stage does not know
 * is unknown, and a packet that a rule may match or not is left to the next stage, uncounted.
 */
#ifndef UBPFILTER_PLACE_H
#define UBPFILTER_PLACE_H

#include "compile.h"

/* Where a stage stands. */
enum position {
	POSITION_LAST,	/* it decides every packet that gets to it */
	POSITION_EARLY, /* it drops what it is certain of, and leaves the rest undecided */
};

/** stage_position() - of @stage among @stages: the netfilter stage comes last, or the kernel. */
enum position stage_position(unsigned stages, enum stage stage);

/** field_is_known_early() - whether early stages know @field. */
bool field_is_known_early(enum field field);

/** clause_is_unknown() - does the clause that begins at @predicate read what early stages do not
 * know? */
bool clause_is_unknown(const struct predicate *predicate);

/** clause_end() - the predicate behind the clause that begins at @predicate. */
const struct predicate *clause_end(const struct predicate *predicate);

/**
 * rule_is_unknown() - can early stages not say what becomes of a packet for which all holds that
 * they know of @rule? It has such a clause, or a target that the kernel executes.
 */
bool rule_is_unknown(const struct rule *rule);

/** rule_stops_all() - the same of @rule for every packet: for all that early stages know, each may
 * match. */
bool rule_stops_all(const struct rule *rule);

/**
 * early_stages() - those of @stages that have something to do: without the early ones where they
 * could drop nothing for certain.
 */
unsigned early_stages(const struct ir *ir, unsigned stages);

/**
 * refuse_unknown() - say that @stage does not know what a predicate reads.
 * @place: of its rule; "": whoever reads the message knows it.
 * Return: -EOPNOTSUPP.
 */
int refuse_unknown(const char *place, const struct predicate *unknown, enum stage stage,
		   struct message *message);

/**
 * check_placement() - whether the deciding ones of @stages know all that the rules read.
 * @table: that @ir was made of, for the message.
 * Return: 0; -EOPNOTSUPP (@message names rule, match and stage).
 */
int check_placement(const struct table *table, const struct ir *ir, unsigned stages,
		    struct message *message);

#endif
