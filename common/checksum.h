/* SPDX-License-Identifier: GPL-2.0-only */
/* FNV-1a with 64 bits: quick, and against accidents only. */
#ifndef UBPFILTER_CHECKSUM_H
#define UBPFILTER_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/** checksum() - of @size bytes; another one for each @seed. */
static inline uint64_t checksum(uint64_t seed, const void *data, size_t size)
{
	uint64_t sum = UINT64_C(0xcbf29ce484222325) ^ seed;

	for (size_t i = 0; i < size; i++)
		sum = (sum ^ ((const unsigned char *)data)[i]) * UINT64_C(0x100000001b3);
	return sum;
}

#endif
