/* SPDX-License-Identifier: GPL-2.0-only */
#include "emit.h"

#include <errno.h>
#include <stdlib.h>

#include "field.h"
#include "predicate.h"

/* A chain that is being expanded. */
struct frame {
	uint32_t rule;	/* the one to emit next */
	label_t leave;	/* where RETURN goes */
	label_t resume; /* the caller's next rule, to be placed when this chain is through */
};

struct expansion {
	struct assembler *assembler;
	const struct ir *ir;
	enum hook hook;
	enum position position;
	label_t count;
	label_t policy; /* where RETURN of the built-in chain goes: its policy entry */
	bool policy_placed;
	struct frame *frames; /* owned; innermost last */
	uint32_t depth;
	uint32_t room;
};

#define PACKET_OFFSET(member) ((int16_t)offsetof(struct packet, member))

static void emit_return_0(struct assembler *assembler)
{
	emit_move_immediate(assembler, BPF_REG_0, 0);
	emit_exit(assembler);
}

/* r0 = address of the counter of the rule in r1; nothing to count: returns from the function */
static void emit_find_counter(struct assembler *assembler)
{
	label_t found = label_new(assembler);

	emit_move(assembler, BPF_REG_8, BPF_REG_1);
	emit_alu_immediate(assembler, BPF_DIV, BPF_REG_1, COUNTERS_OF_BLOCK);
	emit_store(assembler, BPF_W, BPF_REG_10, -4, BPF_REG_1);
	emit_move(assembler, BPF_REG_2, BPF_REG_10);
	emit_add(assembler, BPF_REG_2, -4);
	emit_map(assembler, BPF_REG_1);
	emit_helper_call(assembler, BPF_FUNC_map_lookup_elem);
	emit_jump_not_null(assembler, BPF_REG_0, found);
	emit_return_0(assembler);
	label_place(assembler, found);
	emit_alu_immediate(assembler, BPF_AND, BPF_REG_8, COUNTERS_OF_BLOCK - 1);
	emit_alu_immediate(assembler, BPF_MUL, BPF_REG_8, sizeof(struct counter));
	emit_alu(assembler, BPF_ADD, BPF_REG_0, BPF_REG_8);
}

static void emit_count_plain(struct assembler *assembler)
{
	emit_load(assembler, BPF_DW, BPF_REG_1, BPF_REG_0, offsetof(struct counter, packets));
	emit_add(assembler, BPF_REG_1, 1);
	emit_store(assembler, BPF_DW, BPF_REG_0, offsetof(struct counter, packets), BPF_REG_1);
	emit_load(assembler, BPF_DW, BPF_REG_1, BPF_REG_0, offsetof(struct counter, bytes));
	emit_alu(assembler, BPF_ADD, BPF_REG_1, BPF_REG_2);
	emit_store(assembler, BPF_DW, BPF_REG_0, offsetof(struct counter, bytes), BPF_REG_1);
	emit_return_0(assembler);
}

static void emit_count_atomic(struct assembler *assembler)
{
	emit_move_immediate(assembler, BPF_REG_1, 1);
	emit_atomic_add(assembler, BPF_REG_0, offsetof(struct counter, packets), BPF_REG_1);
	emit_atomic_add(assembler, BPF_REG_0, offsetof(struct counter, bytes), BPF_REG_2);
	emit_return_0(assembler);
}

/* Append the rule in r1 to the packet's notes; one too many leaves the mark that some are missing.
 */
static void emit_note(struct assembler *assembler)
{
	label_t room = label_new(assembler);

	emit_load(assembler, BPF_W, BPF_REG_3, BPF_REG_6, PACKET_OFFSET(notes.count));
	emit_jump(assembler, BPF_JLT, BPF_REG_3, NOTES_MAX, room);
	emit_move_immediate(assembler, BPF_REG_3, NOTES_MAX + 1);
	emit_store(assembler, BPF_W, BPF_REG_6, PACKET_OFFSET(notes.count), BPF_REG_3);
	emit_return_0(assembler);
	label_place(assembler, room);
	emit_move(assembler, BPF_REG_4, BPF_REG_3);
	emit_alu_immediate(assembler, BPF_LSH, BPF_REG_4, 2);
	emit_alu(assembler, BPF_ADD, BPF_REG_4, BPF_REG_6);
	emit_store(assembler, BPF_W, BPF_REG_4, PACKET_OFFSET(notes.rules), BPF_REG_1);
	emit_add(assembler, BPF_REG_3, 1);
	emit_store(assembler, BPF_W, BPF_REG_6, PACKET_OFFSET(notes.count), BPF_REG_3);
	emit_return_0(assembler);
}

