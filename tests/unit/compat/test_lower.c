/* SPDX-License-Identifier: GPL-2.0-only */
/* Matches as predicates. That they mean what the kernel does is tests/differential's business. */
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/netfilter/xt_addrtype.h>
#include <linux/netfilter/xt_tcpudp.h>
#include <stdlib.h>

#include "../../../iptables-compat/extension.h"

static struct rule lowered(enum family family, const char *name, const void *data)
{
	struct match_context context = { .family = family };
	const struct match_extension *extension = match_find(family, name, 0);
	struct rule rule = { 0 };

	cr_assert_neq(extension, NULL);
	cr_assert_eq(extension->lower(data, &context, &rule), 0);
	return rule;
}

static void expect_fields(const struct rule *rule, const enum field *fields, uint32_t count)
{
	cr_assert_eq(rule->predicate_count, count);
	for (uint32_t i = 0; i < count; i++)
		cr_expect_eq(rule->predicates[i].field, fields[i]);
	free(rule->predicates);
}

#define EXPECT_FIELDS(rule, ...)                              \
	expect_fields(&(rule), (enum field[]){ __VA_ARGS__ }, \
		      sizeof((enum field[]){ __VA_ARGS__ }) / sizeof(enum field))

static const struct xt_tcp tcp_any = { .spts = { 0, 65535 }, .dpts = { 0, 65535 } };

Test(lower, a_match_of_everything_still_needs_the_header)
{
	struct xt_udp udp = { .spts = { 0, 65535 }, .dpts = { 0, 65535 } };
	struct rule rule = lowered(FAMILY_IPV4, "tcp", &tcp_any);

	cr_expect(rule.predicates[0].fragment_one_drops);
	EXPECT_FIELDS(rule, FIELD_TRANSPORT);
	rule = lowered(FAMILY_IPV6, "udp", &udp);
	cr_expect_not(rule.predicates[0].fragment_one_drops);
	EXPECT_FIELDS(rule, FIELD_TRANSPORT);
}

Test(lower, tcp_conditions_stand_in_the_kernels_order)
{
	struct xt_tcp tcp = { .spts = { 1, 2 },
			      .dpts = { 3, 3 },
			      .option = 5,
			      .flg_mask = 2,
			      .flg_cmp = 2,
			      .invflags = XT_TCP_INV_DSTPT | XT_TCP_INV_OPTION };
	struct rule rule = lowered(FAMILY_IPV4, "tcp", &tcp);

	cr_assert_eq(rule.predicate_count, 5);
	cr_expect_eq(rule.predicates[1].range.min, 1);
	cr_expect_eq(rule.predicates[1].range.max, 2);
	cr_expect(rule.predicates[2].invert);
	cr_expect_eq(rule.predicates[3].masked.mask[0], 2);
	cr_expect_not(rule.predicates[3].invert);
	cr_expect_eq(rule.predicates[4].range.min, 5);
	cr_expect(rule.predicates[4].invert);
	EXPECT_FIELDS(rule, FIELD_TRANSPORT, FIELD_SOURCE_PORT, FIELD_DESTINATION_PORT,
		      FIELD_TCP_FLAGS, FIELD_TCP_OPTION);
}

Test(lower, what_nothing_can_meet_is_never)
{
	struct xt_tcp tcp = tcp_any;
	struct rule rule;

	tcp.invflags = XT_TCP_INV_SRCPT; /* not in the full range */
	rule = lowered(FAMILY_IPV4, "tcp", &tcp);
	EXPECT_FIELDS(rule, FIELD_TRANSPORT, FIELD_NEVER);
	tcp.invflags = 0;
	tcp.dpts[0] = 9; /* from 9 to 8 */
	tcp.dpts[1] = 8;
	rule = lowered(FAMILY_IPV4, "tcp", &tcp);
	EXPECT_FIELDS(rule, FIELD_TRANSPORT, FIELD_NEVER);
	tcp.invflags = XT_TCP_INV_DSTPT;
	rule = lowered(FAMILY_IPV4, "tcp", &tcp);
	EXPECT_FIELDS(rule, FIELD_TRANSPORT);
	tcp = tcp_any;
	tcp.flg_cmp = 1; /* outside of the mask */
	rule = lowered(FAMILY_IPV4, "tcp", &tcp);
	EXPECT_FIELDS(rule, FIELD_TRANSPORT, FIELD_NEVER);
	tcp.invflags = XT_TCP_INV_FLAGS;
	rule = lowered(FAMILY_IPV4, "tcp", &tcp);
	EXPECT_FIELDS(rule, FIELD_TRANSPORT);
	tcp.flg_cmp = 0;
	rule = lowered(FAMILY_IPV4, "tcp", &tcp);
	EXPECT_FIELDS(rule, FIELD_TRANSPORT, FIELD_NEVER);
}

