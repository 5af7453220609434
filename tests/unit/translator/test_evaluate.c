/* SPDX-License-Identifier: GPL-2.0-only */
/* The evaluator, case by case: what ip_tables does in the corners of rules, chains and headers. */
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "../../../translator/evaluate.h"

#define RULES 8

/* A table of one hook; entries behind the rules given end it. */
struct fixture {
	struct ir ir;
	struct rule rules[RULES];
	struct predicate predicates[RULES][3];
	struct counter counters[RULES];
	struct evaluation_input input;
	unsigned char data[128];
};

static struct fixture fixture_ipv4(uint8_t protocol, size_t transport_size)
{
	struct fixture fixture = {
		.ir = { .family = 4, .rule_count = RULES },
		.input = { .hook = HOOK_INPUT, .size = 20 + transport_size },
		.data = { 0x45, 0, 0, (unsigned char)(20 + transport_size),
			  0,	0, 0, 0,
			  64,	0, 0, 0,
			  10,	0, 0, 1,
			  10,	0, 0, 2 },
	};

	fixture.data[9] = protocol;
	fixture.ir.hook_entry[HOOK_INPUT] = 0;
	fixture.ir.underflow[HOOK_INPUT] = 1;
	for (unsigned i = 0; i < RULES; i++)
		fixture.rules[i].action = ACTION_NONE;
	fixture.rules[1].action = ACTION_ACCEPT;
	return fixture;
}

static struct fixture fixture_ipv6(uint8_t next, size_t payload)
{
	struct fixture fixture = fixture_ipv4(0, 0);

	memset(fixture.data, 0, sizeof(fixture.data));
	fixture.ir.family = 6;
	fixture.input.size = 40 + payload;
	fixture.data[0] = 0x60;
	fixture.data[5] = (unsigned char)payload;
	fixture.data[6] = next;
	return fixture;
}

static void add(struct fixture *fixture, unsigned rule, struct predicate predicate)
{
	fixture->predicates[rule][fixture->rules[rule].predicate_count++] = predicate;
}

static void add_range(struct fixture *fixture, unsigned rule, enum field field, unsigned min,
		      unsigned max, bool invert)
{
	add(fixture, rule,
	    (struct predicate){ .field = (uint8_t)field,
				.invert = invert,
				.range = { (uint16_t)min, (uint16_t)max } });
}

