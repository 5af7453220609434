/* SPDX-License-Identifier: GPL-2.0-only */
/* Labels, ranges and sticky errors of the assembler. */
#include <criterion/criterion.h>
#include <errno.h>

#include "../../../translator/assembler.h"

#define LIMIT 100000u

static void fill(struct assembler *assembler, unsigned count)
{
	while (count--)
		emit_move_immediate(assembler, BPF_REG_0, 0);
}

Test(jump, goes_to_the_instruction_behind_its_label)
{
	struct assembler assembler = { .limit = LIMIT };
	label_t label = label_new(&assembler);

	emit_jump(&assembler, BPF_JNE, BPF_REG_1, 5, label);
	fill(&assembler, 3);
	label_place(&assembler, label);
	emit_exit(&assembler);
	cr_assert_eq(assembler_finish(&assembler), 0);
	cr_assert_eq(assembler.instructions[0].off, 3);
	assembler_free(&assembler);
}

Test(jump, of_many_to_one_label_are_all_resolved)
{
	struct assembler assembler = { .limit = LIMIT };
	label_t label = label_new(&assembler);

	for (unsigned i = 0; i < 1000; i++)
		emit_jump(&assembler, BPF_JNE, BPF_REG_1, 5, label);
	label_place(&assembler, label);
	cr_assert_eq(assembler_finish(&assembler), 0);
	for (unsigned i = 0; i < 1000; i++)
		cr_assert_eq(assembler.instructions[i].off, 999 - (int)i);
	assembler_free(&assembler);
}

Test(jump, reaches_as_far_as_sixteen_bits)
{
	struct assembler assembler = { .limit = LIMIT };
	label_t label = label_new(&assembler);

	emit_jump(&assembler, BPF_JA, 0, 0, label);
	fill(&assembler, INT16_MAX);
	label_place(&assembler, label);
	emit_exit(&assembler);
	cr_assert_eq(assembler_finish(&assembler), 0);
	cr_assert_eq(assembler.instructions[0].off, INT16_MAX);
	assembler_free(&assembler);
}

Test(jump, beyond_sixteen_bits_is_refused)
{
	struct assembler assembler = { .limit = LIMIT };
	label_t label = label_new(&assembler);

	emit_jump(&assembler, BPF_JA, 0, 0, label);
	fill(&assembler, INT16_MAX + 1);
	label_place(&assembler, label);
	emit_exit(&assembler);
	cr_assert_eq(assembler_finish(&assembler), -E2BIG);
	assembler_free(&assembler);
}

Test(jump, to_a_label_without_a_place_is_refused)
{
	struct assembler assembler = { .limit = LIMIT };

	emit_jump(&assembler, BPF_JA, 0, 0, label_new(&assembler));
	emit_exit(&assembler);
	cr_assert_eq(assembler_finish(&assembler), -EINVAL);
	assembler_free(&assembler);
}

Test(call, reaches_farther_than_a_jump)
{
	struct assembler assembler = { .limit = LIMIT };
	label_t function = label_new(&assembler);

	label_place(&assembler, function);
	fill(&assembler, 50000);
	emit_call(&assembler, function);
	cr_assert_eq(assembler_finish(&assembler), 0);
	cr_assert_eq(assembler.instructions[50000].imm, -50001);
	assembler_free(&assembler);
}

Test(limit, of_instructions_sticks)
{
	struct assembler assembler = { .limit = 10 };

	fill(&assembler, 11);
	cr_assert_eq(assembler.count, 10);
	cr_assert_eq(assembler_finish(&assembler), -E2BIG);
	assembler_free(&assembler);
}

Test(label, knows_whether_something_jumps_to_it)
{
	struct assembler assembler = { .limit = LIMIT };
	label_t used = label_new(&assembler), unused = label_new(&assembler);

	emit_jump(&assembler, BPF_JEQ, BPF_REG_1, 0, used);
	cr_assert(label_is_referenced(&assembler, used));
	cr_assert_not(label_is_referenced(&assembler, unused));
	assembler_free(&assembler);
}

/* A rule of @conditions conditions and a verdict, as the emitter makes them. */
static void add_rule(struct assembler *assembler, unsigned conditions)
{
	label_t next = label_new(assembler);

	while (conditions--)
		emit_jump(assembler, BPF_JNE, BPF_REG_1, 0, next);
	emit_exit(assembler);
	label_place(assembler, next);
}

Test(branches, of_rules_with_one_condition_do_not_add_up)
{
	struct assembler assembler = { .limit = LIMIT };

	for (unsigned i = 0; i < 100; i++)
		add_rule(&assembler, 1);
	cr_assert_eq(assembler_branches(&assembler, 0, assembler.count), 1);
	assembler_free(&assembler);
}

/* The figure that the running kernel's verifier counts to 8,192 for such rules. */
Test(branches, of_rules_with_more_conditions_add_up)
{
	struct assembler assembler = { .limit = LIMIT };

	for (unsigned i = 0; i < 100; i++)
		add_rule(&assembler, 4);
	cr_assert_eq(assembler_branches(&assembler, 0, assembler.count), 99 * 3 + 4);
	assembler_free(&assembler);
}
