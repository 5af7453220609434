/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * differential: random rulesets and packets, the kernel's iptables beside ubpfilter.
 *
 * Exits 0 when all counters and all that senders and receivers were told was the same, 1 on a
 * difference (shrunk and printed), 2 when the test itself could not run.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "trial.h"

#define SCOPES (2 * VARIANT_COUNT) /* two families */

/* Twins live for so many rulesets: what they keep (fragments, routes) shall not pile up, and in a
   short run each scope shall get its turn. Not a matter of time: a seed says what is run. */
#define RULESETS_OF_TWINS 20

struct options {
	uint64_t seed;
	unsigned rulesets;
	unsigned steps;
	unsigned seconds;
	unsigned differences; /* to be shrunk before giving up */
	int family;	      /* 4, 6, or 0 for both in turn */
	int variant;	      /* enum variant, or -1 for all in turn */
	int rp_filter;	      /* as in struct scope, or -1 for all in turn */
	enum judge judge;
	bool self; /* the kernel beside itself: tests the test */
	bool show; /* what the kernel counted */
	const char *build;
};

struct tally {
	struct random seeds;
	uint64_t seed; /* of the next ruleset */
	unsigned rulesets;
	unsigned differences;
	unsigned unsteady;    /* differences that did not come back */
	unsigned handed_over; /* rulesets that BPF did not take */
};

static volatile int interrupted;

static void on_signal(int number)
{
	(void)number;
	interrupted = 1;
}

static const char *const variant_names[VARIANT_COUNT] = { "plain", "conntrack", "masqueraded",
							  "marked", "nat" };
static const char *const judge_names[] = { "netfilter", "tc", "xdp" };

static const char *const outcome_names[] = { "same", "DIFFERENCE", "handed over", "FAILED" };

static struct trial trial;

/* --- the twins ------------------------------------------------------------------------------ */

static void twins_close(struct twin twins[TWIN_COUNT])
{
	for (int twin = 0; twin < TWIN_COUNT; twin++)
		twin_close(&twins[twin]);
}

static int twins_open(struct twin twins[TWIN_COUNT], const struct options *options,
		      const struct scope *scope)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	int error = 0;

	for (int twin = 0; twin < TWIN_COUNT; twin++) {
		char name[32];
		bool ours = twin == TWIN_OURS && !options->self;
		int result;

		snprintf(name, sizeof(name), "ubp-diff%d-%d", (int)getpid(), twin);
		result = twin_open(&twins[twin], name, ours ? options->build : NULL, scope,
				   (unsigned)(twin % processors));
		if (result)
			error = result;
	}
	return error;
}

/* New devices announce their multicast groups for a moment: wait until nothing is said. */
static int twins_quieten(struct twin twins[TWIN_COUNT])
{
	unsigned quiet = 0;
	uint64_t before = 0;

	for (unsigned tries = 0; quiet < 10 && tries < 200; tries++) {
		uint64_t now = 0;

		usleep(50000);
		for (int twin = 0; twin < TWIN_COUNT; twin++) {
			for (unsigned side = 0; side < 2; side++) {
				uint64_t left[2];
				int error = traffic_left(&twins[twin], side, left);

				if (error)
					return error;
				now += left[0];
			}
		}
		quiet = now == before ? quiet + 1 : 0;
		before = now;
	}
	return quiet < 10 ? -1 : 0;
}

/* --- one ruleset ---------------------------------------------------------------------------- */

/* A difference comes back; what a slow machine makes of timers does not. */
static enum outcome confirm(char *text[TWIN_COUNT], struct tally *tally)
{
	for (unsigned tries = 0; tries < 2; tries++) {
		char *again[TWIN_COUNT] = {};
		enum outcome outcome = trial_run(&trial, again);

		texts_free(again);
		if (outcome == OUTCOME_FAILED || outcome == OUTCOME_HANDED_OVER)
			return OUTCOME_FAILED;
		if (outcome == OUTCOME_SAME) {
			tally->unsteady++;
			printf("a difference that did not come back: - the kernel's, + ours\n");
			texts_print_difference(text);
			return OUTCOME_SAME;
		}
	}
	return OUTCOME_DIFFERENT;
}

