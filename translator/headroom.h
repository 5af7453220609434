/* SPDX-License-Identifier: GPL-2.0-only */
/* How much more room than it needs a table gets, so that it may grow under the same programs. */
#ifndef UBPFILTER_HEADROOM_H
#define UBPFILTER_HEADROOM_H

#include <stdint.h>

/**
 * headroom() - the room for @count elements, in elements: up to a quarter more; none for none.
 * @least: of these steps, at least.
 */
static inline uint32_t headroom(uint32_t count, uint32_t least)
{
	uint32_t step = least;

	while (step <= count / 8)
		step *= 2;
	return (count + step - 1) / step * step;
}

#endif
