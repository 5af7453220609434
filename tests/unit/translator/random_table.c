/* SPDX-License-Identifier: GPL-2.0-only */
#include "random_table.h"

#include <stdlib.h>
#include <string.h>

#include "../../../translator/field.h"

uint32_t random_below(struct random *random, uint32_t limit)
{
	random->state ^= random->state << 13;
	random->state ^= random->state >> 7;
	random->state ^= random->state << 17;
	return (uint32_t)(random->state >> 32) % limit;
}

static bool chance(struct random *random, uint32_t percent)
{
	return random_below(random, 100) < percent;
}

/* --- values that rules and packets share --- */

static void random_address(struct random *random, uint8_t family, uint8_t *address)
{
	static const uint8_t first[] = { 10, 10, 10, 172, 192, 0, 255 };

	memset(address, 0, 16);
	for (int i = 0; i < (family == 6 ? 16 : 4); i++)
		address[i] = random_below(random, 3) ? random_below(random, 4)
						     : random_below(random, 256);
	address[0] = first[random_below(random, sizeof(first))];
}

static uint16_t random_port(struct random *random)
{
	static const uint16_t ports[] = { 0, 1, 22, 53, 80, 443, 1023, 1024, 8080, 65534, 65535 };

	return ports[random_below(random, sizeof(ports) / sizeof(ports[0]))];
}

static uint8_t random_protocol(struct random *random)
{
	static const uint8_t protocols[] = { 6, 6, 6, 17, 17, 1, 58, 47, 0, 132, 50, 135, 255 };

	return protocols[random_below(random, sizeof(protocols))];
}

static void random_name(struct random *random, uint8_t *name)
{
	static const char *const names[] = { "",   "eth0",  "eth1",	   "eth10",
					     "lo", "wlan0", "enp0s31f6u1", "averylongname12" };

	memset(name, 0, IFACE_NAME_SIZE);
	strcpy((char *)name, names[random_below(random, 8)]);
}

/* --- predicates --- */

static void random_mask(struct random *random, uint8_t *mask, int size)
{
	int prefix = random_below(random, size * 8 + 1);

	memset(mask, 0, 16);
	if (chance(random, 60))
		prefix = size * 8;
	for (int i = 0; i < prefix; i++)
		mask[i / 8] |= 0x80 >> i % 8;
	if (chance(random, 10))
		mask[random_below(random, size)] &= random_below(random, 256);
}

static void masked(struct random *random, uint8_t family, uint8_t field, struct predicate *p)
{
	if (field == FIELD_SOURCE || field == FIELD_DESTINATION) {
		random_address(random, family, p->masked.value);
		random_mask(random, p->masked.mask, family == 6 ? 16 : 4);
	} else if (field == FIELD_TCP_FLAGS) {
		p->masked.mask[0] = random_below(random, 256);
		p->masked.value[0] = random_below(random, 256) & random_below(random, 256);
	} else {
		random_name(random, p->masked.value);
		memset(p->masked.mask, 0xff, 1 + random_below(random, 16));
	}
	if (!chance(random, 2))
		for (int i = 0; i < 16; i++)
			p->masked.value[i] &= p->masked.mask[i];
}

static void range(struct random *random, uint32_t a, uint32_t b, struct predicate *p)
{
	bool point = chance(random, 60);

	p->range.min = point || a < b ? a : b;
	p->range.max = point ? a : a < b ? b : a;
}

static uint32_t small_number(struct random *random)
{
	return random_below(random, 3) ? random_below(random, 5) : random_below(random, 70);
}

