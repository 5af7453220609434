/* SPDX-License-Identifier: GPL-2.0-only */
#include "layout.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "headroom.h"

#define ALIGN	   64 /* a cache line */
#define ROOM_STEP  16u
#define LISTS_MIN  64u
#define LIKE_SLACK 65536u /* bytes */

static const size_t element_sizes[LAYOUT_ARRAYS] = {
	[LAYOUT_ROOTS] = sizeof(struct classify_root),
	[LAYOUT_NODES] = sizeof(struct classify_node),
	[LAYOUT_ITEMS] = sizeof(struct classify_item),
	[LAYOUT_WIDES] = sizeof(struct classify_wide),
	[LAYOUT_EXTRAS] = sizeof(struct classify_extra),
	[LAYOUT_LISTS] = sizeof(__u32),
	[LAYOUT_CALLS] = sizeof(struct classify_root),
};

static struct classify_array *array_of(struct classifier *head, unsigned array)
{
	struct classify_array *const arrays[LAYOUT_ARRAYS] = {
		[LAYOUT_NODES] = &head->nodes, [LAYOUT_ITEMS] = &head->items,
		[LAYOUT_WIDES] = &head->wides, [LAYOUT_EXTRAS] = &head->extras,
		[LAYOUT_LISTS] = &head->lists, [LAYOUT_CALLS] = &head->calls,
	};

	return arrays[array];
}

/* --- room ------------------------------------------------------------------------------------ */

/* Lists are indexed with a mask: their number is a power of two. */
static uint32_t lists_room(uint32_t count)
{
	uint32_t room = LISTS_MIN;

	while (room < count)
		room *= 2;
	return room;
}

/* A leaf may come to lie some levels deeper with the next rule. */
static uint32_t depth_room(uint32_t depth)
{
	uint32_t room = (depth + 3) / 4 * 4;

	return room < CLASSIFY_DEPTH ? room : CLASSIFY_DEPTH;
}

/* @head gets offsets and room. Return: 0 or -E2BIG. */
static int place(struct classifier *head, const uint32_t rooms[LAYOUT_ARRAYS])
{
	uint64_t size = 0;

	for (unsigned i = 0; i < LAYOUT_ARRAYS; i++) {
		if (array_of(head, i))
			*array_of(head, i) = (struct classify_array){ (uint32_t)size, rooms[i] };
		size += element_sizes[i] * (uint64_t)rooms[i];
		size = (size + ALIGN - 1) / ALIGN * ALIGN;
		if (size > INT32_MAX)
			return -E2BIG;
	}
	head->size = (uint32_t)size;
	return 0;
}

/* A shape of its own. */
static int shape_own(struct classifier *head, const struct layout_part *parts)
{
	uint32_t rooms[LAYOUT_ARRAYS];

	for (unsigned i = 0; i < LAYOUT_ARRAYS; i++)
		rooms[i] = headroom(parts[i].count, ROOM_STEP);
	rooms[LAYOUT_ROOTS] = parts[LAYOUT_ROOTS].count;
	rooms[LAYOUT_LISTS] = lists_room(parts[LAYOUT_LISTS].count);
	/* looked up with the same index */
	rooms[LAYOUT_WIDES] = parts[LAYOUT_WIDES].count ? rooms[LAYOUT_ITEMS] : 0;
	head->depth = depth_room(head->depth);
	return place(head, rooms);
}

/*
 * Whether a table fits in another shape. The programs have nothing for an array that is empty
 * there; and much more room than needed would only have to be written.
 */
static bool shape_suits(const struct classifier *own, const struct layout_part *parts,
			struct classifier *like)
{
	if (like->family != own->family || like->trees != own->trees || like->depth < own->depth ||
	    like->wide != own->wide || like->headless_breaks != own->headless_breaks ||
	    like->size > 2 * (uint64_t)own->size + LIKE_SLACK)
		return false;
	for (unsigned i = LAYOUT_ROOTS + 1; i < LAYOUT_ARRAYS; i++) {
		uint32_t room = array_of(like, i)->count;

		if (parts[i].count > room || (parts[i].count == 0) != (room == 0))
			return false;
	}
	return true;
}

/* --- data ------------------------------------------------------------------------------------ */

static int data_fill(struct classifier_image *image, const struct layout_part *parts)
{
	struct classifier *head = &image->head;
	unsigned char *bytes = calloc(1, head->size);

	if (!bytes)
		return -ENOMEM;
	/* where no list is, lists end */
	memset(bytes + head->lists.offset, 0xff, head->lists.count * sizeof(__u32));
	for (unsigned i = 0; i < LAYOUT_ARRAYS; i++) {
		struct classify_array *array = array_of(head, i);

		if (parts[i].count)
			memcpy(bytes + (array ? array->offset : 0), parts[i].from,
			       parts[i].count * element_sizes[i]);
	}
	image->bytes = bytes;
	image->size = head->size;
	return 0;
}

_Static_assert(CLASSIFY_NO_RULE == 0xffffffff, "ends lists, filled in by bytes");

int layout_make(const struct classifier *head, const struct layout_part parts[LAYOUT_ARRAYS],
		const struct table_shape *likes, struct classifier_image *image,
		struct message *message)
{
	struct classifier_image made = { .head = *head };
	int error = shape_own(&made.head, parts);

	if (error)
		return message_set(message, error, "the table's data takes more than %d bytes",
				   INT32_MAX);
	for (unsigned i = 0; likes && i < TABLE_LIKES; i++) {
		struct classifier like = likes[i].head;

		if (!like.size || !shape_suits(&made.head, parts, &like))
			continue;
		made.head = like;
		break;
	}
	error = data_fill(&made, parts);
	if (!error)
		*image = made;
	return error;
}
