/* SPDX-License-Identifier: GPL-2.0-only */
#include "tree.h"

#include <stddef.h>
#include <string.h>

#include "../common/array.h"

/* Where a word lies in struct packet, as struct classify_node says it. */
static const struct word {
	uint8_t eighth;
	uint8_t left;
	uint8_t right;
} words[KEY_WORDS] = {
#define OFFSET(field) offsetof(struct packet, field)
#define WORD(field, i)                                                        \
	{                                                                     \
		OFFSET(field) / 8 + (i) / 2, CLASSIFY_SWAP | (i) % 2 * 32, 32 \
	}
#define NUMBER(field, bits)                                                         \
	{                                                                           \
		OFFSET(field) / 8, 64 - OFFSET(field) % 8 * 8 - (bits), 64 - (bits) \
	}
	[KEY_SOURCE] = WORD(source, 0),
	[KEY_DESTINATION] = WORD(destination, 0),
	[KEY_SOURCE_PORT] = NUMBER(source_port, 16),
	[KEY_DESTINATION_PORT] = NUMBER(destination_port, 16),
	[KEY_PROTOCOL] = NUMBER(protocol, 8),
	[KEY_TRANSPORT] = NUMBER(transport, 8),
	[KEY_ICMP] = NUMBER(icmp, 16),
	[KEY_IN_NAME] = WORD(in_name, 0),
	[KEY_OUT_NAME] = WORD(out_name, 0),
	[KEY_IN_NAME_REST] = WORD(in_name, 1),
	[KEY_OUT_NAME_REST] = WORD(out_name, 1),
	[KEY_MAC] = WORD(mac, 0),
	[KEY_MAC_REST] = { OFFSET(mac) / 8, CLASSIFY_SWAP | 32, 48 },
	[KEY_SOURCE_REST] = WORD(source, 1),
	[KEY_SOURCE_REST + 1] = WORD(source, 2),
	[KEY_SOURCE_REST + 2] = WORD(source, 3),
	[KEY_DESTINATION_REST] = WORD(destination, 1),
	[KEY_DESTINATION_REST + 1] = WORD(destination, 2),
	[KEY_DESTINATION_REST + 2] = WORD(destination, 3),
};

/* A node that is still to be divided. */
struct task {
	size_t first; /* of its items in the level's pool */
	uint32_t count;
	uint64_t hash;
	struct region region; /* of more than CUT_LEAF_ITEMS items; else all is settled */
};

/* Nodes at one depth. */
struct level {
	struct task *tasks;
	uint32_t task_count;
	size_t task_room;
	uint32_t *pool; /* positions in the input */
	size_t pool_used;
	size_t pool_room;
	uint32_t *table; /* task's number + 1, by hash; 0: free */
	size_t table_size;
};

struct building {
	struct tree_store *store;
	const struct tree_input *input;
	size_t bytes; /* limit */
	enum tree_limit limit;
	bool stopped;
	uint32_t first_node; /* of this tree */
	uint32_t *node_task; /* which task a node is made by */
	size_t node_task_room;
	struct classify_node *made; /* by task, over all levels */
	uint32_t made_count;
	size_t made_room;
	uint32_t level_task; /* number over all levels of the next level's first task */
	struct level now, next;
	struct cut_scratch scratch;
	size_t *starts; /* where each child's items begin */
	size_t starts_room;
	uint32_t *shares; /* the children's items */
	size_t shares_room;
};

static int make_leaf(struct building *b, const struct task *task, struct classify_node *node)
{
	const uint32_t *items = b->now.pool + task->first;
	uint32_t count = 0;

	if (array_room(&b->shares, &b->shares_room, task->count + (size_t)1, sizeof(*b->shares)))
		return -ENOMEM;
	for (uint32_t i = 0; i < task->count; i++) {
		uint32_t index = b->input->index[items[i]];

		if (!count || b->shares[count - 1] != index) /* another box of the same item */
			b->shares[count++] = index;
	}
	b->shares[count++] = CLASSIFY_NO_RULE;
	*node = (struct classify_node){ .eighth = CLASSIFY_LEAF };
	return word_lists_add(&b->store->lists, b->shares, count, &node->base);
}

