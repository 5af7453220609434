/* SPDX-License-Identifier: GPL-2.0-only */
#include "compile.h"

#include <errno.h>
#include <string.h>

#include "classify.h"
#include "elf_object.h"
#include "../iptables-compat/rates.h"
#include "../iptables-compat/text.h"
#include "emit.h"
#include "execution.h"
#include "headroom.h"
#include "place.h"

/* Keeps an expansion that explodes from eating the machine's memory; the verifier takes a million.
 */
#define INSTRUCTIONS_MAX 500000u

/* The verifier's BPF_COMPLEXITY_LIMIT_JMP_SEQ; it looks at each global function by itself. */
#define BRANCHES_MAX 8192u

/* The built-in chains that a stage sees. */
static const struct {
	enum stage stage;
	enum hook hook;
	const char *chain;
} chains[] = {
	{ STAGE_XDP, HOOK_INPUT, "input" },    { STAGE_XDP, HOOK_FORWARD, "forward" },
	{ STAGE_TC, HOOK_INPUT, "input" },     { STAGE_TC, HOOK_FORWARD, "forward" },
	{ STAGE_TC, HOOK_OUTPUT, "output" },   { STAGE_NF, HOOK_INPUT, "input" },
	{ STAGE_NF, HOOK_FORWARD, "forward" }, { STAGE_NF, HOOK_OUTPUT, "output" },
};

const char *stage_name(enum stage stage)
{
	static const char *const names[STAGE_COUNT] = {
		[STAGE_XDP] = "xdp",
		[STAGE_TC] = "tc",
		[STAGE_NF] = "nf",
	};

	return names[stage];
}

void object_free(struct object *object)
{
	free(object->data);
	free(object->executions);
	free(object->rates);
	*object = (struct object){};
}

/* Code of all functions that the form wants; returns how many. */
static uint32_t emit_functions(struct assembler *assembler, const struct ir *ir, unsigned stages,
			       enum form form, struct function *functions)
{
	label_t count = label_new(assembler);
	uint32_t made = 0;

	label_place(assembler, count);
	functions[made] = (struct function){ .name = "table_count", .signature = SIGNATURE_NUMBER };
	emit_count(assembler, ir);
	functions[made++].end = assembler->count;
	if (form == FORM_TREES) /* bpf/classify.bpf.c has the chains' functions */
		return made;
	for (size_t i = 0; i < ARRAY_SIZE(chains) && !assembler->error; i++) {
		struct function *function = &functions[made];
		enum position position = stage_position(stages, chains[i].stage);

		if (!(stages & STAGE_BIT(chains[i].stage)))
			continue;
		snprintf(function->name, sizeof(function->name), "%s_%s",
			 stage_name(chains[i].stage), chains[i].chain);
		function->signature = SIGNATURE_CHAIN;
		function->begin = assembler->count;
		emit_chain(assembler, ir, chains[i].hook, position, count);
		function->end = assembler->count;
		made++;
	}
	return made;
}

static int check_branches(const struct elf_source *source, struct message *message)
{
	for (uint32_t i = 0; i < source->function_count; i++) {
		const struct function *function = &source->functions[i];
		uint32_t branches =
			assembler_branches(source->assembler, function->begin, function->end);

		if (branches > BRANCHES_MAX)
			return message_set(
				message, -E2BIG,
				"%s: its rules leave %u branches for the kernel's verifier "
				"to come back to, which takes %u",
				function->name, branches, BRANCHES_MAX);
	}
	return 0;
}

/*
 * Trees are quicker at any size, by 10 ns and 0.3 ns a rule that does not match: up to here, tables
 * stay code, which people can read, and which the verifier is through with sooner: rules of all
 * kinds in chains that jump to each other cost it 400,000 instructions as data, 25,000 as code.
 */
#define STRAIGHT_ITEMS_MAX 100

static enum form choose_form(const struct call_plan *plan, enum form wanted)
{
	if (wanted != FORM_AUTO)
		return wanted == FORM_CALLS ? FORM_TREES : wanted;
	return plan->followed > STRAIGHT_ITEMS_MAX ? FORM_TREES : FORM_STRAIGHT;
}

static bool blocks_suit(uint32_t blocks, const struct table_shape *like)
{
	return like->head.size && blocks <= like->blocks && like->blocks <= 2 * blocks + 16;
}

/* Of counters. Data may grow under the same programs; code is another one for each table. */
static uint32_t blocks_of(const struct ir *ir, enum form form, const struct table_shape *likes)
{
	uint32_t blocks = COUNTER_BLOCKS(ir->rule_count);

	if (form != FORM_TREES)
		return blocks;
	for (unsigned i = 0; likes && i < TABLE_LIKES; i++)
		if (blocks_suit(blocks, &likes[i]))
			return likes[i].blocks;
	return headroom(blocks, 1);
}

