/* SPDX-License-Identifier: GPL-2.0-only */
#include "classify.h"

#include <string.h>

#include "../common/array.h"
#include "grouping.h"
#include "steps.h"

struct table_build {
	const struct ir *ir;
	const struct call_plan *plan;
	const struct classify_options *options;
	struct message *message;
	struct classifier head;
	struct classify_root (*roots)[CLASS_COUNT]; /* by list */
	struct steps steps;
	struct tree_store store;
	struct classify_item *items;
	struct classify_wide *wides; /* IPv6 only; as many as items */
	uint32_t item_count;
	size_t item_room, wide_room;
	struct word_lists extras; /* EXTRA_WORDS words for each */
};

#define EXTRA_WORDS (sizeof(struct classify_extra) / sizeof(uint32_t))
_Static_assert(sizeof(struct classify_extra) % sizeof(uint32_t) == 0, "kept as words");

/* The key words that a predicate on a field may narrow. */
static const uint32_t field_words[FIELD_COUNT] = {
	[FIELD_SOURCE] = 1u << KEY_SOURCE | 7u << KEY_SOURCE_REST,
	[FIELD_DESTINATION] = 1u << KEY_DESTINATION | 7u << KEY_DESTINATION_REST,
	[FIELD_IN_NAME] = 1u << KEY_IN_NAME | 1u << KEY_IN_NAME_REST,
	[FIELD_OUT_NAME] = 1u << KEY_OUT_NAME | 1u << KEY_OUT_NAME_REST,
	[FIELD_PROTOCOL] = 1u << KEY_PROTOCOL,
	[FIELD_SOURCE_PORT] = 1u << KEY_SOURCE_PORT,
	[FIELD_DESTINATION_PORT] = 1u << KEY_DESTINATION_PORT,
	[FIELD_ICMP] = 1u << KEY_ICMP,
	[FIELD_MAC] = 1u << KEY_MAC | 1u << KEY_MAC_REST,
	[FIELD_TRANSPORT] = 1u << KEY_TRANSPORT,
};

static uint32_t table_words(const struct ir *ir)
{
	uint32_t words = 0;

	for (uint32_t i = 0; i < ir->rule_count; i++)
		for (uint32_t p = 0; p < ir->rules[i].predicate_count; p++)
			words |= field_words[ir->rules[i].predicates[p].field];
	if (ir->family == 4)
		words &= ~(7u << KEY_SOURCE_REST | 7u << KEY_DESTINATION_REST);
	return words;
}

static int input_open(struct tree_input *input, uint32_t words, size_t count)
{
	*input = (struct tree_input){ 0 };
	for (uint8_t word = 0; word < KEY_WORDS; word++)
		if (words >> word & 1)
			input->words[input->dims++] = word;
	return tree_input_room(input, count);
}

static bool box_is_empty(const struct box *box)
{
	for (unsigned i = 0; i < KEY_WORDS; i++)
		if (box->words[i].min > box->words[i].max)
			return true;
	return false;
}

static void input_add(struct tree_input *input, const struct box *box, uint32_t index,
		      const struct classify_item *item)
{
	uint32_t at = input->count;

	if (box_is_empty(box))
		return;
	input->index[at] = index;
	input->skip[at] = item->action == CLASSIFY_SKIP ? item->skip : 0;
	input->ends[at] =
		item->action != CLASSIFY_SKIP && item->action != CLASSIFY_CALL && box->exact;
	for (unsigned d = 0; d < input->dims; d++)
		input->ranges[(size_t)at * input->dims + d] = box->words[input->words[d]];
	input->count++;
}

static int item_store(struct table_build *build, struct condition *condition)
{
	bool wide = build->ir->family == 6;
	uint32_t extra = 0;

	if (array_room(&build->items, &build->item_room, build->item_count + (size_t)1,
		       sizeof(*build->items)) ||
	    (wide && array_room(&build->wides, &build->wide_room, build->item_count + (size_t)1,
				sizeof(*build->wides))) ||
	    word_lists_add(&build->extras, (const uint32_t *)condition->extras,
			   condition->extra_count * EXTRA_WORDS, &extra))
		return -ENOMEM;
	condition->item.extra = extra / EXTRA_WORDS;
	build->items[build->item_count] = condition->item;
	if (wide)
		build->wides[build->item_count] = condition->wide;
	build->item_count++;
	return 0;
}

struct chain_inputs {
	struct tree_input classes[CLASS_COUNT];
	bool can_hotdrop; /* the classes differ */
};

