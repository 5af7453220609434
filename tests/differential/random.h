/* SPDX-License-Identifier: GPL-2.0-only */
/* A seeded generator (splitmix64), so that whatever was made can be made again. */
#ifndef UBPFILTER_DIFFERENTIAL_RANDOM_H
#define UBPFILTER_DIFFERENTIAL_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct random {
	uint64_t state;
};

uint64_t random_next(struct random *random);
uint32_t random_below(struct random *random, uint32_t bound);
bool random_chance(struct random *random, unsigned percent);

#define PICK(random, list) ((list)[random_below((random), sizeof(list) / sizeof((list)[0]))])

#endif
