/* SPDX-License-Identifier: GPL-2.0-only */
/* generated: the loop, the comparison and the report. See generated.h. */
#include "generated.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "../support/kernel.h"

#define PACKETS_PER_TABLE 250

struct run {
	struct random random;
	struct ground ground;
	struct ir *ir;
	struct programs *programs;
	struct raw_packet packets[PACKETS_PER_TABLE];
	struct counter *expected;	 /* owned, one a rule */
	struct counter *counted;	 /* owned, one a rule */
	struct evaluation_memory memory; /* states: owned, as the programs have them, too */
	struct pending pending; /* PROGRAM_DIRECT: what the evaluator left for the kernel */
	uint64_t comparisons;
	uint64_t dropped; /* of the comparisons, to show that both verdicts occur */
	uint64_t discarded;
	struct message message;
};

static int expect_direct(struct run *run, const struct raw_packet *raw, struct counter *counters)
{
	struct packet packet;
	int error = packet_attributed(&packet, raw, run->ir->family);

	if (!error)
		error = evaluate_packet(run->ir, raw->hook, &packet, &run->memory, counters);
	run->pending = packet.pending;
	return error;
}

/* Return: the program's verdict; -EBADMSG: it has not left for the kernel what the evaluator has.
 */
static int run_program(struct run *run, enum program program, const struct raw_packet *packet)
{
	struct pending pending = {};
	int got = programs_run(run->programs, program, packet, &run->ground, &pending);

	if (program == PROGRAM_DIRECT && memcmp(&pending, &run->pending, sizeof(pending)))
		return -EBADMSG;
	return got;
}

/* What the entry program must say, given what the evaluator says. */
static int expect(struct run *run, enum program program, const struct raw_packet *packet,
		  struct counter *counters)
{
	struct evaluation_input input = { .hook = packet->hook,
					  .data = packet->data,
					  .size = packet->size };
	int verdict;

	if (program == PROGRAM_DIRECT)
		return expect_direct(run, packet, counters);
	input.has_mac = packet->hook != HOOK_OUTPUT;
	memcpy(input.mac, packet_mac, sizeof(input.mac));
	if (packet->hook != HOOK_OUTPUT)
		memcpy(input.in_name, run->ground.devices[DEVICE_IN].name, IFACE_NAME_SIZE);
	if (packet->hook != HOOK_INPUT)
		memcpy(input.out_name, run->ground.devices[DEVICE_OUT].name, IFACE_NAME_SIZE);
	verdict = evaluate(run->ir, &input, &run->memory, counters);
	if (verdict == -EINVAL) { /* the IP layer drops it, and answers for it, or never sends it */
		run->discarded++;
		return packet->hook == HOOK_OUTPUT ? VERDICT_DROP : VERDICT_ACCEPT;
	}
	run->dropped += verdict == VERDICT_DROP;
	return verdict;
}

static bool counters_differ(const struct run *run)
{
	return memcmp(run->expected, run->counted, run->ir->rule_count * sizeof(*run->expected));
}

/* No counts and no memory, neither in the evaluator nor in the programs. */
static int begin(struct run *run)
{
	ir_states(run->ir, run->memory.states);
	run->memory.clock =
		(uint32_t)time(NULL); /* no rule asks for more than on which day it is */
	memset(run->expected, 0, run->ir->rule_count * sizeof(*run->expected));
	return programs_set_states(run->programs, run->memory.states, run->ir->state_count);
}

static void report(const struct run *run, enum program program, const struct raw_packet *packet,
		   int expected, int got)
{
	printf("generated: a difference in %s, IPv%d\n", program_name(program), run->ir->family);
	table_print(run->ir);
	packet_print(packet);
	printf("evaluator: verdict %d, program: %d (0 drop, 1 accept)\n", expected, got);
	for (uint32_t i = 0; i < run->ir->rule_count; i++)
		if (run->expected[i].packets || run->counted[i].packets)
			printf("rule %u: evaluator %" PRIu64 " packets %" PRIu64
			       " bytes, program %" PRIu64 " packets %" PRIu64 " bytes\n",
			       i, (uint64_t)run->expected[i].packets,
			       (uint64_t)run->expected[i].bytes, (uint64_t)run->counted[i].packets,
			       (uint64_t)run->counted[i].bytes);
}

