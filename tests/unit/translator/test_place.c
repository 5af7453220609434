/* SPDX-License-Identifier: GPL-2.0-only */
/* Placement: what early stages can be certain of, and which of them have anything to do. */
#include <criterion/criterion.h>
#include <errno.h>

#include "../../../iptables-compat/table.h"
#include "../../../translator/place.h"
#include "small_ir.h"

#define XDP	   STAGE_BIT(STAGE_XDP)
#define TC	   STAGE_BIT(STAGE_TC)
#define NETFILTER  STAGE_BIT(STAGE_NF)
#define ALL_STAGES (XDP | TC | NETFILTER)

/* --- stages ---------------------------------------------------------------------------------- */

Test(place, stages_are_early_where_another_decides_behind_them)
{
	cr_expect_eq(stage_position(ALL_STAGES, STAGE_XDP), POSITION_EARLY);
	cr_expect_eq(stage_position(ALL_STAGES, STAGE_TC), POSITION_EARLY);
	cr_expect_eq(stage_position(ALL_STAGES, STAGE_NF), POSITION_LAST);
	cr_expect_eq(stage_position(XDP | TC, STAGE_XDP), POSITION_LAST);
	cr_expect_eq(stage_position(XDP | TC, STAGE_TC), POSITION_LAST);
	cr_expect_eq(stage_position(XDP | TC | KERNEL_BEHIND, STAGE_TC), POSITION_EARLY);
}

/* --- what is known --------------------------------------------------------------------------- */

Test(place, headers_devices_and_addresses_are_known_early)
{
	static const enum field known[] = { FIELD_SOURCE,     FIELD_DESTINATION_PORT,
					    FIELD_IN_NAME,    FIELD_OUT_NAME,
					    FIELD_TCP_OPTION, FIELD_TRANSPORT,
					    FIELD_MAC,	      FIELD_NEVER };

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		cr_expect(field_is_known_early(known[i]), "field %d", known[i]);
}

Test(place, what_a_later_place_finds_or_only_one_stage_knows_is_unknown_early)
{
	static const enum field unknown[] = {
		FIELD_CONNECTION_STATE, /* conntrack comes later */
		FIELD_ORIGINAL_SOURCE,
		FIELD_STATE, /* counts each packet once */
		FIELD_HOOK_STATE,
		FIELD_LENGTH, /* XDP does not know it */
		FIELD_MARK,
		FIELD_SOCKET,
		FIELD_BEYOND,
	};

	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++)
		cr_expect_not(field_is_known_early(unknown[i]), "field %d", unknown[i]);
}

Test(place, a_clause_is_unknown_if_one_of_its_alternatives_is)
{
	const struct predicate clauses[] = {
		{ .field = FIELD_SOURCE_PORT, .or_next = true },
		{ .field = FIELD_DESTINATION_PORT },
		{ .field = FIELD_SOURCE_PORT, .or_next = true },
		{ .field = FIELD_MARK, .or_next = true },
		{ .field = FIELD_DESTINATION_PORT },
		{ .field = FIELD_SOURCE },
	};

	cr_expect_eq(clause_end(clauses), clauses + 2);
	cr_expect_eq(clause_end(clauses + 2), clauses + 5);
	cr_expect_not(clause_is_unknown(clauses));
	cr_expect(clause_is_unknown(clauses + 2));
	cr_expect_not(clause_is_unknown(clauses + 5));
}

Test(place, a_rule_is_unknown_by_one_predicate_or_by_what_the_kernel_executes)
{
	struct small_ir small;

	small_begin(&small);
	SMALL_RULE(&small, ACTION_DROP, 0, FIELD_SOURCE, FIELD_PROTOCOL);
	SMALL_RULE(&small, ACTION_DROP, 0, FIELD_SOURCE, FIELD_CONNECTION_STATE);
	SMALL_RULE(&small, ACTION_EXECUTE, 0, FIELD_SOURCE);
	cr_expect_not(rule_is_unknown(&small.rules[0]));
	cr_expect(rule_is_unknown(&small.rules[1]));
	cr_expect(rule_is_unknown(&small.rules[2]));
}

Test(place, a_rule_stops_all_packets_if_nothing_of_it_is_known)
{
	struct small_ir small;

	small_begin(&small);
	SMALL_RULE(&small, ACTION_ACCEPT, 0, FIELD_CONNECTION_STATE);
	SMALL_RULE(&small, ACTION_ACCEPT, 0, FIELD_CONNECTION_STATE, FIELD_MARK);
	SMALL_RULE(&small, ACTION_ACCEPT, 0, FIELD_CONNECTION_STATE, FIELD_PROTOCOL);
	SMALL_RULE(&small, ACTION_EXECUTE, 0, ALWAYS);
	SMALL_RULE(&small, ACTION_ACCEPT, 0, ALWAYS);
	cr_expect(rule_stops_all(&small.rules[0]));
	cr_expect(rule_stops_all(&small.rules[1]));
	cr_expect_not(rule_stops_all(&small.rules[2]));
	cr_expect(rule_stops_all(&small.rules[3]));
	cr_expect_not(rule_stops_all(&small.rules[4]));
}

