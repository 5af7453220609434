/* SPDX-License-Identifier: GPL-2.0-only */
#include "trial.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void texts_free(char *text[TWIN_COUNT])
{
	for (int twin = 0; twin < TWIN_COUNT; twin++) {
		free(text[twin]);
		text[twin] = NULL;
	}
}

void texts_print_difference(char *const text[TWIN_COUNT])
{
	const char *line[TWIN_COUNT] = { text[TWIN_KERNEL], text[TWIN_OURS] };
	bool in_filter = true; /* which is printed whole */

	while (*line[0] || *line[1]) {
		size_t size[TWIN_COUNT];

		for (int twin = 0; twin < TWIN_COUNT; twin++)
			size[twin] = (size_t)(strchrnul(line[twin], '\n') - line[twin]);
		if (size[0] == size[1] && !memcmp(line[0], line[1], size[0])) {
			in_filter = in_filter && strncmp(line[0], "COMMIT", 6) != 0;
			if (in_filter)
				printf("  %.*s\n", (int)size[0], line[0]);
		} else {
			printf("- %.*s\n+ %.*s\n", (int)size[0], line[0], (int)size[1], line[1]);
		}
		for (int twin = 0; twin < TWIN_COUNT; twin++)
			line[twin] += size[twin] + (line[twin][size[twin]] == '\n');
	}
}

static uint32_t salt_next(void)
{
	static uint32_t salt;

	return salt += 0x3779; /* IPv4 has 16 bits for it */
}

enum outcome trial_run(struct trial *trial, char *text[TWIN_COUNT])
{
	struct run runs[TWIN_COUNT] = {};
	pthread_t threads[TWIN_COUNT];
	uint32_t salt = salt_next();
	enum outcome outcome = OUTCOME_FAILED;

	for (int twin = 0; twin < TWIN_COUNT; twin++) {
		runs[twin] = (struct run){
			.twin = &trial->twins[twin],
			.ruleset = &trial->ruleset,
			.without = trial->without,
			.steps = trial->steps,
			.skip = trial->skip,
			.step_count = trial->step_count,
			.salt = salt,
		};
		if (pthread_create(&threads[twin], NULL, twin_run, &runs[twin]))
			abort();
	}
	for (int twin = 0; twin < TWIN_COUNT; twin++)
		pthread_join(threads[twin], NULL);
	if (runs[TWIN_OURS].error == -EREMOTE)
		outcome = OUTCOME_HANDED_OVER;
	else if (runs[TWIN_KERNEL].error || runs[TWIN_OURS].error)
		printf("a twin failed: %d, %d\n", runs[TWIN_KERNEL].error, runs[TWIN_OURS].error);
	else
		outcome = strcmp(runs[TWIN_KERNEL].text, runs[TWIN_OURS].text) ? OUTCOME_DIFFERENT
									       : OUTCOME_SAME;
	for (int twin = 0; twin < TWIN_COUNT; twin++) {
		if (text)
			text[twin] = runs[twin].text;
		else
			free(runs[twin].text);
	}
	return outcome;
}
