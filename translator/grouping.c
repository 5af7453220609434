/* SPDX-License-Identifier: GPL-2.0-only */
#include "grouping.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NARROW_SPAN 0xffffu /* an address word is narrow from a /16 on */

/* The group of an item that is (not) narrow in source and destination. */
struct scheme {
	uint8_t groups;
	uint8_t group[2][2]; /* [source is narrow][destination is narrow] */
	uint32_t bytes_per_item;
};

/*
 * Tried in order; the first whose trees fit is taken, the last always does. More trees cost more to
 * walk, more bytes more cache misses.
 */
static const struct scheme schemes[] = {
	{ .groups = 1, .group = { { 0, 0 }, { 0, 0 } }, .bytes_per_item = 128 },
	{ .groups = 2, .group = { { 1, 1 }, { 0, 0 } }, .bytes_per_item = 256 },
	{ .groups = 2, .group = { { 1, 0 }, { 1, 0 } }, .bytes_per_item = 256 },
	{ .groups = 3, .group = { { 2, 1 }, { 0, 0 } }, .bytes_per_item = 1024 },
};

#define SCHEMES	    (sizeof(schemes) / sizeof(schemes[0]))
#define BYTES_FIRST 65536 /* any table may take as much */

int tree_input_room(struct tree_input *input, uint32_t count)
{
	size_t room = count ? count : 1;

	input->index = calloc(room, sizeof(*input->index));
	input->skip = calloc(room, sizeof(*input->skip));
	input->ends = calloc(room, sizeof(*input->ends));
	input->ranges = calloc(room * (input->dims ? input->dims : 1), sizeof(*input->ranges));
	return input->index && input->skip && input->ends && input->ranges ? 0 : -ENOMEM;
}

void tree_input_free(struct tree_input *input)
{
	free(input->index);
	free(input->skip);
	free(input->ends);
	free(input->ranges);
	*input = (struct tree_input){ 0 };
}

static bool is_narrow(const struct tree_input *input, uint32_t item, uint8_t word)
{
	for (unsigned d = 0; d < input->dims; d++) {
		struct range range = input->ranges[(size_t)item * input->dims + d];

		if (input->words[d] == word)
			return range.max - range.min <= NARROW_SPAN;
	}
	return false;
}

static uint8_t item_group(const struct scheme *scheme, const struct tree_input *input,
			  uint32_t item)
{
	return scheme->group[is_narrow(input, item, KEY_SOURCE)]
			    [is_narrow(input, item, KEY_DESTINATION)];
}

/*
 * One group's items. An item that others skip over from another tree does not end its own list:
 * the scan may come in behind it.
 */
static int group_input(const struct scheme *scheme, uint8_t group, const struct tree_input *all,
		       struct tree_input *part)
{
	uint32_t passed = 0;

	part->dims = all->dims;
	memcpy(part->words, all->words, sizeof(part->words));
	if (tree_input_room(part, all->count))
		return -ENOMEM;
	for (uint32_t i = 0; i < all->count; i++) {
		uint32_t at = part->count;

		if (item_group(scheme, all, i) != group) {
			passed = all->skip[i] > passed ? all->skip[i] : passed;
			continue;
		}
		part->index[at] = all->index[i];
		part->skip[at] = all->skip[i];
		part->ends[at] = all->ends[i] && all->index[i] >= passed;
		memcpy(&part->ranges[(size_t)at * all->dims], &all->ranges[(size_t)i * all->dims],
		       all->dims * sizeof(struct range));
		part->count++;
	}
	return 0;
}

static int scheme_build(struct tree_store *store, const struct scheme *scheme,
			enum tree_limit limit, const struct tree_input *input, unsigned percent,
			struct classify_root *root)
{
	size_t bytes =
		(BYTES_FIRST + (size_t)input->count * scheme->bytes_per_item) * percent / 100;

	for (uint8_t group = 0; group < scheme->groups; group++) {
		struct tree_input part = { 0 };
		int error = group_input(scheme, group, input, &part);

		if (!error && part.count)
			error = tree_build(store, &part, bytes, limit, &root->node[root->trees++]);
		tree_input_free(&part);
		if (error)
			return error;
	}
	return 0;
}

int grouping_build(struct tree_store *store, const struct tree_input *input, unsigned percent,
		   struct classify_root *root)
{
	int error = 0;

	for (size_t i = 0; i < SCHEMES; i++) {
		enum tree_limit limit = i + 1 < SCHEMES ? TREE_FAIL : TREE_STOP;
		struct classify_root tried = { 0 };
		uint32_t nodes = store->node_count, lists = store->lists.count,
			 depth = store->depth;

		error = scheme_build(store, &schemes[i], limit, input, percent, &tried);
		if (!error) {
			*root = tried;
			return 0;
		}
		store->node_count = nodes;
		store->lists.count = lists;
		store->depth = depth;
		if (error != -E2BIG)
			break;
	}
	return error;
}