/* --- which stages have something to do ------------------------------------------------------- */

/* INPUT with a rule or two in front of the policy. */
static unsigned stages_with(enum field first_field, enum action first, enum action second,
			    enum action policy)
{
	struct small_ir small;
	uint32_t begin;

	small_begin(&small);
	begin = SMALL_RULE(&small, first, 0, first_field);
	SMALL_RULE(&small, second, 0, FIELD_SOURCE);
	small_policy(&small, HOOK_INPUT, begin, policy);
	return early_stages(&small.ir, ALL_STAGES);
}

Test(place, a_table_without_a_certain_drop_has_no_early_stages)
{
	cr_expect_eq(stages_with(FIELD_SOURCE, ACTION_ACCEPT, ACTION_CONTINUE, ACTION_ACCEPT),
		     NETFILTER);
	cr_expect_eq(stages_with(FIELD_MARK, ACTION_DROP, ACTION_ACCEPT, ACTION_ACCEPT), NETFILTER);
	cr_expect_eq(stages_with(FIELD_MARK, ACTION_ACCEPT, ACTION_DROP, ACTION_DROP), NETFILTER,
		     "each packet may match the first rule");
}

Test(place, a_drop_that_is_certain_brings_the_early_stages)
{
	cr_expect_eq(stages_with(FIELD_SOURCE, ACTION_DROP, ACTION_ACCEPT, ACTION_ACCEPT),
		     ALL_STAGES);
	cr_expect_eq(stages_with(FIELD_SOURCE, ACTION_ACCEPT, ACTION_DROP, ACTION_ACCEPT),
		     ALL_STAGES);
	cr_expect_eq(stages_with(FIELD_SOURCE, ACTION_ACCEPT, ACTION_ACCEPT, ACTION_DROP),
		     ALL_STAGES, "a policy");
	cr_expect_eq(stages_with(FIELD_SOURCE, ACTION_JUMP, ACTION_ACCEPT, ACTION_ACCEPT),
		     ALL_STAGES, "a chain may drop");
}

Test(place, a_rule_that_only_some_packets_may_match_does_not_stop_the_others)
{
	struct small_ir small;
	uint32_t begin;

	small_begin(&small);
	begin = SMALL_RULE(&small, ACTION_ACCEPT, 0, FIELD_PROTOCOL, FIELD_CONNECTION_STATE);
	small_policy(&small, HOOK_FORWARD, begin, ACTION_DROP);
	cr_expect_eq(early_stages(&small.ir, ALL_STAGES), ALL_STAGES);
}

Test(place, what_this_host_sends_is_not_dropped_early)
{
	struct small_ir small;
	uint32_t begin;

	small_begin(&small);
	begin = SMALL_RULE(&small, ACTION_DROP, 0, FIELD_SOURCE);
	small_policy(&small, HOOK_OUTPUT, begin, ACTION_DROP);
	cr_expect_eq(early_stages(&small.ir, ALL_STAGES), NETFILTER);
}

Test(place, stages_that_decide_stay_whatever_the_rules_are)
{
	struct small_ir small;

	small_begin(&small);
	small_policy(&small, HOOK_INPUT, 0, ACTION_ACCEPT);
	cr_expect_eq(early_stages(&small.ir, XDP | TC), XDP | TC);
	cr_expect_eq(early_stages(&small.ir, XDP | TC | KERNEL_BEHIND), 0, "the kernel decides");
}

/* --- whether the deciding stages know enough ------------------------------------------------- */

/* A rule with a match that reads @field, in front of INPUT's policy. */
static int placement_of(enum field field, unsigned stages, struct message *message)
{
	struct small_ir small;
	struct table *table;
	uint32_t begin;
	int error;

	cr_assert_eq(table_initial(FAMILY_IPV4, &table), 0);
	small_begin(&small);
	begin = SMALL_RULE(&small, ACTION_DROP, 0, field);
	small.predicates[begin][0].match = "example";
	small_policy(&small, HOOK_INPUT, begin, ACTION_ACCEPT);
	error = check_placement(table, &small.ir, stages, message);
	table_free(table);
	return error;
}

Test(place, early_stages_need_not_know_what_the_last_one_does)
{
	struct message message = {};

	cr_expect_eq(placement_of(FIELD_MARK, ALL_STAGES, &message), 0);
	cr_expect_eq(placement_of(FIELD_MARK, XDP | TC | KERNEL_BEHIND, &message), 0);
	cr_expect_eq(placement_of(FIELD_SOURCE, XDP | TC, &message), 0);
	cr_expect_eq(placement_of(FIELD_LENGTH, TC, &message), 0);
	cr_expect_str_empty(message.text);
}

Test(place, a_deciding_stage_that_does_not_know_a_field_is_named_with_rule_and_match)
{
	struct message message = {};

	cr_expect_eq(placement_of(FIELD_LENGTH, XDP | TC, &message), -EOPNOTSUPP);
	cr_expect_str_eq(message.text, "filter/INPUT policy: match \"example\" reads the length, "
				       "which hook xdp does not know");
}
