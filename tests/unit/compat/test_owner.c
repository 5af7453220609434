/* SPDX-License-Identifier: GPL-2.0-only */
/* -m owner, lowered and evaluated, beside the kernel's own order of questions: all options. */
#include "../../../iptables-compat/extension.h"
#include "../../../translator/evaluate.h"

#include <criterion/criterion.h>
#include <linux/netfilter/xt_owner.h>
#include <stdlib.h>

/* What sends. */
struct sender {
	bool socket;
	bool owner; /* only with a socket */
	uint32_t uid, gid;
	uint32_t groups[3];
	size_t group_count;
};

static const struct sender senders[] = {
	{ .socket = false },
	{ .socket = true },
	{ true, true, 4, 9, { 0 }, 0 },
	{ true, true, 5, 9, { 0 }, 1 },
	{ true, true, 6, 9, { 0 }, 0 },
	{ true, true, 7, 10, { 0 }, 0 },
	{ true, true, 0, 11, { 0 }, 0 },
	{ true, true, 5, 0, { 8, 11, 10 }, 3 },
	{ true, true, 5, 0, { 8, 11, 10 }, 2 },
};

static bool within(uint32_t number, uint32_t min, uint32_t max)
{
	return number >= min && number <= max;
}

static bool in_group(const struct xt_owner_match_info *info, const struct sender *sender)
{
	if (within(sender->gid, info->gid_min, info->gid_max))
		return true;
	for (size_t i = 0; info->match & XT_OWNER_SUPPL_GROUPS && i < sender->group_count; i++)
		if (within(sender->groups[i], info->gid_min, info->gid_max))
			return true;
	return false;
}

/* as owner_mt() goes about it */
static bool meant(const struct xt_owner_match_info *info, const struct sender *sender)
{
	uint8_t differ = info->match ^ info->invert;

	if (!sender->socket)
		return differ == 0;
	if (info->match & info->invert & XT_OWNER_SOCKET)
		return false;
	if (!sender->owner)
		return !(differ & (XT_OWNER_UID | XT_OWNER_GID));
	if (info->match & XT_OWNER_UID &&
	    within(sender->uid, info->uid_min, info->uid_max) == !!(info->invert & XT_OWNER_UID))
		return false;
	return !(info->match & XT_OWNER_GID) ||
	       in_group(info, sender) != !!(info->invert & XT_OWNER_GID);
}

static bool evaluated(const struct xt_owner_match_info *info, const struct sender *sender)
{
	const struct match_context context = { .family = FAMILY_IPV4 };
	struct rule rules[] = { { .action = ACTION_DROP }, { .action = ACTION_ACCEPT } };
	struct ir ir = { .family = 4, .rules = rules, .rule_count = 2 };
	struct packet packet = { .family = 4, .uid = sender->uid, .gid = sender->gid };
	struct counter counters[2] = { 0 };
	struct state states[1];
	struct evaluation_memory memory = { .states = states,
					    .groups = sender->groups,
					    .group_count = sender->group_count };
	int verdict;

	packet.flags = (uint8_t)((sender->socket ? PACKET_HAS_SOCKET : 0) |
				 (sender->owner ? PACKET_HAS_OWNER : 0));
	cr_assert_eq(match_find(FAMILY_IPV4, "owner", 1)->lower(info, &context, &rules[0]), 0);
	ir.underflow[HOOK_OUTPUT] = 1;
	ir_number_states(&ir);
	cr_assert_leq(ir.state_count, 1);
	ir_states(&ir, states);
	verdict = evaluate_packet(&ir, HOOK_OUTPUT, &packet, &memory, counters);
	free(rules[0].predicates);
	return verdict == VERDICT_DROP;
}

Test(owner, every_option_and_inversion_means_what_the_kernel_asks)
{
	unsigned options = XT_OWNER_MASK;

	for (unsigned match = 0; match <= options; match++)
		for (unsigned invert = 0; invert <= 15; invert++)
			for (size_t i = 0; i < sizeof(senders) / sizeof(senders[0]); i++) {
				struct xt_owner_match_info info = { .uid_min = 5,
								    .uid_max = 6,
								    .gid_min = 9,
								    .gid_max = 10,
								    .match = (uint8_t)match,
								    .invert = (uint8_t)invert };

				cr_expect_eq(evaluated(&info, &senders[i]),
					     meant(&info, &senders[i]),
					     "match %u invert %u sender %zu", match, invert, i);
			}
}
