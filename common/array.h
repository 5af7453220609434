/* SPDX-License-Identifier: GPL-2.0-only */
/* Arrays that grow by doubling. */
#ifndef UBPFILTER_ARRAY_H
#define UBPFILTER_ARRAY_H

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

/**
 * array_room() - make room for @count elements of @size bytes in *@array, which has room for
 * *@room. Return: 0 or -ENOMEM (the array is unchanged).
 */
static inline int array_room(void *array, size_t *room, size_t count, size_t size)
{
	size_t more = *room ? *room : 64;
	void *moved;

	if (count <= *room)
		return 0;
	while (more < count)
		if (__builtin_mul_overflow(more, (size_t)2, &more))
			return -ENOMEM;
	moved = reallocarray(*(void **)array, more, size);
	if (!moved)
		return -ENOMEM;
	*(void **)array = moved;
	*room = more;
	return 0;
}

#endif
