/* SPDX-License-Identifier: GPL-2.0-only */
/* A number that the verifier does not know. */
#ifndef UBPFILTER_OPAQUE_H
#define UBPFILTER_OPAQUE_H

#include <linux/types.h>

/*
 * 0, but not to the verifier. Before 6.7 it follows the callback of bpf_loop() through the first
 * turn only, and takes what is constant there for constant in all turns: branches of later turns
 * would be removed as dead. What changes from turn to turn must not begin as a known number.
 */
static volatile __u32 opaque_zero;

#endif
