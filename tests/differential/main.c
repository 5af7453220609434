/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * differential: random rulesets and packets, the kernel's iptables beside ubpfilter.
 *
 * Exits 0 when every counter was the same, 1 on a difference (shrunk and printed), 2 when the test
 * itself could not run.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "run.h"

#define PACKETS_MAX 4096

struct options {
	uint64_t seed;
	unsigned rulesets;
	unsigned packets;
	unsigned seconds;
	int family; /* 4, 6, or 0 for both in turn */
	bool early;
	const char *build;
};

struct trial {
	const struct ruleset *ruleset;
	uint64_t without; /* rules left out */
	const struct test_packet *packets;
	const bool *skip; /* packets left out; NULL: none */
	unsigned packet_count;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	(void)number;
	interrupted = 1;
}

/* Both twins' counters; what is still on its way gets time to arrive. */
static int compare_counters(struct bench *bench, int family, char *text[TWIN_COUNT])
{
	for (int attempt = 0; attempt < 10; attempt++) {
		for (int twin = 0; twin < TWIN_COUNT; twin++) {
			free(text[twin]);
			text[twin] = NULL;
			if (bench_counters(bench, twin, family, &text[twin]))
				return -1;
		}
		if (!strcmp(text[TWIN_KERNEL], text[TWIN_UBPFILTER]))
			return 0;
		usleep(20000);
	}
	return 1;
}

/* Return: 0 same, 1 different, -1 the test failed. @text: both counters, owned by the caller. */
static int trial_run(struct bench *bench, const struct trial *trial, char *text[TWIN_COUNT])
{
	int family = trial->ruleset->family;

	for (int twin = 0; twin < TWIN_COUNT; twin++) {
		char *rules = ruleset_text(trial->ruleset, trial->without);
		int error = bench_restore(bench, twin, family, rules);

		if (error)
			printf("restore in twin %d: exit status %d of\n%s", twin, error, rules);
		free(rules);
		if (error)
			return -1;
	}
	for (int twin = 0; twin < TWIN_COUNT; twin++)
		for (unsigned i = 0; i < trial->packet_count; i++)
			if ((!trial->skip || !trial->skip[i]) &&
			    bench_send(bench, twin, family, &trial->packets[i]))
				return -1;
	return compare_counters(bench, family, text);
}

static bool still_differs(struct bench *bench, const struct trial *trial)
{
	char *text[TWIN_COUNT] = {};
	int result = interrupted ? 0 : trial_run(bench, trial, text);

	for (int twin = 0; twin < TWIN_COUNT; twin++)
		free(text[twin]);
	return result == 1;
}

/* Leave out halves, quarters, ... of the packets, as long as the difference stays. */
static void shrink_packets(struct bench *bench, struct trial *trial, bool *skip)
{
	trial->skip = skip;
	for (unsigned width = trial->packet_count; width; width /= 2) {
		for (unsigned from = 0; from < trial->packet_count; from += width) {
			bool saved[PACKETS_MAX];

			memcpy(saved, skip, sizeof(saved));
			for (unsigned i = from; i < from + width && i < trial->packet_count; i++)
				skip[i] = true;
			if (!memcmp(saved, skip, sizeof(saved)))
				continue;
			if (!still_differs(bench, trial))
				memcpy(skip, saved, sizeof(saved));
		}
	}
}

static void shrink_rules(struct bench *bench, struct trial *trial)
{
	for (unsigned i = 0; i < trial->ruleset->rule_count; i++) {
		uint64_t saved = trial->without;

		trial->without |= 1ull << i;
		if (!still_differs(bench, trial))
			trial->without = saved;
	}
}

static void report(struct bench *bench, struct trial *trial)
{
	static bool skip[PACKETS_MAX];
	char *text[TWIN_COUNT] = {};

	memset(skip, 0, sizeof(skip));
	shrink_packets(bench, trial, skip);
	shrink_rules(bench, trial);
	if (trial_run(bench, trial, text) == 1) {
		for (unsigned i = 0; i < trial->packet_count; i++)
			if (!skip[i])
				packet_print(&trial->packets[i]);
		printf("--- shrunk: kernel\n%s--- shrunk: ubpfilter\n%s", text[TWIN_KERNEL],
		       text[TWIN_UBPFILTER]);
	} else {
		printf("the difference did not come back: something beside the packets counted\n");
	}
	for (int twin = 0; twin < TWIN_COUNT; twin++)
		free(text[twin]);
}

