/* SPDX-License-Identifier: GPL-2.0-only */
#include "flatten.h"

#include "../common/array.h"

/*
 * A chain being expanded. The item where its RETURN goes on is not known before everything between
 * is expanded, so items carry a label until the end.
 */
struct frame {
	uint32_t next;	       /* rule to look at */
	uint32_t guard;	       /* what leads here */
	uint32_t return_label; /* where RETURN goes */
	uint32_t finish_label; /* label that stands where this expansion ends, or LABEL_NONE */
};

#define LABEL_NONE UINT32_MAX

struct flattening {
	const struct ir *ir;
	uint32_t underflow;
	struct item_list list;
	size_t item_room, guard_room;
	struct frame *frames;
	uint32_t frame_count;
	size_t frame_room;
	uint32_t *labels; /* position of each, once it is placed */
	uint32_t label_count;
	size_t label_room;
};

static int label_new(struct flattening *f, uint32_t *label)
{
	if (array_room(&f->labels, &f->label_room, f->label_count + (size_t)1, sizeof(*f->labels)))
		return -ENOMEM;
	*label = f->label_count++;
	return 0;
}

static int frame_push(struct flattening *f, const struct frame *frame)
{
	if (array_room(&f->frames, &f->frame_room, f->frame_count + (size_t)1, sizeof(*f->frames)))
		return -ENOMEM;
	f->frames[f->frame_count++] = *frame;
	return 0;
}

static int guard_new(struct flattening *f, uint32_t rule, uint32_t parent, uint32_t *guard)
{
	struct item_list *list = &f->list;

	if (f->ir->rules[rule].predicate_count == 0) {
		*guard = parent;
		return 0;
	}
	if (array_room(&list->guards, &f->guard_room, list->guard_count + (size_t)1,
		       sizeof(*list->guards)))
		return -ENOMEM;
	list->guards[list->guard_count] = (struct guard){ .rule = rule, .parent = parent };
	*guard = list->guard_count++;
	return 0;
}

static int item_new(struct flattening *f, const struct item *item)
{
	struct item_list *list = &f->list;

	if (list->item_count >= FLATTEN_MAX)
		return -E2BIG;
	if (array_room(&list->items, &f->item_room, list->item_count + (size_t)1, sizeof(*item)))
		return -ENOMEM;
	list->items[list->item_count++] = *item;
	return 0;
}

/* Does every packet that gets to this rule leave its chain here? */
static bool always_leaves(const struct rule *rule)
{
	return rule->predicate_count == 0 && rule->action != ACTION_CONTINUE &&
	       rule->action != ACTION_JUMP && rule->action != ACTION_EXECUTE;
}

static bool never_matches(const struct rule *rule)
{
	return rule->predicate_count > 0 && rule->predicates[0].field == FIELD_NEVER;
}

/*
 * A jump that asks a stateful match must ask it once: it is no guard of what it leads to. Its item,
 * the last one, skips into the chain instead, over another one that skips the chain.
 */
static int guard_by_skips(struct flattening *f, struct frame *inner)
{
	struct item past = { .rule = RULE_NONE, .guard = inner->guard, .action = ITEM_SKIP };
	uint32_t into;
	int error = label_new(f, &into);

	if (!error && inner->finish_label == LABEL_NONE)
		error = label_new(f, &inner->finish_label);
	if (error)
		return error;
	f->list.items[f->list.item_count - 1].skip = into;
	past.skip = inner->finish_label;
	error = item_new(f, &past);
	f->labels[into] = f->list.item_count;
	return error;
}

/* Start on the chain that the rule @index of @frame jumps to, whose item is the last one. */
static int enter(struct flattening *f, const struct frame *frame, uint32_t index)
{
	const struct rule *rule = &f->ir->rules[index];
	struct frame inner = { .next = rule->target,
			       .guard = frame->guard,
			       .return_label = frame->return_label,
			       .finish_label = LABEL_NONE };
	int error = 0;

	if (rule->action == ACTION_JUMP) {
		error = label_new(f, &inner.return_label);
		inner.finish_label = inner.return_label;
	}
	if (!error)
		error = rule_remembers(rule) ? guard_by_skips(f, &inner)
					     : guard_new(f, index, frame->guard, &inner.guard);
	return error ? error : frame_push(f, &inner);
}

