/* SPDX-License-Identifier: GPL-2.0-only */
#include "cut.h"

#include <string.h>

#include "../common/array.h"

/*
 * Costs in tenths of a nanosecond, from measurements of the walk: a level is one dependent load of
 * a node and one of a key word, a candidate is a handful of compares.
 */
enum {
	COST_LEVEL = 45,
	COST_LEAF = 10,
	COST_CANDIDATE = 16,
	COST_BIT = 22,		/* halving a long list further down */
	COST_COPY = 6,		/* a list that is twice as long in sum */
	COST_CHILD = 6,		/* one node for each item */
	COST_PROGRESS = 8,	/* what a cut must win on a long list, about a third of a bit */
	SPLIT_ITEMS_MAX = 4096, /* above, equal cuts only: they cost one pass each */
	SPLIT_POINTS = 8,
	POINT_SAMPLES = 64,
	CUT_BITS_MAX = 18,
};

static unsigned bit_length(uint64_t value)
{
	return value ? 64 - (unsigned)__builtin_clzll(value) : 0;
}

/* 16 * log2, rounded down between powers of two to the linear value. */
static uint64_t log2_16(uint64_t value)
{
	unsigned bits = bit_length(value) - 1;

	return bits * 16 + ((value << 4 >> bits) & 15);
}

static uint64_t leaf_cost(uint64_t count)
{
	return COST_LEAF + COST_CANDIDATE * count;
}

/* What a list of this length will cost, however it is divided further. */
static uint64_t list_cost(uint64_t count)
{
	uint64_t leaf = leaf_cost(count), deep;

	if (count <= 4)
		return leaf;
	deep = COST_LEVEL + leaf_cost(2) + COST_BIT * (log2_16(count) - 32) / 16;
	return leaf < deep ? leaf : deep;
}

struct cut_share cut_share(const struct cut *cut, const struct region *region, struct range range)
{
	struct range whole = region->ranges[cut->dim];
	uint64_t end = cut->low + ((uint64_t)cut->last << cut->shift);
	struct cut_share share = { 0 };

	if (range.min < whole.min)
		range.min = whole.min;
	if (range.max > whole.max)
		range.max = whole.max;
	if (cut->kind == CUT_SPLIT) {
		share.from = range.max >= cut->low ? 0 : 1;
		share.to = range.min < cut->low ? 1 : 0;
		return share;
	}
	if (cut->kind == CUT_WINDOW) {
		share.outside = range.min < cut->low || range.max >= end;
		share.from = 1;
		if (range.max < cut->low || range.min >= end)
			return share;
		range.min = range.min < cut->low ? cut->low : range.min;
		range.max = range.max >= end ? end - 1 : range.max;
	}
	share.from = (range.min - cut->low) >> cut->shift;
	share.to = (range.max - cut->low) >> cut->shift;
	return share;
}

struct range cut_child_range(const struct cut *cut, const struct region *region, uint32_t child)
{
	struct range whole = region->ranges[cut->dim], part;
	uint64_t end;

	if (cut->kind == CUT_SPLIT) {
		if (child == 0)
			return (struct range){ cut->low, whole.max };
		return (struct range){ whole.min, cut->low - 1 };
	}
	if (cut->kind == CUT_WINDOW && child == cut->last)
		return whole;
	part.min = cut->low + ((uint64_t)child << cut->shift);
	end = cut->low + ((uint64_t)(child + 1) << cut->shift) - 1;
	part.max = end > whole.max ? whole.max : end;
	part.min = part.min < whole.min ? whole.min : part.min;
	return part;
}

struct choice {
	const struct tree_input *input;
	const struct region *region;
	const uint32_t *items;
	uint32_t count;
	struct cut_scratch *scratch;
	struct cut best;
	uint64_t best_cost;
};

static struct range item_range(const struct choice *choice, unsigned dim, uint32_t i)
{
	const struct tree_input *input = choice->input;

	return input->ranges[(size_t)choice->items[i] * input->dims + dim];
}

static void offer(struct choice *choice, const struct cut *cut, uint64_t cost)
{
	if (cost >= choice->best_cost)
		return;
	choice->best = *cut;
	choice->best_cost = cost;
}

/* Packets are thought to hit rules evenly: a child counts as often as it has items. */
static uint64_t cut_cost(const struct choice *choice, uint64_t weighted, uint64_t sum,
			 uint64_t children)
{
	uint64_t copies = sum > choice->count ? sum - choice->count : 0;

	return COST_LEVEL + weighted / (sum ? sum : 1) + COST_COPY * copies / choice->count +
	       COST_CHILD * children / choice->count;
}

static int try_multiway(struct choice *choice, const struct cut *cut)
{
	struct cut_scratch *scratch = choice->scratch;
	size_t children = (size_t)cut->last + 1;
	uint64_t weighted = 0, sum = 0;
	uint32_t running = 0, outside = 0;
	uint32_t *counts;

	if (array_room(&scratch->counts, &scratch->room, children + 1, sizeof(*counts)))
		return -ENOMEM;
	counts = scratch->counts;
	memset(counts, 0, (children + 1) * sizeof(*counts));
	for (uint32_t i = 0; i < choice->count; i++) {
		struct cut_share share =
			cut_share(cut, choice->region, item_range(choice, cut->dim, i));

		outside += share.outside;
		if (share.from > share.to)
			continue;
		counts[share.from]++;
		counts[share.to + 1]--;
	}
	for (size_t c = 0; c < children; c++) {
		uint32_t here;

		running += counts[c];
		here = cut->kind == CUT_WINDOW && c == cut->last ? outside : running;
		sum += here;
		weighted += here * list_cost(here);
	}
	offer(choice, cut, cut_cost(choice, weighted, sum, children));
	return 0;
}