Test(lower, tcp_option_0_asks_for_nothing)
{
	struct xt_tcp tcp = tcp_any;
	struct rule rule;

	tcp.invflags = XT_TCP_INV_OPTION;
	rule = lowered(FAMILY_IPV4, "tcp", &tcp);
	EXPECT_FIELDS(rule, FIELD_TRANSPORT);
}

Test(lower, icmp_type_and_codes_are_one_range)
{
	struct ipt_icmp icmp = { .type = 3, .code = { 1, 4 }, .invflags = IPT_ICMP_INV };
	struct rule rule = lowered(FAMILY_IPV4, "icmp", &icmp);

	cr_assert_eq(rule.predicate_count, 2);
	cr_expect_eq(rule.predicates[1].range.min, 0x301);
	cr_expect_eq(rule.predicates[1].range.max, 0x304);
	cr_expect(rule.predicates[1].invert);
	EXPECT_FIELDS(rule, FIELD_TRANSPORT, FIELD_ICMP);
}

Test(lower, icmp_type_255_is_any_in_ipv4_only)
{
	struct ipt_icmp icmp = { .type = 255, .code = { 0, 255 } };
	struct rule rule = lowered(FAMILY_IPV4, "icmp", &icmp);

	EXPECT_FIELDS(rule, FIELD_TRANSPORT);
	rule = lowered(FAMILY_IPV6, "icmp6", &icmp);
	EXPECT_FIELDS(rule, FIELD_TRANSPORT, FIELD_ICMP);
	icmp.invflags = IPT_ICMP_INV;
	rule = lowered(FAMILY_IPV4, "icmp", &icmp);
	EXPECT_FIELDS(rule, FIELD_TRANSPORT, FIELD_NEVER);
}

Test(lower, types_of_ipv4_addresses_are_a_set)
{
	const struct match_context context = { .family = FAMILY_IPV4 };
	struct xt_addrtype_info_v1 info = { .source = XT_ADDRTYPE_LOCAL | XT_ADDRTYPE_BROADCAST,
					    .dest = XT_ADDRTYPE_UNICAST,
					    .flags = XT_ADDRTYPE_INVERT_DEST };
	const struct match_extension *extension = match_find(FAMILY_IPV4, "addrtype", 1);
	struct rule rule = { 0 };

	cr_assert_eq(extension->lower(&info, &context, &rule), 0);
	cr_assert_eq(rule.predicate_count, 2);
	cr_expect_eq(rule.predicates[0].set, 0xc);
	cr_expect_not(rule.predicates[0].invert);
	cr_expect(rule.predicates[1].invert);
	EXPECT_FIELDS(rule, FIELD_SOURCE_TYPE, FIELD_DESTINATION_TYPE);
}

Test(lower, types_that_need_the_kernel_are_left_to_it)
{
	const struct match_context ipv4 = { .family = FAMILY_IPV4 },
				   ipv6 = { .family = FAMILY_IPV6 };
	const struct match_extension *extension = match_find(FAMILY_IPV6, "addrtype", 1);
	struct xt_addrtype_info_v1 info = { .source = XT_ADDRTYPE_LOCAL };
	struct rule rule = { 0 };

	cr_expect_eq(extension->lower(&info, &ipv6, &rule), -ENOENT);
	info.flags = XT_ADDRTYPE_LIMIT_IFACE_IN;
	cr_expect_eq(extension->lower(&info, &ipv4, &rule), -ENOENT);
	cr_expect_eq(rule.predicate_count, 0);
}

Test(lower, addrtype_asks_for_devices_that_the_hook_has)
{
	const struct match_extension *extension = match_find(FAMILY_IPV4, "addrtype", 1);
	struct match_context context = { .family = FAMILY_IPV4, .hooks = 1u << HOOK_INPUT };
	struct xt_addrtype_info_v1 info = { .source = XT_ADDRTYPE_LOCAL,
					    .flags = XT_ADDRTYPE_LIMIT_IFACE_OUT };

	cr_expect_eq(extension->check(&info, &context), -EINVAL);
	context.hooks = 1u << HOOK_FORWARD;
	cr_expect_eq(extension->check(&info, &context), 0);
	info.flags |= XT_ADDRTYPE_LIMIT_IFACE_IN;
	cr_expect_eq(extension->check(&info, &context), -EINVAL);
}
