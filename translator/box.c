/* SPDX-License-Identifier: GPL-2.0-only */
#include "box.h"

#include <netinet/in.h>
#include <string.h>

static void narrow(struct box *box, unsigned word, uint32_t min, uint32_t max)
{
	struct range *range = &box->words[word];

	range->min = min > range->min ? min : range->min;
	range->max = max < range->max ? max : range->max;
}

/* A mask's leading ones make a range; what is behind a gap in them is left to the confirmation. */
static void narrow_masked(struct box *box, unsigned word, __be32 value, __be32 mask)
{
	uint32_t bits = __builtin_bswap32(mask), low = __builtin_bswap32(value);
	unsigned prefix = ~bits ? (unsigned)__builtin_clz(~bits) : 32;
	uint32_t tail = prefix < 32 ? UINT32_MAX >> prefix : 0;

	if (bits & tail)
		box->exact = false;
	narrow(box, word, low & ~tail, low | tail);
}

static void narrow_name(struct box *box, const struct classify_extra *extra)
{
	bool in = extra->field == FIELD_IN_NAME;
	__be32 value[4], mask[4];

	memcpy(value, extra->value, sizeof(value));
	memcpy(mask, extra->mask, sizeof(mask));
	if (mask[2] | mask[3])
		box->exact = false;
	for (unsigned i = 0; i < 4; i++)
		if (value[i] & ~mask[i]) {
			box->exact = false;
			return;
		}
	narrow_masked(box, in ? KEY_IN_NAME : KEY_OUT_NAME, value[0], mask[0]);
	narrow_masked(box, in ? KEY_IN_NAME_REST : KEY_OUT_NAME_REST, value[1], mask[1]);
}

/* Its last two bytes are a number of 16 bits. */
static void narrow_mac(struct box *box, const struct classify_extra *extra)
{
	uint64_t value = __builtin_bswap64(extra->value[0]) >> 16;
	uint64_t mask = __builtin_bswap64(extra->mask[0]) >> 16;

	if (mask != UINT64_MAX >> 16) {
		box->exact = false;
		return;
	}
	narrow(box, KEY_MAC, value >> 16, value >> 16);
	narrow(box, KEY_MAC_REST, value & 0xffff, value & 0xffff);
}

/* Do the key words hold the field? */
static bool narrow_field(struct box *box, const struct classify_extra *extra)
{
	if (extra->field == FIELD_IN_NAME || extra->field == FIELD_OUT_NAME)
		narrow_name(box, extra);
	else if (extra->field == FIELD_MAC)
		narrow_mac(box, extra);
	else
		return extra->field == FIELD_BEYOND; /* any packet may be meant */
	return true;
}

static void narrow_extras(struct box *box, const struct classify_extra *extras, uint32_t count)
{
	bool alternative = false; /* the one at hand ends a clause of several */

	for (uint32_t i = 0; i < count; i++) {
		const struct classify_extra *extra = &extras[i];

		if (extra->kind == EXTRA_STATE) {
			/* it is to be asked whatever those behind it say */
			box->exact = false;
			return;
		}
		if (alternative || extra->flags & (EXTRA_INVERT | EXTRA_OR_NEXT) ||
		    !narrow_field(box, extra))
			box->exact = false;
		alternative = extra->flags & EXTRA_OR_NEXT;
	}
}

static void narrow_addresses(struct box *box, const struct condition *c)
{
	narrow_masked(box, KEY_SOURCE, c->item.source, c->item.source_mask);
	narrow_masked(box, KEY_DESTINATION, c->item.destination, c->item.destination_mask);
	if (!(c->item.flags & ITEM_WIDE))
		return;
	for (unsigned i = 0; i < 3; i++) {
		narrow_masked(box, KEY_SOURCE_REST + i, c->wide.source[i], c->wide.source_mask[i]);
		narrow_masked(box, KEY_DESTINATION_REST + i, c->wide.destination[i],
			      c->wide.destination_mask[i]);
	}
}

static void narrow_protocol(struct box *box, const struct classify_item *item)
{
	uint32_t protocol = item->tail >> TAIL_PROTOCOL_SHIFT & 0xff;

	if (item->tail_mask >> TAIL_PROTOCOL_SHIFT & 0xff)
		narrow(box, KEY_PROTOCOL, protocol, protocol);
}

static void narrow_transport_fields(struct box *box, const struct classify_item *item)
{
	uint32_t icmp = item->tail & 0xffff, icmp_mask = item->tail_mask & 0xffff;

	if (item->source_port_span < UINT16_MAX)
		narrow(box, KEY_SOURCE_PORT, item->source_port_min,
		       item->source_port_min + item->source_port_span);
	if (item->destination_port_span < UINT16_MAX)
		narrow(box, KEY_DESTINATION_PORT, item->destination_port_min,
		       item->destination_port_min + item->destination_port_span);
	if (icmp_mask)
		narrow(box, KEY_ICMP, icmp, icmp | (0xffff & ~icmp_mask));
	if (item->flags & ITEM_TRANSPORT)
		narrow(box, KEY_TRANSPORT, TRANSPORT_OK, TRANSPORT_OK);
}

