/* SPDX-License-Identifier: GPL-2.0-only */
#include "exactness.h"

#include <errno.h>
#include <stdlib.h>

#include "../common/cleanup.h"
#include "field.h"

#define HOOK_BIT(hook) (1u << (hook))
#define INGRESS	       (HOOK_BIT(HOOK_INPUT) | HOOK_BIT(HOOK_FORWARD))

/* --- what rules read ------------------------------------------------------------------------- */

static bool reads(const struct rule *rule, bool (*wanted)(enum field))
{
	for (uint32_t i = 0; i < rule->predicate_count; i++)
		if (wanted((enum field)rule->predicates[i].field))
			return true;
	return false;
}

/* What only the first fragment of a packet has, and what tells fragments from whole packets. */
static bool is_of_whole_packets(enum field field)
{
	switch (field) {
	case FIELD_TRANSPORT:
	case FIELD_SOURCE_PORT:
	case FIELD_DESTINATION_PORT:
	case FIELD_ICMP:
	case FIELD_TCP_FLAGS:
	case FIELD_TCP_OPTION:
	case FIELD_SOUND:
	case FIELD_HEADERS_SOUND:
	case FIELD_HEADERS:
	case FIELD_HAS_TCP_MSS:
	case FIELD_TCP_MSS:
	case FIELD_DCCP_TYPE:
	case FIELD_SPI:
	case FIELD_MOBILITY:
	case FIELD_LENGTH:
	case FIELD_FRAGMENT:
		return true;
	default:
		return false;
	}
}

static bool is_of_connections(enum field field)
{
	return field_info(field)->needs & NEED_CONNECTION;
}

static bool is_confirmed_late(enum field field)
{
	return field == FIELD_CONNECTION_STATUS || field == FIELD_CONNECTION_EXPIRES;
}

static bool is_source_address(enum field field)
{
	return field == FIELD_SOURCE || field == FIELD_SOURCE_RANGE;
}

static bool is_source(enum field field)
{
	return is_source_address(field) || field == FIELD_SOURCE_PORT;
}

static bool is_destination(enum field field)
{
	return field == FIELD_DESTINATION || field == FIELD_DESTINATION_RANGE ||
	       field == FIELD_DESTINATION_PORT;
}

static bool is_output_device(enum field field)
{
	return field == FIELD_OUT_NAME;
}

/* --- the reasons ----------------------------------------------------------------------------- */

static bool with_nat(const struct surroundings *surroundings)
{
	return surroundings->nat;
}

/* Where connections are asked for, what leaves is known by its connection. */
static bool with_nat_unseen(const struct surroundings *surroundings)
{
	return surroundings->nat && !surroundings->connections;
}

static bool with_nat_seen(const struct surroundings *surroundings)
{
	return surroundings->nat && surroundings->connections;
}

/* Connection tracking reassembles what is forwarded, too. */
static bool with_connections(const struct surroundings *surroundings)
{
	return surroundings->connections;
}

static bool with_xdp(const struct surroundings *surroundings)
{
	return surroundings->xdp;
}

