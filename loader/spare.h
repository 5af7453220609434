/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Spares: loaded programs and maps that no packet uses any more. The programs of a table that is
 * data are the same for all tables of the same shape, so the next one gets its data written into
 * the maps of the generation before the last, which costs neither linking nor the verifier.
 *
 * A namespace has one for each family at most, in descriptors only: it ends with the process. What
 * is made of it, a generation, is pinned as any other.
 */
#ifndef UBPFILTER_SPARE_H
#define UBPFILTER_SPARE_H

#include "internal.h"
#include "shape.h"

struct spares;

/** spare_learn() - generation @number was loaded and is of that shape, which is taken over. */
void spare_learn(struct netns *netns, enum table_family family, uint64_t number,
		 struct shape *shape);

/**
 * spare_use() - make generation @number of the spare, if it is of that shape: its maps get the
 * object's data and counters of zero, and it is pinned.
 * Return: 0; -ENOENT: there is none that fits; other -errno: it could not be used. In any case it
 * is spare no more if it fits, and on failure nothing of the generation is left.
 */
int spare_use(struct netns *netns, enum table_family family, uint64_t number,
	      const struct generation *next, const struct shape *shape);

/**
 * spare_keep() - keep what is pinned of generation @number, which was in force. The caller knows
 * that no packet uses it any more and that its counters were read.
 */
void spare_keep(struct netns *netns, enum table_family family, uint64_t number);

/** spares_free() - let go of all of a namespace. */
void spares_free(struct netns *netns);

#endif