/* Rule and code come in r1; the code goes to the packet's list, the rule stays. */
static void emit_pending(struct assembler *assembler)
{
	label_t done = label_new(assembler);

	emit_move(assembler, BPF_REG_3, BPF_REG_1);
	emit_alu_immediate(assembler, BPF_RSH, BPF_REG_3, COUNTED_RULE_BITS);
	emit_alu_immediate(assembler, BPF_AND, BPF_REG_1, COUNTED_RULE_MASK);
	emit_jump(assembler, BPF_JEQ, BPF_REG_3, 0, done);
	emit_load(assembler, BPF_B, BPF_REG_4, BPF_REG_6, PACKET_OFFSET(pending.count));
	emit_jump(assembler, BPF_JGE, BPF_REG_4, PENDING_MAX,
		  done); /* not in a table that passed */
	emit_move(assembler, BPF_REG_5, BPF_REG_4);
	emit_alu(assembler, BPF_ADD, BPF_REG_5, BPF_REG_6);
	emit_store(assembler, BPF_B, BPF_REG_5, PACKET_OFFSET(pending.codes), BPF_REG_3);
	emit_add(assembler, BPF_REG_4, 1);
	emit_store(assembler, BPF_B, BPF_REG_6, PACKET_OFFSET(pending.count), BPF_REG_4);
	label_place(assembler, done);
}

void emit_count(struct assembler *assembler, const struct ir *ir)
{
	label_t packet = label_new(assembler), later = label_new(assembler),
		atomic = label_new(assembler);

	emit_line(assembler, RULE_NONE);
	emit_jump_not_null(assembler, BPF_REG_2, packet);
	emit_return_0(assembler);
	label_place(assembler, packet);
	emit_move(assembler, BPF_REG_6, BPF_REG_2);
	if (ir->execution_count)
		emit_pending(assembler);
	emit_load(assembler, BPF_B, BPF_REG_7, BPF_REG_6, PACKET_OFFSET(counting));
	emit_jump(assembler, BPF_JEQ, BPF_REG_7, COUNTING_LATER, later);
	emit_find_counter(assembler);
	emit_load(assembler, BPF_W, BPF_REG_2, BPF_REG_6, PACKET_OFFSET(length));
	emit_jump(assembler, BPF_JEQ, BPF_REG_7, COUNTING_ATOMIC, atomic);
	emit_count_plain(assembler);
	label_place(assembler, atomic);
	emit_count_atomic(assembler);
	label_place(assembler, later);
	emit_note(assembler);
}

static void push(struct expansion *expansion, struct frame frame)
{
	if (expansion->depth == expansion->room) {
		uint32_t room = expansion->room ? expansion->room * 2 : 16;
		struct frame *frames =
			reallocarray(expansion->frames, room, sizeof(*expansion->frames));

		if (!frames) {
			expansion->assembler->error = -ENOMEM;
			return;
		}
		expansion->frames = frames;
		expansion->room = room;
	}
	expansion->frames[expansion->depth++] = frame;
}

static void emit_counted(struct expansion *expansion, uint32_t rule)
{
	struct assembler *assembler = expansion->assembler;

	emit_move_immediate(assembler, BPF_REG_1, (int32_t)rule_counted(expansion->ir, rule));
	emit_move(assembler, BPF_REG_2, REGISTER_PACKET);
	emit_call(assembler, expansion->count);
}

/* Return: whether packets can get behind the predicates, that is whether the action is reached. */
static bool emit_predicates(struct expansion *expansion, const struct rule *rule, label_t fail)
{
	const struct predicate *next = rule->predicates, *end = next + rule->predicate_count;

	while (next < end) {
		if (expansion->position == POSITION_EARLY && clause_is_unknown(next)) {
			next = clause_end(next);
			continue;
		}
		if (clause_emit(expansion->assembler, &next, expansion->ir->family, fail) ==
		    PREDICATE_NEVER)
			return false;
	}
	return true;
}

/*
 * The action of a rule, once it has matched.
 * Return: whether code that follows directly is reached by falling through.
 */
static bool emit_action(struct expansion *expansion, const struct rule *rule, struct frame *frame,
			label_t next)
{
	struct assembler *assembler = expansion->assembler;

	switch ((enum action)rule->action) {
	case ACTION_ACCEPT:
		emit_verdict(assembler, VERDICT_ACCEPT);
		return false;
	case ACTION_RETURN:
		emit_jump(assembler, BPF_JA, 0, 0, frame->leave);
		return false;
	case ACTION_CONTINUE:
	case ACTION_EXECUTE:
		return true;
	case ACTION_JUMP:
		push(expansion, (struct frame){ rule->target, next, next });
		return false;
	case ACTION_GOTO:
		push(expansion, (struct frame){ rule->target, frame->leave, next });
		return false;
	case ACTION_DROP:
	case ACTION_EXECUTE_DROP:
	case ACTION_NONE: /* unreachable in a checked table: fail closed */
		break;
	}
	emit_verdict(assembler, VERDICT_DROP);
	return false;
}