/* Fields that have nothing of their own: small numbers, which random_packet() has too. */
static void generic(struct random *random, uint8_t family, const struct field_info *field,
		    struct predicate *p)
{
	switch (field->operand) {
	case OPERAND_MASKED:
		for (int i = 0; i<field->size; i += field->size> 4 ? 4 : 1) {
			p->masked.mask[i] = random_below(random, 8);
			p->masked.value[i] = random_below(random, 8) & random_below(random, 8);
			if (!chance(random, 3))
				p->masked.value[i] &= p->masked.mask[i];
		}
		break;
	case OPERAND_RANGE:
		range(random, small_number(random), small_number(random), p);
		break;
	case OPERAND_BYTES:
		random_address(random, family, p->bytes.first);
		random_address(random, family, p->bytes.last);
		break;
	default:
		p->set = (uint64_t)random_below(random, 64) << random_below(random, 64);
	}
}

static void random_predicate(struct random *random, uint8_t family, uint8_t field,
			     struct rule *rule)
{
	struct predicate p = { .field = field, .invert = chance(random, 15) };

	switch (field) {
	case FIELD_PROTOCOL:
		range(random, random_protocol(random), random_protocol(random), &p);
		break;
	case FIELD_FRAGMENT:
		range(random, random_below(random, 2), random_below(random, 2), &p);
		break;
	case FIELD_SOURCE_PORT:
	case FIELD_DESTINATION_PORT:
		range(random, random_port(random), random_port(random), &p);
		break;
	case FIELD_ICMP:
		p.range.min = random_below(random, 4) << 8;
		p.range.max = p.range.min | 0xff;
		if (chance(random, 50))
			p.range.max = p.range.min |= random_below(random, 3);
		break;
	case FIELD_TCP_OPTION:
		p.range.min = p.range.max = random_below(random, 256);
		if (chance(random, 80))
			p.range.min = p.range.max = 2;
		break;
	case FIELD_TRANSPORT:
		p.fragment_one_drops = chance(random, 50);
		p.ports_suffice = chance(random, 20);
		p.invert = false;
		break;
	case FIELD_SOUND:
		p.range.min = PACKET_TCP_MSS_BAD;
		p.invert = false;
		break;
	case FIELD_HEADERS_SOUND:
		p.range.min = 1u << random_below(random, 5);
		p.invert = false;
		break;
	case FIELD_NEVER:
		p.invert = false;
		break;
	case FIELD_STATE:
	case FIELD_HOOK_STATE:
		break;
	case FIELD_SOURCE:
	case FIELD_DESTINATION:
	case FIELD_IN_NAME:
	case FIELD_OUT_NAME:
	case FIELD_TCP_FLAGS:
		masked(random, family, field, &p);
		break;
	default:
		generic(random, family, field_info(field), &p);
	}
	if (rule_add(rule, &p))
		abort();
}

static bool may_be_alternative(uint8_t field)
{
	return !field_info(field)->special;
}

/* Up to four predicates of which one must hold. */
static void random_clause(struct random *random, uint8_t family, struct rule *rule)
{
	uint32_t first = rule->predicate_count;

	for (uint32_t count = 2 + random_below(random, 3); count;) {
		uint8_t field = random_below(random, FIELD_NEVER);

		if (!may_be_alternative(field))
			continue;
		random_predicate(random, family, field, rule);
		count--;
	}
	for (; first + 1 < rule->predicate_count; first++)
		rule->predicates[first].or_next = true;
}

static void add_number(struct rule *rule, uint8_t field, uint16_t number, bool drops)
{
	struct predicate p = { .field = field, .fragment_one_drops = drops };

	p.range.min = p.range.max = number;
	if (field == FIELD_TRANSPORT)
		p.range.min = p.range.max = 0;
	if (rule_add(rule, &p))
		abort();
}

