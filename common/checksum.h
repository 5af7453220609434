/* SPDX-License-Identifier: GPL-2.0-only */
/* Checksums of 64 bits: quick, and against accidents only. */
#ifndef UBPFILTER_CHECKSUM_H
#define UBPFILTER_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define CHECKSUM_BASIS UINT64_C(0xcbf29ce484222325)
#define CHECKSUM_PRIME UINT64_C(0x100000001b3)
#define CHECKSUM_LANES 4u

/** checksum() - of @size bytes, FNV-1a; another one for each @seed. */
static inline uint64_t checksum(uint64_t seed, const void *data, size_t size)
{
	uint64_t sum = CHECKSUM_BASIS ^ seed;

	for (size_t i = 0; i < size; i++)
		sum = (sum ^ ((const unsigned char *)data)[i]) * CHECKSUM_PRIME;
	return sum;
}

/* Each step is reversible: two words never lead to the same sum from the same one. The product
 * alone would leave high bits without influence on low ones. */
static inline uint64_t checksum_step(uint64_t sum, uint64_t word)
{
	sum = (sum ^ word) * CHECKSUM_PRIME;
	return sum ^ sum >> 32;
}

/**
 * checksum_long() - the same for megabytes: by words, in lanes that do not wait for each other, the
 * rest by bytes. The processor's byte order: for what stays on this machine.
 */
static inline uint64_t checksum_long(uint64_t seed, const void *data, size_t size)
{
	const unsigned char *bytes = data;
	uint64_t lanes[CHECKSUM_LANES], words[CHECKSUM_LANES], sum = CHECKSUM_BASIS ^ seed;
	size_t done = 0;

	for (unsigned i = 0; i < CHECKSUM_LANES; i++)
		lanes[i] = sum + i;
	for (; size - done >= sizeof(words); done += sizeof(words)) {
		memcpy(words, bytes + done, sizeof(words));
		for (unsigned i = 0; i < CHECKSUM_LANES; i++)
			lanes[i] = checksum_step(lanes[i], words[i]);
	}
	for (unsigned i = 0; i < CHECKSUM_LANES; i++)
		sum = checksum_step(sum, lanes[i]);
	return checksum(sum, bytes + done, size - done);
}

#endif
