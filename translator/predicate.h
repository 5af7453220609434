/* SPDX-License-Identifier: GPL-2.0-only */
/* One clause as instructions; emit.c strings them together to rules and chains. */
#ifndef UBPFILTER_PREDICATE_H
#define UBPFILTER_PREDICATE_H

#include "assembler.h"
#include "ir.h"

/* The register that holds `struct packet *` all through a generated function. */
#define REGISTER_PACKET BPF_REG_6

enum predicate_outcome {
	PREDICATE_DEPENDS, /* code was emitted: it falls through when true */
	PREDICATE_ALWAYS,  /* true for every packet: no code */
	PREDICATE_NEVER,   /* true for no packet: no code; the rule ends here */
};

/**
 * clause_emit() - fall through when the clause at @next is true, jump to @fail when it is false,
 * drop (return from the function) when it is a hotdrop.
 * @next: set to the predicate behind the clause.
 */
enum predicate_outcome clause_emit(struct assembler *assembler, const struct predicate **next,
				   uint8_t family, label_t fail);

/** emit_verdict() - return @verdict from the function. */
void emit_verdict(struct assembler *assembler, enum verdict verdict);

#endif