/* Addresses, names, protocol, then the match of that protocol, as iptables rules are checked. */
static void lowered_predicates(struct random *random, uint8_t family, struct rule *rule)
{
	uint8_t protocol = random_below(random, 3) ? 6 : 17;

	for (uint8_t field = FIELD_SOURCE; field <= FIELD_OUT_NAME; field++)
		if (chance(random, field <= FIELD_DESTINATION ? 50 : 15))
			random_predicate(random, family, field, rule);
	if (chance(random, 40)) {
		if (chance(random, 20))
			random_predicate(random, family, FIELD_PROTOCOL, rule);
		if (chance(random, 20))
			random_predicate(random, family, FIELD_STATE, rule);
		return;
	}
	add_number(rule, FIELD_PROTOCOL, protocol, false);
	if (family == 4 && chance(random, 10))
		random_predicate(random, family, FIELD_FRAGMENT, rule);
	if (chance(random, 20))
		return;
	add_number(rule, FIELD_TRANSPORT, 0, protocol == 6);
	if (chance(random, 30))
		random_predicate(random, family, FIELD_SOURCE_PORT, rule);
	if (chance(random, 70))
		random_predicate(random, family, FIELD_DESTINATION_PORT, rule);
	if (protocol == 6 && chance(random, 20))
		random_predicate(random, family, FIELD_TCP_FLAGS, rule);
	if (protocol == 6 && chance(random, 5))
		random_predicate(random, family, FIELD_TCP_OPTION, rule);
	if (protocol == 6 && chance(random, 5))
		random_predicate(random, family, FIELD_SOUND, rule);
	if (chance(random, 15))
		random_predicate(random, family, FIELD_STATE, rule);
	if (chance(random, 10))
		random_predicate(random, family, FIELD_MAC, rule);
	if (chance(random, 10)) /* a second match of the rule looks at addresses again */
		random_predicate(random, family, FIELD_SOURCE, rule);
	if (chance(random, 10))
		random_clause(random, family, rule);
}

/* Large tables stay large: hardly a rule matches many packets; some leave an address open. */
static void specific_predicates(struct random *random, uint8_t family, struct rule *rule)
{
	uint32_t open = random_below(random, 5);

	for (uint8_t field = FIELD_SOURCE; field <= FIELD_DESTINATION; field++) {
		struct predicate p = { .field = field };

		if (field == open)
			continue;
		random_address(random, family, p.masked.value);
		memset(p.masked.mask, 0xff, family == 6 ? 16 : 4);
		if (chance(random, 30)) {
			p.masked.mask[3] = 0;
			p.masked.value[3] = 0;
		}
		if (rule_add(rule, &p))
			abort();
	}
	if (open <= FIELD_DESTINATION || chance(random, 30))
		lowered_predicates(random, family, rule);
}

static void any_predicates(struct random *random, uint8_t family, struct rule *rule)
{
	for (uint32_t i = random_below(random, 6); i; i--)
		if (chance(random, 15))
			random_clause(random, family, rule);
		else
			random_predicate(random, family, random_below(random, FIELD_NEVER), rule);
	if (chance(random, 2))
		random_predicate(random, family, FIELD_NEVER, rule);
}

/* --- tables --- */

#define USER_CHAINS 4

static struct rule *new_rule(struct ir *ir, uint8_t action, uint32_t target)
{
	struct rule *rule = &ir->rules[ir->rule_count++];

	*rule = (struct rule){ .action = action, .target = target };
	return rule;
}

static uint8_t random_action(struct random *random)
{
	static const uint8_t actions[] = { ACTION_CONTINUE, ACTION_ACCEPT, ACTION_DROP, ACTION_DROP,
					   ACTION_RETURN,   ACTION_JUMP,   ACTION_GOTO };

	return actions[random_below(random, sizeof(actions))];
}

/* Jumps go to user chains from number @first on: chains call later ones only, so nothing loops. */
static void random_chain(struct random *random, struct ir *ir, uint32_t size, enum oddity oddity,
			 const uint32_t *starts, uint32_t first)
{
	for (uint32_t i = random_below(random, size + 1); i; i--) {
		uint8_t action = random_action(random);
		struct rule *rule;

		if ((action == ACTION_JUMP || action == ACTION_GOTO) &&
		    (first >= USER_CHAINS || random_below(random, size + 1) > 5))
			action = ACTION_DROP;
		rule = new_rule(ir, action, 0);
		if (action == ACTION_JUMP || action == ACTION_GOTO)
			rule->target = starts[first + random_below(random, USER_CHAINS - first)];
		if (oddity == RULES_AS_LOWERED)
			lowered_predicates(random, ir->family, rule);
		else if (oddity == RULES_SPECIFIC)
			specific_predicates(random, ir->family, rule);
		else
			any_predicates(random, ir->family, rule);
	}
}

