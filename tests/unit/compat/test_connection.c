/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * -m conntrack and -m state, lowered and evaluated, beside their conditions read one by one from
 * the match's data, as the kernel documents them: random data, random connections.
 */
#include "../../../iptables-compat/extension.h"
#include "../../../translator/evaluate.h"

#include <criterion/criterion.h>
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_state.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 40000

typedef struct xt_conntrack_mtinfo3 info_t;

static uint32_t below(uint32_t bound)
{
	static uint64_t state = 88172645463325252u;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 33) % bound;
}

/* Few different words, so that conditions and connections meet. */
static void small(void *data, size_t size)
{
	uint8_t *bytes = data;

	for (size_t i = 0; i < size; i++)
		bytes[i] = i % 4 == 0 ? (uint8_t)below(3) : 0;
}

static bool evaluated(const struct match_extension *extension, enum family family, const void *data,
		      const struct connection *connection)
{
	const struct match_context context = { .family = family };
	struct rule rules[] = { { .action = ACTION_DROP }, { .action = ACTION_ACCEPT } };
	struct ir ir = { .family = (uint8_t)family, .rules = rules, .rule_count = 2 };
	struct packet packet = { .family = (uint8_t)family, .connection = *connection };
	struct counter counters[2] = { 0 };
	int verdict;

	cr_assert_eq(extension->lower(data, &context, &rules[0]), 0);
	ir.underflow[HOOK_INPUT] = 1;
	verdict = evaluate_packet(&ir, HOOK_INPUT, &packet, NULL, counters);
	free(rules[0].predicates);
	return verdict == VERDICT_DROP;
}

/* --- what is meant --------------------------------------------------------------------------- */

static bool address_holds(const void *theirs, const union nf_inet_addr *address,
			  const union nf_inet_addr *mask, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if ((((const uint8_t *)theirs)[i] ^ ((const uint8_t *)address)[i]) &
		    ((const uint8_t *)mask)[i])
			return false;
	return true;
}

static bool within(uint32_t number, uint32_t min, uint32_t max)
{
	return number >= min && number <= max;
}

/* Each option that is used and what it says of a connection, before inversion. */
static bool option_holds(const info_t *info, unsigned flag, const struct connection *c, size_t size)
{
	switch (flag) {
	case XT_CONNTRACK_DIRECTION:
		return !(c->flags & CONNECTION_REPLY);
	case XT_CONNTRACK_PROTO:
		return c->protocol == info->l4proto;
	case XT_CONNTRACK_ORIGSRC:
		return address_holds(c->original_source, &info->origsrc_addr, &info->origsrc_mask,
				     size);
	case XT_CONNTRACK_ORIGDST:
		return address_holds(c->original_destination, &info->origdst_addr,
				     &info->origdst_mask, size);
	case XT_CONNTRACK_REPLSRC:
		return address_holds(c->reply_source, &info->replsrc_addr, &info->replsrc_mask,
				     size);
	case XT_CONNTRACK_REPLDST:
		return address_holds(c->reply_destination, &info->repldst_addr, &info->repldst_mask,
				     size);
	case XT_CONNTRACK_ORIGSRC_PORT:
		return within(c->original_source_port, info->origsrc_port, info->origsrc_port_high);
	case XT_CONNTRACK_ORIGDST_PORT:
		return within(c->original_destination_port, info->origdst_port,
			      info->origdst_port_high);
	case XT_CONNTRACK_REPLSRC_PORT:
		return within(c->reply_source_port, info->replsrc_port, info->replsrc_port_high);
	case XT_CONNTRACK_REPLDST_PORT:
		return within(c->reply_destination_port, info->repldst_port,
			      info->repldst_port_high);
	case XT_CONNTRACK_STATUS:
		return c->status & info->status_mask;
	case XT_CONNTRACK_EXPIRES:
		return within(c->expires, info->expires_min, info->expires_max);
	default:
		return true;
	}
}

static bool meant(const info_t *info, const struct connection *c, size_t size)
{
	bool with_state = info->match_flags & XT_CONNTRACK_STATE;

	if (with_state &&
	    !(c->state & info->state_mask) == !(info->invert_flags & XT_CONNTRACK_STATE))
		return false;
	if (!(c->flags & CONNECTION_TRACKED))
		return with_state;
	for (unsigned flag = XT_CONNTRACK_PROTO; flag <= XT_CONNTRACK_DIRECTION; flag <<= 1)
		if (info->match_flags & flag &&
		    option_holds(info, flag, c, size) == !!(info->invert_flags & flag))
			return false;
	return true;
}

/* --- random ---------------------------------------------------------------------------------- */

