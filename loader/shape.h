/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What programs of a table depend on: all of its object but the table's data. Tables of the same
 * shape are enforced by the same programs.
 */
#ifndef UBPFILTER_SHAPE_H
#define UBPFILTER_SHAPE_H

#include <stdbool.h>

#include "../translator/compile.h"

struct shape {
	unsigned stages;      /* as link_object() is told */
	unsigned char *bytes; /* owned: the object without the data; NULL: no shape */
	size_t size;
	struct table_shape table; /* as the translator knows it */
	size_t table_offset;	  /* in the object */
	size_t table_size;	  /* bytes of the data */
};

/**
 * shape_make() - the shape of a compiled object, linked for @stages; release with shape_free().
 * A table has none whose rules are code, or whose programs remember something or leave it to
 * others. Return: 0, -ENODATA: it has none, -ENOMEM.
 */
int shape_make(const struct object *object, unsigned stages, struct shape *shape);

/** shape_equal() - false, too, when one of them is none. */
bool shape_equal(const struct shape *one, const struct shape *other);

void shape_free(struct shape *shape);

#endif
