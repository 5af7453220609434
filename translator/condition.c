/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Order matters only where a predicate can *hotdrop* (FIELD_TRANSPORT, FIELD_TCP_OPTION,
 * FIELD_SOUND, FIELD_HEADERS_SOUND, for IPv6 FIELD_PROTOCOL): what the item's own rule has before
 * it must stay before, what it has behind must stay behind. A guard's predicates may change places
 * with the hotdrops of guards before them: a packet that a guard's jump would drop never gets to
 * the items behind the jump. For the same reason a predicate of the rule may move before its
 * guards' hotdrops, never a hotdrop of the rule before its guards.
 *
 * The walk looks at: addresses, early extras, protocol, fragment, transport header, ports, ICMP
 * type and TCP flags, late extras.
 */
#include "condition.h"

#include <errno.h>
#include <string.h>

#include "field.h"
#include "place.h"

struct placing {
	struct condition *condition;
	uint8_t family;
	bool own;	    /* predicates of the item's rule, no more of its guards */
	bool own_stop;	    /* the rule has had a predicate that can hotdrop */
	bool late_own_stop; /* such a one is among the late extras */
	struct classify_extra late[CLASSIFY_EXTRAS];
	uint32_t late_count;
	bool full;
};

/* What a place in the fixed fields says to a predicate. */
enum placed {
	PLACED,
	PLACED_NEVER, /* contradicts what is there: the item never matches */
	PLACED_NOT,   /* has no place: an extra */
};

static void extra_special(struct classify_extra *extra, const struct predicate *predicate)
{
	switch ((enum field)predicate->field) {
	case FIELD_PROTOCOL:
		extra->kind = EXTRA_PROTOCOL;
		break;
	case FIELD_FRAGMENT:
		extra->kind = EXTRA_RANGE;
		extra->shift = 63; /* the flag's bit alone */
		break;
	case FIELD_TCP_OPTION:
		extra->kind = EXTRA_TCP_OPTION;
		break;
	case FIELD_TRANSPORT:
		extra->kind = EXTRA_TRANSPORT;
		if (predicate->fragment_one_drops)
			extra->flags |= EXTRA_FRAGMENT_ONE_DROPS;
		if (predicate->ports_suffice)
			extra->flags |= EXTRA_PORTS_SUFFICE;
		break;
	case FIELD_SOUND:
	case FIELD_HEADERS_SOUND:
		extra->kind = EXTRA_SOUND;
		extra->value[0] = predicate->range.min;
		break;
	case FIELD_STATE:
	case FIELD_HOOK_STATE:
		extra->kind = EXTRA_STATE;
		extra->value[0] = predicate->state_index;
		break;
	default:
		extra->kind = EXTRA_NEVER;
	}
}

static const uint8_t extra_kinds[] = {
	[OPERAND_NONE] = EXTRA_NEVER,  [OPERAND_MASKED] = EXTRA_MASKED,
	[OPERAND_RANGE] = EXTRA_RANGE, [OPERAND_BYTES] = EXTRA_BYTES,
	[OPERAND_SET] = EXTRA_SET,
};

/* 16 bytes are compared, whatever the field's size. */
static void extra_operand(struct classify_extra *extra, const struct predicate *predicate,
			  const struct field_info *field)
{
	switch ((enum operand)field->operand) {
	case OPERAND_MASKED:
		memcpy(extra->value, predicate->masked.value, field->size);
		memcpy(extra->mask, predicate->masked.mask, field->size);
		break;
	case OPERAND_RANGE:
		extra->value[0] = predicate->range.min;
		extra->mask[0] = predicate->range.max;
		break;
	case OPERAND_BYTES:
		memcpy(extra->value, predicate->bytes.first, field->size);
		memcpy(extra->mask, predicate->bytes.last, field->size);
		break;
	case OPERAND_SET:
		extra->value[0] = predicate->set;
		break;
	case OPERAND_NONE:
		break;
	}
}

static void extra_set(struct classify_extra *extra, const struct predicate *predicate)
{
	const struct field_info *field = field_info((enum field)predicate->field);

	*extra = (struct classify_extra){
		.kind = extra_kinds[field->operand],
		.flags = (predicate->invert ? EXTRA_INVERT : 0) |
			 (predicate->or_next ? EXTRA_OR_NEXT : 0) |
			 (field_is_known_early((enum field)predicate->field) ? 0 : EXTRA_LATER),
		.shift = field->size < 8 ? 64 - field->size * 8 : 0,
		.field = predicate->field,
		.offset = field->offset,
	};
	if (field->special)
		extra_special(extra, predicate);
	extra_operand(extra, predicate, field);
}