/* --- tasks --- */

static const struct range *item_ranges(const struct building *b, uint32_t item)
{
	return &b->input->ranges[(size_t)item * b->input->dims];
}

static bool covers(struct range outer, struct range inner)
{
	return outer.min <= inner.min && outer.max >= inner.max;
}

static bool covers_region(const struct building *b, uint32_t item, const struct region *region)
{
	const struct range *ranges = item_ranges(b, item);

	for (unsigned d = 0; d < b->input->dims; d++)
		if (!covers(ranges[d], region->ranges[d]))
			return false;
	return true;
}

/*
 * Items behind one that always ends the scan are never looked at, unless one before it may pass
 * it over.
 */
static uint32_t reachable(const struct building *b, const uint32_t *items, uint32_t count,
			  const struct region *region)
{
	uint32_t passed = 0; /* items' numbers below may be passed over */

	if (count <= 1)
		return count;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t item = items[i];

		if (b->input->ends[item] && b->input->index[item] >= passed &&
		    covers_region(b, item, region))
			return i + 1;
		if (b->input->skip[item] > passed)
			passed = b->input->skip[item];
	}
	return count;
}

/* Where all items cover the whole region, it does not matter which region it is; nor for a leaf. */
static void settle(const struct building *b, const uint32_t *items, uint32_t count,
		   struct region *region)
{
	uint64_t all = (1ULL << b->input->dims) - 1, open = ~region->settled & all;

	if (count <= CUT_LEAF_ITEMS) {
		region->settled = all;
		return;
	}
	for (unsigned d = 0; d < b->input->dims; d++) {
		uint32_t i = 0;

		if (!(open >> d & 1))
			continue;
		while (i < count && covers(item_ranges(b, items[i])[d], region->ranges[d]))
			i++;
		if (i == count)
			region->settled |= 1ULL << d;
	}
}

static uint64_t task_hash(const struct building *b, const uint32_t *items, uint32_t count,
			  const struct region *region)
{
	uint64_t hash = words_hash(region->settled + count, items, count);

	for (unsigned d = 0; d < b->input->dims; d++)
		if (!(region->settled >> d & 1))
			hash = words_hash(hash, &region->ranges[d].min, 2);
	return hash;
}

static bool task_is(const struct building *b, const struct task *task, uint64_t hash,
		    const uint32_t *items, uint32_t count, const struct region *region)
{
	if (task->hash != hash || task->count != count || task->region.settled != region->settled)
		return false;
	for (unsigned d = 0; d < b->input->dims; d++)
		if (!(region->settled >> d & 1) &&
		    memcmp(&task->region.ranges[d], &region->ranges[d], sizeof(struct range)) != 0)
			return false;
	return !count || memcmp(b->next.pool + task->first, items, count * sizeof(*items)) == 0;
}

static int task_table_grow(struct level *level)
{
	size_t size = level->table_size ? level->table_size * 2 : 256;
	uint32_t *table = calloc(size, sizeof(*table));

	if (!table)
		return -ENOMEM;
	for (uint32_t i = 0; i < level->task_count; i++) {
		size_t at = level->tasks[i].hash & (size - 1);

		while (table[at])
			at = (at + 1) & (size - 1);
		table[at] = i + 1;
	}
	free(level->table);
	level->table = table;
	level->table_size = size;
	return 0;
}

static int task_add(struct level *level, const uint32_t *items, uint32_t count, uint64_t hash,
		    const struct region *region)
{
	struct task *task;

	if (array_room(&level->pool, &level->pool_room, level->pool_used + count, sizeof(*items)) ||
	    array_room(&level->tasks, &level->task_room, level->task_count + (size_t)1,
		       sizeof(*level->tasks)))
		return -ENOMEM;
	if (count)
		memcpy(level->pool + level->pool_used, items, count * sizeof(*items));
	task = &level->tasks[level->task_count++];
	task->first = level->pool_used;
	task->count = count;
	task->hash = hash;
	if (count > CUT_LEAF_ITEMS) /* most tasks are leaves, and a region is large */
		task->region = *region;
	else
		task->region.settled = region->settled;
	level->pool_used += count;
	return 0;
}