static void try_split(struct choice *choice, unsigned dim, uint32_t low)
{
	struct cut cut = { .kind = CUT_SPLIT, .dim = dim, .low = low, .last = 1,
			   .shift = CLASSIFY_SPLIT };
	uint64_t counts[2] = { 0 };

	for (uint32_t i = 0; i < choice->count; i++) {
		struct range range = item_range(choice, dim, i);

		counts[0] += range.max >= low;
		counts[1] += range.min < low;
	}
	offer(choice, &cut,
	      cut_cost(choice, counts[0] * list_cost(counts[0]) + counts[1] * list_cost(counts[1]),
		       counts[0] + counts[1], 2));
}

/* Where the items' ranges begin and end inside the region. */
struct points {
	uint32_t first; /* the lowest; > last: there is none */
	uint32_t last;
	uint32_t samples[POINT_SAMPLES];
	uint32_t sample_count;
};

static void point_add(struct points *points, uint32_t point, bool sample)
{
	points->first = point < points->first ? point : points->first;
	points->last = point > points->last ? point : points->last;
	if (sample && points->sample_count < POINT_SAMPLES)
		points->samples[points->sample_count++] = point;
}

static void points_collect(const struct choice *choice, unsigned dim, struct points *points)
{
	struct range whole = choice->region->ranges[dim];
	uint32_t stride = 1 + choice->count / (POINT_SAMPLES / 2);

	*points = (struct points){ .first = UINT32_MAX };
	for (uint32_t i = 0; i < choice->count; i++) {
		struct range range = item_range(choice, dim, i);

		if (range.min > whole.min)
			point_add(points, range.min, i % stride == 0);
		if (range.max < whole.max)
			point_add(points, range.max + 1, i % stride == 0);
	}
}

static int compare_points(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return (left > right) - (left < right);
}

static void try_splits(struct choice *choice, unsigned dim, struct points *points)
{
	uint32_t step, last = 0;

	qsort(points->samples, points->sample_count, sizeof(points->samples[0]), compare_points);
	step = 1 + points->sample_count / SPLIT_POINTS;
	for (uint32_t i = step / 2; i < points->sample_count; i += step) {
		if (points->samples[i] == last)
			continue;
		last = points->samples[i];
		try_split(choice, dim, last);
	}
}

/* Equal parts of 2^shift, aligned to it, so that prefixes fall into whole parts. */
static int try_parts(struct choice *choice, unsigned dim, const struct points *points,
		     unsigned bits)
{
	struct range whole = choice->region->ranges[dim];
	uint64_t size = (uint64_t)whole.max - whole.min + 1;
	uint64_t window = (uint64_t)points->last - points->first;
	struct cut cut = { .kind = CUT_EVEN, .dim = dim };
	unsigned length;

	if (window < size / 2)
		cut.kind = CUT_WINDOW;
	length = bit_length((cut.kind == CUT_WINDOW ? window : size) - 1);
	if (cut.kind == CUT_WINDOW && window <= 1)
		return 0;
	cut.shift = length > bits ? length - bits : 0;
	if (cut.kind == CUT_WINDOW) {
		cut.low = points->first >> cut.shift << cut.shift;
		cut.last = ((uint64_t)points->last - cut.low + ((1ULL << cut.shift) - 1)) >>
			   cut.shift;
	} else {
		cut.low = whole.min >> cut.shift << cut.shift;
		cut.last = (whole.max - cut.low) >> cut.shift;
	}
	return cut.last ? try_multiway(choice, &cut) : 0;
}

static int try_dimension(struct choice *choice, unsigned dim)
{
	unsigned most = bit_length(choice->count) + 1;
	struct points points;
	int error = 0;

	points_collect(choice, dim, &points);
	if (points.first > points.last)
		return 0;
	if (choice->count <= SPLIT_ITEMS_MAX)
		try_splits(choice, dim, &points);
	if (most > CUT_BITS_MAX)
		most = CUT_BITS_MAX;
	for (unsigned bits = most; bits >= 2 && !error; bits -= bits > 3 ? 2 : 1)
		error = try_parts(choice, dim, &points, bits);
	return error;
}

/* A cut has to beat the leaf, and to get a long list forward: else levels only multiply it. */
static uint64_t cost_limit(uint64_t count)
{
	uint64_t leaf = leaf_cost(count), deep = list_cost(count) + COST_LEVEL - COST_PROGRESS;

	return leaf < deep ? leaf : deep;
}

int cut_choose(const struct tree_input *input, const struct region *region, const uint32_t *items,
	       uint32_t count, struct cut_scratch *scratch, struct cut *cut)
{
	struct choice choice = { .input = input, .region = region, .items = items, .count = count,
				 .scratch = scratch, .best_cost = cost_limit(count) };

	if (count > 2) {
		for (unsigned dim = 0; dim < input->dims; dim++) {
			int error = region->settled >> dim & 1 ? 0 : try_dimension(&choice, dim);

			if (error)
				return error;
		}
	}
	*cut = choice.best;
	return 0;
}
