/* SPDX-License-Identifier: GPL-2.0-only */
/* Where a classifier's arrays lie in its data, and how much room each gets. */
#ifndef UBPFILTER_LAYOUT_H
#define UBPFILTER_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#include "../bpf/classify.h"
#include "../common/message.h"

/* The arrays, in their order in the data; all but the roots are members of struct classifier. */
enum layout_array {
	LAYOUT_ROOTS,
	LAYOUT_NODES,
	LAYOUT_ITEMS,
	LAYOUT_WIDES,
	LAYOUT_EXTRAS,
	LAYOUT_LISTS,
	LAYOUT_CALLS,
	LAYOUT_ARRAYS,
};

/* What of a table that is data its programs depend on, beside what it needs. */
struct table_shape {
	struct classifier head; /* size 0: no shape */
	uint32_t blocks;	/* elements of the map `counters` */
};

/* Of shapes there are so many to choose from: that of programs to spare, that of those in force. */
#define TABLE_LIKES 2

struct layout_part {
	const void *from;
	uint32_t count; /* elements */
};

struct classifier_image {
	struct classifier head;
	unsigned char *bytes; /* owned: the data, NULL: none */
	size_t size;	      /* a multiple of 64 */
};

/**
 * layout_make() - lay the data of a table out.
 * @head: complete but for sizes and arrays. @likes: TABLE_LIKES shapes to take, the first that the
 * table fits in and needs not much less than; otherwise its own, with room for some more rules.
 * NULL: there are none.
 * @image: set on success; free bytes with free().
 * Return: 0, -E2BIG (@message says the number) or -ENOMEM.
 */
int layout_make(const struct classifier *head, const struct layout_part parts[LAYOUT_ARRAYS],
		const struct table_shape *likes, struct classifier_image *image,
		struct message *message);

#endif
