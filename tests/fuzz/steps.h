/* SPDX-License-Identifier: GPL-2.0-only */
/* Steps made up, and steps made smaller. */
#ifndef UBPFILTER_FUZZ_STEPS_H
#define UBPFILTER_FUZZ_STEPS_H

#include "pair.h"
#include "random.h"

struct steps {
	struct step *list; /* owned, and what they hold */
	size_t count;
};

/** step_generate() - something that a client could do next. */
struct step step_generate(struct pair *pair, struct random *random);

void step_free(struct step *step);

/** steps_add() - append @step, which moves. */
void steps_add(struct steps *steps, const struct step *step);
void steps_free(struct steps *steps);

/** steps_shrink() - the last step of @steps came out different: leave out what is not needed. */
void steps_shrink(struct steps *steps);

/** steps_print() - the steps as a C program that shows what the kernel says. */
void steps_print(const struct steps *steps, FILE *out);

#endif
