/* SPDX-License-Identifier: GPL-2.0-only */
#include "ticks.h"

#include <time.h>

#define NANOSECONDS 1000000000u

uint32_t ticks_per_second(void)
{
	struct timespec tick;

	/* the resolution of a clock that moves at each tick */
	if (clock_getres(CLOCK_MONOTONIC_COARSE, &tick) || tick.tv_sec || tick.tv_nsec <= 0)
		return 0;
	return (NANOSECONDS + (uint32_t)tick.tv_nsec / 2) / (uint32_t)tick.tv_nsec;
}
