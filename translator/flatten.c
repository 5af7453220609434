/* SPDX-License-Identifier: GPL-2.0-only */
#include "flatten.h"

#include "../common/array.h"
#include "reach.h"

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
	const struct call_plan *plan;
	uint32_t number;  /* of this list */
	uint32_t leaving; /* label: where RETURN of the list's own chain goes */
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

static bool is_called(const struct flattening *f)
{
	return f->number >= CLASSIFY_CHAINS;
}

/* An item that goes on at @label, or back to the caller, if that is where it leads. */
static struct item item_leaving(const struct flattening *f, uint32_t guard, uint32_t label)
{
	if (is_called(f) && label == f->leaving)
		return (struct item){ .rule = RULE_NONE, .guard = guard, .action = ITEM_RETURN };
	return (struct item){
		.rule = RULE_NONE, .guard = guard, .action = ITEM_SKIP, .skip = label
	};
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

/*
 * The chain that the rule @index of @frame goes to is called. Whoever it returns to is not behind
 * the rule, so another item leads there.
 */
static int enter_by_goto(struct flattening *f, const struct frame *frame, uint32_t index,
			 uint32_t list)
{
	struct item call = {
		.rule = RULE_NONE, .guard = frame->guard, .action = ITEM_CALL, .skip = list
	};
	struct frame inner = { .guard = frame->guard, .finish_label = LABEL_NONE };
	struct item *last = &f->list.items[f->list.item_count - 1], leave;
	int error;

	if (rule_remembers(&f->ir->rules[index])) {
		error = guard_by_skips(f, &inner);
		if (!error)
			error = item_new(f, &call);
	} else {
		last->action = ITEM_CALL;
		last->skip = list;
		error = guard_new(f, index, frame->guard, &inner.guard);
	}
	leave = item_leaving(f, inner.guard, frame->return_label);
	if (!error)
		error = item_new(f, &leave);
	if (inner.finish_label != LABEL_NONE)
		f->labels[inner.finish_label] = f->list.item_count;
	return error;
}

static int enter_by_call(struct flattening *f, const struct frame *frame, uint32_t index,
			 uint32_t list)
{
	struct item *last = &f->list.items[f->list.item_count - 1];

	if (f->ir->rules[index].action == ACTION_GOTO)
		return enter_by_goto(f, frame, index, list);
	last->action = ITEM_CALL;
	last->skip = list;
	return 0;
}

/* Start on the chain that the rule @index of @frame jumps to, whose item is the last one. */
static int enter(struct flattening *f, const struct frame *frame, uint32_t index)
{
	const struct rule *rule = &f->ir->rules[index];
	struct frame inner = { .next = rule->target,
			       .guard = frame->guard,
			       .return_label = frame->return_label,
			       .finish_label = LABEL_NONE };
	uint32_t list = f->plan->lists[rule->target];
	int error = 0;

	if (list != LIST_NONE)
		return enter_by_call(f, frame, index, list);
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
	struct item item = { .guard = frame.guard, .action = ITEM_SKIP, .skip = LABEL_NONE };
	int error;

	if (rule->action == ACTION_ACCEPT)
		item.action = ITEM_ACCEPT;
	else if (rule->action == ACTION_DROP || rule->action == ACTION_EXECUTE_DROP)
		item.action = ITEM_DROP;
	else if (rule->action == ACTION_RETURN)
		item = item_leaving(f, frame.guard, frame.return_label);
	item.rule = index;
	if (rule->action != ACTION_NONE) {
		error = item_new(f, &item);
		if (error)
			return error;
	}

	if (rule_always_leaves(rule)) {
		top->next = RULE_NONE;
		if (rule->action != ACTION_GOTO)
			return 0;
	} else {
		top->next = index + 1;
	}
	return rule_enters(rule) ? enter(f, &frame, index) : 0;
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
static int expand_policy(struct flattening *f)
{
	struct item_list *list = &f->list;
	uint32_t policy = f->ir->underflow[HOOK_INPUT + f->number];
	bool drops = f->ir->rules[policy].action == ACTION_DROP;
	const struct item *last = list->item_count ? &list->items[list->item_count - 1] : NULL;

	if (last && last->rule == policy && last->guard == GUARD_NONE) {
		f->labels[f->leaving] = list->item_count - 1;
		return 0;
	}
	f->labels[f->leaving] = list->item_count;
	return item_new(f, &(struct item){ .rule = policy,
					   .guard = GUARD_NONE,
					   .action = drops ? ITEM_DROP : ITEM_ACCEPT });
}

/* What leaves a called chain returns at once; this is for the end of the list. */
static int expand_return(struct flattening *f)
{
	f->labels[f->leaving] = f->list.item_count;
	return item_new(
		f, &(struct item){ .rule = RULE_NONE, .guard = GUARD_NONE, .action = ITEM_RETURN });
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

int flatten(const struct ir *ir, const struct call_plan *plan, uint32_t number,
	    struct item_list *list, struct message *message)
{
	struct flattening f = { .ir = ir, .plan = plan, .number = number };
	struct frame first = { .next = plan->starts[number],
			       .guard = GUARD_NONE,
			       .finish_label = LABEL_NONE };
	int error = label_new(&f, &f.leaving);

	first.return_label = f.leaving;
	if (!error)
		error = frame_push(&f, &first);
	if (!error)
		error = expand(&f);
	if (!error)
		error = is_called(&f) ? expand_return(&f) : expand_policy(&f);
	if (!error)
		resolve(&f);
	free(f.frames);
	free(f.labels);
	if (error) {
		item_list_free(&f.list);
		return message_set(
			message, error,
			error == -E2BIG ? "a chain has more than %u rules with its jumps followed"
					: "flattening a chain: out of memory (limit %u)",
			FLATTEN_MAX);
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
