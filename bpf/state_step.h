/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One packet at a stateful match: does it match, and what is remembered of it. No lock: the step is
 * made on a copy and put in place if nobody was there meanwhile, else made again, so that no packet
 * is missed or counted twice on any number of CPUs.
 *
 * Compiled into the BPF programs (state.bpf.c) and into the tests. Who includes it defines before:
 *	state_ticks()			jiffies, the lower 32 bits
 *	state_chance()			a random number of 32 bits
 *	state_clock()			seconds since 1970, UTC
 *	state_is_counted(), state_count()	see state_counts.h
 *	state_rate(table, packet)	is it within the limit of a table of rates? Or STATE_HOTDROP
 *	state_groups(packet, min, max)	is one of the sender's further groups among these?
 *	state_swap(word, old, next)	compare and swap; what was there
 */
#ifndef UBPFILTER_BPF_STATE_STEP_H
#define UBPFILTER_BPF_STATE_STEP_H

#include "state.h"
#include "state_counts.h"
#include "state_time.h"
#include "types.h"

/* Somebody else has to be quicker each time for a step to fail. */
#define STATE_TRIES 128

/* as limit_mt(): the arithmetic is modulo 2^32 there, too */
static __always_inline __u64 limit_step(const struct state *state, __u64 now, int *match)
{
	/* behind the load of what is remembered: time never runs backwards then */
	__u32 ticks = state_ticks(), credit = (__u32)now;

	if (now == STATE_LIMIT_FRESH)
		credit = state->limit.first;
	else
		credit += (ticks - (__u32)(now >> 32)) * state->limit.per_tick;
	if (credit > state->limit.cap)
		credit = state->limit.cap;
	*match = state->limit.cost <= credit;
	if (*match)
		credit -= state->limit.cost;
	return (__u64)ticks << 32 | credit;
}

/* as statistic_mt() */
static __always_inline __u64 nth_step(const struct state *state, __u64 now, int *match)
{
	*match = now == state->nth.every;
	return *match ? 0 : (__u32)(now + 1);
}

/* as quota_mt(): what does not fit ends it, for smaller packets, too */
static __always_inline __u64 quota_step(__u64 now, __u32 length, int *match)
{
	*match = now >= length;
	return *match ? now - length : 0;
}

/* as owner_mt(), with --suppl-groups */
static __always_inline int groups_step(const struct state *state, const struct packet *packet)
{
	if (!(packet->flags & PACKET_HAS_OWNER))
		return 0;
	if (packet->gid >= state->groups.min && packet->gid <= state->groups.max)
		return 1;
	return state_groups(packet, state->groups.min, state->groups.max);
}

static __always_inline int state_step(struct state *state, const struct packet *packet)
{
	__u32 kind = state->kind, tries = STATE_TRIES;

	if (kind == STATE_RANDOM)
		return (state_chance() & 0x7fffffff) < state->random.probability;
	if (kind == STATE_TIME)
		return time_matches(state, state_clock());
	if (kind == STATE_RATE)
		return state_rate(state->rate.table, packet);
	if (kind == STATE_COUNTS)
		return counts_match(state, packet);
	if (kind == STATE_GROUPS)
		return groups_step(state, packet);
	/* verifiers before 6.3 take a loop only where a conditional jump closes it */
	do {
		__u64 now, next;
		int match;

		/* no addresses of members kept on the stack, of which there is little */
		__asm__ volatile("" : "+r"(state));
		now = *(volatile __u64 *)&state->now;

		if (kind == STATE_LIMIT)
			next = limit_step(state, now, &match);
		else if (kind == STATE_NTH)
			next = nth_step(state, now, &match);
		else
			next = quota_step(now, packet->length, &match);
		if (next == now || state_swap(&state->now, now, next) == now)
			return match;
	} while (--tries);
	return 0;
}

#endif
