/* SPDX-License-Identifier: GPL-2.0-only */
/* The classifier's own walk, compiled for user space, beside the plain way through the chains. */
#include <criterion/criterion.h>
#include <string.h>

#include "../../../translator/classify.h"
#include "random_table.h"

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif
#define CLASSIFY_FUNCTION static
typedef uint64_t __attribute__((aligned(1), may_alias)) classify_word;
#define classifier_shape (&walk_shape)
#define classifier_data	 walk_data

static struct classifier walk_shape;
static const unsigned char *walk_data;
static struct counter *walk_counters;
static uint32_t *walk_asked;

static void walk_count(const struct packet *packet, uint32_t rule)
{
	walk_counters[rule].packets++;
	walk_counters[rule].bytes += packet->length;
}
#define classify_count walk_count

static int walk_state(const struct packet *packet, uint32_t index);
#define classify_state walk_state

static void repeat(uint32_t times, long (*step)(uint32_t, void *), void *context)
{
	for (uint32_t i = 0; i < times; i++)
		if (step(i, context))
			return;
}
#define classify_repeat repeat

#include "../../../bpf/classify_walk.h"

static int run_classifier(enum hook hook, const struct packet *packet, struct counter *counters)
{
	uint64_t result;

	walk_counters = counters;
	result = classify(packet, hook - HOOK_INPUT);
	if (result >> 8 != CLASSIFY_NO_RULE)
		walk_count(packet, result >> 8);
	return result & 0xff;
}

#include "random_table.c"

static int walk_state(const struct packet *packet, uint32_t index)
{
	(void)packet;
	return answer_third(&walk_asked[index]);
}

static uint64_t compared, calls_planned;

/* Some chains are repeated where they are jumped to, the others called. */
static void plan_mix(struct random *random, struct call_plan *plan)
{
	for (uint32_t list = CLASSIFY_CHAINS; list < plan->list_count; list++) {
		if (random_below(random, 3) == 0)
			plan->lists[plan->starts[list]] = LIST_NONE;
		else
			calls_planned++;
	}
}

/* One table, many packets: the first disagreement is printed. */
static void compare_table(struct random *random, const struct ir *ir, uint32_t packets,
			  unsigned memory_percent, enum calling calling)
{
	struct counter *plain = calloc(ir->rule_count, sizeof(*plain));
	struct counter *ours = calloc(ir->rule_count, sizeof(*ours));
	uint32_t *plain_asked = calloc(ir->state_count + 1, sizeof(*plain_asked));
	struct classify_options options = { .memory_percent = memory_percent };
	struct call_plan plan = { 0 };
	struct classifier_image data = { 0 };
	struct message message = { 0 };

	walk_asked = calloc(ir->state_count + 1, sizeof(*walk_asked));
	cr_assert(plain && ours && plain_asked && walk_asked);
	cr_assert_eq(call_plan_make(ir, calling, &plan, &message), 0, "%s", message.text);
	plan_mix(random, &plan);
	cr_assert_eq(classify_table(ir, &plan, &options, &data, &message), 0, "%s", message.text);
	call_plan_free(&plan);
	walk_shape = data.head;
	walk_data = data.bytes;
	for (uint32_t i = 0; i < packets; i++) {
		enum hook hook = HOOK_INPUT + random_below(random, 3);
		struct packet packet;
		int expected, got;

		random_packet(random, ir->family, &packet);
		expected = run_chains(ir, hook, &packet, plain_asked, plain);
		got = run_classifier(hook, &packet, ours);
		cr_assert_eq(got, expected, "packet %u: verdict %d, not %d", i, got, expected);
		for (uint32_t r = 0; r < ir->rule_count; r++)
			cr_assert(plain[r].packets == ours[r].packets &&
					  plain[r].bytes == ours[r].bytes,
				  "packet %u: rule %u counted %llu, not %llu", i, r,
				  (unsigned long long)ours[r].packets,
				  (unsigned long long)plain[r].packets);
		cr_assert_eq(memcmp(plain_asked, walk_asked, ir->state_count * sizeof(*walk_asked)),
			     0, "packet %u: other stateful matches were asked", i);
		compared++;
	}
	free(data.bytes);
	free(plain);
	free(ours);
	free(plain_asked);
	free(walk_asked);
}

static void compare_many(uint8_t family, uint32_t size, enum oddity oddity, uint32_t tables,
			 uint32_t packets, enum calling calling)
{
	for (uint32_t i = 0; i < tables; i++) {
		struct random random = { 0x9e3779b97f4a7c15u * (i + 1) + size + family };
		struct ir *ir = random_table(&random, family, size, oddity);

		compare_table(&random, ir, packets, i % 2 ? 100 : i % 3 * 10, calling);
		ir_free(ir);
	}
}

Test(classify, small_tables_judge_and_count_as_the_chains_do)
{
	compare_many(4, 12, RULES_AS_LOWERED, 1000, 200, CALLING_SELDOM);
	compare_many(6, 12, RULES_AS_LOWERED, 1000, 200, CALLING_SELDOM);
}

Test(classify, hotdrops_in_any_order_drop_what_the_chains_drop)
{
	compare_many(4, 12, RULES_ANY, 1000, 200, CALLING_SELDOM);
	compare_many(6, 12, RULES_ANY, 1000, 200, CALLING_SELDOM);
}

Test(classify, large_tables_judge_and_count_as_the_chains_do)
{
	compare_many(4, 400, RULES_SPECIFIC, 60, 2000, CALLING_SELDOM);
	compare_many(6, 400, RULES_SPECIFIC, 60, 2000, CALLING_SELDOM);
	compare_many(4, 3000, RULES_SPECIFIC, 6, 2000, CALLING_SELDOM);
	compare_many(6, 3000, RULES_SPECIFIC, 6, 2000, CALLING_SELDOM);
}

Test(classify, chains_that_are_called_judge_and_count_as_if_they_were_repeated)
{
	for (int family = 4; family <= 6; family += 2) {
		compare_many(family, 12, RULES_AS_LOWERED, 1000, 200, CALLING_ALWAYS);
		compare_many(family, 12, RULES_ANY, 1000, 200, CALLING_ALWAYS);
		compare_many(family, 400, RULES_SPECIFIC, 60, 2000, CALLING_ALWAYS);
	}
	cr_expect_gt(calls_planned, 1000);
}