/* The task for these items in this region, which may be there already. */
static int task_intern(struct building *b, const uint32_t *items, uint32_t count,
		       struct region *region, uint32_t *number)
{
	struct level *level = &b->next;
	uint64_t hash;
	size_t at;

	count = reachable(b, items, count, region);
	settle(b, items, count, region);
	hash = task_hash(b, items, count, region);
	if (level->task_count * (size_t)2 >= level->table_size && task_table_grow(level))
		return -ENOMEM;
	for (at = hash & (level->table_size - 1); level->table[at];
	     at = (at + 1) & (level->table_size - 1)) {
		uint32_t task = level->table[at] - 1;

		if (task_is(b, &level->tasks[task], hash, items, count, region)) {
			*number = b->level_task + task;
			return 0;
		}
	}
	if (task_add(level, items, count, hash, region))
		return -ENOMEM;
	level->table[at] = level->task_count;
	*number = b->level_task + level->task_count - 1;
	return 0;
}

/* --- nodes --- */

static int nodes_add(struct building *b, uint32_t count, uint32_t *first)
{
	struct tree_store *store = b->store;
	size_t nodes = (size_t)store->node_count + count;

	if (nodes > UINT32_MAX ||
	    array_room(&store->nodes, &store->node_room, nodes, sizeof(*store->nodes)) ||
	    array_room(&b->node_task, &b->node_task_room, nodes - b->first_node,
		       sizeof(*b->node_task)))
		return -ENOMEM;
	*first = store->node_count;
	store->node_count += count;
	return 0;
}

/* Sort a task's items into lists of its children, in order. */
static int distribute(struct building *b, const struct task *task, const struct cut *cut)
{
	const uint32_t *items = b->now.pool + task->first;
	size_t children = (size_t)cut->last + 1, sum = 0;

	if (array_room(&b->starts, &b->starts_room, children + 2, sizeof(*b->starts)))
		return -ENOMEM;
	memset(b->starts, 0, (children + 2) * sizeof(*b->starts));
	for (int pass = 0; pass < 2; pass++) {
		for (uint32_t i = 0; i < task->count; i++) {
			struct cut_share share =
				cut_share(cut, &task->region, item_ranges(b, items[i])[cut->dim]);

			for (uint32_t c = share.from; c <= share.to && share.from <= share.to; c++)
				if (pass == 0)
					b->starts[c + 2]++;
				else
					b->shares[b->starts[c + 1]++] = items[i];
			if (!share.outside)
				continue;
			if (pass == 0)
				b->starts[cut->last + 2]++;
			else
				b->shares[b->starts[cut->last + 1]++] = items[i];
		}
		if (pass == 1)
			break;
		for (size_t c = 2; c < children + 2; c++) {
			sum += b->starts[c];
			b->starts[c] = sum;
		}
		if (array_room(&b->shares, &b->shares_room, sum, sizeof(*b->shares)))
			return -ENOMEM;
	}
	return 0;
}

static int make_inner(struct building *b, const struct task *task, const struct cut *cut,
		      struct classify_node *node)
{
	const struct word *word = &words[b->input->words[cut->dim]];
	struct region region = task->region;
	uint32_t first;
	int error = distribute(b, task, cut);

	if (!error)
		error = nodes_add(b, cut->last + 1, &first);
	if (error)
		return error;
	*node = (struct classify_node){ .low = cut->low,
					.base = first,
					.last = cut->last,
					.eighth = word->eighth,
					.left = word->left,
					.right = word->right,
					.shift = cut->shift };
	for (uint32_t c = 0; c <= cut->last; c++) {
		region.settled = task->region.settled;
		region.ranges[cut->dim] = cut_child_range(cut, &task->region, c);
		error = task_intern(b, b->shares + b->starts[c], b->starts[c + 1] - b->starts[c],
				    &region, &b->node_task[first + c - b->first_node]);
		if (error)
			return error;
	}
	return 0;
}

