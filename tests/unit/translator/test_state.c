/* SPDX-License-Identifier: GPL-2.0-only */
/* The programs' own step of stateful matches, compiled for user space. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>

#include "../../../translator/evaluate.h"

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

static uint32_t ticks_now, chance_now, clock_now;
static struct connection_counts counts_now;
static bool counted_now;
static uint32_t groups_now[2];
static uint64_t *meddle; /* somebody else's change, made in the middle of the next step */

static uint64_t swap(uint64_t *word, uint64_t old, uint64_t next)
{
	if (meddle) {
		*word = *meddle;
		meddle = NULL;
	}
	__atomic_compare_exchange_n(word, &old, next, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	return old;
}

static bool groups_find(uint32_t min, uint32_t max)
{
	return (groups_now[0] >= min && groups_now[0] <= max) ||
	       (groups_now[1] >= min && groups_now[1] <= max);
}

#define state_is_counted(packet) ((void)(packet), counted_now)
#define state_count(packet, offset) \
	((void)(packet), *(const uint64_t *)((const char *)&counts_now + (offset)))
#define state_rate(table, packet)      0
#define state_groups(packet, min, max) ((void)(packet), groups_find(min, max))
#define state_ticks()		       ticks_now
#define state_clock()		       clock_now
#define state_chance()		       chance_now
#define state_swap(word, old, next)    swap((uint64_t *)(word), old, next)
#include "../../../bpf/state_step.h"

static uint32_t below(uint32_t bound)
{
	static uint64_t state = 88172645463325252u;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return bound ? (uint32_t)(state >> 32) % bound : (uint32_t)(state >> 32);
}

static struct state random_state(void)
{
	struct state state = { .kind = below(STATE_GROUPS + 1) };

	switch ((enum state_kind)state.kind) {
	case STATE_LIMIT:
		state.now = below(4) ? STATE_LIMIT_FRESH : (uint64_t)below(0) << 32 | below(0);
		state.limit.per_tick = 1u << below(9);
		state.limit.cost = below(10) * 1000 + below(2);
		state.limit.cap = below(4) ? below(50000) : below(0);
		state.limit.first = state.limit.cap;
		break;
	case STATE_NTH:
		state.nth.every = below(4);
		state.now = below(6);
		break;
	case STATE_RANDOM:
		state.random.probability = below(3) ? below(0) : below(2) << 31;
		break;
	case STATE_QUOTA:
		state.now = below(4) ? below(20000) : (uint64_t)below(0) << 32;
		break;
	case STATE_TIME:
		state.weekdays = below(3) ? 0xfe : below(256);
		state.contiguous = below(2);
		state.time.date_first = below(3) ? 0 : below(0);
		state.time.date_last = below(3) ? UINT32_MAX : below(0);
		state.time.second_first = below(86400);
		state.time.second_last = below(86400);
		state.time.monthdays = below(2) ? 0xfffffffe : below(0);
		break;
	case STATE_RATE: /* see test_rate.c */
		state.kind = STATE_RANDOM;
		break;
	case STATE_GROUPS:
		state.groups.min = below(5);
		state.groups.max = below(9);
		break;
	case STATE_COUNTS:
		state.counted = below(3) << 4 | below(3);
		state.counts.min[0] = below(6);
		state.counts.min[1] = !below(3);
		state.counts.max[0] = below(12);
		state.counts.max[1] = !below(3);
		break;
	}
	return state;
}

/* The evaluator's answer: does a rule with this match alone drop? */
static bool evaluated(struct state *state, struct packet *packet)
{
	struct predicate predicate = { .field = FIELD_STATE, .state = *state };
	struct rule rules[] = {
		{ .action = ACTION_DROP, .predicates = &predicate, .predicate_count = 1 },
		{ .action = ACTION_ACCEPT },
	};
	struct ir ir = { .family = 4, .rules = rules, .rule_count = 2, .state_count = 1 };
	struct evaluation_memory memory = { .states = state,
					    .jiffies = ticks_now,
					    .clock = clock_now,
					    .chance = chance_now,
					    .counts = counted_now ? &counts_now : NULL,
					    .groups = groups_now,
					    .group_count = 2 };
	struct counter counters[2] = { 0 };

	ir.underflow[HOOK_INPUT] = 1;
	return evaluate_packet(&ir, HOOK_INPUT, packet, &memory, counters) == VERDICT_DROP;
}

Test(state, steps_are_those_of_the_evaluator)
{
	for (unsigned round = 0; round < 20000; round++) {
		struct state ours = random_state(), theirs = ours;

		ticks_now = below(0);
		for (unsigned i = 0; i < 40; i++) {
			struct packet packet = { .length = below(3000),
						 .flags = below(8) ? PACKET_HAS_OWNER : 0,
						 .gid = below(9) };

			groups_now[0] = below(9);
			groups_now[1] = below(9);

			ticks_now += below(3) ? below(3) : below(20) ? below(2000) : below(0);
			chance_now = below(0);
			counted_now = below(8);
			for (unsigned k = 0; k < 2; k++) {
				counts_now.of[k].packets = below(5);
				counts_now.of[k].bytes =
					below(4) ? below(40) : 1ull << 32 | below(9);
			}
			clock_now = 2 * 86400 + below(UINT32_MAX - 2 * 86400);
			cr_assert_eq(state_step(&ours, &packet), evaluated(&theirs, &packet),
				     "round %u, kind %u", round, ours.kind);
			cr_assert_eq(memcmp(&ours, &theirs, sizeof(ours)), 0, "round %u, kind %u",
				     round, ours.kind);
		}
	}
}

Test(state, a_limit_gives_its_burst_and_then_its_rate)
{
	struct state state = { .now = STATE_LIMIT_FRESH, .kind = STATE_LIMIT };
	struct packet packet = { .length = 100 };
	unsigned matches = 0;

	state.limit.cost = 100;
	state.limit.cap = state.limit.first = 500;
	state.limit.per_tick = 10;
	ticks_now = UINT32_MAX - 50; /* jiffies overflow in between */
	for (unsigned i = 0; i < 20; i++)
		matches += (unsigned)state_step(&state, &packet);
	cr_expect_eq(matches, 5, "the burst");
	for (unsigned tick = 0; tick < 200; tick++) {
		ticks_now++;
		matches += (unsigned)state_step(&state, &packet);
	}
	cr_expect_eq(matches, 5 + 20, "one more in ten ticks");
}

Test(state, a_change_in_the_middle_of_a_step_is_not_lost)
{
	struct state state = { .now = 1000, .kind = STATE_QUOTA };
	struct packet packet = { .length = 100 };
	uint64_t others = 150;

	meddle = &others;
	cr_expect_eq(state_step(&state, &packet), 1);
	cr_expect_eq(state.now, 50);
}

#define THREADS 4
#define EACH	200000u

static void *spend(void *argument)
{
	struct packet packet = { .length = 3 };
	uint64_t matches = 0;

	for (unsigned i = 0; i < EACH; i++)
		matches += (uint64_t)state_step(argument, &packet);
	return (void *)matches;
}

Test(state, threads_share_a_quota_to_the_byte)
{
	struct state state = { .now = EACH * 3 + 1, .kind = STATE_QUOTA };
	pthread_t threads[THREADS];
	uint64_t matches = 0;

	for (unsigned i = 0; i < THREADS; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, spend, &state), 0);
	for (unsigned i = 0; i < THREADS; i++) {
		void *result;

		cr_assert_eq(pthread_join(threads[i], &result), 0);
		matches += (uint64_t)result;
	}
	cr_expect_eq(matches, EACH);
}