struct ir *random_table(struct random *random, uint8_t family, uint32_t size, enum oddity oddity)
{
	struct ir *ir = calloc(1, sizeof(*ir));
	uint32_t starts[USER_CHAINS];

	if (!ir || !(ir->rules = calloc((size + 4) * (3 + USER_CHAINS), sizeof(*ir->rules))))
		abort();
	ir->family = family;
	for (int hook = 0; hook < HOOK_COUNT; hook++)
		ir->hook_entry[hook] = ir->underflow[hook] = RULE_NONE;
	for (uint32_t chain = USER_CHAINS; chain--;) {
		new_rule(ir, ACTION_NONE, 0);
		starts[chain] = ir->rule_count;
		random_chain(random, ir, size / 4, oddity, starts, chain + 1);
		new_rule(ir, ACTION_RETURN, 0);
	}
	for (int hook = HOOK_INPUT; hook <= HOOK_OUTPUT; hook++) {
		ir->hook_entry[hook] = ir->rule_count;
		random_chain(random, ir, size, oddity, starts, 0);
		ir->underflow[hook] = ir->rule_count;
		new_rule(ir, chance(random, 50) ? ACTION_ACCEPT : ACTION_DROP, 0);
	}
	ir_number_states(ir);
	return ir;
}

/* --- packets --- */

static void random_transport(struct random *random, struct packet *packet)
{
	static const uint8_t states[] = { TRANSPORT_TRUNCATED, TRANSPORT_FRAGMENT,
					  TRANSPORT_FRAGMENT_ONE, TRANSPORT_PORTS };
	bool has_ports = packet->protocol == 6 || packet->protocol == 17 || packet->protocol == 132;
	bool known = has_ports || packet->protocol == 50 ||
		     packet->protocol == (packet->family == 4 ? 1 : 58) ||
		     (packet->family == 6 && packet->protocol == 135);

	if (known)
		packet->transport = chance(random, 80)
					    ? TRANSPORT_OK
					    : states[random_below(random, has_ports ? 4 : 3)];
	if (packet->transport == TRANSPORT_FRAGMENT || packet->transport == TRANSPORT_FRAGMENT_ONE)
		packet->flags |= PACKET_FRAGMENT;
	if (packet->transport != TRANSPORT_OK && packet->transport != TRANSPORT_PORTS)
		return;
	if (has_ports) {
		packet->source_port = random_port(random);
		packet->destination_port = random_port(random);
	} else if (packet->protocol == 50) {
		packet->spi = small_number(random);
	} else if (packet->protocol == 135) {
		packet->icmp = small_number(random);
	} else {
		packet->icmp = random_below(random, 4) << 8 | random_below(random, 3);
	}
	if (packet->protocol != 6 || packet->transport != TRANSPORT_OK)
		return;
	packet->tcp_flags = random_below(random, 256);
	packet->tcp_options[0] = random_below(random, 8);
	packet->tcp_options[random_below(random, 4)] |= 1ULL << random_below(random, 64);
	if (chance(random, 10))
		packet->flags |= PACKET_TCP_OPTIONS_BAD;
}

/* Small numbers all over, as generic() asks for. */
static void random_connection(struct random *random, struct connection *connection)
{
	uint16_t *words = (uint16_t *)connection;

	if (chance(random, 30))
		return;
	for (size_t i = 0; i < sizeof(*connection) / sizeof(*words); i++)
		words[i] = random_below(random, 3) ? random_below(random, 5) : 0;
}

