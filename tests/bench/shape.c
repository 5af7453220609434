/* SPDX-License-Identifier: GPL-2.0-only */
#include "shape.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[SHAPE_COUNT] = { "blocklist", "acl", "fw", "ipc" };

const char *shape_name(enum shape shape)
{
	return names[shape];
}

static uint32_t next_random(uint64_t *state)
{
	*state += 0x9e3779b97f4a7c15u;
	uint64_t z = *state;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (uint32_t)(z >> 32);
}

static uint32_t below(uint64_t *state, uint32_t limit)
{
	return (uint32_t)((uint64_t)next_random(state) * limit >> 32);
}

/* Shares in percent; the rest of the lengths is /32, the rest of the ports a range. */
struct shares {
	uint8_t any_source, short_source, long_source; /* none, /8 to /24, /25 to /31 */
	uint8_t any_destination, short_destination, long_destination;
	uint8_t any_source_port, one_source_port;
	uint8_t any_port, one_port;
	uint8_t tcp, udp; /* the rest: any protocol */
};

static const struct shares shares[SHAPE_COUNT] = {
	[SHAPE_BLOCKLIST] = { .any_destination = 100 },
	[SHAPE_ACL] = { 4, 22, 30, 1, 14, 21, 98, 1, 24, 62, 80, 13 },
	[SHAPE_FW] = { 40, 20, 10, 12, 18, 10, 78, 6, 32, 44, 70, 22 },
	[SHAPE_IPC] = { 9, 26, 15, 11, 26, 15, 62, 18, 42, 42, 58, 28 },
};

/* Addresses share prefixes unevenly: each bit follows a coin that the bits before it bias. */
static uint32_t clustered_address(uint64_t *state, uint64_t salt)
{
	uint32_t address = 0;

	for (int bit = 31; bit >= 0; bit--) {
		uint64_t node = salt ^ ((uint64_t)address << 6 | bit);
		uint32_t bias = bit > 8 ? 10 + below(&node, 80) : 50;

		address |= (below(state, 100) < bias ? 1u : 0u) << bit;
	}
	return address;
}

static uint8_t length(uint64_t *state, uint8_t any, uint8_t brief, uint8_t rather_long)
{
	uint32_t draw = below(state, 100);

	if (draw < any)
		return 0;
	if (draw < (uint32_t)any + brief) /* peaks at /16 and /24, as published */
		return below(state, 3) ? 16 + 8 * below(state, 2) : 8 + below(state, 17);
	return draw < (uint32_t)any + brief + rather_long ? 25 + below(state, 7) : 32;
}

static uint32_t masked(uint32_t address, uint8_t bits)
{
	return bits ? address & ~(uint32_t)0 << (32 - bits) : 0;
}

static void ports(uint64_t *state, uint8_t any, uint8_t one, uint16_t *min, uint16_t *max)
{
	static const uint16_t known[] = {
		80,  443,  22,	 25,   53,   110,  143,	 161,  389,  445,
		993, 1433, 1521, 3128, 3306, 3389, 5060, 5432, 8080, 8443
	};
	uint32_t draw = below(state, 100);

	*min = 0;
	*max = UINT16_MAX;
	if (draw < any)
		return;
	if (draw < (uint32_t)any + one) {
		*min = below(state, 4) ? known[below(state, 20)] : below(state, 65536);
		*max = *min;
	} else if (below(state, 2)) {
		*min = 1024;
	} else {
		*min = below(state, 60000);
		*max = *min + 1 + below(state, 500);
	}
}

static void draw_rule(uint64_t *state, enum shape shape, const struct bench_rule *before,
		      uint32_t count, struct bench_rule *rule)
{
	const struct shares *s = &shares[shape];
	uint32_t draw = below(state, 100);

	*rule = (struct bench_rule){ .port_max = { UINT16_MAX, UINT16_MAX } };
	rule->source_length = length(state, s->any_source, s->short_source, s->long_source);
	rule->destination_length =
		length(state, s->any_destination, s->short_destination, s->long_destination);
	rule->source = clustered_address(state, 1);
	rule->destination = clustered_address(state, 2);
	if (shape != SHAPE_BLOCKLIST && count && below(state, 100) < 30) /* nest with one before */
		rule->source = before[below(state, count)].source | below(state, 256);
	if (shape != SHAPE_BLOCKLIST && count && below(state, 100) < 40)
		rule->destination = before[below(state, count)].destination | below(state, 256);
	rule->source = masked(rule->source, rule->source_length);
	rule->destination = masked(rule->destination, rule->destination_length);
	rule->protocol = draw < s->tcp ? 6 : draw < (uint32_t)s->tcp + s->udp ? 17 : 0;
	if (!rule->protocol)
		return;
	ports(state, s->any_source_port, s->one_source_port, &rule->port_min[0],
	      &rule->port_max[0]);
	ports(state, s->any_port, s->one_port, &rule->port_min[1], &rule->port_max[1]);
}