static enum outcome ruleset_try(const struct options *options, const struct scope *scope,
				uint64_t seed, struct tally *tally)
{
	struct random random = { seed };
	char *text[TWIN_COUNT] = {};
	enum outcome outcome;

	memset(trial.skip, 0, sizeof(trial.skip));
	memset(trial.without, 0, sizeof(trial.without));
	ruleset_make(&trial.ruleset, scope, &random);
	trial.step_count = options->steps;
	for (unsigned i = 0; i < options->steps; i++)
		trial.steps[i] = step_make(scope, &random);
	outcome = trial_run(&trial, text);
	if (options->show && text[TWIN_KERNEL])
		printf("%s", text[TWIN_KERNEL]);
	if (outcome == OUTCOME_DIFFERENT)
		outcome = confirm(text, tally);
	if (outcome != OUTCOME_SAME)
		printf("%s: --judge %s --variant %s --family %d --rp-filter %u --seed %llu "
		       "--rulesets 1 --steps "
		       "%u\n",
		       outcome_names[outcome], judge_names[scope->judge],
		       variant_names[scope->variant], scope->family, scope->rp_filter,
		       (unsigned long long)seed, options->steps);
	if (outcome == OUTCOME_DIFFERENT)
		trial_shrink(&trial, text, &interrupted);
	tally->differences += outcome == OUTCOME_DIFFERENT;
	tally->handed_over += outcome == OUTCOME_HANDED_OVER;
	tally->rulesets++;
	texts_free(text);
	ruleset_free(&trial.ruleset);
	return outcome;
}

/* --- all of them ---------------------------------------------------------------------------- */

static bool is_over(const struct options *options, const struct tally *tally, time_t end)
{
	return interrupted || tally->rulesets >= options->rulesets ||
	       tally->differences >= options->differences ||
	       (options->seconds && time(NULL) >= end);
}

/* Rulesets of one scope with twins of their own. Return 0, or 2 when the test failed. */
static int twins_try(const struct options *options, const struct scope *scope, time_t end,
		     struct tally *tally)
{
	unsigned turn = 1 + (options->rulesets - 1) / SCOPES;
	struct twin twins[TWIN_COUNT];
	int result = twins_open(twins, options, scope) || twins_quieten(twins) ? 2 : 0;

	if (result)
		printf("the twins could not be set up\n");
	trial.twins = twins;
	if (turn > RULESETS_OF_TWINS)
		turn = RULESETS_OF_TWINS;
	for (unsigned i = 0; i < turn && !result && !is_over(options, tally, end); i++) {
		if (ruleset_try(options, scope, tally->seed, tally) == OUTCOME_FAILED)
			result = 2;
		tally->seed = random_next(&tally->seeds);
	}
	twins_close(twins);
	return result;
}

static int run(const struct options *options)
{
	time_t begin = time(NULL), end = begin + options->seconds;
	/* the first ruleset's seed is the run's: any of them can be repeated alone */
	struct tally tally = { .seeds = { options->seed }, .seed = options->seed };
	unsigned allowed;
	int result = 0;

	for (unsigned turn = 0; !result && !is_over(options, &tally, end); turn++) {
		struct scope scope = {
			.family = options->family ? options->family
				  : turn % 2	  ? 6
						  : 4,
			.judge = options->judge,
			.variant = options->variant >= 0 ? (enum variant)options->variant
							 : (enum variant)(turn / 2 % VARIANT_COUNT),
			/* refused sources count in early stages alone */
			.rp_filter = options->judge != JUDGE_NETFILTER ? 0
				     : options->rp_filter >= 0 ? (unsigned)options->rp_filter
							       : turn % 3,
		};

		result = twins_try(options, &scope, end, &tally);
	}
	printf("differential: %s: %u rulesets x %u steps, %u differences, %u unsteady, %u handed "
	       "over, "
	       "%ld s, seed %llu\n",
	       options->self ? "kernel beside kernel" : judge_names[options->judge], tally.rulesets,
	       options->steps, tally.differences, tally.unsteady, tally.handed_over,
	       (long)(time(NULL) - begin), (unsigned long long)options->seed);
	if (result || interrupted)
		return 2;
	/* more than a slow machine explains: something depends on time; nor is handing over the
	 * rule */
	allowed = 2 + tally.rulesets / 50;
	return tally.differences || tally.unsteady > allowed || tally.handed_over > allowed;
}