static void random_attributes(struct random *random, struct packet *packet)
{
	for (int i = 0; i < 6; i++)
		packet->mac[i] = random_below(random, 4);
	packet->mark = small_number(random);
	packet->tos = small_number(random);
	packet->ttl = small_number(random);
	packet->packet_type = random_below(random, 8);
	packet->flags |= random_below(random, 8) * PACKET_HAS_MAC;
	packet->facts = random_below(random, 4);
	if (chance(random, 10))
		packet->flags |= PACKET_TCP_MSS_BAD;
}

static void random_headers(struct random *random, struct packet *packet)
{
	struct ipv6_headers *headers = &packet->headers;

	headers->found = random_below(random, 32);
	headers->hop_by_hop_size = small_number(random);
	headers->destination_size = small_number(random);
	headers->routing_type = small_number(random);
	headers->fragment_id = small_number(random);
	headers->fragment_offset = random_below(random, 8);
	headers->authentication_spi = small_number(random);
	if (chance(random, 10))
		packet->headers_broken = random_below(random, 32);
}

void random_packet(struct random *random, uint8_t family, struct packet *packet)
{
	*packet = (struct packet){ .family = family, .length = 40 + random_below(random, 1400) };
	random_address(random, family, (uint8_t *)packet->source);
	random_address(random, family, (uint8_t *)packet->destination);
	random_name(random, packet->in_name);
	random_name(random, packet->out_name);
	packet->protocol = random_protocol(random);
	random_connection(random, &packet->connection);
	random_attributes(random, packet);
	if (family == 6)
		random_headers(random, packet);
	if (family == 6 && chance(random, 8)) {
		packet->flags |= PACKET_NO_PROTOCOL;
		packet->protocol = 44;
		if (chance(random, 50))
			packet->flags |= PACKET_FRAGMENT;
		return;
	}
	random_transport(random, packet);
}

/* --- the plain way --- */

enum answer {
	ANSWER_NO,
	ANSWER_YES,
	ANSWER_HOTDROP,
};

static bool masked_equal(const void *bytes, const struct predicate *p, int size)
{
	for (int i = 0; i < size; i++)
		if ((((const uint8_t *)bytes)[i] & p->masked.mask[i]) != p->masked.value[i])
			return false;
	return true;
}

static bool in_range(uint32_t value, const struct predicate *p)
{
	return value >= p->range.min && value <= p->range.max;
}

static bool generic_holds(const struct packet *packet, const struct predicate *p)
{
	const struct field_info *field = field_info(p->field);
	const uint8_t *bytes = (const uint8_t *)packet + field->offset;
	int address_size = packet->family == 6 ? 16 : 4;
	uint32_t number = 0;

	if (field->operand == OPERAND_MASKED)
		return masked_equal(bytes, p, field->size);
	if (field->operand == OPERAND_BYTES)
		return memcmp(bytes, p->bytes.first, address_size) >= 0 &&
		       memcmp(bytes, p->bytes.last, address_size) <= 0;
	for (int i = field->size; i > 0; i--)
		number = number << 8 | bytes[i - 1];
	if (field->operand == OPERAND_RANGE)
		return in_range(number, p);
	return number < 64 && p->set >> number & 1;
}

bool answer_third(uint32_t *asked)
{
	return ++*asked % 3 == 0;
}

static enum answer ask(const struct packet *packet, const struct predicate *p, uint32_t *asked)
{
	int size = packet->family == 6 ? 16 : 4;
	bool yes;