/* Is @extra among the early ones, and not as an alternative? */
static bool early_has(const struct condition *c, const struct classify_extra *extra)
{
	bool alternative = false; /* the last of a clause does not say so itself */

	for (uint32_t i = 0; i < c->item.extra_early; i++) {
		if (!alternative && memcmp(&c->extras[i], extra, sizeof(*extra)) == 0)
			return true;
		alternative = c->extras[i].flags & EXTRA_OR_NEXT;
	}
	return false;
}

static void early_add(struct placing *p, const struct classify_extra *extra)
{
	struct condition *c = p->condition;

	if (c->item.extra_early >= CLASSIFY_EXTRAS)
		p->full = true;
	else
		c->extras[c->item.extra_early++] = *extra;
}

static void place_early(struct placing *p, const struct predicate *predicate)
{
	struct classify_extra extra;

	extra_set(&extra, predicate);
	if (!early_has(p->condition, &extra)) /* or a guard asked that before */
		early_add(p, &extra);
}

static void place_late(struct placing *p, const struct predicate *predicate)
{
	if (p->late_count >= CLASSIFY_EXTRAS)
		p->full = true;
	else
		extra_set(&p->late[p->late_count++], predicate);
}

/* Nothing of the rule may move before a hotdrop of the rule. */
static bool must_be_late(const struct placing *p)
{
	return p->own && p->own_stop;
}

static void place_extra(struct placing *p, const struct predicate *predicate)
{
	if (must_be_late(p))
		place_late(p, predicate);
	else
		place_early(p, predicate);
}

static enum placed merge_word(__be32 *value, __be32 *mask, __be32 more, __be32 more_mask)
{
	if ((*value ^ more) & *mask & more_mask)
		return PLACED_NEVER;
	*value |= more;
	*mask |= more_mask;
	return PLACED;
}

static enum placed merge_tail(struct placing *p, int shift, uint64_t value, uint64_t mask)
{
	struct classify_item *item = &p->condition->item;

	if ((item->tail ^ value << shift) & item->tail_mask & mask << shift)
		return PLACED_NEVER;
	item->tail |= value << shift;
	item->tail_mask |= mask << shift;
	return PLACED;
}

static enum placed place_address(struct placing *p, const struct predicate *predicate)
{
	struct condition *c = p->condition;
	bool source = predicate->field == FIELD_SOURCE;
	__be32 *wide = source ? c->wide.source : c->wide.destination;
	__be32 *wide_mask = source ? c->wide.source_mask : c->wide.destination_mask;
	__be32 value[4], mask[4];

	memcpy(value, predicate->masked.value, sizeof(value));
	memcpy(mask, predicate->masked.mask, sizeof(mask));
	if (predicate->invert)
		return PLACED_NOT;
	for (int i = 0; i < 4; i++)
		if (value[i] & ~mask[i])
			return PLACED_NEVER;
	for (int i = 1; i < 4; i++) {
		if (mask[i] == 0)
			continue;
		if (p->family != 6)
			return PLACED_NOT;
		c->item.flags |= ITEM_WIDE;
		if (merge_word(&wide[i - 1], &wide_mask[i - 1], value[i], mask[i]) != PLACED)
			return PLACED_NEVER;
	}
	return source ? merge_word(&c->item.source, &c->item.source_mask, value[0], mask[0])
		      : merge_word(&c->item.destination, &c->item.destination_mask, value[0],
				   mask[0]);
}

static enum placed place_protocol(struct placing *p, const struct predicate *predicate)
{
	if (predicate->invert || predicate->range.min != predicate->range.max ||
	    predicate->range.min > 0xff)
		return PLACED_NOT;
	return merge_tail(p, TAIL_PROTOCOL_SHIFT, predicate->range.min, 0xff);
}

static enum placed place_fragment(struct placing *p, const struct predicate *predicate)
{
	bool whole = predicate->range.min == 0, later = predicate->range.max >= 1;

	if (predicate->invert || whole == later || predicate->range.min > 1)
		return PLACED_NOT;
	return merge_tail(p, TAIL_FLAGS_SHIFT, later ? PACKET_FRAGMENT : 0, PACKET_FRAGMENT);
}

static enum placed place_port(struct placing *p, const struct predicate *predicate)
{
	struct classify_item *item = &p->condition->item;
	bool source = predicate->field == FIELD_SOURCE_PORT;
	__u16 *min = source ? &item->source_port_min : &item->destination_port_min;
	__u16 *span = source ? &item->source_port_span : &item->destination_port_span;
	uint32_t from = predicate->range.min, to = predicate->range.max, most = *min + *span;