static void put_checksum(unsigned char *ip)
{
	uint32_t sum = 0;

	ip[10] = ip[11] = 0;
	for (unsigned i = 0; i < (ip[0] & 0xfu) * 4; i += 2)
		sum += (uint32_t)ip[i] << 8 | ip[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~((sum & 0xffff) + (sum >> 16));
	ip[10] = (unsigned char)(sum >> 8);
	ip[11] = (unsigned char)sum;
}

/* As it stands: with whatever checksum is in the packet. */
static int run_raw(struct fixture *fixture)
{
	for (unsigned i = 0; i < RULES; i++)
		fixture->rules[i].predicates = fixture->predicates[i];
	fixture->ir.rules = fixture->rules;
	fixture->input.data = fixture->data;
	return evaluate(&fixture->ir, &fixture->input, NULL, fixture->counters);
}

static int run(struct fixture *fixture)
{
	if (fixture->ir.family == 4)
		put_checksum(fixture->data);
	return run_raw(fixture);
}

Test(packet, with_wrong_checksum_is_discarded_uncounted)
{
	struct fixture fixture = fixture_ipv4(IPPROTO_UDP, 8);

	put_checksum(fixture.data);
	fixture.data[8]--;
	cr_assert_eq(run_raw(&fixture), -EINVAL);
	cr_assert_eq(fixture.counters[1].packets, 0);
}

Test(packet, longer_than_what_is_there_is_discarded)
{
	struct fixture fixture = fixture_ipv4(IPPROTO_UDP, 8);

	fixture.input.size--;
	cr_assert_eq(run(&fixture), -EINVAL);
}

Test(packet, with_length_below_its_header_is_discarded)
{
	struct fixture fixture = fixture_ipv4(IPPROTO_UDP, 8);

	fixture.data[0] = 0x46;
	fixture.data[3] = 20;
	cr_assert_eq(run(&fixture), -EINVAL);
}

Test(packet, counts_ip_length_and_not_padding)
{
	struct fixture fixture = fixture_ipv4(IPPROTO_UDP, 8);

	fixture.rules[0].action = ACTION_CONTINUE;
	fixture.input.size += 18;
	cr_assert_eq(run(&fixture), VERDICT_ACCEPT);
	cr_assert_eq(fixture.counters[0].bytes, 28);
	cr_assert_eq(fixture.counters[1].bytes, 28);
}

Test(packet, of_ipv6_may_have_length_zero_before_hop_by_hop_options)
{
	struct fixture fixture = fixture_ipv6(IPPROTO_HOPOPTS, 8);

	fixture.data[5] = 0;
	fixture.data[40] = IPPROTO_NONE;
	fixture.rules[0].action = ACTION_DROP;
	cr_assert_eq(run(&fixture), VERDICT_DROP);
	cr_assert_eq(fixture.counters[0].bytes, 48);
}

Test(packet, whose_hop_by_hop_options_do_not_fit_is_discarded)
{
	struct fixture fixture = fixture_ipv6(IPPROTO_HOPOPTS, 16);

	fixture.rules[0].action = ACTION_CONTINUE;
	fixture.data[40] = IPPROTO_NONE;
	fixture.data[41] = 1;
	cr_assert_eq(run(&fixture), VERDICT_ACCEPT);
	fixture.data[41] = 2;
	cr_assert_eq(run(&fixture), -EINVAL);
	cr_assert_eq(fixture.counters[1].packets, 1);
}

Test(chain, that_ends_returns_behind_the_jump)
{
	struct fixture fixture = fixture_ipv4(IPPROTO_UDP, 8);

	fixture.ir.underflow[HOOK_INPUT] = 2;
	fixture.rules[0] = (struct rule){ .action = ACTION_JUMP, .target = 4 };
	fixture.rules[1].action = ACTION_DROP;
	fixture.rules[2].action = ACTION_ACCEPT;
	fixture.rules[4].action = ACTION_RETURN;
	cr_assert_eq(run(&fixture), VERDICT_DROP);
	cr_assert_eq(fixture.counters[0].packets, 1);
	cr_assert_eq(fixture.counters[4].packets, 1);
	cr_assert_eq(fixture.counters[1].packets, 1);
	cr_assert_eq(fixture.counters[2].packets, 0);
}

Test(chain, entered_by_goto_returns_to_the_policy)
{
	struct fixture fixture = fixture_ipv4(IPPROTO_UDP, 8);

	fixture.ir.underflow[HOOK_INPUT] = 2;
	fixture.rules[0] = (struct rule){ .action = ACTION_GOTO, .target = 4 };
	fixture.rules[1].action = ACTION_DROP;
	fixture.rules[2].action = ACTION_ACCEPT;
	fixture.rules[4].action = ACTION_RETURN;
	cr_assert_eq(run(&fixture), VERDICT_ACCEPT);
	cr_assert_eq(fixture.counters[1].packets, 0);
	cr_assert_eq(fixture.counters[2].packets, 1);
}

Test(chain, goto_inside_a_jump_returns_to_the_jumper)
{
	struct fixture fixture = fixture_ipv4(IPPROTO_UDP, 8);

	fixture.ir.underflow[HOOK_INPUT] = 2;
	fixture.rules[0] = (struct rule){ .action = ACTION_JUMP, .target = 4 };
	fixture.rules[1].action = ACTION_DROP;
	fixture.rules[2].action = ACTION_ACCEPT;
	fixture.rules[4] = (struct rule){ .action = ACTION_GOTO, .target = 6 };
	fixture.rules[5].action = ACTION_ACCEPT;
	fixture.rules[6].action = ACTION_RETURN;
	cr_assert_eq(run(&fixture), VERDICT_DROP);
	cr_assert_eq(fixture.counters[5].packets, 0);
}

Test(chain, that_jumps_for_ever_drops)
{
	struct fixture fixture = fixture_ipv4(IPPROTO_UDP, 8);

	fixture.rules[0] = (struct rule){ .action = ACTION_JUMP, .target = 0 };
	cr_assert_eq(run(&fixture), VERDICT_DROP);
}

Test(address, mask_need_not_be_a_prefix)
{
	struct fixture fixture = fixture_ipv4(IPPROTO_UDP, 8);

	fixture.rules[0].action = ACTION_DROP;
	add(&fixture, 0,
	    (struct predicate){
		    .field = FIELD_SOURCE,
		    .masked = { .value = { 10, 0, 0, 1 }, .mask = { 255, 0, 0, 255 } } });
	fixture.data[13] = 77;
	cr_assert_eq(run(&fixture), VERDICT_DROP);
}

Test(address, value_outside_the_mask_matches_nothing)
{
	struct fixture fixture = fixture_ipv4(IPPROTO_UDP, 8);

	fixture.rules[0].action = ACTION_DROP;
	add(&fixture, 0,
	    (struct predicate){ .field = FIELD_SOURCE,
				.masked = { .value = { 10, 0, 0, 1 }, .mask = { 255 } } });
	cr_assert_eq(run(&fixture), VERDICT_ACCEPT);
}

Test(transport, truncated_is_a_hotdrop_that_does_not_count)
{
	struct fixture fixture = fixture_ipv4(IPPROTO_TCP, 19);

	add_range(&fixture, 0, FIELD_PROTOCOL, IPPROTO_TCP, IPPROTO_TCP, false);
	add(&fixture, 0, (struct predicate){ .field = FIELD_TRANSPORT });
	fixture.rules[0].action = ACTION_ACCEPT;
	cr_assert_eq(run(&fixture), VERDICT_DROP);
	cr_assert_eq(fixture.counters[0].packets, 0);
}

Test(transport, of_a_fragment_at_offset_one_drops_tcp)
{
	struct fixture fixture = fixture_ipv4(IPPROTO_TCP, 20);

	fixture.data[7] = 1;
	add(&fixture, 0,
	    (struct predicate){ .field = FIELD_TRANSPORT, .fragment_one_drops = true });
	cr_assert_eq(run(&fixture), VERDICT_DROP);
	fixture.predicates[0][0].fragment_one_drops = false;
	cr_assert_eq(run(&fixture), VERDICT_ACCEPT);
}

Test(transport, range_of_ports_can_be_inverted)
{
	struct fixture fixture = fixture_ipv4(IPPROTO_UDP, 8);

	fixture.data[22] = 1;
	fixture.rules[0].action = ACTION_DROP;
	add_range(&fixture, 0, FIELD_DESTINATION_PORT, 255, 256, true);
	cr_assert_eq(run(&fixture), VERDICT_ACCEPT);
	fixture.data[23] = 1;
	cr_assert_eq(run(&fixture), VERDICT_DROP);
}

Test(tcp_option, is_found_behind_others)
{
	static const unsigned char options[] = { 2, 4, 5, 180, 1, 1, 4, 2 };
	struct fixture fixture = fixture_ipv4(IPPROTO_TCP, 28);

	fixture.data[32] = 7 << 4;
	memcpy(fixture.data + 40, options, sizeof(options));
	fixture.rules[0].action = ACTION_DROP;
	add_range(&fixture, 0, FIELD_TCP_OPTION, 4, 4, false);
	cr_assert_eq(run(&fixture), VERDICT_DROP);
	fixture.predicates[0][0].range.min = 5; /* a length, not a kind */
	cr_assert_eq(run(&fixture), VERDICT_ACCEPT);
}

Test(tcp_option, beyond_the_packet_is_a_hotdrop)
{
	struct fixture fixture = fixture_ipv4(IPPROTO_TCP, 20);

	fixture.data[32] = 6 << 4;
	add_range(&fixture, 0, FIELD_TCP_OPTION, 2, 2, true);
	fixture.rules[0].action = ACTION_ACCEPT;
	cr_assert_eq(run(&fixture), VERDICT_DROP);
	cr_assert_eq(fixture.counters[0].packets, 0);
}

Test(extension_headers, are_stepped_over)
{
	struct fixture fixture = fixture_ipv6(IPPROTO_DSTOPTS, 16 + 12 + 8);

	fixture.data[40] = IPPROTO_AH;
	fixture.data[41] = 1;
	fixture.data[56] = IPPROTO_UDP;
	fixture.data[57] = 1; /* in units of 4 bytes, less 2 */
	fixture.data[71] = 53;
	add_range(&fixture, 0, FIELD_PROTOCOL, IPPROTO_UDP, IPPROTO_UDP, false);
	add_range(&fixture, 0, FIELD_DESTINATION_PORT, 53, 53, false);
	fixture.rules[0].action = ACTION_DROP;
	cr_assert_eq(run(&fixture), VERDICT_DROP);
	cr_assert_eq(fixture.counters[0].packets, 1);
}

Test(extension_headers, cut_short_drop_where_a_protocol_is_asked_for)
{
	struct fixture fixture = fixture_ipv6(IPPROTO_DSTOPTS, 1);

	add_range(&fixture, 0, FIELD_PROTOCOL, IPPROTO_UDP, IPPROTO_UDP, true);
	cr_assert_eq(run(&fixture), VERDICT_DROP);
	cr_assert_eq(fixture.counters[0].packets, 0);
	fixture.rules[0].predicate_count = 0;
	fixture.rules[0].action = ACTION_CONTINUE;
	cr_assert_eq(run(&fixture), VERDICT_ACCEPT);
}

Test(extension_headers, longer_than_the_packet_drop_where_a_protocol_is_asked_for)
{
	struct fixture fixture = fixture_ipv6(IPPROTO_DSTOPTS, 16);

	fixture.data[40] = IPPROTO_UDP;
	fixture.data[41] = 2;
	add_range(&fixture, 0, FIELD_PROTOCOL, IPPROTO_UDP, IPPROTO_UDP, true);
	cr_assert_eq(run(&fixture), VERDICT_DROP);
	cr_assert_eq(fixture.counters[0].packets, 0);
	fixture.data[41] = 1; /* ends with the packet: no port, but a protocol */
	cr_assert_eq(run(&fixture), VERDICT_ACCEPT);
}

Test(extension_headers, a_later_fragment_has_a_protocol_but_no_ports)
{
	struct fixture fixture = fixture_ipv6(IPPROTO_FRAGMENT, 24);

	fixture.data[40] = IPPROTO_UDP;
	fixture.data[43] = 8;
	add_range(&fixture, 0, FIELD_PROTOCOL, IPPROTO_UDP, IPPROTO_UDP, false);
	fixture.rules[0].action = ACTION_DROP;
	cr_assert_eq(run(&fixture), VERDICT_DROP);
	add(&fixture, 0, (struct predicate){ .field = FIELD_TRANSPORT });
	cr_assert_eq(run(&fixture), VERDICT_ACCEPT);
}

Test(clause, holds_if_one_of_its_alternatives_does)
{
	struct fixture fixture = fixture_ipv4(IPPROTO_UDP, 8);

	add(&fixture, 0,
	    (struct predicate){ .field = FIELD_SOURCE_PORT, .range = { 1, 2 }, .or_next = true });
	add(&fixture, 0, (struct predicate){ .field = FIELD_DESTINATION_PORT, .range = { 5, 5 } });
	add_range(&fixture, 0, FIELD_PROTOCOL, IPPROTO_UDP, IPPROTO_UDP, false);
	fixture.rules[0].action = ACTION_DROP;
	fixture.data[21] = 9;
	cr_expect_eq(run(&fixture), VERDICT_ACCEPT);
	fixture.data[21] = 2;
	cr_expect_eq(run(&fixture), VERDICT_DROP);
	fixture.data[21] = 9;
	fixture.data[23] = 5;
	cr_expect_eq(run(&fixture), VERDICT_DROP);
	fixture.data[9] = IPPROTO_TCP; /* the clause behind is asked too */
	fixture.data[3] += 12;
	fixture.input.size += 12;
	cr_expect_eq(run(&fixture), VERDICT_ACCEPT);
}

Test(addresses, range_has_both_ends)
{
	struct fixture fixture = fixture_ipv4(IPPROTO_UDP, 8);

	add(&fixture, 0,
	    (struct predicate){ .field = FIELD_SOURCE_RANGE,
				.bytes = { { 10, 0, 0, 1 }, { 10, 0, 1, 0 } } });
	fixture.rules[0].action = ACTION_DROP;
	cr_expect_eq(run(&fixture), VERDICT_DROP);
	fixture.data[14] = 1;
	fixture.data[15] = 0;
	cr_expect_eq(run(&fixture), VERDICT_DROP);
	fixture.data[15] = 1;
	cr_expect_eq(run(&fixture), VERDICT_ACCEPT);
	fixture.data[14] = fixture.data[15] = 0;
	cr_expect_eq(run(&fixture), VERDICT_ACCEPT);
}