static size_t bytes_used(const struct building *b, uint32_t nodes, uint32_t lists)
{
	return (b->store->node_count - nodes) * sizeof(struct classify_node) +
	       (b->store->lists.count - lists + b->next.pool_used) * sizeof(uint32_t);
}

/* One task becomes a leaf, or a node with tasks on the next level. */
static int make_node(struct building *b, const struct task *task, bool last_level,
		     struct classify_node *node)
{
	struct cut cut = { .kind = CUT_NONE };
	int error = 0;

	if (!last_level && !b->stopped)
		error = cut_choose(b->input, &task->region, b->now.pool + task->first, task->count,
				   &b->scratch, &cut);
	if (error)
		return error;
	return cut.kind == CUT_NONE ? make_leaf(b, task, node) : make_inner(b, task, &cut, node);
}

static void level_swap(struct building *b)
{
	struct level done = b->now;

	b->now = b->next;
	done.task_count = 0;
	done.pool_used = 0;
	if (done.table)
		memset(done.table, 0, done.table_size * sizeof(*done.table));
	b->next = done;
}

static int build_levels(struct building *b, uint32_t lists)
{
	for (unsigned depth = 1; b->next.task_count; depth++) {
		level_swap(b);
		b->level_task += b->now.task_count;
		if (array_room(&b->made, &b->made_room, b->made_count + (size_t)b->now.task_count,
			       sizeof(*b->made)))
			return -ENOMEM;
		for (uint32_t i = 0; i < b->now.task_count; i++) {
			int error = make_node(b, &b->now.tasks[i], depth == CLASSIFY_DEPTH,
					      &b->made[b->made_count]);

			if (error)
				return error;
			b->made_count++;
			if (bytes_used(b, b->first_node, lists) <= b->bytes)
				continue;
			if (b->limit == TREE_FAIL)
				return -E2BIG;
			b->stopped = true;
		}
		if (depth > b->store->depth)
			b->store->depth = depth;
	}
	return 0;
}

static struct range word_range(uint8_t word)
{
	if (word == KEY_TRANSPORT)
		return (struct range){ 0, TRANSPORT_FRAGMENT_ONE };
	return (struct range){ 0, UINT32_MAX >> (words[word].right & 31) };
}

static int build_root(struct building *b, uint32_t *root)
{
	const struct tree_input *input = b->input;
	struct region region = { 0 };
	int error;

	for (unsigned d = 0; d < input->dims; d++)
		region.ranges[d] = word_range(input->words[d]);
	if (array_room(&b->shares, &b->shares_room, input->count, sizeof(*b->shares)))
		return -ENOMEM;
	for (uint32_t i = 0; i < input->count; i++)
		b->shares[i] = i;
	error = nodes_add(b, 1, root);
	return error ? error : task_intern(b, b->shares, input->count, &region, &b->node_task[0]);
}

static void level_free(struct level *level)
{
	free(level->tasks);
	free(level->pool);
	free(level->table);
}

int tree_build(struct tree_store *store, const struct tree_input *input, size_t bytes,
	       enum tree_limit limit, uint32_t *root)
{
	struct building b = { .store = store,
			      .input = input,
			      .bytes = bytes,
			      .limit = limit,
			      .first_node = store->node_count };
	uint32_t lists = store->lists.count, first = 0;
	int error = build_root(&b, &first);

	if (!error)
		error = build_levels(&b, lists);
	if (!error) {
		for (uint32_t i = b.first_node; i < store->node_count; i++)
			store->nodes[i] = b.made[b.node_task[i - b.first_node]];
		*root = first;
	} else {
		store->node_count = b.first_node;
		store->lists.count = lists;
	}
	level_free(&b.now);
	level_free(&b.next);
	free(b.made);
	free(b.node_task);
	free(b.scratch.counts);
	free(b.scratch.ranges);
	free(b.starts);
	free(b.shares);
	return error;
}

void tree_store_free(struct tree_store *store)
{
	free(store->nodes);
	word_lists_free(&store->lists);
	*store = (struct tree_store){ 0 };
}
