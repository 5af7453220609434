/* SPDX-License-Identifier: GPL-2.0-only */
#include "steps.h"

#include <errno.h>
#include <string.h>

#include "../common/array.h"

int steps_open(struct steps *steps, uint32_t count)
{
	steps->most = calloc(count, sizeof(*steps->most));
	return steps->most ? 0 : -ENOMEM;
}

void steps_free(struct steps *steps)
{
	free(steps->most);
	free(steps->leaves);
	*steps = (struct steps){ 0 };
}

/* Leaves' lists are shared; those that were added since the last time are not counted yet. */
static int leaves_room(struct steps *steps, const struct tree_store *store)
{
	size_t before = steps->leaf_room;

	if (array_room(&steps->leaves, &steps->leaf_room, (size_t)store->lists.count * CLASS_COUNT,
		       sizeof(*steps->leaves)))
		return -ENOMEM;
	memset(steps->leaves + before, 0, (steps->leaf_room - before) * sizeof(*steps->leaves));
	return 0;
}

/* Each candidate, and all that is called. */
static uint32_t leaf_steps(struct steps *steps, const struct tree_store *store,
			   const struct classify_item *items, uint32_t start,
			   enum packet_class class)
{
	uint32_t *known = &steps->leaves[(size_t)start * CLASS_COUNT + class];
	uint64_t sum = 1;

	for (const uint32_t *at = &store->lists.words[start]; !*known && *at != CLASSIFY_NO_RULE;
	     at++) {
		sum++;
		if (items[*at].action == CLASSIFY_CALL)
			sum += steps->most[items[*at].skip][class];
		if (sum > CLASSIFY_STEPS_MAX)
			sum = CLASSIFY_STEPS_MAX + 1;
	}
	if (!*known)
		*known = (uint32_t)sum;
	return *known;
}

/* A tree's nodes stand together; the last tree's are the last of the store. */
static uint32_t tree_steps(struct steps *steps, const struct tree_store *store,
			   const struct classify_item *items, const struct classify_root *root,
			   uint32_t tree, enum packet_class class)
{
	uint32_t end = tree + 1 < root->trees ? root->node[tree + 1] : store->node_count;
	uint32_t most = 0;

	for (uint32_t i = root->node[tree]; i < end; i++) {
		const struct classify_node *node = &store->nodes[i];
		uint32_t here = node->eighth == CLASSIFY_LEAF
					? leaf_steps(steps, store, items, node->base, class)
					: 0;

		most = here > most ? here : most;
	}
	return most;
}

int steps_count(struct steps *steps, const struct tree_store *store,
		const struct classify_item *items, const struct classify_root *root,
		enum packet_class class, uint32_t number)
{
	uint64_t sum = 0;
	int error = leaves_room(steps, store);

	if (error)
		return error;
	for (uint32_t tree = 0; tree < root->trees; tree++)
		sum += tree_steps(steps, store, items, root, tree, class);
	if (sum > CLASSIFY_STEPS_MAX)
		return -E2BIG;
	steps->most[number][class] = (uint32_t)sum;
	return 0;
}
