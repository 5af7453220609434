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
	COST_BIT = 22,	       /* halving a long list further down */
	COST_COPY = 6,	       /* a list that is twice as long in sum */
	COST_CHILD = 6,	       /* one node for each item */
	COST_PROGRESS = 8,     /* what a cut must win on a long list, about a third of a bit */
	SPLIT_ITEMS_MAX = 512, /* above, equal cuts only: they cost one pass each */
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
static uint64_t list_cost_count(uint64_t count)
{
	uint64_t leaf = leaf_cost(count), deep;

	if (count <= 4)
		return leaf;
	deep = COST_LEVEL + leaf_cost(2) + COST_BIT * (log2_16(count) - 32) / 16;
	return leaf < deep ? leaf : deep;
}

/* The same, looked up where that is possible: it is asked for each part of each cut. */
static uint64_t list_cost(const struct cut_scratch *scratch, uint64_t count)
{
	return count < CUT_COSTS ? scratch->costs[count] : list_cost_count(count);
}

static void costs_fill(struct cut_scratch *scratch)
{
	if (scratch->costs[0])
		return;
	for (uint32_t count = 0; count < CUT_COSTS; count++)
		scratch->costs[count] = list_cost_count(count);
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

/* One dimension of the items, clipped to the region. */
struct view {
	unsigned dim;
	struct range whole;
	struct range *ranges; /* scratch; choice->count of them */
	uint32_t first;	      /* the lowest place where a range begins or ends inside the region */
	uint32_t last;	      /* the highest; below `first`: there is none */
	uint32_t open;	      /* ranges that reach an end of the region */
};

static void view_open(struct choice *choice, unsigned dim, struct view *view)
{
	const struct range *all = choice->input->ranges + dim;
	size_t stride = choice->input->dims;
	struct range whole = choice->region->ranges[dim];

	*view = (struct view){
		.dim = dim, .whole = whole, .ranges = choice->scratch->ranges, .first = UINT32_MAX
	};
	for (uint32_t i = 0; i < choice->count; i++) {
		struct range range = all[choice->items[i] * stride];

		range.min = range.min > whole.min ? range.min : whole.min;
		range.max = range.max < whole.max ? range.max : whole.max;
		view->ranges[i] = range;
		view->open += range.min == whole.min || range.max == whole.max;
		if (range.min > whole.min) {
			view->first = range.min < view->first ? range.min : view->first;
			view->last = range.min > view->last ? range.min : view->last;
		}
		if (range.max < whole.max) {
			view->first = range.max + 1 < view->first ? range.max + 1 : view->first;
			view->last = range.max + 1 > view->last ? range.max + 1 : view->last;
		}
	}
}

/* --- splits in two --- */

static void try_split(struct choice *choice, const struct view *view, uint32_t low)
{
	struct cut cut = {
		.kind = CUT_SPLIT, .dim = view->dim, .low = low, .last = 1, .shift = CLASSIFY_SPLIT
	};
	uint64_t above = 0, below = 0;

	for (uint32_t i = 0; i < choice->count; i++) {
		above += view->ranges[i].max >= low;
		below += view->ranges[i].min < low;
	}
	offer(choice, &cut,
	      cut_cost(choice,
		       above * list_cost(choice->scratch, above) +
			       below * list_cost(choice->scratch, below),
		       above + below, 2));
}

static void points_sort(uint32_t *points, uint32_t count)
{
	for (uint32_t i = 1; i < count; i++) {
		uint32_t point = points[i], at = i;

		for (; at && points[at - 1] > point; at--)
			points[at] = points[at - 1];
		points[at] = point;
	}
}

static void try_splits(struct choice *choice, const struct view *view)
{
	uint32_t samples[POINT_SAMPLES] = { 0 }, count = 0, step, tried = 0;
	uint32_t stride = 1 + choice->count / (POINT_SAMPLES / 2);

	for (uint32_t i = 0; i < choice->count && count + 2 <= POINT_SAMPLES; i += stride) {
		if (view->ranges[i].min > view->whole.min)
			samples[count++] = view->ranges[i].min;
		if (view->ranges[i].max < view->whole.max)
			samples[count++] = view->ranges[i].max + 1;
	}
	points_sort(samples, count);
	step = 1 + count / SPLIT_POINTS;
	for (uint32_t i = step / 2; i < count; i += step) {
		if (samples[i] == tried)
			continue;
		tried = samples[i];
		try_split(choice, view, tried);
	}
}

/* --- equal parts --- */

/*
 * Where ranges begin and end, counted in cells of the finest cut and summed up. Parts are aligned
 * to their size, so those of any coarser cut are made of whole cells.
 */
struct histogram {
	uint32_t *begun; /* ranges that begin in this cell or before */
	uint32_t *ended; /* ranges that end in this cell or before */
	int64_t cells;
	uint32_t low; /* where cell 0 begins */
	unsigned shift;
	enum cut_kind kind;
};

static int64_t cell_of(const struct histogram *h, uint32_t value)
{
	int64_t cell = value < h->low ? 0 : (value - h->low) >> h->shift;

	return cell < h->cells ? cell : h->cells - 1;
}

static int histogram_count(struct choice *choice, const struct view *view, struct histogram *h)
{
	struct cut_scratch *scratch = choice->scratch;

	if (array_room(&scratch->counts, &scratch->room, 2 * (size_t)h->cells,
		       sizeof(*scratch->counts)))
		return -ENOMEM;
	h->begun = scratch->counts;
	h->ended = h->begun + h->cells;
	memset(h->begun, 0, 2 * (size_t)h->cells * sizeof(*h->begun));
	for (uint32_t i = 0; i < choice->count; i++) {
		h->begun[cell_of(h, view->ranges[i].min)]++;
		h->ended[cell_of(h, view->ranges[i].max)]++;
	}
	for (int64_t c = 1; c < h->cells; c++) {
		h->begun[c] += h->begun[c - 1];
		h->ended[c] += h->ended[c - 1];
	}
	return 0;
}

/* Ranges that reach into the cells from..to. */
static uint32_t histogram_between(const struct histogram *h, int64_t from, int64_t to)
{
	to = to < h->cells ? to : h->cells - 1;
	if (to < 0 || from >= h->cells)
		return 0;
	return h->begun[to] - (from > 0 ? h->ended[from - 1] : 0);
}

static void try_parts(struct choice *choice, const struct view *view, const struct histogram *h,
		      unsigned coarser)
{
	unsigned shift = h->shift + coarser;
	uint32_t low = (uint32_t)((uint64_t)h->low >> shift << shift);
	int64_t ahead = (h->low - low) >> h->shift;
	struct cut cut = { .kind = h->kind, .dim = view->dim, .low = low, .shift = (uint8_t)shift };
	uint64_t weighted = 0, sum = 0;
	uint32_t parts;

	if (h->kind == CUT_WINDOW)
		cut.last = ((uint64_t)view->last - low + ((1ULL << shift) - 1)) >> shift;
	else
		cut.last = (view->whole.max - low) >> shift;
	if (cut.last == 0)
		return;
	parts = h->kind == CUT_WINDOW ? cut.last : cut.last + 1;
	for (int64_t p = 0; p < parts; p++) {
		uint64_t here = histogram_between(h, (p << coarser) - ahead,
						  ((p + 1) << coarser) - ahead - 1);

		sum += here;
		weighted += here * list_cost(choice->scratch, here);
	}
	if (h->kind == CUT_WINDOW) {
		sum += view->open;
		weighted += view->open * list_cost(choice->scratch, view->open);
	}
	offer(choice, &cut, cut_cost(choice, weighted, sum, cut.last + 1ULL));
}

static int try_multiway(struct choice *choice, const struct view *view)
{
	uint64_t size = (uint64_t)view->whole.max - view->whole.min + 1;
	uint64_t window = (uint64_t)view->last - view->first + 1;
	struct histogram h = { .kind = window < size / 2 ? CUT_WINDOW : CUT_EVEN };
	unsigned bits = bit_length(choice->count) + 1, length;
	int error;

	bits = bits < CUT_BITS_MAX ? bits : CUT_BITS_MAX;
	length = bit_length((h.kind == CUT_WINDOW ? window : size) - 1);
	h.shift = length > bits ? length - bits : 0;
	h.low = h.kind == CUT_WINDOW ? view->first : view->whole.min;
	h.low = h.low >> h.shift << h.shift;
	h.cells = (((h.kind == CUT_WINDOW ? view->last : view->whole.max) - h.low) >> h.shift) + 1;
	error = histogram_count(choice, view, &h);
	for (unsigned coarser = 0; !error && h.shift + coarser + 1 < length; coarser++)
		try_parts(choice, view, &h, coarser);
	return error;
}

static int try_dimension(struct choice *choice, unsigned dim)
{
	struct view view;

	view_open(choice, dim, &view);
	if (view.first > view.last)
		return 0;
	if (choice->count <= SPLIT_ITEMS_MAX)
		try_splits(choice, &view);
	return try_multiway(choice, &view);
}

/* A cut has to beat the leaf, and to get a long list forward: else levels only multiply it. */
static uint64_t cost_limit(uint64_t count)
{
	uint64_t leaf = leaf_cost(count),
		 deep = list_cost_count(count) + COST_LEVEL - COST_PROGRESS;

	return leaf < deep ? leaf : deep;
}

int cut_choose(const struct tree_input *input, const struct region *region, const uint32_t *items,
	       uint32_t count, struct cut_scratch *scratch, struct cut *cut)
{
	struct choice choice = { .input = input,
				 .region = region,
				 .items = items,
				 .count = count,
				 .scratch = scratch,
				 .best_cost = cost_limit(count) };

	costs_fill(scratch);
	if (array_room(&scratch->ranges, &scratch->range_room, count, sizeof(*scratch->ranges)))
		return -ENOMEM;
	if (count > CUT_LEAF_ITEMS) {
		for (unsigned dim = 0; dim < input->dims; dim++) {
			int error = region->settled >> dim & 1 ? 0 : try_dimension(&choice, dim);

			if (error)
				return error;
		}
	}
	*cut = choice.best;
	return 0;
}
