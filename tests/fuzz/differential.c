/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Socket options, good and spoilt, done to the kernel's ip_tables and to ours: return value,
 * errno, every byte handed out, and the table afterwards have to be equal.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "../support/kernel.h"
#include "steps.h"

#define SESSION_STEPS 400 /* then both sides start over */

struct options {
	uint64_t seed;
	uint64_t pairs;	  /* stop after so many; 0: no limit */
	uint64_t seconds; /* the same */
};

/* How often each option was compared, by family and name. */
struct tally {
	const char *name;
	uint64_t compared[2], accepted[2];
};

#define ERRNO_MAX 128

struct statistics {
	struct tally tallies[8];
	uint64_t errors[ERRNO_MAX]; /* how often each errno came out, on both sides */
	uint64_t compared, routed, known, sessions;
};

static void count_step(struct statistics *statistics, const struct pair *pair,
		       const struct step *step)
{
	int family = step->family == FAMILY_IPV6;
	const char *name = step_name(step);

	statistics->compared++;
	if (pair->status > -ERRNO_MAX)
		statistics->errors[-pair->status]++;
	for (size_t i = 0; i < ARRAY_SIZE(statistics->tallies); i++) {
		struct tally *tally = &statistics->tallies[i];

		if (tally->name && strcmp(tally->name, name) != 0)
			continue;
		tally->name = name;
		tally->compared[family]++;
		tally->accepted[family] += pair->status == 0;
		return;
	}
}

static void print_statistics(const struct statistics *statistics)
{
	printf("%-16s %10s %10s %10s %10s\n", "option", "IPv4", "done", "IPv6", "done");
	for (size_t i = 0; i < ARRAY_SIZE(statistics->tallies); i++) {
		const struct tally *tally = &statistics->tallies[i];

		if (tally->name)
			printf("%-16s %10lu %10lu %10lu %10lu\n", tally->name, tally->compared[0],
			       tally->accepted[0], tally->compared[1], tally->accepted[1]);
	}
	for (int error = 1; error < ERRNO_MAX; error++)
		if (statistics->errors[error])
			printf("%-16s %10lu\n", strerrorname_np(error), statistics->errors[error]);
	printf("%lu pairs compared in %lu namespaces; %lu left to the kernel, %lu refused as "
	       "documented\n",
	       statistics->compared, statistics->sessions, statistics->routed, statistics->known);
}

static bool done(const struct options *options, const struct statistics *statistics, time_t end)
{
	return (options->pairs && statistics->compared >= options->pairs) ||
	       (options->seconds && time(NULL) >= end);
}

/* One namespace. Return: 0, 1 when a difference was found, or -errno. */
static int run_session(const struct options *options, struct statistics *statistics, uint64_t seed,
		       time_t end)
{
	struct random random = { .state = seed };
	struct steps history = { 0 };
	enum outcome outcome = OUTCOME_EQUAL;
	struct pair pair;
	int error = pair_open(&pair);

	if (error)
		return error;
	statistics->sessions++;
	while (history.count < SESSION_STEPS && !done(options, statistics, end) &&
	       outcome != OUTCOME_DIFFERENT) {
		struct step step = step_generate(&pair, &random);

		outcome = pair_step(&pair, &step);
		statistics->routed += outcome == OUTCOME_ROUTED;
		statistics->known += outcome == OUTCOME_KNOWN;
		if (outcome == OUTCOME_EQUAL)
			count_step(statistics, &pair, &step);
		steps_add(&history, &step);
	}
	pair_close(&pair);
	if (outcome == OUTCOME_DIFFERENT) {
		printf("DIFFERENT: seed %lu: %s\n", seed, pair.report);
		steps_shrink(&history);
		steps_print(&history, stdout);
	}
	steps_free(&history);
	return outcome == OUTCOME_DIFFERENT;
}

static int run(const struct options *options)
{
	time_t end = time(NULL) + (time_t)options->seconds;
	struct statistics statistics = { 0 };
	int result = 0;

	printf("seed %lu\n", options->seed);
	for (uint64_t seed = options->seed; !result && !done(options, &statistics, end); seed++)
		result = run_session(options, &statistics, seed, end);
	print_statistics(&statistics);
	if (result >= 0)
		return result;
	if (kernel_required() || statistics.sessions) {
		fprintf(stderr, "no network namespace or no legacy iptables: %s\n",
			strerror(-result));
		return 1;
	}
	printf("SKIP: no network namespace or no legacy iptables: %s\n", strerror(-result));
	return 0;
}

static const struct option long_options[] = {
	{ "seed", required_argument, NULL, 's' },
	{ "pairs", required_argument, NULL, 'p' },
	{ "seconds", required_argument, NULL, 't' },
	{ 0 },
};

int main(int argc, char **argv)
{
	struct options options = { 0 };
	int letter;

	if (getrandom(&options.seed, sizeof(options.seed), 0) != sizeof(options.seed))
		return 1;
	options.seed >>= 16; /* shorter to type */
	while ((letter = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		uint64_t value = optarg ? strtoull(optarg, NULL, 10) : 0;

		switch (letter) {
		case 's':
			options.seed = value;
			break;
		case 'p':
			options.pairs = value;
			break;
		case 't':
			options.seconds = value;
			break;
		default:
			fprintf(stderr, "usage: %s [--seed N] [--pairs N] [--seconds N]\n",
				argv[0]);
			return 2;
		}
	}
	return run(&options);
}