/* A rule of which all that is known here holds. Return: as emit_action(). */
static bool emit_matched(struct expansion *expansion, const struct rule *rule, struct frame *frame,
			 label_t next)
{
	if (expansion->position == POSITION_EARLY && rule_is_unknown(rule)) {
		emit_verdict(expansion->assembler, VERDICT_DEFER);
		return false;
	}
	emit_counted(expansion, (uint32_t)(rule - expansion->ir->rules));
	return emit_action(expansion, rule, frame, next);
}

/* The chain that was expanded last is through: go on in the one that jumped to it, if it is
 * reached. */
static void leave_chains(struct expansion *expansion)
{
	while (expansion->depth) {
		label_t resume = expansion->frames[--expansion->depth].resume;

		if (!expansion->depth)
			return;
		if (label_is_referenced(expansion->assembler, resume)) {
			label_place(expansion->assembler, resume);
			return;
		}
	}
}

static void emit_rule(struct expansion *expansion)
{
	struct assembler *assembler = expansion->assembler;
	uint32_t depth = expansion->depth;
	uint32_t index = expansion->frames[depth - 1].rule++;
	struct frame frame = expansion->frames[depth - 1];
	const struct rule *rule = expansion->ir->rules + index;
	label_t next = label_new(assembler);
	bool falls_through = true;

	if (index >= expansion->ir->rule_count) { /* not in a checked table: fail closed */
		emit_verdict(assembler, VERDICT_DROP);
		leave_chains(expansion);
		return;
	}
	if (depth == 1 && index == expansion->ir->underflow[expansion->hook] &&
	    !expansion->policy_placed) {
		label_place(assembler, expansion->policy);
		expansion->policy_placed = true;
	}
	emit_line(assembler, index);
	if (emit_predicates(expansion, rule, next)) {
		falls_through = emit_matched(expansion, rule, &frame, next);
	}
	if (expansion->depth > depth) /* a jump: its chain comes first, then `next` is placed */
		return;
	if (falls_through || label_is_referenced(assembler, next))
		label_place(assembler, next);
	else
		leave_chains(expansion);
}

/* RETURN from a built-in chain whose policy was not reached in line: the policy comes last. */
static void emit_policy(struct expansion *expansion)
{
	if (expansion->policy_placed ||
	    !label_is_referenced(expansion->assembler, expansion->policy))
		return;
	push(expansion, (struct frame){ expansion->ir->underflow[expansion->hook],
					expansion->policy, expansion->policy });
	while (expansion->depth && !expansion->assembler->error)
		emit_rule(expansion);
}

void emit_chain(struct assembler *assembler, const struct ir *ir, enum hook hook,
		enum position position, label_t count)
{
	struct expansion expansion = {
		.assembler = assembler, .ir = ir, .hook = hook, .position = position, .count = count
	};
	label_t policy = label_new(assembler), packet = label_new(assembler);

	expansion.policy = policy;
	emit_line(assembler, ir->hook_entry[hook]);
	emit_jump_not_null(assembler, BPF_REG_1, packet);
	emit_verdict(assembler, VERDICT_DROP);
	label_place(assembler, packet);
	emit_move(assembler, REGISTER_PACKET, BPF_REG_1);
	push(&expansion, (struct frame){ ir->hook_entry[hook], policy, policy });
	while (expansion.depth && !assembler->error)
		emit_rule(&expansion);
	emit_policy(&expansion);
	free(expansion.frames);
}

static uint32_t predicate_needs(const struct predicate *predicate)
{
	uint32_t needs = field_info((enum field)predicate->field)->needs;

	if (!predicate_remembers(predicate))
		return needs;
	switch ((enum state_kind)predicate->state.kind) {
	case STATE_TIME:
		return needs | NEED_CLOCK;
	case STATE_COUNTS:
		return needs | NEED_CONNECTION | NEED_CONNECTION_COUNTS;
	case STATE_RATE:
		return needs | NEED_RATES;
	case STATE_GROUPS:
		return needs | NEED_OWNER | NEED_OWNER_GROUPS;
	default:
		return needs;
	}
}

uint32_t ir_needs(const struct ir *ir)
{
	/* INPUT and FORWARD have policies of their own, which count: they are never the same */
	uint32_t needs = NEED_FORWARD | (ir->execution_count ? NEED_EXECUTION : 0u);

	for (uint32_t i = 0; i < ir->rule_count; i++)
		for (uint32_t j = 0; j < ir->rules[i].predicate_count; j++)
			needs |= predicate_needs(&ir->rules[i].predicates[j]);
	return needs;
}
