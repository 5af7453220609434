/* SPDX-License-Identifier: GPL-2.0-only */
#include "generated.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHAINS_MAX 3u

uint32_t random_below(struct random *random, uint32_t bound)
{
	random->state ^= random->state >> 12;
	random->state ^= random->state << 25;
	random->state ^= random->state >> 27;
	return (uint32_t)(((random->state * 0x2545f4914f6cdd1dull) >> 32) % bound);
}

bool random_chance(struct random *random, unsigned percent)
{
	return random_below(random, 100) < percent;
}

/* in0 has 10.9.1.1/24 and fd09:1::1/64, out0 10.9.2.1/24 and fd09:2::1/64 */
const unsigned char address_pool[2][ADDRESSES][16] = {
	{
		{ 10, 9, 1, 1 },
		{ 224, 0, 0, 5 },
		{ 10, 9, 1, 255 },
		{ 10, 9, 2, 7 },
		{ 10, 9, 2, 8 },
		{ 10, 9, 1, 9 },
	},
	{
		{ 0xfd, 9, 0, 1, [15] = 1 },
		{ 0xff, 2, [15] = 1 },
		{ 0xfd, 9, 0, 2, [15] = 1 },
		{ 0xfd, 9, 0, 2, [15] = 7 },
		{ 0xfd, 9, 0, 2, [15] = 8 },
		{ 0xfd, 9, 0, 1, [15] = 9 },
	},
};

const uint16_t port_pool[6] = { 0, 53, 80, 1024, 65534, 65535 };

static void add_range(struct rule *rule, enum field field, uint16_t min, uint16_t max, bool invert)
{
	const struct predicate predicate = { .field = (uint8_t)field,
					     .invert = invert,
					     .range = { min, max } };

	if (rule_add(rule, &predicate))
		abort();
}

static void add_masked(struct rule *rule, enum field field, const void *value, const void *mask,
		       size_t size, bool invert)
{
	struct predicate predicate = { .field = (uint8_t)field, .invert = invert };

	memcpy(predicate.masked.value, value, size);
	memcpy(predicate.masked.mask, mask, size);
	if (rule_add(rule, &predicate))
		abort();
}

static void add_guard(struct rule *rule, bool fragment_one_drops)
{
	const struct predicate predicate = { .field = FIELD_TRANSPORT,
					     .fragment_one_drops = fragment_one_drops };

	if (rule_add(rule, &predicate))
		abort();
}

static void add_address(struct rule *rule, enum field field, uint8_t family, struct random *random)
{
	size_t size = family == 4 ? 4 : 16;
	const unsigned char *address = address_pool[family == 6][random_below(random, ADDRESSES)];
	unsigned char value[16], mask[16];
	unsigned bits = random_below(random, (uint32_t)size * 8 + 1);

	for (size_t i = 0; i < size; i++) {
		if (random_chance(random, 70))
			mask[i] = bits >= 8 * (i + 1) ? 0xff
				  : bits > 8 * i      ? (unsigned char)(0xff00 >> (bits - 8 * i))
						      : 0;
		else
			mask[i] = random_chance(random, 50) ? 0xff : 0x0f;
		value[i] = address[i] & mask[i];
	}
	if (random_chance(random, 3)) /* a bit outside the mask, as ip_tables takes it */
		value[size - 1] |= (unsigned char)~mask[size - 1];
	add_masked(rule, field, value, mask, size, random_chance(random, 25));
}

static void add_name(struct rule *rule, enum field field, struct random *random)
{
	static const char *const names[] = { "in0", "out0", "in", "", "in0x", "o" };
	const char *name = names[random_below(random, sizeof(names) / sizeof(*names))];
	char value[IFACE_NAME_SIZE] = {}, mask[IFACE_NAME_SIZE] = {};
	size_t length = strlen(name);

	memcpy(value, name, length);
	memset(mask, 0xff, length + random_chance(random, 60)); /* without the NUL: "in+" */
	add_masked(rule, field, value, mask, sizeof(value), random_chance(random, 25));
}

static void add_port(struct rule *rule, enum field field, struct random *random)
{
	uint16_t min = port_pool[random_below(random, 6)], max = port_pool[random_below(random, 6)];

	if (min > max && random_chance(random, 90))
		max = min;
	add_range(rule, field, min, max, random_chance(random, 25));
}