/* One rule of the innermost chain; @label: where a skip goes, resolved at the end. */
static int expand_rule(struct flattening *f)
{
	struct frame *top = &f->frames[f->frame_count - 1];
	struct frame frame = *top; /* `top` moves when a frame is pushed */
	uint32_t index = frame.next;
	const struct rule *rule = &f->ir->rules[index];
	struct item item = {
		.rule = index, .guard = frame.guard, .action = ITEM_SKIP, .skip = LABEL_NONE
	};
	int error;

	if (rule->action == ACTION_ACCEPT)
		item.action = ITEM_ACCEPT;
	else if (rule->action == ACTION_DROP || rule->action == ACTION_EXECUTE_DROP)
		item.action = ITEM_DROP;
	else if (rule->action == ACTION_RETURN)
		item.skip = frame.return_label;
	if (rule->action != ACTION_NONE) {
		error = item_new(f, &item);
		if (error)
			return error;
	}

	if (always_leaves(rule)) {
		top->next = RULE_NONE;
		if (rule->action != ACTION_GOTO)
			return 0;
	} else {
		top->next = index + 1;
	}
	if (rule->action != ACTION_JUMP && rule->action != ACTION_GOTO)
		return 0;
	return never_matches(rule) ? 0 : enter(f, &frame, index);
}

static int expand(struct flattening *f)
{
	while (f->frame_count) {
		struct frame *top = &f->frames[f->frame_count - 1];
		int error;

		if (top->next < f->ir->rule_count) {
			error = expand_rule(f);
			if (error)
				return error;
			continue;
		}
		if (top->finish_label != LABEL_NONE)
			f->labels[top->finish_label] = f->list.item_count;
		f->frame_count--;
	}
	return 0;
}

/* The policy stands behind everything else: RETURN in the built-in chain itself goes there. */
static int expand_policy(struct flattening *f, uint32_t return_label)
{
	struct item_list *list = &f->list;
	uint32_t policy = f->underflow;
	bool drops = f->ir->rules[policy].action == ACTION_DROP;
	const struct item *last = list->item_count ? &list->items[list->item_count - 1] : NULL;

	if (last && last->rule == policy && last->guard == GUARD_NONE) {
		f->labels[return_label] = list->item_count - 1;
		return 0;
	}
	f->labels[return_label] = list->item_count;
	return item_new(f, &(struct item){ .rule = policy,
					   .guard = GUARD_NONE,
					   .action = drops ? ITEM_DROP : ITEM_ACCEPT });
}

static void resolve(struct flattening *f)
{
	struct item_list *list = &f->list;

	for (uint32_t i = 0; i < list->item_count; i++) {
		struct item *item = &list->items[i];

		if (item->action == ITEM_SKIP)
			item->skip = item->skip == LABEL_NONE ? i + 1 : f->labels[item->skip];
	}
}

int flatten(const struct ir *ir, enum hook hook, struct item_list *list, struct message *message)
{
	struct flattening f = { .ir = ir, .underflow = ir->underflow[hook] };
	struct frame first = { .next = ir->hook_entry[hook],
			       .guard = GUARD_NONE,
			       .finish_label = LABEL_NONE };
	int error = label_new(&f, &first.return_label);

	if (!error)
		error = frame_push(&f, &first);
	if (!error)
		error = expand(&f);
	if (!error)
		error = expand_policy(&f, first.return_label);
	if (!error)
		resolve(&f);
	free(f.frames);
	free(f.labels);
	if (error) {
		item_list_free(&f.list);
		return message_set(message, error,
				   error == -E2BIG
					   ? "the chains of hook %d have more than %u rules with "
					     "every jump followed"
					   : "flattening the chains of hook %d: out of memory "
					     "(limit %u)",
				   hook, FLATTEN_MAX);
	}
	*list = f.list;
	return 0;
}

void item_list_free(struct item_list *list)
{
	free(list->items);
	free(list->guards);
	*list = (struct item_list){ 0 };
}
