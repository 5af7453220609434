/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * exact: what `make bench` measures is right. Each shape of ruleset, with and without user chains,
 * is run by the kernel and by the evaluator: packets that rules were made for, packets one bit
 * beside, and packets at random; every verdict and every counter must be the same.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../translator/packet.h"
#include "../generated/generated.h"
#include "../support/kernel.h"
#include "bench.h"

#define BATCH  4096u
#define CHAINS 100u

struct exactness {
	struct random random;
	struct ground ground;
	struct bench_rule *rules;
	uint32_t count;
	struct ir *ir;
	struct programs *programs;
	struct counter *ours, *theirs; /* a counter a rule of the table */
	struct message message;
};

static struct bench_packet packet_near(struct exactness *test)
{
	const struct bench_rule *rule = &test->rules[random_below(&test->random, test->count)];
	struct bench_packet packet = bench_packet(rule, random_below(&test->random, UINT32_MAX));
	uint32_t bit = 1u << random_below(&test->random, 32);

	switch (random_below(&test->random, 8)) {
	case 0:
		packet.source ^= bit;
		break;
	case 1:
		packet.destination ^= bit;
		break;
	case 2:
		packet.source_port += random_chance(&test->random, 50) ? 1 : -1;
		break;
	case 3:
		packet.destination_port += random_chance(&test->random, 50) ? 1 : -1;
		break;
	case 4:
		random_bytes(&test->random, &packet.source, sizeof(packet.source));
		random_bytes(&test->random, &packet.destination, sizeof(packet.destination));
		packet.protocol = random_chance(&test->random, 50) ? IPPROTO_TCP : IPPROTO_UDP;
		break;
	default:
		break;
	}
	return packet;
}

static int packet_fill(struct exactness *test, struct packet *packet)
{
	const struct bench_packet wanted = packet_near(test);
	unsigned char frame[64];
	int error;

	bench_frame(&wanted, frame);
	error = packet_parse(packet, 4, ORIGIN_OTHERS, frame + 14, 50);
	return error ? message_set(&test->message, error, "a packet of ours is discarded") : 0;
}

/* A counter or verdict that differs. */
static int compare_batch(struct exactness *test, const struct packet *packets, uint32_t count)
{
	const uint64_t *verdicts = programs_batch_verdicts(test->programs);
	struct evaluation_memory memory = {};

	memset(test->theirs, 0, test->ir->rule_count * sizeof(*test->theirs));
	for (uint32_t i = 0; i < count; i++) {
		struct packet packet = packets[i];
		int verdict = evaluate_packet(test->ir, HOOK_INPUT, &packet, &memory, test->theirs);

		if ((uint64_t)verdict != verdicts[i])
			return message_set(&test->message, -EPROTO,
					   "%08x to %08x: verdict %" PRIu64 ", the evaluator's %d",
					   ntohl(packet.source[0]), ntohl(packet.destination[0]),
					   verdicts[i], verdict);
	}
	for (uint32_t i = 0; i < test->ir->rule_count; i++)
		if (memcmp(&test->ours[i], &test->theirs[i], sizeof(*test->ours)))
			return message_set(&test->message, -EPROTO,
					   "rule %u counted %llu packets, not %llu", i,
					   test->ours[i].packets, test->theirs[i].packets);
	return 0;
}

static int run_batch(struct exactness *test, uint32_t count)
{
	struct packet *packets = programs_batch(test->programs);
	int error = 0;

	for (uint32_t i = 0; i < count && !error; i++)
		error = packet_fill(test, &packets[i]);
	if (error)
		return error;
	error = programs_run_batch(test->programs, count);
	if (!error)
		error = programs_take_counters(test->programs, test->ours, test->ir->rule_count);
	if (error)
		return message_set(&test->message, error, "cannot run a batch: %s",
				   strerror(-error));
	return compare_batch(test, packets, count);
}

static int table_open(struct exactness *test, enum shape shape, uint32_t chains, uint64_t seed)
{
	test->rules = bench_rules(shape, test->count, seed);
	test->ir = test->rules ? bench_table(test->rules, test->count, chains) : NULL;
	if (!test->ir)
		return message_set(&test->message, -ENOMEM, "out of memory");
	test->ours = calloc(test->ir->rule_count, sizeof(*test->ours));
	test->theirs = calloc(test->ir->rule_count, sizeof(*test->theirs));
	if (!test->ours || !test->theirs)
		return message_set(&test->message, -ENOMEM, "out of memory");
	return programs_load(&test->programs, test->ir, &test->ground, BATCH, &test->message);
}

static void table_close(struct exactness *test)
{
	programs_free(test->programs);
	free(test->ours);
	free(test->theirs);
	ir_free(test->ir);
	free(test->rules);
	test->programs = NULL;
	test->ours = test->theirs = NULL;
	test->ir = NULL;
	test->rules = NULL;
}

static int table_run(struct exactness *test, enum shape shape, uint32_t chains, uint64_t seed,
		     uint64_t comparisons)
{
	int error = table_open(test, shape, chains, seed);
	uint64_t dropped = 0;

	for (uint64_t done = 0; done < comparisons && !error; done += BATCH) {
		uint64_t left = comparisons - done;
		uint32_t count = left < BATCH ? (uint32_t)left : BATCH;

		error = run_batch(test, count);
		for (uint32_t i = 0; i < count && !error; i++)
			dropped += programs_batch_verdicts(test->programs)[i] == VERDICT_DROP;
	}
	if (!error)
		printf("exact: %s, %u rules, %u chains: %" PRIu64
		       " comparisons, none different (%" PRIu64 " dropped)\n",
		       shape_name(shape), test->count, chains, comparisons, dropped);
	table_close(test);
	return error;
}

int main(int argc, char **argv)
{
	uint64_t comparisons = setting("UBPFILTER_COMPARISONS", 1000000);
	uint64_t seed = setting("UBPFILTER_SEED", 42);
	static struct exactness test;
	int error;

	setvbuf(stdout, NULL, _IOLBF, 0);
	test.count = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1000;
	if (!test.count) {
		fprintf(stderr, "usage: exact [RULES], as root\n");
		return 2;
	}
	test.random.state = seed | 1;
	error = ground_make(&test.ground, &test.message);
	if (error && !kernel_required()) {
		printf("exact: %s\n0 passed, 0 failed, 1 skipped\n", test.message.text);
		return 0;
	}
	for (int shape = 0; shape < SHAPE_COUNT; shape++)
		for (uint32_t chains = 0; chains <= CHAINS && !error; chains += CHAINS)
			error = table_run(&test, (enum shape)shape, chains, seed, comparisons);
	if (error) {
		printf("exact: seed %" PRIu64 ", %u rules: %s\n", seed, test.count,
		       test.message.text);
		return 1;
	}
	return 0;
}
