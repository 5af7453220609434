/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UBPFILTER_PROTOCOLS_H
#define UBPFILTER_PROTOCOLS_H

#include <stdint.h>

/** protocol_name() - "tcp" for 6; NULL when there is no name. */
const char *protocol_name(uint16_t protocol);

#endif