	if (predicate->invert && from == 0 && to < UINT16_MAX) {
		from = to + 1;
		to = UINT16_MAX;
	} else if (predicate->invert && to == UINT16_MAX && from > 0) {
		to = from - 1;
		from = 0;
	} else if (predicate->invert) {
		return PLACED_NOT;
	}
	from = from > *min ? from : *min;
	to = to < most ? to : most;
	if (from > to)
		return PLACED_NOT;
	*min = from;
	*span = to - from;
	return PLACED;
}

static enum placed place_icmp(struct placing *p, const struct predicate *predicate)
{
	uint32_t min = predicate->range.min, max = predicate->range.max;

	if (predicate->invert || max > UINT16_MAX ||
	    (min != max && ((min & 0xff) || max != (min | 0xff))))
		return PLACED_NOT;
	return merge_tail(p, TAIL_ICMP_SHIFT, min, min == max ? 0xffff : 0xff00);
}

static enum placed place_tcp_flags(struct placing *p, const struct predicate *predicate)
{
	uint8_t value = predicate->masked.value[0], mask = predicate->masked.mask[0];

	if (predicate->invert || (value & ~mask))
		return PLACED_NOT;
	return merge_tail(p, TAIL_TCP_FLAGS_SHIFT, value, mask);
}

/* Looked at before any hotdrop: source, destination, names, fragment, IPv4's protocol. */
static void place_plain(struct placing *p, const struct predicate *predicate)
{
	enum placed placed = PLACED_NOT;

	if (must_be_late(p)) {
		place_late(p, predicate);
		return;
	}
	if (predicate->field == FIELD_SOURCE || predicate->field == FIELD_DESTINATION)
		placed = place_address(p, predicate);
	else if (predicate->field == FIELD_PROTOCOL)
		placed = place_protocol(p, predicate);
	else if (predicate->field == FIELD_FRAGMENT && p->family == 4)
		placed = place_fragment(p, predicate);
	if (placed == PLACED_NEVER)
		p->condition->never = true;
	else if (placed == PLACED_NOT)
		place_early(p, predicate);
}

static void place_protocol_ipv6(struct placing *p, const struct predicate *predicate)
{
	struct classify_item *item = &p->condition->item;
	enum placed placed = PLACED_NOT;

	if (must_be_late(p) || (item->flags & ITEM_TRANSPORT) || p->late_count) {
		place_late(p, predicate);
		p->late_own_stop |= p->own;
	} else {
		placed = place_protocol(p, predicate);
		if (placed == PLACED_NEVER && !p->own)
			p->condition->never = true;
		else if (placed != PLACED)
			place_early(p, predicate);
		else
			item->flags |= ITEM_PROTOCOL;
	}
	p->own_stop |= p->own;
}

static void place_transport(struct placing *p, const struct predicate *predicate)
{
	struct classify_item *item = &p->condition->item;

	if (!predicate->invert && (item->flags & ITEM_TRANSPORT))
		return; /* true: the one before was */
	if (predicate->invert || predicate->ports_suffice || p->late_count) {
		place_late(p, predicate);
		p->late_own_stop |= p->own;
	} else {
		item->flags |= ITEM_TRANSPORT;
		if (predicate->fragment_one_drops)
			item->flags |= ITEM_FRAGMENT_ONE_DROPS;
		merge_tail(p, TAIL_TRANSPORT_SHIFT, TRANSPORT_OK, 0xff);
	}
	p->own_stop |= p->own;
}

/* Looked at behind the transport header's guard, where there is one. */
static void place_transport_field(struct placing *p, const struct predicate *predicate)
{
	bool guarded = p->condition->item.flags & ITEM_TRANSPORT;
	enum placed placed = PLACED_NOT;

	if (guarded && !(p->own && p->late_own_stop)) {
		if (predicate->field == FIELD_ICMP)
			placed = place_icmp(p, predicate);
		else if (predicate->field == FIELD_TCP_FLAGS)
			placed = place_tcp_flags(p, predicate);
		else
			placed = place_port(p, predicate);
	}
	if (placed == PLACED)
		return;
	if (guarded || p->late_count)
		place_late(p, predicate);
	else
		place_extra(p, predicate);
}

static void place_option(struct placing *p, const struct predicate *predicate)
{
	place_late(p, predicate);
	p->own_stop |= p->own;
	p->late_own_stop |= p->own;
}

/* What stands before must be looked at before, as it decides whether the match changes; what stands
   behind must not keep it from changing. */
