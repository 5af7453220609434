/* SPDX-License-Identifier: GPL-2.0-only */
/* What `ubpfilter check` finds out of a table: who enforces which rule, how exactly, how early. */
#ifndef UBPFILTER_FINDINGS_H
#define UBPFILTER_FINDINGS_H

#include "../loader/config.h"
#include "earliness.h"
#include "exactness.h"

struct findings {
	struct table *table;	     /* owned */
	struct ir *ir;		     /* owned */
	uint8_t *hooks;		     /* owned: rules_hooks() */
	struct message *refusals;    /* owned: for each rule why BPF does not do it; mostly empty */
	struct message kernel;	     /* why BPF does not enforce the table; empty: it does */
	bool refused;		     /* and nobody does */
	struct ir *known;	     /* owned: the rules as early stages know them */
	struct earliness *earliness; /* owned: of them; NULL: there are no early stages */
	struct surroundings surroundings;
	unsigned stages;   /* STAGE_BIT()s that decide */
	const char *place; /* of what comes in, for people */
};

/**
 * findings_make() - look at the table "filter" of an iptables-save file; - is standard input.
 * @config: the hook of all devices, and strict.
 * @findings: to be released with findings_free(), also on failure.
 * Return: 0; the errors of rules_table(); -EOPNOTSUPP when this kernel has no such hook.
 */
int findings_make(struct findings *findings, enum family family, const struct config *config,
		  const char *rules, struct message *message);

/** findings_free() - release what @findings owns. */
void findings_free(struct findings *findings);

#endif