/* A rule that matches (nearly) everything would make the ones behind it unreachable. */
static bool is_too_wide(enum shape shape, const struct bench_rule *rule)
{
	bool one_port = rule->protocol && rule->port_min[1] == rule->port_max[1];

	if (shape == SHAPE_BLOCKLIST)
		return false;
	if (rule->source_length + rule->destination_length >= 24)
		return false;
	return !(one_port && rule->source_length + rule->destination_length >= 8);
}

struct bench_rule *bench_rules(enum shape shape, uint32_t count, uint64_t seed)
{
	struct bench_rule *rules = calloc(count ? count : 1, sizeof(*rules));
	uint64_t state = seed * 977 + shape;

	for (uint32_t i = 0; rules && i < count; i++)
		do {
			draw_rule(&state, shape, rules, i, &rules[i]);
		} while (is_too_wide(shape, &rules[i]));
	return rules;
}

struct bench_packet bench_packet(const struct bench_rule *rule, uint64_t seed)
{
	uint64_t state = seed;
	uint32_t source = next_random(&state), destination = next_random(&state);

	return (struct bench_packet){
		.source = rule->source | (source & ~masked(UINT32_MAX, rule->source_length)),
		.destination = rule->destination |
			       (destination & ~masked(UINT32_MAX, rule->destination_length)),
		.source_port = rule->port_min[0] +
			       below(&state, rule->port_max[0] - rule->port_min[0] + 1u),
		.destination_port = rule->port_min[1] +
				    below(&state, rule->port_max[1] - rule->port_min[1] + 1u),
		.protocol = rule->protocol ? rule->protocol : 17,
	};
}

/* --- as IR --- */

static void add(struct rule *rule, const struct predicate *predicate)
{
	if (rule_add(rule, predicate))
		abort();
}

static void add_address(struct rule *rule, uint8_t field, uint32_t address, uint8_t bits)
{
	struct predicate predicate = { .field = field };
	uint32_t value = htonl(address), mask = htonl(masked(UINT32_MAX, bits));

	if (!bits)
		return;
	memcpy(predicate.masked.value, &value, sizeof(value));
	memcpy(predicate.masked.mask, &mask, sizeof(mask));
	add(rule, &predicate);
}

static void add_range(struct rule *rule, uint8_t field, uint16_t min, uint16_t max)
{
	struct predicate predicate = { .field = field };

	predicate.range.min = min;
	predicate.range.max = max;
	add(rule, &predicate);
}

static bool has_ports(const struct bench_rule *rule)
{
	return rule->port_min[0] || rule->port_max[0] < UINT16_MAX || rule->port_min[1] ||
	       rule->port_max[1] < UINT16_MAX;
}

static void fill_rule(struct rule *to, const struct bench_rule *rule)
{
	to->action = ACTION_DROP;
	add_address(to, FIELD_SOURCE, rule->source, rule->source_length);
	add_address(to, FIELD_DESTINATION, rule->destination, rule->destination_length);
	if (rule->protocol)
		add_range(to, FIELD_PROTOCOL, rule->protocol, rule->protocol);
	if (!has_ports(rule))
		return;
	add(to, &(struct predicate){ .field = FIELD_TRANSPORT,
				     .fragment_one_drops = rule->protocol == 6 });
	if (rule->port_min[0] || rule->port_max[0] < UINT16_MAX)
		add_range(to, FIELD_SOURCE_PORT, rule->port_min[0], rule->port_max[0]);
	if (rule->port_min[1] || rule->port_max[1] < UINT16_MAX)
		add_range(to, FIELD_DESTINATION_PORT, rule->port_min[1], rule->port_max[1]);
}

