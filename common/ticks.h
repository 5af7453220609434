/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's timer tick, in which it reckons rates. */
#ifndef UBPFILTER_TICKS_H
#define UBPFILTER_TICKS_H

#include <stdint.h>

/** ticks_per_second() - CONFIG_HZ of the running kernel; 0 if it cannot be told. */
uint32_t ticks_per_second(void);

#endif