static int item_build(struct table_build *build, const struct item_list *list, uint32_t i,
		      uint32_t base, struct chain_inputs *inputs)
{
	static const uint8_t actions[] = { [ITEM_ACCEPT] = CLASSIFY_ACCEPT,
					   [ITEM_DROP] = CLASSIFY_DROP,
					   [ITEM_SKIP] = CLASSIFY_SKIP,
					   [ITEM_CALL] = CLASSIFY_CALL,
					   [ITEM_RETURN] = CLASSIFY_RETURN };
	const struct item *item = &list->items[i];
	struct condition condition;
	struct box box;
	int error = condition_build(build->ir, list, i, &condition);

	if (error)
		return message_set(build->message, error,
				   "rule %u has, with the jumps that lead to it, more than %d "
				   "conditions that are not plain addresses and ports",
				   item->rule, CLASSIFY_EXTRAS);
	condition.item.rule = rule_counted(build->ir, item->rule);
	condition.item.action = actions[item->action];
	condition.item.skip = item->action == ITEM_CALL ? item->skip : base + item->skip;
	error = item_store(build, &condition);
	if (error || condition.never)
		return error;
	inputs->can_hotdrop |= condition_can_hotdrop(&condition);
	build->head.headless_breaks |= condition_wants_header(&condition, build->ir->family);
	for (int class = 0; class < CLASS_COUNT; class ++) {
		uint32_t parts = box_parts(&condition, class);

		box_build(&condition, class, build->ir->family, &box);
		for (uint32_t part = 0; part < parts; part++) {
			struct box narrowed = box_part(&condition, class, &box, part);

			input_add(&inputs->classes[class], &narrowed, base + i, &condition.item);
		}
	}
	return 0;
}

static bool has_alternatives(const struct rule *rule)
{
	for (uint32_t i = 0; i < rule->predicate_count; i++)
		if (rule->predicates[i].or_next)
			return true;
	return false;
}

/* The most boxes that the items can make. */
static size_t boxes_max(const struct ir *ir, const struct item_list *list)
{
	size_t count = list->item_count;

	for (uint32_t i = 0; i < list->item_count; i++) {
		uint32_t rule = list->items[i].rule;
		bool several = rule != RULE_NONE && has_alternatives(&ir->rules[rule]);

		for (uint32_t guard = list->items[i].guard; guard != GUARD_NONE && !several;
		     guard = list->guards[guard].parent)
			several = has_alternatives(&ir->rules[list->guards[guard].rule]);
		if (several)
			count += BOX_PARTS_MAX - 1;
	}
	return count;
}

static int chain_items(struct table_build *build, const struct item_list *list,
		       struct chain_inputs *inputs)
{
	uint32_t words = table_words(build->ir), base = build->item_count;
	size_t boxes = boxes_max(build->ir, list);
	int error = 0;

	if ((uint64_t)base + list->item_count > CLASSIFY_ITEM_MAX)
		return message_set(build->message, -E2BIG, "the chains have more than %u rules",
				   CLASSIFY_ITEM_MAX);
	for (int class = 0; class < CLASS_COUNT && !error; class ++)
		error = input_open(&inputs->classes[class], words, boxes);
	for (uint32_t i = 0; i < list->item_count && !error; i++)
		error = item_build(build, list, i, base, inputs);
	return error;
}

/* The walk's stack has a word for each tree, in each call. */
static unsigned trees_max(const struct call_plan *plan)
{
	unsigned most = plan->depth ? CLASSIFY_CALL_WORDS / plan->depth : CLASSIFY_TREES;

	return most < CLASSIFY_TREES ? most : CLASSIFY_TREES;
}

/* What the walk does at most must be known before another list calls this one. */
static int list_steps(struct table_build *build, uint32_t number, enum packet_class class)
{
	int error;

	if (build->plan->list_count == CLASSIFY_CHAINS)
		return 0;
	error = steps_count(&build->steps, &build->store, build->items,
			    &build->roots[number][class], class, number);
	if (error == -E2BIG)
		message_set(build->message, error,
			    "a packet may have to be held against more than %u rules, in chains "
			    "that are jumped to from many places",
			    CLASSIFY_STEPS_MAX);
	return error;
}

