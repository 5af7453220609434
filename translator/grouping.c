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

#define SCHEMES (sizeof(schemes) / sizeof(schemes[0]))

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

/* @bytes: for all items; a group's trees get its share. */
static int scheme_build(struct tree_store *store, const struct scheme *scheme,
			enum tree_limit limit, const struct tree_input *input, size_t bytes,
			struct classify_root *root)
{
	for (uint8_t group = 0; group < scheme->groups; group++) {
		struct tree_input part = { 0 };
		int error = group_input(scheme, group, input, &part);

		if (!error && part.count)
			error = tree_build(store, &part, bytes * part.count / input->count, limit,
					   &root->node[root->trees++]);
		tree_input_free(&part);
		if (error)
			return error;
	}
	return 0;
}

/* --- the choice ------------------------------------------------------------------------------ */

/* Tables with more items than twice this are tried out with about as many. */
#define SAMPLE_ITEMS 4096

/* Each @stride-th item. */
static int input_sample(const struct tree_input *all, uint32_t stride, struct tree_input *sample)
{
	*sample = (struct tree_input){ .dims = all->dims };
	memcpy(sample->words, all->words, sizeof(sample->words));
	if (tree_input_room(sample, all->count / stride + 1))
		return -ENOMEM;
	for (uint32_t i = 0; i < all->count; i += stride) {
		uint32_t at = sample->count++;

		sample->index[at] = all->index[i];
		sample->skip[at] = all->skip[i];
		sample->ends[at] = all->ends[i];
		memcpy(&sample->ranges[(size_t)at * all->dims], &all->ranges[(size_t)i * all->dims],
		       all->dims * sizeof(struct range));
	}
	return 0;
}

/* The next scheme from @scheme on that has few enough trees; SCHEMES: there is none. */
static size_t scheme_allowed(size_t scheme, const struct grouping_limits *limits)
{
	while (scheme < SCHEMES && schemes[scheme].groups > limits->trees)
		scheme++;
	return scheme;
}

static bool scheme_is_last(size_t scheme, const struct grouping_limits *limits)
{
	return scheme_allowed(scheme + 1, limits) >= SCHEMES;
}

/* What does not fit for a few of the items will not fit for all: they are copied more often. */
static int scheme_first(const struct tree_input *input, const struct grouping_limits *limits,
			size_t *first)
{
	uint32_t stride = input->count / SAMPLE_ITEMS;
	struct tree_input sample = { 0 };
	int error = -E2BIG;

	*first = 0;
	if (stride < 2)
		return 0;
	if (input_sample(input, stride, &sample)) {
		tree_input_free(&sample);
		return -ENOMEM;
	}
	for (size_t i = 0; !scheme_is_last(i, limits) && error == -E2BIG;
	     i = scheme_allowed(i + 1, limits)) {
		struct tree_store store = { 0 };
		struct classify_root root = { 0 };

		error = scheme_build(&store, &schemes[i], TREE_FAIL, &sample,
				     (size_t)sample.count * schemes[i].bytes_per_item *
					     limits->percent / 100,
				     &root);
		*first = error == -E2BIG ? scheme_allowed(i + 1, limits) : i;
		tree_store_free(&store);
	}
	tree_input_free(&sample);
	return error == -E2BIG ? 0 : error;
}

static size_t scheme_bytes(const struct tree_input *input, size_t scheme,
			   const struct grouping_limits *limits)
{
	return (limits->bytes_first + (size_t)input->count * schemes[scheme].bytes_per_item) *
	       limits->percent / 100;
}

/* The first scheme from @first on that fits; the last one always does. */
static int schemes_try(struct tree_store *store, const struct tree_input *input,
		       const struct grouping_limits *limits, size_t first,
		       struct classify_root *root)
{
	int error = -E2BIG;

	for (size_t i = first; i < SCHEMES && error == -E2BIG; i = scheme_allowed(i + 1, limits)) {
		enum tree_limit limit = scheme_is_last(i, limits) ? TREE_STOP : TREE_FAIL;
		uint32_t nodes = store->node_count, lists = store->lists.count,
			 depth = store->depth;

		*root = (struct classify_root){ 0 };
		error = scheme_build(store, &schemes[i], limit, input,
				     scheme_bytes(input, i, limits), root);
		if (!error)
			return 0;
		store->node_count = nodes;
		store->lists.count = lists;
		store->depth = depth;
	}
	return error;
}

/* Of the usual memory, what rough trees take. */
#define ROUGH_SHARE 4

int grouping_build(struct tree_store *store, const struct tree_input *input,
		   const struct grouping_limits *limits, enum grouping_care care,
		   struct classify_root *root)
{
	struct grouping_limits rough = *limits;
	size_t first;
	int error = scheme_first(input, limits, &first);

	if (error)
		return error;
	if (care == GROUPING_FINE)
		return schemes_try(store, input, limits, first, root);
	rough.percent /= ROUGH_SHARE;
	*root = (struct classify_root){ 0 };
	return scheme_build(store, &schemes[first], TREE_STOP, input,
			    scheme_bytes(input, first, &rough), root);
}
