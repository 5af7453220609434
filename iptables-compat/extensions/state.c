/* SPDX-License-Identifier: GPL-2.0-only */
/* -m state: the connection's state without NAT; as xt_state.c: state_mt(). */
#include "extensions.h"

#include <errno.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/xt_state.h>
#include <string.h>

#include "connection.h"

/* Alike but for "untracked", where -m conntrack has SNAT. Other bits stand for nothing. */
#define STATES_ALIKE \
	(CONNECTION_INVALID | CONNECTION_ESTABLISHED | CONNECTION_RELATED | CONNECTION_NEW)

static uint16_t states_of(const struct xt_state_info *info)
{
	uint16_t states = info->statemask & STATES_ALIKE;

	return info->statemask & XT_STATE_UNTRACKED ? states | CONNECTION_UNTRACKED : states;
}

static int state_print(const void *data, const struct match_context *context, FILE *out)
{
	(void)context;
	fputs(" -m state --state", out);
	print_states(out, states_of(data));
	return ferror(out) ? -ENOMEM : 0;
}

static int state_lower(const void *data, const struct match_context *context, struct rule *rule)
{
	struct predicate predicate = { .field = FIELD_CONNECTION_STATE, .invert = true };
	uint16_t states = states_of(data);

	(void)context;
	memcpy(predicate.masked.mask, &states, sizeof(states));
	return rule_add(rule, &predicate);
}

const struct match_extension match_state = {
	.name = "state",
	.families = FAMILIES_ALL,
	.options = "--state",
	.size = sizeof(struct xt_state_info),
	.print = state_print,
	.lower = state_lower,
};
