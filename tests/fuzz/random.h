/* SPDX-License-Identifier: GPL-2.0-only */
/* A small generator of pseudo-random numbers (splitmix64): the same seed, the same run. */
#ifndef UBPFILTER_FUZZ_RANDOM_H
#define UBPFILTER_FUZZ_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct random {
	uint64_t state;
};

static inline uint64_t random_next(struct random *random)
{
	uint64_t z = random->state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/** random_below() - 0 to @limit - 1; 0 for a limit of 0. */
static inline uint32_t random_below(struct random *random, uint32_t limit)
{
	return limit ? (uint32_t)(random_next(random) % limit) : 0;
}

/** random_percent() - true in @percent of 100 cases. */
static inline bool random_percent(struct random *random, unsigned percent)
{
	return random_below(random, 100) < percent;
}

#define RANDOM_OF(random, array) ((array)[random_below(random, sizeof(array) / sizeof((array)[0]))])

#endif