/* The user chain of a rule: by the first bits of its source; CHAIN_NONE: the built-in chain. */
#define CHAIN_BITS 7
#define CHAIN_NONE UINT32_MAX

static uint32_t rule_chain(const struct bench_rule *rule, uint32_t chains)
{
	uint32_t chain = rule->source >> (32 - CHAIN_BITS);

	return rule->source_length >= CHAIN_BITS && chain < chains ? chain : CHAIN_NONE;
}

static void fill_chain(struct ir *ir, const struct bench_rule *rules, uint32_t count,
		       uint32_t chains, uint32_t chain)
{
	for (uint32_t i = 0; i < count; i++)
		if (rule_chain(&rules[i], chains) == chain)
			fill_rule(&ir->rules[ir->rule_count++], &rules[i]);
}

static void fill_input(struct ir *ir, const struct bench_rule *rules, uint32_t count,
		       uint32_t chains, const uint32_t *starts)
{
	for (uint32_t c = 0; c < chains; c++) {
		struct rule *jump = &ir->rules[ir->rule_count++];

		*jump = (struct rule){ .action = ACTION_JUMP, .target = starts[c] };
		add_address(jump, FIELD_SOURCE, c << (32 - CHAIN_BITS), CHAIN_BITS);
	}
	fill_chain(ir, rules, count, chains, CHAIN_NONE);
}

struct ir *bench_table(const struct bench_rule *rules, uint32_t count, uint32_t chains)
{
	struct ir *ir = calloc(1, sizeof(*ir));
	uint32_t starts[1 << CHAIN_BITS];

	if (!ir || chains > 1 << CHAIN_BITS)
		abort();
	ir->rules = calloc(count + 3 * (chains + 1) + 8, sizeof(*ir->rules));
	if (!ir->rules)
		abort();
	ir->family = 4;
	for (uint32_t c = 0; c < chains; c++) {
		ir->rules[ir->rule_count++].action = ACTION_NONE;
		starts[c] = ir->rule_count;
		fill_chain(ir, rules, count, chains, c);
		ir->rules[ir->rule_count++].action = ACTION_RETURN;
	}
	for (int hook = 0; hook < HOOK_COUNT; hook++)
		ir->hook_entry[hook] = ir->underflow[hook] = RULE_NONE;
	for (int hook = HOOK_INPUT; hook <= HOOK_OUTPUT; hook++) {
		ir->hook_entry[hook] = ir->rule_count;
		if (hook == HOOK_INPUT)
			fill_input(ir, rules, count, chains, starts);
		ir->underflow[hook] = ir->rule_count;
		ir->rules[ir->rule_count++].action = ACTION_ACCEPT;
	}
	return ir;
}

/* --- as text --- */

static void print_ports(FILE *out, const char *option, uint16_t min, uint16_t max)
{
	if (min == 0 && max == UINT16_MAX)
		return;
	if (min == max)
		fprintf(out, " --%s %u", option, min);
	else
		fprintf(out, " --%s %u:%u", option, min, max);
}

static void print_rule(FILE *out, const char *chain, const struct bench_rule *rule)
{
	struct in_addr source = { htonl(rule->source) }, destination = { htonl(rule->destination) };
	char text[2][INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &source, text[0], sizeof(text[0]));
	inet_ntop(AF_INET, &destination, text[1], sizeof(text[1]));
	fprintf(out, "-A %s", chain);
	if (rule->source_length)
		fprintf(out, " -s %s/%u", text[0], rule->source_length);
	if (rule->destination_length)
		fprintf(out, " -d %s/%u", text[1], rule->destination_length);
	if (rule->protocol)
		fprintf(out, " -p %s", rule->protocol == 6 ? "tcp" : "udp");
	print_ports(out, "sport", rule->port_min[0], rule->port_max[0]);
	print_ports(out, "dport", rule->port_min[1], rule->port_max[1]);
	fprintf(out, " -j DROP\n");
}

void bench_restore(const struct bench_rule *rules, uint32_t count, FILE *out)
{
	fprintf(out, "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n");
	for (uint32_t i = 0; i < count; i++)
		print_rule(out, "INPUT", &rules[i]);
	fprintf(out, "COMMIT\n");
}