/* --- the command line ----------------------------------------------------------------------- */

static int usage(FILE *out)
{
	fputs("usage: differential [--judge netfilter|tc|xdp] [--variant "
	      "plain|conntrack|masqueraded|marked|nat]\n"
	      "                    [--family 4|6] [--rp-filter 0|1|2] [--seed N] [--rulesets N] "
	      "[--steps N] [--seconds "
	      "N]\n"
	      "                    [--differences N] [--self] [--show] --build FOLDER\n"
	      "--judge says who decides in the end: what docs/semantics.md lists is left out\n"
	      "--self compares the kernel with itself, --show prints what the kernel counted\n",
	      out);
	return 2;
}

static int word_find(const char *word, const char *const words[], int count)
{
	for (int i = 0; i < count; i++)
		if (!strcmp(word, words[i]))
			return i;
	return -1;
}

static int parse_option(int option, struct options *options)
{
	int judge;

	switch (option) {
	case 's':
		options->seed = strtoull(optarg, NULL, 0);
		return 0;
	case 'r':
		options->rulesets = (unsigned)strtoul(optarg, NULL, 0);
		return 0;
	case 'n':
		options->steps = (unsigned)strtoul(optarg, NULL, 0);
		return options->steps <= STEPS_MAX ? 0 : -1;
	case 't':
		options->seconds = (unsigned)strtoul(optarg, NULL, 0);
		return 0;
	case 'd':
		options->differences = (unsigned)strtoul(optarg, NULL, 0);
		return 0;
	case 'f':
		options->family = (int)strtoul(optarg, NULL, 0);
		return options->family == 4 || options->family == 6 ? 0 : -1;
	case 'v':
		options->variant = word_find(optarg, variant_names, VARIANT_COUNT);
		return options->variant < 0 ? -1 : 0;
	case 'p':
		options->rp_filter = (int)strtoul(optarg, NULL, 0);
		return options->rp_filter <= 2 ? 0 : -1;
	case 'j':
		judge = word_find(optarg, judge_names, 3);
		options->judge = (enum judge)judge;
		return judge < 0 ? -1 : 0;
	case 'k':
		options->self = true;
		return 0;
	case 'w':
		options->show = true;
		return 0;
	case 'b':
		options->build = optarg;
		return 0;
	default:
		return -1;
	}
}

static int parse(int argc, char **argv, struct options *options)
{
	static const struct option longs[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "rulesets", required_argument, NULL, 'r' },
		{ "steps", required_argument, NULL, 'n' },
		{ "seconds", required_argument, NULL, 't' },
		{ "differences", required_argument, NULL, 'd' },
		{ "family", required_argument, NULL, 'f' },
		{ "variant", required_argument, NULL, 'v' },
		{ "rp-filter", required_argument, NULL, 'p' },
		{ "judge", required_argument, NULL, 'j' },
		{ "self", no_argument, NULL, 'k' },
		{ "show", no_argument, NULL, 'w' },
		{ "build", required_argument, NULL, 'b' },
		{},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", longs, NULL)) >= 0)
		if (parse_option(option, options))
			return -1;
	return options->build || options->self ? 0 : -1;
}

int main(int argc, char **argv)
{
	struct options options = { .seed = (uint64_t)time(NULL),
				   .rulesets = 1000,
				   .steps = 1000,
				   .differences = 1,
				   .variant = -1,
				   .rp_filter = -1 };
	struct sigaction action = { .sa_handler = on_signal };

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (parse(argc, argv, &options))
		return usage(stderr);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	return run(&options);
}