/* Conditions on the tail that no key word holds. */
#define TAIL_UNKEYED ((0xffULL << TAIL_FLAGS_SHIFT) | (0xffULL << TAIL_TCP_FLAGS_SHIFT))

static void box_sound(const struct condition *c, struct box *box)
{
	narrow_extras(box, c->extras, c->extra_count);
	narrow_protocol(box, &c->item);
	narrow_transport_fields(box, &c->item);
	if (c->item.tail_mask & TAIL_UNKEYED)
		box->exact = false;
}

/* Only what stands before the first hotdrop may keep a packet from the item. */
static void box_broken(const struct condition *c, uint8_t family, struct box *box)
{
	narrow_extras(box, c->extras, c->item.extra_early);
	if (family == 4)
		narrow_protocol(box, &c->item);
	if ((c->item.flags & (ITEM_TRANSPORT | ITEM_PROTOCOL)) || c->item.extra_late ||
	    (c->item.tail_mask & TAIL_UNKEYED))
		box->exact = false;
	if ((c->item.flags & ITEM_TRANSPORT) && !(c->item.flags & ITEM_FRAGMENT_ONE_DROPS) &&
	    !(c->item.flags & ITEM_PROTOCOL))
		narrow(box, KEY_TRANSPORT, TRANSPORT_NONE, TRANSPORT_PORTS);
}

/* Early extras are looked at before a hotdrop of theirs only as far as they stand before it. */
static bool early_can_hotdrop(const struct condition *c)
{
	for (uint32_t i = 0; i < c->item.extra_early; i++)
		if (c->extras[i].kind == EXTRA_PROTOCOL)
			return true;
	return false;
}

void box_build(const struct condition *condition, enum packet_class class, uint8_t family,
	       struct box *box)
{
	box->exact = true;
	for (unsigned i = 0; i < KEY_WORDS; i++)
		box->words[i] = RANGE_ALL;
	narrow_addresses(box, condition);
	if (class == CLASS_SOUND)
		box_sound(condition, box);
	else
		box_broken(condition, family, box);
}

/* The protocols whose headers the parsers look for. */
static bool protocol_has_header(uint8_t protocol, uint8_t family)
{
	switch (protocol) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
	case IPPROTO_ESP:
		return true;
	case IPPROTO_ICMP:
	case IPPROTO_AH:
		return family == 4;
	case IPPROTO_ICMPV6:
		return family == 6;
	default:
		return false;
	}
}

/* --- alternatives --- */

/* A run of extras of which one must hold. */
struct clause {
	const struct classify_extra *extras;
	uint32_t count;
};

static bool is_port_range(const struct classify_extra *extra)
{
	return (extra->field == FIELD_SOURCE_PORT || extra->field == FIELD_DESTINATION_PORT) &&
	       !(extra->flags & EXTRA_INVERT);
}

/* The first clause that is on ports alone; count 0: there is none. */
static struct clause port_clause(const struct condition *c, enum packet_class class)
{
	uint32_t end = class == CLASS_SOUND ? c->extra_count : c->item.extra_early;
	uint32_t first = 0;
	bool on_ports = true;

	for (uint32_t i = 0; i < end; i++) {
		on_ports &= is_port_range(&c->extras[i]);
		if (c->extras[i].flags & EXTRA_OR_NEXT)
			continue;
		if (on_ports && i + 1 - first <= BOX_PARTS_MAX)
			return (struct clause){ &c->extras[first], i + 1 - first };
		first = i + 1;
		on_ports = true;
	}
	return (struct clause){ NULL, 0 };
}

uint32_t box_parts(const struct condition *condition, enum packet_class class)
{
	uint32_t count = port_clause(condition, class).count;

	return count ? count : 1;
}

struct box box_part(const struct condition *condition, enum packet_class class,
		    const struct box *box, uint32_t part)
{
	struct clause clause = port_clause(condition, class);
	struct box narrowed = *box;
	bool source;

	if (part >= clause.count)
		return narrowed;
	source = clause.extras[part].field == FIELD_SOURCE_PORT;
	narrow(&narrowed, source ? KEY_SOURCE_PORT : KEY_DESTINATION_PORT,
	       (uint32_t)clause.extras[part].value[0], (uint32_t)clause.extras[part].mask[0]);
	return narrowed;
}

bool condition_wants_header(const struct condition *condition, uint8_t family)
{
	const struct classify_item *item = &condition->item;
	uint8_t protocol = item->tail >> TAIL_PROTOCOL_SHIFT & 0xff;
	bool known = (item->tail_mask >> TAIL_PROTOCOL_SHIFT & 0xff) &&
		     protocol_has_header(protocol, family);

	for (uint32_t i = 0; i < condition->extra_count; i++)
		if (condition->extras[i].kind == EXTRA_TRANSPORT)
			return true;
	return (item->flags & ITEM_TRANSPORT) && !known;
}

bool condition_can_hotdrop(const struct condition *condition)
{
	return (condition->item.flags & (ITEM_TRANSPORT | ITEM_PROTOCOL)) ||
	       condition->item.extra_late || early_can_hotdrop(condition);
}