/* What the stateful matches remember before the first packet. */
static int make_states(const struct ir *ir, struct state **states)
{
	if (!ir->state_count)
		return 0;
	*states = calloc(ir->state_count, sizeof(**states));
	if (!*states)
		return -ENOMEM;
	ir_states(ir, *states);
	return 0;
}

int emit(const struct ir *ir, const struct compile_options *options, const char *source_name,
	 struct object *object, struct message *message)
{
	struct assembler assembler = { .limit = INSTRUCTIONS_MAX };
	struct function functions[1 + ARRAY_SIZE(chains)] = {};
	struct elf_source source = {
		.assembler = &assembler,
		.functions = functions,
		.ir = ir,
		.source_name = source_name,
		.needs = ir_needs(ir),
	};
	unsigned stages = early_stages(ir, options->stages);
	enum calling calling = options->form == FORM_CALLS ? CALLING_ALWAYS : CALLING_SELDOM;
	enum form form = FORM_STRAIGHT;
	_cleanup_free_ unsigned char *data = NULL;
	_cleanup_free_ struct state *states = NULL;
	const struct classify_options classify_options = { .memory_percent = 100,
							   .likes = options->likes };
	struct classifier_image image = { 0 };
	struct call_plan plan = { 0 };
	int error = make_states(ir, &states);

	if (!error)
		error = call_plan_make(ir, calling, &plan, message);
	if (!error)
		form = choose_form(&plan, options->form);
	if (!error && form == FORM_TREES)
		error = classify_table(ir, &plan, &classify_options, &image, message);
	call_plan_free(&plan);
	if (error)
		return error;
	data = image.bytes;
	source.image = form == FORM_TREES ? &image : NULL;
	source.blocks = blocks_of(ir, form, options->likes);
	source.states = states;
	source.function_count = emit_functions(&assembler, ir, stages, form, functions);
	error = assembler_finish(&assembler);
	if (error == -E2BIG)
		message_set(message, error,
			    "%u rules make more than %u instructions once user chains are expanded",
			    ir->rule_count, assembler.count);
	if (!error)
		error = check_branches(&source, message);
	if (!error)
		error = elf_object_write(&source, object, message);
	if (!error)
		object->stages = stages;
	assembler_free(&assembler);
	return error;
}

/* Targets need the kernel beside the programs, right behind them. */
static int check_executions(const struct table *table, const struct ir *ir,
			    const struct compile_options *options, struct message *message)
{
	bool possible =
		options->executing == EXECUTING_TARGETS && options->stages & STAGE_BIT(STAGE_NF);
	char place[MESSAGE_SIZE / 2];

	for (uint32_t i = 0; !possible && i < ir->rule_count; i++) {
		if (!rule_code(&ir->rules[i]))
			continue;
		rule_place(table, i, place, sizeof(place));
		return message_set(message, -EOPNOTSUPP, "%s: target \"%s\" is not done in BPF",
				   place, table_entry(table, i).target->u.user.name);
	}
	if (ir->execution_count && ir->rule_count > COUNTED_RULE_MASK)
		return message_set(message, -EOPNOTSUPP,
				   "a table with targets has more than %u rules",
				   COUNTED_RULE_MASK);
	return executions_check(table, ir, message);
}

int compile(const struct table *table, const struct compile_options *options, struct object *object,
	    struct message *message)
{
	struct execution_list *executions = NULL;
	struct rate_list *rates = NULL;
	struct ir *ir;
	int error = lower(table, &ir, message);

	if (error)
		return error;
	error = check_placement(table, ir, options->stages, message);
	if (!error)
		error = check_executions(table, ir, options, message);
	if (!error)
		error = executions_list(ir, &executions, message);
	if (!error)
		error = rate_list_make(table, &rates, message);
	if (!error)
		error = emit(ir, options, table->family == FAMILY_IPV4 ? "filter" : "filter6",
			     object, message);
	if (!error) {
		object->executions = TAKE_PTR(executions);
		object->rates = TAKE_PTR(rates);
	}
	free(executions);
	free(rates);
	ir_free(ir);
	return error;
}

int compile_early(const struct table *table, unsigned stages, struct object *object,
		  struct message *message)
{
	const struct compile_options options = { .stages = stages | KERNEL_BEHIND };
	struct ir *ir;
	int error = lower_known(table, &ir);

	if (error)
		return error;
	error = early_stages(ir, options.stages)
			? emit(ir, &options, table->family == FAMILY_IPV4 ? "filter" : "filter6",
			       object, message)
			: -ENODATA;
	ir_free(ir);
	return error;
}