static int one_ruleset(struct bench *bench, const struct options *options, int family,
		       struct random *random)
{
	static struct test_packet packets[PACKETS_MAX];
	struct ruleset ruleset;
	struct trial trial = { .ruleset = &ruleset,
			       .packets = packets,
			       .packet_count = options->packets };
	char *text[TWIN_COUNT] = {};
	int result;

	ruleset_make(&ruleset, family, random);
	for (unsigned i = 0; i < options->packets; i++)
		packet_make(&packets[i], family, options->early, random);
	result = trial_run(bench, &trial, text);
	if (result == 1) {
		printf("DIFFERENCE\n--- kernel\n%s--- ubpfilter\n%s", text[TWIN_KERNEL],
		       text[TWIN_UBPFILTER]);
		report(bench, &trial);
	}
	for (int twin = 0; twin < TWIN_COUNT; twin++)
		free(text[twin]);
	ruleset_free(&ruleset);
	return result;
}

static int run(struct bench *bench, const struct options *options)
{
	time_t end = time(NULL) + options->seconds;
	unsigned done;

	for (done = 0; done < options->rulesets && !interrupted; done++) {
		/* a seed of its own, so that one ruleset can be repeated alone */
		struct random random = { options->seed + done * 0x9e3779b97f4a7c15ull };
		int family = options->family ? options->family : done % 2 ? 6 : 4;
		int result;

		random_below(&random, 2);
		if (options->seconds && time(NULL) >= end)
			break;
		result = one_ruleset(bench, options, family, &random);
		if (result) {
			printf("at --seed %llu --family %d --rulesets 1 --packets %u\n",
			       (unsigned long long)(options->seed + done * 0x9e3779b97f4a7c15ull),
			       family, options->packets);
			return result == 1 ? 1 : 2;
		}
	}
	printf("differential: %u rulesets x %u packets, 0 differences, seed %llu\n", done,
	       options->packets, (unsigned long long)options->seed);
	return interrupted ? 2 : 0;
}

static int usage(FILE *out)
{
	fputs("usage: differential [--seed N] [--rulesets N] [--packets N] [--seconds N]\n"
	      "                    [--family 4|6] [--early] --build FOLDER\n"
	      "--early leaves out what XDP and TC alone cannot judge as iptables does\n",
	      out);
	return 2;
}

static int parse(int argc, char **argv, struct options *options)
{
	static const struct option longs[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "rulesets", required_argument, NULL, 'r' },
		{ "packets", required_argument, NULL, 'p' },
		{ "seconds", required_argument, NULL, 't' },
		{ "family", required_argument, NULL, 'f' },
		{ "early", no_argument, NULL, 'e' },
		{ "build", required_argument, NULL, 'b' },
		{},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", longs, NULL)) >= 0) {
		switch (option) {
		case 's':
			options->seed = strtoull(optarg, NULL, 0);
			break;
		case 'r':
			options->rulesets = (unsigned)strtoul(optarg, NULL, 0);
			break;
		case 'p':
			options->packets = (unsigned)strtoul(optarg, NULL, 0);
			break;
		case 't':
			options->seconds = (unsigned)strtoul(optarg, NULL, 0);
			break;
		case 'f':
			options->family = (int)strtoul(optarg, NULL, 0);
			break;
		case 'e':
			options->early = true;
			break;
		case 'b':
			options->build = optarg;
			break;
		default:
			return -1;
		}
	}
	return options->build && options->packets <= PACKETS_MAX ? 0 : -1;
}

int main(int argc, char **argv)
{
	struct options options = { .seed = (uint64_t)time(NULL), .rulesets = 1000, .packets = 200 };
	struct sigaction action = { .sa_handler = on_signal };
	struct bench bench;
	int result = 2;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (parse(argc, argv, &options))
		return usage(stderr);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	if (bench_open(&bench, options.build))
		fprintf(stderr, "differential: the two namespaces could not be set up\n");
	else
		result = run(&bench, &options);
	bench_close(&bench);
	return result;
}