static void add_ports(struct rule *rule, struct random *random)
{
	if (random_chance(random, 50))
		add_port(rule, FIELD_SOURCE_PORT, random);
	if (random_chance(random, 50))
		add_port(rule, FIELD_DESTINATION_PORT, random);
}

static void add_tcp(struct rule *rule, struct random *random)
{
	static const uint8_t masks[] = { 0x17, 0x3f, 0x02, 0x00, 0xff };

	add_guard(rule, true);
	add_ports(rule, random);
	if (random_chance(random, 40)) {
		uint8_t mask = masks[random_below(random, sizeof(masks))];
		uint8_t value = (uint8_t)(random_below(random, 64) & mask);

		if (random_chance(random, 50))
			value = 0x02 & mask;
		add_masked(rule, FIELD_TCP_FLAGS, &value, &mask, 1, random_chance(random, 25));
	}
	if (random_chance(random, 40)) {
		static const uint8_t kinds[] = { 1, 2, 3, 4, 8, 63, 64, 200, 255 };
		uint8_t kind = kinds[random_below(random, sizeof(kinds))];

		add_range(rule, FIELD_TCP_OPTION, kind, kind, random_chance(random, 40));
	}
}

static void add_icmp(struct rule *rule, struct random *random)
{
	static const uint8_t types[] = { 0, 3, 8, 128, 1 };
	uint16_t type = (uint16_t)(types[random_below(random, sizeof(types))] << 8);

	add_guard(rule, false);
	if (random_chance(random, 50))
		add_range(rule, FIELD_ICMP, type, type | 0xff, random_chance(random, 25));
	else
		add_range(rule, FIELD_ICMP, type | 1, type | 1, random_chance(random, 25));
}

static void add_protocol(struct rule *rule, uint8_t family, struct random *random)
{
	static const uint8_t others[] = { 47, IPPROTO_ESP, IPPROTO_NONE, IPPROTO_UDP, IPPROTO_TCP };
	uint8_t icmp = family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;

	switch (random_below(random, 6)) {
	case 0:
		add_range(rule, FIELD_PROTOCOL, IPPROTO_TCP, IPPROTO_TCP, false);
		add_tcp(rule, random);
		break;
	case 1:
		add_range(rule, FIELD_PROTOCOL, IPPROTO_UDP, IPPROTO_UDP, false);
		add_guard(rule, false);
		add_ports(rule, random);
		break;
	case 2:
		add_range(rule, FIELD_PROTOCOL, icmp, icmp, false);
		add_icmp(rule, random);
		break;
	case 3:
		icmp = others[random_below(random, sizeof(others))];
		add_range(rule, FIELD_PROTOCOL, icmp, icmp, random_chance(random, 30));
		break;
	case 4:
		if (family == 6)
			add_range(rule, FIELD_PROTOCOL, 0, UINT8_MAX, false);
		break;
	default:
		break;
	}
}

static void add_predicates(struct rule *rule, uint8_t family, struct random *random)
{
	if (random_chance(random, 25))
		add_address(rule, FIELD_SOURCE, family, random);
	if (random_chance(random, 25))
		add_address(rule, FIELD_DESTINATION, family, random);
	if (random_chance(random, 12))
		add_name(rule, FIELD_IN_NAME, random);
	if (random_chance(random, 12))
		add_name(rule, FIELD_OUT_NAME, random);
	if (random_chance(random, 70))
		add_protocol(rule, family, random);
	if (family == 4 && random_chance(random, 8))
		add_range(rule, FIELD_FRAGMENT, 1, 1, random_chance(random, 50));
	if (random_chance(random, 1))
		add_range(rule, FIELD_NEVER, 0, 0, false);
}

/* Where chains start; user chains behind the built-in ones. */
struct layout {
	uint32_t first[3 + CHAINS_MAX];
	uint32_t size[3 + CHAINS_MAX];
	unsigned chains;
	uint32_t total;
};

static struct layout layout_make(struct random *random)
{
	struct layout layout = { .chains = 3 + random_below(random, CHAINS_MAX + 1) };

	for (unsigned i = 0; i < layout.chains; i++) {
		if (i >= 3)
			layout.total++; /* the chain's head */
		layout.first[i] = layout.total;
		layout.size[i] = 1 + random_below(random, i < 3 ? 8 : 4); /* the last one leaves */
		layout.total += layout.size[i];
	}
	layout.total++; /* the table's end */
	return layout;
}

