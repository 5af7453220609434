/* SPDX-License-Identifier: GPL-2.0-only */
/* Random rulesets over few values, so that rules and packets meet often. */
#ifndef UBPFILTER_DIFFERENTIAL_RULESET_H
#define UBPFILTER_DIFFERENTIAL_RULESET_H

#include <stdio.h>

#include "random.h"
#include "scope.h"

#define RULES_MAX 600

/* Group of NFLOG that is listened to (heard.h); to the one after it nobody listens. */
#define HEARD_GROUP 7

struct ruleset {
	struct scope scope;
	char *heading;		/* of the filter table: its name and chains */
	char *rules[RULES_MAX]; /* one -A line each */
	unsigned rule_count;
	char *others; /* the other tables, the kernel's own in both twins */
};

void ruleset_make(struct ruleset *ruleset, const struct scope *scope, struct random *random);
void ruleset_free(struct ruleset *ruleset);
/* The text for iptables-restore, owned by the caller, without the rules @i with without[i]. */
char *ruleset_text(const struct ruleset *ruleset, const bool without[RULES_MAX]);

/* --- its parts ------------------------------------------------------------------------------ */

/* A protocol with a match of its own. */
void put_protocol_match(FILE *out, const struct scope *scope, struct random *random);
/* A match that asks for no protocol. */
void put_other_match(FILE *out, const struct scope *scope, struct random *random);
/* A match that only @chain allows; none in user chains. */
void put_match_of_chain(FILE *out, const char *chain, const struct scope *scope,
			struct random *random);
/* A target that the kernel executes. */
void put_execution(FILE *out, const struct scope *scope, struct random *random);
/* Options of `-m conntrack` or `-m state`. */
void put_connection(FILE *out, const struct scope *scope, struct random *random);
/* Tables beside the filter: what came through it is counted, and by variant raw and nat. */
void put_other_tables(FILE *out, const struct scope *scope, struct random *random);

static inline const char *inversion(struct random *random)
{
	return random_chance(random, 20) ? "! " : "";
}

#endif