/* All of XDP and TC alone: the netfilter stage has none. */
static const struct reason {
	const char *name;
	enum effect effect;
	unsigned hooks;		    /* the rule is in one of these chains */
	bool (*wanted)(enum field); /* and reads such a field; NULL: whatever it reads */
	bool drops;		    /* and drops */
	bool (*where)(const struct surroundings *); /* and is in such a place; NULL: anywhere */
	const char *text;
} reasons[] = {
	{ "fragments", EFFECT_VERDICT, HOOK_BIT(HOOK_INPUT), is_of_whole_packets,
	  .text = "fragments are judged one by one, not reassembled: later ones have no "
		  "ports, types or flags to match" },
	{ "fragments-forwarded", EFFECT_VERDICT, HOOK_BIT(HOOK_FORWARD), is_of_whole_packets,
	  .where = with_connections,
	  .text = "where connections are tracked, iptables sees forwarded packets "
		  "reassembled; here fragments are judged one by one" },
	{ "fragments-sent", EFFECT_VERDICT, HOOK_BIT(HOOK_OUTPUT), is_of_whole_packets,
	  .text = "packets larger than the MTU are judged after they were cut: later "
		  "fragments have no ports, types or flags to match" },
	{ "connections", EFFECT_VERDICT, INGRESS, is_of_connections,
	  .text = "conntrack has not seen the packet yet, nor what was dropped before it: "
		  "what it would find is looked up; expected connections are NEW, wrong "
		  "checksums and windows are not noticed, nor are zones and NOTRACK" },
	{ "confirmed", EFFECT_VERDICT, HOOK_BIT(HOOK_OUTPUT), .drops = true,
	  .where = with_connections,
	  .text = "a packet that is dropped at egress leaves a connection behind, to which "
		  "an answer would belong" },
	{ "connections-sent", EFFECT_VERDICT, HOOK_BIT(HOOK_OUTPUT), is_confirmed_late,
	  .text = "status and expiry are read once the connection is confirmed, not before" },
	{ "nat", EFFECT_VERDICT, INGRESS, is_destination, .where = with_nat,
	  .text = "destinations are seen before the table nat changes them; only where "
		  "rules ask for connections, all but the first packet of one are seen as "
		  "iptables sees them" },
	{ "nat-sent", EFFECT_VERDICT, HOOK_BIT(HOOK_OUTPUT), is_source, .where = with_nat_unseen,
	  .text = "sources are seen after the table nat has changed them" },
	{ "nat-errors", EFFECT_VERDICT, HOOK_BIT(HOOK_OUTPUT), is_source_address,
	  .where = with_nat_seen,
	  .text = "ICMP errors about connections with NAT are judged with the source of the "
		  "connection, not with the one that this host chose for them" },
	{ "tunnels", EFFECT_VERDICT, HOOK_BIT(HOOK_FORWARD), is_output_device,
	  .text = "packets whose route leads into a lightweight tunnel have no output "
		  "device here, and are dropped" },
	{ "sender", EFFECT_COUNTS, HOOK_BIT(HOOK_OUTPUT), .drops = true,
	  .text = "the sender of a dropped packet is not told (EPERM)" },
	{ "cut", EFFECT_COUNTS, HOOK_BIT(HOOK_OUTPUT),
	  .text = "packets larger than the MTU are counted once for each fragment" },
	{ "unsent", EFFECT_COUNTS, HOOK_BIT(HOOK_OUTPUT),
	  .text = "packets that never get to a device are not counted: without a neighbour, or "
		  "dropped in POSTROUTING" },
	{ "unrouted", EFFECT_COUNTS, INGRESS,
	  .text = "packets that are discarded on the way to the hook are counted: by "
		  "routing (sources that it refuses, destinations that are nobody's, groups "
		  "that were not joined), by the tables raw and mangle" },
	{ "coalesced", EFFECT_COUNTS, INGRESS, .where = with_xdp,
	  .text = "XDP counts packets before they are coalesced (GRO)" },
};

_Static_assert(ARRAY_SIZE(reasons) <= 8 * sizeof(reasons_t), "one bit each");

static bool reason_applies(const struct reason *reason, const struct rule *rule, unsigned hooks,
			   const struct surroundings *surroundings)
{
	return reason->hooks & hooks && (!reason->wanted || reads(rule, reason->wanted)) &&
	       (!reason->drops || rule->action == ACTION_DROP) &&
	       (!reason->where || reason->where(surroundings));
}

reasons_t rule_reasons(const struct rule *rule, unsigned hooks,
		       const struct surroundings *surroundings)
{
	reasons_t found = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(reasons) && surroundings->alone; i++)
		if (reason_applies(&reasons[i], rule, hooks, surroundings))
			found |= 1u << i;
	return found;
}

enum effect reasons_effect(reasons_t found)
{
	enum effect worst = EFFECT_NONE;

	for (unsigned i = 0; i < ARRAY_SIZE(reasons); i++)
		if (found >> i & 1 && reasons[i].effect > worst)
			worst = reasons[i].effect;
	return worst;
}

const char *reason_name(unsigned number)
{
	return number < ARRAY_SIZE(reasons) ? reasons[number].name : NULL;
}

const char *reason_text(unsigned number)
{
	return number < ARRAY_SIZE(reasons) ? reasons[number].text : NULL;
}

/* --- which chains lead to a rule ------------------------------------------------------------- */

/* @waiting: room for the start of a chain for each rule. */
static void mark_hook(const struct ir *ir, enum hook hook, uint8_t *hooks, uint32_t *waiting)
{
	uint32_t count = 0;

	waiting[count++] = ir->hook_entry[hook];
	hooks[ir->hook_entry[hook]] |= HOOK_BIT(hook);
	hooks[ir->underflow[hook]] |= HOOK_BIT(hook);
	while (count) {
		for (uint32_t i = waiting[--count]; i < ir->rule_count; i++) {
			const struct rule *rule = &ir->rules[i];

			hooks[i] |= HOOK_BIT(hook);
			if ((rule->action == ACTION_JUMP || rule->action == ACTION_GOTO) &&
			    !(hooks[rule->target] & HOOK_BIT(hook))) {
				hooks[rule->target] |= HOOK_BIT(hook);
				waiting[count++] = rule->target;
			}
			if (rule_leaves(rule))
				break;
		}
	}
}

int rules_hooks(const struct ir *ir, uint8_t *hooks)
{
	_cleanup_free_ uint32_t *waiting = calloc(ir->rule_count + 1, sizeof(*waiting));

	if (!waiting)
		return -ENOMEM;
	for (uint32_t i = 0; i < ir->rule_count; i++)
		hooks[i] = 0;
	for (int hook = HOOK_INPUT; hook <= HOOK_OUTPUT; hook++)
		if (ir->hook_entry[hook] != RULE_NONE)
			mark_hook(ir, (enum hook)hook, hooks, waiting);
	return 0;
}