static int list_trees(struct table_build *build, struct chain_inputs *inputs, uint32_t number)
{
	const struct grouping_limits limits = {
		.percent = build->options->memory_percent,
		.bytes_first = number < CLASSIFY_CHAINS ? GROUPING_FIRST : GROUPING_FIRST_CALLED,
		.trees = trees_max(build->plan),
	};
	struct classify_root *roots = build->roots[number];
	int error = grouping_build(&build->store, &inputs->classes[CLASS_SOUND], &limits,
				   GROUPING_FINE, &roots[CLASS_SOUND]);

	if (!error)
		error = list_steps(build, number, CLASS_SOUND);
	if (error)
		return error;
	roots[CLASS_BROKEN] = roots[CLASS_SOUND];
	if (inputs->can_hotdrop)
		error = grouping_build(&build->store, &inputs->classes[CLASS_BROKEN], &limits,
				       GROUPING_ROUGH, &roots[CLASS_BROKEN]);
	return error ? error : list_steps(build, number, CLASS_BROKEN);
}

static int list_build(struct table_build *build, uint32_t number)
{
	struct chain_inputs inputs = { 0 };
	struct item_list list;
	int error = flatten(build->ir, build->plan, number, &list, build->message);

	if (error)
		return error;
	error = chain_items(build, &list, &inputs);
	if (!error)
		error = list_trees(build, &inputs, number);
	for (int class = 0; class < CLASS_COUNT; class ++)
		tree_input_free(&inputs.classes[class]);
	item_list_free(&list);
	return error;
}

/* Lists that are called first: what they take is part of what calling them takes. */
static int lists_build(struct table_build *build)
{
	uint32_t count = build->plan->list_count;
	int error = steps_open(&build->steps, count);

	build->roots = calloc(count, sizeof(*build->roots));
	if (!build->roots)
		error = -ENOMEM;
	for (uint32_t number = CLASSIFY_CHAINS; number < count && !error; number++)
		error = list_build(build, number);
	for (uint32_t chain = 0; chain < CLASSIFY_CHAINS && !error; chain++)
		if (build->ir->hook_entry[HOOK_INPUT + chain] != RULE_NONE)
			error = list_build(build, chain);
	return error;
}

static void root_finish(struct classifier *head, struct classify_root *root, uint32_t empty)
{
	if (root->trees > head->trees)
		head->trees = root->trees;
	for (uint32_t t = root->trees; t < CLASSIFY_TREES; t++)
		root->node[t] = empty;
}

/* @empty: a leaf without items */
static void head_finish(struct table_build *build, uint32_t empty)
{
	struct classifier *head = &build->head;

	head->family = build->ir->family;
	head->wide = build->ir->family == 6;
	head->trees = 1;
	head->depth = build->store.depth;
	for (uint32_t list = 0; list < build->plan->list_count; list++)
		for (int class = 0; class < CLASS_COUNT; class ++)
			root_finish(head, &build->roots[list][class], empty);
}

static int data_lay_out(const struct table_build *build, struct classifier_image *image)
{
	const struct tree_store *store = &build->store;
	uint32_t lists = build->plan->list_count;
	const struct layout_part parts[LAYOUT_ARRAYS] = {
		[LAYOUT_ROOTS] = { build->roots, CLASSIFY_CHAINS * CLASS_COUNT },
		[LAYOUT_NODES] = { store->nodes, store->node_count },
		[LAYOUT_ITEMS] = { build->items, build->item_count },
		[LAYOUT_WIDES] = { build->wides, build->head.wide ? build->item_count : 0 },
		[LAYOUT_EXTRAS] = { build->extras.words, build->extras.count / EXTRA_WORDS },
		[LAYOUT_LISTS] = { store->lists.words, store->lists.count },
		[LAYOUT_CALLS] = { build->roots,
				   lists > CLASSIFY_CHAINS ? lists * CLASS_COUNT : 0 },
	};

	return layout_make(&build->head, parts, build->options->likes, image, build->message);
}

int classify_table(const struct ir *ir, const struct call_plan *plan,
		   const struct classify_options *options, struct classifier_image *image,
		   struct message *message)
{
	struct table_build build = {
		.ir = ir, .plan = plan, .options = options, .message = message
	};
	struct tree_input nothing = { 0 };
	uint32_t empty = 0;
	int error = tree_build(&build.store, &nothing, SIZE_MAX, TREE_STOP, &empty);

	if (!error)
		error = lists_build(&build);
	if (!error) {
		head_finish(&build, empty);
		error = data_lay_out(&build, image);
	}
	tree_store_free(&build.store);
	steps_free(&build.steps);
	free(build.roots);
	free(build.items);
	free(build.wides);
	word_lists_free(&build.extras);
	if (error == -ENOMEM)
		message_set(message, error, "classifying the table: out of memory");
	return error;
}