static void place_state(struct placing *p, const struct predicate *predicate)
{
	place_late(p, predicate);
	p->own_stop = true;
	p->late_own_stop = true;
}

/* Early stages leave to the kernel what it is to execute; asked last, when the rest holds. */
static void place_execution(struct placing *p)
{
	static const struct predicate beyond = { .field = FIELD_BEYOND, .range = { 0, UINT8_MAX } };

	if (p->late_count)
		place_late(p, &beyond);
	else
		place_early(p, &beyond);
}

static void place_never(struct placing *p, const struct predicate *predicate)
{
	if (must_be_late(p))
		place_late(p, predicate);
	else
		p->condition->never = true;
}

/* Alternatives stay together; none of them can hotdrop. */
static void place_clause(struct placing *p, const struct predicate *first, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct classify_extra extra;

		extra_set(&extra, &first[i]);
		if (must_be_late(p))
			place_late(p, &first[i]);
		else
			early_add(p, &extra);
	}
}

typedef void place_fn(struct placing *p, const struct predicate *predicate);

/* The fields that are not here have no place of their own. */
static place_fn *const place[FIELD_COUNT] = {
	[FIELD_SOURCE] = place_plain,
	[FIELD_DESTINATION] = place_plain,
	[FIELD_IN_NAME] = place_plain,
	[FIELD_OUT_NAME] = place_plain,
	[FIELD_PROTOCOL] = place_plain,
	[FIELD_FRAGMENT] = place_plain,
	[FIELD_SOURCE_PORT] = place_transport_field,
	[FIELD_DESTINATION_PORT] = place_transport_field,
	[FIELD_ICMP] = place_transport_field,
	[FIELD_TCP_FLAGS] = place_transport_field,
	[FIELD_TCP_OPTION] = place_option,
	[FIELD_SOUND] = place_option,
	[FIELD_HEADERS_SOUND] = place_option,
	[FIELD_TRANSPORT] = place_transport,
	[FIELD_STATE] = place_state,
	[FIELD_HOOK_STATE] = place_state,
	[FIELD_NEVER] = place_never,
};

static void place_predicate(struct placing *p, const struct predicate *predicate)
{
	if (predicate->field == FIELD_PROTOCOL && p->family == 6)
		place_protocol_ipv6(p, predicate);
	else if (place[predicate->field])
		place[predicate->field](p, predicate);
	else
		place_extra(p, predicate);
}

static void place_rule(struct placing *p, const struct rule *rule)
{
	uint32_t count;

	for (uint32_t i = 0; i < rule->predicate_count; i += count) {
		const struct predicate *first = &rule->predicates[i];

		count = 1;
		while (first[count - 1].or_next)
			count++;
		if (count > 1)
			place_clause(p, first, count);
		else
			place_predicate(p, first);
	}
}

/* Guards from the outermost in. */
static void place_guards(struct placing *p, const struct ir *ir, const struct item_list *list,
			 uint32_t guard)
{
	uint32_t chain[CLASSIFY_EXTRAS * 4];
	uint32_t count = 0;

	for (; guard != GUARD_NONE; guard = list->guards[guard].parent) {
		if (count == CLASSIFY_EXTRAS * 4) {
			p->full = true;
			return;
		}
		chain[count++] = list->guards[guard].rule;
	}
	while (count)
		place_rule(p, &ir->rules[chain[--count]]);
}

int condition_build(const struct ir *ir, const struct item_list *list, uint32_t index,
		    struct condition *condition)
{
	const struct item *item = &list->items[index];
	struct placing p = { .condition = condition, .family = ir->family };
	struct classify_item *fixed = &condition->item;

	*fixed = (struct classify_item){ .source_port_span = UINT16_MAX,
					 .destination_port_span = UINT16_MAX };
	condition->wide = (struct classify_wide){ 0 };
	condition->never = false;
	place_guards(&p, ir, list, item->guard);
	p.own = true;
	if (item->rule != RULE_NONE)
		place_rule(&p, &ir->rules[item->rule]);
	if (item->rule != RULE_NONE && rule_code(&ir->rules[item->rule]))
		place_execution(&p);
	if (p.full && !condition->never)
		return -E2BIG;
	memcpy(&condition->extras[fixed->extra_early], p.late, p.late_count * sizeof(p.late[0]));
	fixed->extra_late = p.late_count;
	condition->extra_count = fixed->extra_early + p.late_count;
	if (condition->extra_count > CLASSIFY_EXTRAS)
		return -E2BIG;
	if (condition->extra_count)
		fixed->flags |= ITEM_EXTRA;
	return 0;
}
