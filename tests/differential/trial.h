/* SPDX-License-Identifier: GPL-2.0-only */
/* One ruleset and its steps in both twins, and what is left of them when they differ. */
#ifndef UBPFILTER_DIFFERENTIAL_TRIAL_H
#define UBPFILTER_DIFFERENTIAL_TRIAL_H

#include "bench.h"

#define STEPS_MAX 4096

enum {
	TWIN_KERNEL,
	TWIN_OURS,
	TWIN_COUNT,
};

struct trial {
	struct twin *twins; /* TWIN_COUNT */
	struct ruleset ruleset;
	struct step steps[STEPS_MAX];
	unsigned step_count;
	bool without[RULES_MAX]; /* rules left out */
	bool skip[STEPS_MAX];	 /* steps left out */
};

enum outcome {
	OUTCOME_SAME,
	OUTCOME_DIFFERENT,
	OUTCOME_HANDED_OVER, /* BPF did not take the rules, the kernel enforces them */
	OUTCOME_FAILED,	     /* the test itself could not be done */
};

/* @text: what each twin counted and was told; owned by the caller, may be NULL. */
enum outcome trial_run(struct trial *trial, char *text[TWIN_COUNT]);
void texts_free(char *text[TWIN_COUNT]);
/* Print the filter tables of two texts, and what else differs. */
void texts_print_difference(char *const text[TWIN_COUNT]);
/* Leave out rules and steps as long as the twins differ, and print what is left. @first: the texts
   that differed. */
void trial_shrink(struct trial *trial, char *const first[TWIN_COUNT],
		  const volatile int *interrupted);

#endif