/* One packet by itself. Return: 0 the same, 1 different, or -errno. */
static int compare_one(struct run *run, enum program program, const struct raw_packet *packet)
{
	int expected, got, error = begin(run);

	if (error)
		return message_set(&run->message, error, "cannot set the states");
	expected = expect(run, program, packet, run->expected);
	got = run_program(run, program, packet);
	error = programs_take_counters(run->programs, run->counted, run->ir->rule_count);
	if (error)
		return message_set(&run->message, error, "cannot read the counters");
	if (got == expected && !counters_differ(run))
		return 0;
	report(run, program, packet, expected, got);
	return 1;
}

/* Counters are read once for all packets; where they differ, packets are tried one by one. */
static int compare_program(struct run *run, enum program program)
{
	bool different = false;
	int expected, error = begin(run);

	if (error)
		return message_set(&run->message, error, "cannot set the states");
	for (size_t i = 0; i < PACKETS_PER_TABLE; i++) {
		const struct raw_packet *packet = &run->packets[i];

		if (!program_sees(run->programs, program, packet))
			continue;
		expected = expect(run, program, packet, run->expected);
		different |= expected != run_program(run, program, packet);
		run->comparisons++;
	}
	error = programs_take_counters(run->programs, run->counted, run->ir->rule_count);
	if (error)
		return message_set(&run->message, error, "cannot read the counters");
	if (!different && !counters_differ(run))
		return 0;
	for (size_t i = 0; i < PACKETS_PER_TABLE; i++) {
		error = program_sees(run->programs, program, &run->packets[i])
				? compare_one(run, program, &run->packets[i])
				: 0;
		if (error)
			return error;
	}
	return message_set(&run->message, -EPROTO, "%s: a difference that does not come back",
			   program_name(program));
}

static int compare_table(struct run *run)
{
	int error = programs_load(&run->programs, run->ir, &run->ground, 0, &run->message);

	run->expected = calloc(run->ir->rule_count, sizeof(*run->expected));
	run->counted = calloc(run->ir->rule_count, sizeof(*run->counted));
	run->memory.states = calloc(run->ir->state_count + 1, sizeof(*run->memory.states));
	if (!error && (!run->expected || !run->counted || !run->memory.states))
		error = -ENOMEM;
	for (size_t i = 0; i < PACKETS_PER_TABLE; i++)
		packet_make(&run->packets[i], &run->random, run->ir->family);
	for (unsigned program = table_has_attributes(run->ir) ? PROGRAM_DIRECT : 0;
	     !error && program < PROGRAM_COUNT; program++)
		error = compare_program(run, (enum program)program);
	if (error < 0)
		table_print(run->ir);
	programs_free(run->programs);
	run->programs = NULL;
	free(run->expected);
	free(run->counted);
	free(run->memory.states);
	return error;
}

static int compare_all(struct run *run, uint64_t count)
{
	int error = 0;

	for (int family = 4; !error && run->comparisons < count; family = 10 - family) {
		run->ir = table_make(&run->random, family);
		error = run->ir ? compare_table(run) : -ENOMEM;
		ir_free(run->ir);
	}
	return error;
}

static int say_nothing(enum libbpf_print_level level, const char *format, va_list arguments)
{
	(void)level;
	(void)format;
	(void)arguments;
	return 0;
}

int main(void)
{
	uint64_t seed = setting("UBPFILTER_SEED", (uint64_t)time(NULL));
	uint64_t count = setting("UBPFILTER_COMPARISONS", 100000);
	static struct run run;
	int error;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("generated: UBPFILTER_SEED=%" PRIu64 "\n", seed);
	run.random.state = seed ^ UINT64_C(0x9e3779b97f4a7c15);
	if (!run.random.state)
		run.random.state = 1;
	if (!getenv("UBPFILTER_VERBOSE"))
		libbpf_set_print(say_nothing);
	error = ground_make(&run.ground, &run.message);
	if (error && !kernel_required()) {
		printf("generated: %s\n0 passed, 0 failed, 1 skipped\n", run.message.text);
		return 0;
	}
	if (!error)
		error = compare_all(&run, count);
	if (error) {
		printf("generated: failed after %" PRIu64 " comparisons: %s\n", run.comparisons,
		       run.message.text[0] ? run.message.text
					   : (error < 0 ? strerror(-error) : "see above"));
		return 1;
	}
	printf("generated: %" PRIu64 " comparisons, none different (%" PRIu64 " dropped, %" PRIu64
	       " discarded before the hook)\n",
	       run.comparisons, run.dropped, run.discarded);
	return 0;
}
