/* SPDX-License-Identifier: GPL-2.0-only */
/* The smallest ruleset and the fewest steps that still make the twins differ. */
#include "trial.h"

#include <string.h>

static bool still_differs(struct trial *trial, const volatile int *interrupted)
{
	return !*interrupted && trial_run(trial, NULL) == OUTCOME_DIFFERENT;
}

/* Leave out all of @left_out[@from..@from + @width), if the difference stays. */
static void leave_out(struct trial *trial, bool *left_out, unsigned from, unsigned width,
		      const volatile int *interrupted)
{
	bool saved[STEPS_MAX];
	bool any = false;

	memcpy(saved, left_out + from, width);
	for (unsigned i = from; i < from + width; i++) {
		any |= !left_out[i];
		left_out[i] = true;
	}
	if (any && !still_differs(trial, interrupted))
		memcpy(left_out + from, saved, width);
}

/* Halves, quarters, ... */
static void shrink(struct trial *trial, bool *left_out, unsigned count,
		   const volatile int *interrupted)
{
	for (unsigned width = (count + 1) / 2; count; width = (width + 1) / 2) {
		for (unsigned from = 0; from < count; from += width)
			leave_out(trial, left_out, from,
				  from + width > count ? count - from : width, interrupted);
		if (width == 1)
			break;
	}
}

void trial_shrink(struct trial *trial, char *const first[TWIN_COUNT],
		  const volatile int *interrupted)
{
	char *text[TWIN_COUNT] = {};

	shrink(trial, trial->skip, trial->step_count, interrupted);
	shrink(trial, trial->without, trial->ruleset.rule_count, interrupted);
	if (trial_run(trial, text) == OUTCOME_DIFFERENT) {
		for (unsigned i = 0; i < trial->step_count; i++)
			if (!trial->skip[i])
				step_print(&trial->steps[i], &trial->ruleset.scope);
		printf("shrunk: - the kernel's, + ours\n");
		texts_print_difference(text);
	} else {
		printf("the difference did not come back, it hangs on more than rules and packets; "
		       "at first:\n");
		texts_print_difference(first);
	}
	texts_free(text);
}