/* Chains call only those behind them: no loops. */
static void set_action(struct rule *rule, const struct layout *layout, unsigned chain,
		       struct random *random)
{
	static const enum action actions[] = { ACTION_ACCEPT, ACTION_DROP, ACTION_CONTINUE,
					       ACTION_CONTINUE, ACTION_RETURN };
	unsigned first = chain < 3 ? 3 : chain + 1;

	if (first < layout->chains && random_chance(random, 40)) {
		unsigned target = first + random_below(random, layout->chains - first);

		rule->action = random_chance(random, 25) ? ACTION_GOTO : ACTION_JUMP;
		rule->target = layout->first[target];
		return;
	}
	rule->action = (uint8_t)actions[random_below(random, sizeof(actions) / sizeof(*actions))];
}

static void fill_chain(struct ir *ir, const struct layout *layout, unsigned chain,
		       struct random *random)
{
	uint32_t last = layout->first[chain] + layout->size[chain] - 1;

	for (uint32_t i = layout->first[chain]; i < last; i++) {
		add_predicates(&ir->rules[i], ir->family, random);
		set_action(&ir->rules[i], layout, chain, random);
	}
	if (chain >= 3) {
		ir->rules[last].action = ACTION_RETURN;
		return;
	}
	ir->rules[last].action = random_chance(random, 60) ? ACTION_ACCEPT : ACTION_DROP;
	ir->hook_entry[HOOK_INPUT + chain] = layout->first[chain];
	ir->underflow[HOOK_INPUT + chain] = last;
}

struct ir *table_make(uint8_t family, struct random *random)
{
	struct layout layout = layout_make(random);
	struct ir *ir = calloc(1, sizeof(*ir));

	if (!ir)
		abort();
	ir->family = family;
	ir->rule_count = layout.total;
	ir->rules = calloc(ir->rule_count, sizeof(*ir->rules));
	if (!ir->rules)
		abort();
	for (unsigned hook = 0; hook < HOOK_COUNT; hook++)
		ir->hook_entry[hook] = ir->underflow[hook] = RULE_NONE;
	for (uint32_t i = 0; i < ir->rule_count; i++) {
		ir->rules[i].action = ACTION_NONE;
		if (asprintf(&ir->rules[i].text, "rule %u", i) < 0)
			abort();
	}
	for (unsigned i = 0; i < layout.chains; i++)
		fill_chain(ir, &layout, i, random);
	return ir;
}

static void print_predicate(const struct predicate *predicate)
{
	static const char *const names[FIELD_COUNT] = {
		"source",     "destination", "in",    "out",  "protocol",
		"fragment",   "sport",	     "dport", "icmp", "tcp-flags",
		"tcp-option", "transport",   "never",
	};
	bool masked = predicate->field <= FIELD_OUT_NAME || predicate->field == FIELD_TCP_FLAGS;

	printf(" %s%s", predicate->invert ? "!" : "", names[predicate->field]);
	if (predicate->field == FIELD_TRANSPORT || predicate->field == FIELD_NEVER)
		return;
	if (!masked) {
		printf("=%u:%u", predicate->range.min, predicate->range.max);
		return;
	}
	putchar('=');
	for (unsigned i = 0; i < 16; i++)
		printf("%02x", predicate->masked.value[i]);
	putchar('/');
	for (unsigned i = 0; i < 16; i++)
		printf("%02x", predicate->masked.mask[i]);
}

void table_print(const struct ir *ir)
{
	static const char *const actions[] = { "continue", "accept", "drop", "return",
					       "jump",	   "goto",   "none" };

	for (uint32_t i = 0; i < ir->rule_count; i++) {
		const struct rule *rule = &ir->rules[i];

		printf("%3u%s:", i,
		       i == ir->hook_entry[HOOK_INPUT]	   ? " INPUT"
		       : i == ir->hook_entry[HOOK_FORWARD] ? " FORWARD"
		       : i == ir->hook_entry[HOOK_OUTPUT]  ? " OUTPUT"
							   : "");
		for (uint32_t j = 0; j < rule->predicate_count; j++)
			print_predicate(&rule->predicates[j]);
		printf(" -> %s", actions[rule->action]);
		if (rule->action == ACTION_JUMP || rule->action == ACTION_GOTO)
			printf(" %u", rule->target);
		putchar('\n');
	}
}