static struct connection random_connection(enum family family)
{
	static const uint16_t states[] = {
		CONNECTION_INVALID, CONNECTION_ESTABLISHED,	      CONNECTION_RELATED,
		CONNECTION_NEW,	    CONNECTION_NEW | CONNECTION_DNAT, CONNECTION_UNTRACKED
	};
	struct connection connection;

	small(&connection, sizeof(connection));
	connection.state = states[below(6)];
	connection.flags = (uint8_t)below(4);
	connection.reply_source_port = (uint16_t)below(3);
	if (family == FAMILY_IPV4)
		for (int i = 1; i < 4; i++)
			connection.original_source[i] = connection.original_destination[i] =
				connection.reply_source[i] = connection.reply_destination[i] = 0;
	return connection;
}

static info_t random_info(void)
{
	info_t info;

	small(&info, sizeof(info));
	for (int i = 0; i < 3; i++)
		info.match_flags |= (uint16_t)(1u << below(13));
	info.invert_flags = (uint16_t)below(1u << 13);
	info.state_mask = (uint16_t)below(1u << 9);
	info.replsrc_port = (uint16_t)below(3);
	info.replsrc_port_high = (uint16_t)below(3);
	if (below(8) == 0)
		info.l4proto += 256;
	return info;
}

static size_t address_size(enum family family)
{
	return family == FAMILY_IPV4 ? 4 : 16;
}

Test(conntrack, third_revision_means_what_its_conditions_say)
{
	unsigned matched = 0;

	for (unsigned i = 0; i < ROUNDS; i++) {
		enum family family = i % 2 ? FAMILY_IPV4 : FAMILY_IPV6;
		struct connection connection = random_connection(family);
		info_t info = random_info();
		bool expected = meant(&info, &connection, address_size(family));

		matched += expected;
		cr_assert_eq(
			evaluated(match_find(family, "conntrack", 3), family, &info, &connection),
			expected, "round %u", i);
	}
	cr_assert_gt(matched, ROUNDS / 20);
	cr_assert_lt(matched, ROUNDS - ROUNDS / 20);
}

/* The same, said in an older form: one port for each, in network order, and narrower masks. */
Test(conntrack, older_revisions_are_the_third_with_single_ports)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct connection connection = random_connection(FAMILY_IPV4);
		info_t info = random_info();
		struct xt_conntrack_mtinfo1 first;
		struct xt_conntrack_mtinfo2 second;

		info.state_mask &= UINT8_MAX;
		info.origsrc_port_high = info.origsrc_port;
		info.origdst_port_high = info.origdst_port;
		info.replsrc_port_high = info.replsrc_port;
		info.repldst_port_high = info.repldst_port;
		memcpy(&first, &info, sizeof(first));
		memcpy(&second, &info, sizeof(second));
		first.origsrc_port = second.origsrc_port = htons(info.origsrc_port);
		first.origdst_port = second.origdst_port = htons(info.origdst_port);
		first.replsrc_port = second.replsrc_port = htons(info.replsrc_port);
		first.repldst_port = second.repldst_port = htons(info.repldst_port);
		first.state_mask = (uint8_t)info.state_mask;
		first.status_mask = (uint8_t)info.status_mask;
		cr_assert_eq(evaluated(match_find(FAMILY_IPV4, "conntrack", 1), FAMILY_IPV4, &first,
				       &connection),
			     meant(&info, &connection, 4));
		cr_assert_eq(evaluated(match_find(FAMILY_IPV4, "conntrack", 2), FAMILY_IPV4,
				       &second, &connection),
			     meant(&info, &connection, 4));
	}
}

Test(state, has_a_number_of_its_own_for_untracked)
{
	static const struct {
		unsigned mask;
		uint16_t state;
		bool expected;
	} cases[] = {
		{ XT_STATE_UNTRACKED, CONNECTION_UNTRACKED, true },
		{ XT_STATE_UNTRACKED, CONNECTION_SNAT | CONNECTION_NEW, false },
		{ XT_STATE_BIT(IP_CT_NEW), CONNECTION_SNAT | CONNECTION_NEW, true },
		{ XT_STATE_BIT(IP_CT_ESTABLISHED), CONNECTION_ESTABLISHED, true },
		{ XT_STATE_BIT(IP_CT_ESTABLISHED), CONNECTION_RELATED, false },
		{ XT_STATE_INVALID, CONNECTION_INVALID, true },
		{ ~0u, CONNECTION_UNTRACKED, true },
		{ ~0u & ~XT_STATE_UNTRACKED, CONNECTION_UNTRACKED, false },
		{ 0, CONNECTION_NEW, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct xt_state_info info = { cases[i].mask };
		struct connection connection = { .state = cases[i].state };

		cr_expect_eq(evaluated(match_find(FAMILY_IPV4, "state", 0), FAMILY_IPV4, &info,
				       &connection),
			     cases[i].expected, "case %zu", i);
	}
}
