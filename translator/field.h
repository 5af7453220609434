/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What there is to know of each field that predicates read: where it lies in struct packet, what
 * operand it takes, what it costs and which stages know it. A field of this table needs no code of
 * its own anywhere; the few that are more than a comparison say so.
 */
#ifndef UBPFILTER_FIELD_H
#define UBPFILTER_FIELD_H

#include "compile.h"

/* How a predicate's operand is held against the packet. */
enum operand {
	OPERAND_NONE,	/* there is none */
	OPERAND_MASKED, /* bytes & mask == value */
	OPERAND_RANGE,	/* a number in host order, 1, 2 or 4 bytes: min <= number <= max */
	OPERAND_BYTES,	/* an address as a number in network order: first <= address <= last */
	OPERAND_SET,	/* a number in host order, 1, 2 or 4 bytes: below 64 and in the set */
};

struct field_info {
	const char *name; /* for people */
	uint16_t offset;  /* in struct packet */
	uint8_t size;	  /* bytes; of an IPv4 address all 16, as only the first 4 are not 0 */
	uint8_t operand;  /* enum operand */
	bool special;	  /* more than a comparison: it can drop, or is no plain bytes */
	uint32_t needs;	  /* enum table_needs: what must be found out for it */
	unsigned stages;  /* STAGE_BIT()s: where it is known */
};

/** field_info() - what there is to know of @field. */
const struct field_info *field_info(enum field field);

/** rule_unknown() - the first predicate of @rule on a field that @stage does not know; or NULL. */
const struct predicate *rule_unknown(const struct rule *rule, enum stage stage);

#endif
