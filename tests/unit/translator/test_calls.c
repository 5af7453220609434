/* SPDX-License-Identifier: GPL-2.0-only */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "../../../translator/calls.h"
#include "../../../translator/classify.h"

static const struct predicate some = { .field = FIELD_PROTOCOL, .range = { 6, 6 } };

/*
 * @levels chains of @rules rules; each chain jumps @jumps times to the next one, and so does INPUT
 * to the first. The rules share one predicate.
 */
struct ladder {
	struct ir ir;
	struct predicate shared;
};

static struct ladder *ladder_make(uint32_t levels, uint32_t jumps, uint32_t rules)
{
	struct ladder *ladder = calloc(1, sizeof(*ladder));
	struct ir *ir = &ladder->ir;
	uint32_t next = RULE_NONE;

	ladder->shared = some;
	ir->family = 4;
	ir->rules = calloc((size_t)(levels + 1) * (jumps + rules + 2), sizeof(*ir->rules));
	for (uint32_t level = 0; level <= levels; level++) { /* the last one is INPUT */
		uint32_t first = ir->rule_count, count = level < levels ? rules : 0;

		for (uint32_t i = 0; i < count + (next == RULE_NONE ? 0 : jumps); i++)
			ir->rules[ir->rule_count++] = (struct rule){
				.predicates = &ladder->shared,
				.predicate_count = 1,
				.action = i < count ? ACTION_CONTINUE : ACTION_JUMP,
				.target = next,
			};
		ir->rules[ir->rule_count++].action = level < levels ? ACTION_RETURN : ACTION_ACCEPT;
		next = first;
	}
	for (int hook = 0; hook < HOOK_COUNT; hook++)
		ir->hook_entry[hook] = ir->underflow[hook] = RULE_NONE;
	ir->hook_entry[HOOK_INPUT] = next;
	ir->underflow[HOOK_INPUT] = ir->rule_count - 1;
	return ladder;
}

static void ladder_free(struct ladder *ladder)
{
	free(ladder->ir.rules);
	free(ladder);
}

/* Return: 0 or the error; then @message says why. */
static int ladder_classify(struct ladder *ladder, struct call_plan *plan, size_t *bytes,
			   struct message *message)
{
	const struct classify_options options = { .memory_percent = 100 };
	struct classifier_image image = { 0 };
	int error = call_plan_make(&ladder->ir, CALLING_SELDOM, plan, message);

	if (!error)
		error = classify_table(&ladder->ir, plan, &options, &image, message);
	*bytes = image.size;
	free(image.bytes);
	return error;
}

Test(calls, chains_that_are_jumped_to_by_few_are_repeated)
{
	struct ladder *ladder = ladder_make(1, 100, 100);
	struct message message = { 0 };
	struct call_plan plan;

	cr_assert_eq(call_plan_make(&ladder->ir, CALLING_SELDOM, &plan, &message), 0);
	cr_expect_eq(plan.list_count, CLASSIFY_CHAINS);
	cr_expect_eq(plan.followed, 100 + 100 * 101 + 1, "%llu", (unsigned long long)plan.followed);
	call_plan_free(&plan);
	ladder_free(ladder);
}

Test(calls, a_chain_that_is_jumped_to_by_a_thousand_stands_once)
{
	struct ladder *ladder = ladder_make(1, 1000, 1000);
	struct message message = { 0 };
	struct call_plan plan;
	size_t bytes = 0;

	cr_assert_eq(ladder_classify(ladder, &plan, &bytes, &message), 0, "%s", message.text);
	cr_expect_eq(plan.list_count, CLASSIFY_CHAINS + 1);
	cr_expect_lt(bytes, 2000 * 300);
	call_plan_free(&plan);
	ladder_free(ladder);
}

Test(calls, a_packet_that_no_loop_of_bpf_could_judge_is_refused_with_the_number)
{
	struct ladder *ladder = ladder_make(1, 10000, 1000);
	struct message message = { 0 };
	struct call_plan plan;
	size_t bytes = 0;

	cr_assert_eq(ladder_classify(ladder, &plan, &bytes, &message), -E2BIG);
	cr_expect(strstr(message.text, "8388608"), "%s", message.text);
	call_plan_free(&plan);
	ladder_free(ladder);
}

Test(calls, calls_are_as_deep_as_the_walks_stack_and_no_deeper)
{
	struct ladder *ladder = ladder_make(16, 4, 5);
	struct message message = { 0 };
	struct call_plan plan;

	cr_assert_eq(call_plan_make(&ladder->ir, CALLING_ALWAYS, &plan, &message), 0, "%s",
		     message.text);
	cr_expect_eq(plan.depth, CLASSIFY_CALL_WORDS);
	call_plan_free(&plan);
	ladder_free(ladder);
}

Test(calls, chains_that_explode_are_refused_with_the_number)
{
	struct ladder *ladder = ladder_make(1000, 2, 1);
	struct message message = { 0 };
	struct call_plan plan;

	cr_assert_eq(call_plan_make(&ladder->ir, CALLING_SELDOM, &plan, &message), -E2BIG);
	cr_expect(strstr(message.text, "4194304"), "%s", message.text);
	ladder_free(ladder);
}

Test(calls, a_chain_that_leads_to_itself_is_refused)
{
	struct ladder *ladder = ladder_make(1, 1, 1);
	struct message message = { 0 };
	struct call_plan plan;

	ladder->ir.rules[0].action = ACTION_JUMP;
	ladder->ir.rules[0].target = 0;
	cr_expect_eq(call_plan_make(&ladder->ir, CALLING_SELDOM, &plan, &message), -ELOOP);
	ladder_free(ladder);
}
