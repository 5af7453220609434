/* SPDX-License-Identifier: GPL-2.0-only */
#include "generated.h"

#include <stdlib.h>
#include <string.h>

static uint64_t next(struct random *random)
{
	uint64_t x = random->state;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	random->state = x;
	return x * UINT64_C(0x2545f4914f6cdd1d);
}

uint32_t random_below(struct random *random, uint32_t bound)
{
	return bound ? (uint32_t)((next(random) >> 32) * bound >> 32) : 0;
}

bool random_chance(struct random *random, unsigned percent)
{
	return random_below(random, 100) < percent;
}

void random_bytes(struct random *random, void *data, size_t size)
{
	unsigned char *bytes = data;

	for (size_t i = 0; i < size; i++)
		bytes[i] = (unsigned char)random_below(random, 256);
}

void random_small(struct random *random, void *data, size_t size)
{
	unsigned char *bytes = data;

	memset(data, 0, size);
	for (size_t i = 0; i < size; i += 2)
		bytes[i] = (unsigned char)random_below(random, SMALL);
}

uint64_t setting(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : otherwise;
}