	switch (p->field) {
	case FIELD_SOURCE:
		yes = masked_equal(packet->source, p, size);
		break;
	case FIELD_DESTINATION:
		yes = masked_equal(packet->destination, p, size);
		break;
	case FIELD_IN_NAME:
		yes = masked_equal(packet->in_name, p, 16);
		break;
	case FIELD_OUT_NAME:
		yes = masked_equal(packet->out_name, p, 16);
		break;
	case FIELD_PROTOCOL:
		if (packet->flags & PACKET_NO_PROTOCOL)
			return packet->flags & PACKET_FRAGMENT ? ANSWER_NO : ANSWER_HOTDROP;
		yes = in_range(packet->protocol, p);
		break;
	case FIELD_FRAGMENT:
		yes = in_range(!!(packet->flags & PACKET_FRAGMENT), p);
		break;
	case FIELD_SOURCE_PORT:
		yes = in_range(packet->source_port, p);
		break;
	case FIELD_DESTINATION_PORT:
		yes = in_range(packet->destination_port, p);
		break;
	case FIELD_ICMP:
		yes = in_range(packet->icmp, p);
		break;
	case FIELD_TCP_FLAGS:
		yes = masked_equal(&packet->tcp_flags, p, 1);
		break;
	case FIELD_TCP_OPTION:
		if (packet->flags & PACKET_TCP_OPTIONS_BAD)
			return ANSWER_HOTDROP;
		yes = packet->tcp_options[p->range.min / 64] >> p->range.min % 64 & 1;
		break;
	case FIELD_TRANSPORT:
		if (packet->transport == TRANSPORT_OK ||
		    (packet->transport == TRANSPORT_PORTS && p->ports_suffice))
			return ANSWER_YES;
		if (packet->transport == TRANSPORT_FRAGMENT ||
		    (packet->transport == TRANSPORT_FRAGMENT_ONE && !p->fragment_one_drops))
			return ANSWER_NO;
		return ANSWER_HOTDROP;
	case FIELD_SOUND:
		return packet->flags & p->range.min ? ANSWER_HOTDROP : ANSWER_YES;
	case FIELD_HEADERS_SOUND:
		return packet->headers_broken & p->range.min ? ANSWER_HOTDROP : ANSWER_YES;
	case FIELD_STATE:
	case FIELD_HOOK_STATE:
		yes = answer_third(&asked[p->state_index]);
		break;
	case FIELD_NEVER:
		return ANSWER_NO;
	default:
		yes = generic_holds(packet, p);
	}
	return yes != p->invert ? ANSWER_YES : ANSWER_NO;
}

static enum answer ask_rule(const struct packet *packet, const struct rule *rule, uint32_t *asked)
{
	bool met = false; /* an alternative before holds */

	for (uint32_t i = 0; i < rule->predicate_count; i++) {
		const struct predicate *p = &rule->predicates[i];
		enum answer answer = met ? ANSWER_YES : ask(packet, p, asked);

		met = p->or_next && answer == ANSWER_YES;
		if (answer == ANSWER_HOTDROP || (answer == ANSWER_NO && !p->or_next))
			return answer;
	}
	return ANSWER_YES;
}

int run_chains(const struct ir *ir, enum hook hook, const struct packet *packet, uint32_t *asked,
	       struct counter *counters)
{
	uint32_t stack[USER_CHAINS + 1], depth = 0, at = ir->hook_entry[hook];

	for (;;) {
		const struct rule *rule = &ir->rules[at];
		enum answer answer = ask_rule(packet, rule, asked);

		if (answer == ANSWER_HOTDROP)
			return VERDICT_DROP;
		if (answer == ANSWER_NO) {
			at++;
			continue;
		}
		counters[at].packets++;
		counters[at].bytes += packet->length;
		switch (rule->action) {
		case ACTION_ACCEPT:
			return VERDICT_ACCEPT;
		case ACTION_DROP:
			return VERDICT_DROP;
		case ACTION_RETURN:
			at = depth ? stack[--depth] + 1 : ir->underflow[hook];
			break;
		case ACTION_JUMP:
			stack[depth++] = at;
			at = rule->target;
			break;
		case ACTION_GOTO:
			at = rule->target;
			break;
		default:
			at++;
		}
	}
}
