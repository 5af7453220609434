/* SPDX-License-Identifier: GPL-2.0-only */
/* Why some matches and targets are left to the kernel. */
#ifndef UBPFILTER_UNSUPPORTED_H
#define UBPFILTER_UNSUPPORTED_H

#include <stddef.h>

struct unsupported {
	const char *name;
	const char *reason; /* what follows "is not done in BPF: " */
};

/** unsupported_at() - one by one, from 0 on; NULL behind the last. */
const struct unsupported *unsupported_at(size_t index);

/** unsupported_reason() - why match or target @name is not done; NULL where there is nothing to
 * say. */
const char *unsupported_reason(const char *name);

#endif
