/* SPDX-License-Identifier: GPL-2.0-only */
/* Built-in chains as straight-line code: user chains are expanded where they are jumped to. */
#ifndef UBPFILTER_EMIT_H
#define UBPFILTER_EMIT_H

#include "assembler.h"
#include "place.h"

/**
 * emit_count() - the function that chains call for each rule that matched:
 * `int table_count(u32 rule, struct packet *packet)`, in the way that packet->counting says; always
 * returns 0. @rule: as rule_counted(); what it executes is added to packet->pending.
 */
void emit_count(struct assembler *assembler, const struct ir *ir);

/**
 * emit_chain() - the function of one built-in chain: `int chain(struct packet *packet)`.
 * @position: an early stage's chain returns VERDICT_DEFER where it does not know enough.
 * @count: label of the function that emit_count() made.
 * Errors stick to @assembler.
 */
void emit_chain(struct assembler *assembler, const struct ir *ir, enum hook hook,
		enum position position, label_t count);

/** ir_needs() - enum table_needs of a table: what its rules read that costs something to find. */
uint32_t ir_needs(const struct ir *ir);

#endif
