/* SPDX-License-Identifier: GPL-2.0-only */
/* SET_REPLACE arguments made up: good ones of many shapes, and ways to spoil them. */
#ifndef UBPFILTER_FUZZ_BLOB_H
#define UBPFILTER_FUZZ_BLOB_H

#include "../../iptables-compat/table.h"
#include "random.h"

struct blob {
	unsigned char *data; /* owned; struct ipt_replace and entries */
	size_t size;
};

/**
 * blob_generate() - a table of random shape, good in most cases. Ends the program when out of
 * memory, as everything in this folder does: there is nothing to test then.
 */
struct blob blob_generate(enum family family, struct random *random);

/** blob_mutate() - spoil one thing, knowing the layout or blindly; the size may change. */
void blob_mutate(struct blob *blob, enum family family, struct random *random);

/** blob_fuzz_bytes() - spoil bytes of any argument blindly; the size stays. */
void blob_fuzz_bytes(unsigned char *data, size_t size, struct random *random);

/** blob_replace() - the header of @blob; NULL when it is too short for one. */
struct ipt_replace *blob_replace(const struct blob *blob);

void blob_free(struct blob *blob);

/** xcalloc() - memory, or the end of the program. */
void *xcalloc(size_t count, size_t size);

#endif
