/* SPDX-License-Identifier: GPL-2.0-only */
#include "shape.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int shape_make(const struct object *object, unsigned stages, struct shape *shape)
{
	size_t behind = object->table_offset + object->table_size;
	struct shape made = {
		.stages = stages,
		.size = object->size - object->table_size,
		.table = object->shape,
		.table_offset = object->table_offset,
		.table_size = object->table_size,
	};

	if (!object->table_size || object->needs & NEED_STATE || object->executions ||
	    object->rates)
		return -ENODATA;
	made.bytes = malloc(made.size);
	if (!made.bytes)
		return -ENOMEM;
	memcpy(made.bytes, object->data, object->table_offset);
	memcpy(made.bytes + object->table_offset, object->data + behind, object->size - behind);
	*shape = made;
	return 0;
}

bool shape_equal(const struct shape *one, const struct shape *other)
{
	return one->bytes && other->bytes && one->stages == other->stages &&
	       one->table.blocks == other->table.blocks &&
	       one->table_offset == other->table_offset && one->table_size == other->table_size &&
	       one->size == other->size && memcmp(one->bytes, other->bytes, one->size) == 0;
}

void shape_free(struct shape *shape)
{
	free(shape->bytes);
	*shape = (struct shape){};
}
