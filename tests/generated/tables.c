/* SPDX-License-Identifier: GPL-2.0-only */
#include "generated.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "../../translator/field.h"

#define RULES_MAX 64

static const enum hook hooks[] = { HOOK_INPUT, HOOK_FORWARD, HOOK_OUTPUT };

/* A table under construction. */
struct draft {
	struct random *random;
	struct ir *ir;
	uint32_t chains[4]; /* first rules of the user chains */
	uint32_t chain_count;
	bool with_attributes;  /* what a packet's bytes do not say */
	bool with_tcp_options; /* the verifier takes ten times as long then: seldom */
	bool failed;
};

/* --- conditions ----------------------------------------------------------------------------- */

static void add(struct draft *draft, const struct predicate *predicate)
{
	if (rule_add(&draft->ir->rules[draft->ir->rule_count], predicate))
		draft->failed = true;
}

static bool inverted(struct draft *draft)
{
	return random_chance(draft->random, 25);
}

static void add_range(struct draft *draft, enum field field, unsigned min, unsigned max)
{
	add(draft, &(struct predicate){ .field = (uint8_t)field,
					.invert = inverted(draft),
					.range = { (uint16_t)min, (uint16_t)max } });
}

/* One value mostly; otherwise a range, a range that nothing is in, or one that everything is in. */
static void add_some_range(struct draft *draft, enum field field, unsigned value, unsigned limit)
{
	unsigned other = random_below(draft->random, limit + 1);

	switch (random_below(draft->random, 8)) {
	case 0:
		add_range(draft, field, 0, value);
		break;
	case 1:
		add_range(draft, field, value, limit);
		break;
	case 2:
		add_range(draft, field, value, other);
		break;
	case 3:
		add_range(draft, field, 0, limit);
		break;
	default:
		add_range(draft, field, value, value);
	}
}

static void random_mask(struct draft *draft, uint8_t mask[16], size_t size)
{
	unsigned bits = random_below(draft->random, (uint32_t)size * 8 + 1);

	switch (random_below(draft->random, 4)) {
	case 0: /* a prefix */
		for (unsigned i = 0; i < bits; i++)
			mask[i / 8] |= (uint8_t)(0x80 >> i % 8);
		break;
	case 1: /* any bits */
		random_bytes(draft->random, mask, size);
		break;
	default:
		memset(mask, 0xff, size);
	}
}

/* Mostly value & mask; now and then with a bit outside of the mask, which nothing matches. */
static void add_masked(struct draft *draft, enum field field, const uint8_t value[16],
		       const uint8_t mask[16])
{
	struct predicate predicate = { .field = (uint8_t)field, .invert = inverted(draft) };
	bool outside = random_chance(draft->random, 3);

	memcpy(predicate.masked.mask, mask, 16);
	for (size_t i = 0; i < 16; i++)
		predicate.masked.value[i] = outside ? value[i] : value[i] & mask[i];
	add(draft, &predicate);
}

static void add_address(struct draft *draft, enum field field)
{
	enum hook hook = random_pick(draft->random, hooks);
	int family = draft->ir->family;
	uint8_t value[16], mask[16] = {};

	if (random_chance(draft->random, 50))
		random_source(draft->random, family, value);
	else
		random_destination(draft->random, family, hook, value);
	random_mask(draft, mask, family == 4 ? 4 : 16);
	add_masked(draft, field, value, mask);
}

/* "gin" with its NUL, or without ("gin+"), or with a longer rest than the NUL. */
static void add_name(struct draft *draft, enum field field)
{
	static const char *const names[] = { "gin", "gout", "gi", "g", "other", "" };
	const char *name = random_pick(draft->random, names);
	uint8_t value[16] = {}, mask[16] = {};
	size_t length = strlen(name) + random_below(draft->random, 3);

	memcpy(value, name, strlen(name));
	memset(mask, 0xff, length);
	if (random_chance(draft->random, 10))
		random_mask(draft, mask, sizeof(mask));
	add_masked(draft, field, value, mask);
}

static void add_tcp_flags(struct draft *draft)
{
	static const uint8_t masks[] = { 0x02, 0x17, 0x3f, 0x12, 0x00, 0xff };
	static const uint8_t values[] = { 0x02, 0x10, 0x12, 0x00, 0x04 };
	uint8_t mask[16] = { random_pick(draft->random, masks) };
	uint8_t value[16] = { random_pick(draft->random, values) };

	add_masked(draft, FIELD_TCP_FLAGS, value, mask);
}

static void add_tcp_option(struct draft *draft)
{
	unsigned kind = random_pick(draft->random, tcp_option_values);

	if (draft->with_tcp_options)
		add_range(draft, FIELD_TCP_OPTION, kind, kind);
}

static void add_mss(struct draft *draft, enum field field)
{
	uint8_t has[16] = { PACKET_HAS_TCP_MSS };

	if (field == FIELD_HAS_TCP_MSS)
		add_masked(draft, field, has, has);
	else
		add_some_range(draft, field, random_pick(draft->random, mss_values), UINT16_MAX);
}

static void add_transport(struct draft *draft)
{
	add(draft, &(struct predicate){ .field = FIELD_TRANSPORT,
					.fragment_one_drops = random_chance(draft->random, 50),
					.ports_suffice = random_chance(draft->random, 20) });
}

/* Small numbers, as attributes_make() has them. */
static void add_generic(struct draft *draft, enum field field)
{
	const struct field_info *info = field_info(field);
	struct random *random = draft->random;
	struct predicate predicate = { .field = (uint8_t)field, .invert = inverted(draft) };
	static const uint8_t flags[] = {
		1, 2, 3, PACKET_HAS_MAC, PACKET_HAS_SOCKET, PACKET_HAS_OWNER
	};
	uint8_t value[16] = {}, mask[16] = {};

	switch ((enum operand)info->operand) {
	case OPERAND_MASKED:
		random_small(random, value, info->size);
		random_small(random, mask, info->size);
		if (info->size == 1) /* flags */
			value[0] = mask[0] = random_pick(random, flags);
		if (field == FIELD_HEADERS)
			value[0] = mask[0] = (uint8_t)(1u << random_below(random, 5));
		if (field == FIELD_MAC)
			memset(mask, random_chance(random, 80) ? 0xff : 0x0f, 6);
		add_masked(draft, field, value, mask);
		return;
	case OPERAND_RANGE:
		add_some_range(draft, field, random_below(random, SMALL), 2 * SMALL);
		return;
	case OPERAND_BYTES:
		random_source(random, draft->ir->family, predicate.bytes.first);
		random_source(random, draft->ir->family, predicate.bytes.last);
		break;
	case OPERAND_SET:
		random_bytes(random, &predicate.set, sizeof(predicate.set));
		break;
	case OPERAND_NONE:
		return;
	}
	add(draft, &predicate);
}

/*
 * Stateful matches whose answers depend on nothing but the packets: a chance that is none or
 * certain, a limit of so few an hour that no credit comes while the test runs, any time or none.
 */
static void add_state(struct draft *draft, uint8_t field)
{
	const uint32_t hour = 3600u * 32000, burst = random_below(draft->random, 5);
	struct predicate predicate = { .field = field, .invert = inverted(draft) };
	struct state *state = &predicate.state;

	state->kind = (uint8_t)random_below(draft->random, STATE_TIME + 1);
	switch ((enum state_kind)state->kind) {
	case STATE_LIMIT:
		state->now = STATE_LIMIT_FRESH;
		state->limit.cost = hour;
		state->limit.first = hour * burst;
		state->limit.cap = hour * burst + random_below(draft->random, 2);
		state->limit.per_tick = 128;
		break;
	case STATE_NTH:
		state->nth.every = random_below(draft->random, 4);
		state->now = random_below(draft->random, 5);
		break;
	case STATE_RANDOM:
		state->random.probability = random_below(draft->random, 2) << 31;
		break;
	case STATE_QUOTA:
		state->now = random_below(draft->random, 10000);
		break;
	case STATE_TIME:
		state->weekdays = random_chance(draft->random, 80) ? 0xfe : 0;
		state->time.date_last = random_chance(draft->random, 80) ? UINT32_MAX : 0;
		state->time.second_last = 86399;
		state->time.monthdays = random_chance(draft->random, 80) ? 0xfffffffe : 0;
		break;
	case STATE_COUNTS: /* reads the kernel's own connection */
	case STATE_RATE:   /* reads maps of the loader's */
	case STATE_GROUPS: /* reads the kernel's own credentials */
		break;
	}
	add(draft, &predicate);
}

static bool field_is_attribute(enum field field)
{
	return field_info(field)->needs &
	       (NEED_CONNECTION | NEED_OWNER | NEED_MARK | NEED_PACKET_TYPE | NEED_GROUPS |
		NEED_REALM | NEED_PROCESSOR | NEED_SOURCE_TYPE | NEED_DESTINATION_TYPE |
		NEED_EUI64 | NEED_CGROUP_CLASS | NEED_HELPER);
}

bool table_has_attributes(const struct ir *ir)
{
	for (uint32_t i = 0; i < ir->rule_count; i++)
		for (uint32_t j = 0; j < ir->rules[i].predicate_count; j++)
			if (field_is_attribute((enum field)ir->rules[i].predicates[j].field))
				return true;
	return false;
}

static void add_field(struct draft *draft, enum field field)
{
	struct random *random = draft->random;

	if (field_is_attribute(field) && !draft->with_attributes)
		field = FIELD_SOURCE;

	switch (field) {
	case FIELD_SOURCE:
	case FIELD_DESTINATION:
		add_address(draft, field);
		break;
	case FIELD_IN_NAME:
	case FIELD_OUT_NAME:
		add_name(draft, field);
		break;
	case FIELD_PROTOCOL:
		add_some_range(draft, field, random_pick(random, protocol_values), 255);
		break;
	case FIELD_FRAGMENT:
		add_some_range(draft, field, random_below(random, 2), 1);
		break;
	case FIELD_SOURCE_PORT:
	case FIELD_DESTINATION_PORT:
		add_some_range(draft, field, random_pick(random, port_values), 65535);
		break;
	case FIELD_ICMP:
		add_some_range(draft, field,
			       (draft->ir->family == 4 ? 8u : 128u) << 8 | random_below(random, 2),
			       65535);
		break;
	case FIELD_TCP_FLAGS:
		add_tcp_flags(draft);
		break;
	case FIELD_TCP_OPTION:
		add_tcp_option(draft);
		break;
	case FIELD_TRANSPORT:
		add_transport(draft);
		break;
	case FIELD_SOUND: /* what an entry program finds only if it is asked for the rest, too */
		if (draft->with_tcp_options)
			add(draft, &(struct predicate){ .field = field,
							.range = { .min = PACKET_TCP_MSS_BAD } });
		add_field(draft, FIELD_TCP_MSS);
		break;
	case FIELD_HEADERS_SOUND:
		add(draft,
		    &(struct predicate){ .field = field,
					 .range = { .min = 1u << random_below(random, 5) } });
		break;
	case FIELD_HAS_TCP_MSS:
	case FIELD_TCP_MSS:
		if (draft->with_tcp_options)
			add_mss(draft, field);
		break;
	case FIELD_STATE:
	case FIELD_HOOK_STATE:
		add_state(draft, field);
		break;
	case FIELD_NEVER:
	case FIELD_COUNT:
		add(draft, &(struct predicate){ .field = FIELD_NEVER });
		break;
	default:
		add_generic(draft, field);
	}
}

/* Predicates of which one must hold. */
static void add_clause(struct draft *draft)
{
	const struct rule *rule = &draft->ir->rules[draft->ir->rule_count];
	uint32_t first = rule->predicate_count;

	for (uint32_t count = 2 + random_below(draft->random, 3); count;) {
		enum field field = (enum field)random_below(draft->random, FIELD_NEVER);

		if (field_info(field)->special)
			continue;
		add_field(draft, field);
		count--;
	}
	for (uint32_t i = first; i + 1 < rule->predicate_count; i++)
		rule->predicates[i].or_next = true;
}

/* What `-p tcp --dport ...` and its like make, in the kernel's order. */
static void add_usual(struct draft *draft)
{
	struct random *random = draft->random;
	uint8_t icmp = draft->ir->family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	const uint8_t protocols[] = { IPPROTO_TCP, IPPROTO_TCP,
				      IPPROTO_UDP, IPPROTO_SCTP,
				      icmp,	   draft->ir->family == 4 ? icmp : IPPROTO_MH };
	uint8_t protocol = random_pick(random, protocols);

	if (random_chance(random, 30))
		add_address(draft, FIELD_SOURCE);
	if (random_chance(random, 30))
		add_address(draft, FIELD_DESTINATION);
	if (random_chance(random, 20))
		add_name(draft, FIELD_IN_NAME);
	if (random_chance(random, 20))
		add_name(draft, FIELD_OUT_NAME);
	add(draft, &(struct predicate){ .field = FIELD_PROTOCOL, .range = { protocol, protocol } });
	if (random_chance(random, 20))
		return;
	add(draft, &(struct predicate){ .field = FIELD_TRANSPORT,
					.fragment_one_drops = protocol == IPPROTO_TCP,
					.ports_suffice = random_chance(random, 10) });
	if (protocol == icmp || protocol == IPPROTO_MH) {
		add_field(draft, protocol == icmp ? FIELD_ICMP : FIELD_MOBILITY);
		return;
	}
	add_field(draft, random_chance(random, 50) ? FIELD_SOURCE_PORT : FIELD_DESTINATION_PORT);
	if (protocol == IPPROTO_TCP && random_chance(random, 40))
		add_field(draft, random_chance(random, 50) ? FIELD_TCP_FLAGS : FIELD_TCP_OPTION);
}

static void add_conditions(struct draft *draft)
{
	uint32_t count = random_below(draft->random, 3);

	if (random_chance(draft->random, 60)) {
		add_usual(draft);
		if (random_chance(draft->random, 15))
			add_clause(draft);
		if (random_chance(draft->random, 15))
			add_state(draft, FIELD_STATE);
		if (random_chance(draft->random, 5))
			add_address(draft, FIELD_SOURCE);
		return;
	}
	if (random_chance(draft->random, 15))
		add_clause(draft);
	for (uint32_t i = 0; i < count; i++)
		add_field(draft,
			  (enum field)random_below(draft->random, random_chance(draft->random, 10)
									  ? FIELD_BEYOND
									  : FIELD_NEVER));
}

/* --- rules ---------------------------------------------------------------------------------- */

static struct rule *rule_begin(struct draft *draft, enum action action)
{
	struct rule *rule = &draft->ir->rules[draft->ir->rule_count];

	rule->action = (uint8_t)action;
	return rule;
}

/* A rule that is complete gets its place. */
static void rule_end(struct draft *draft)
{
	draft->ir->rule_count++;
}

static void add_rule(struct draft *draft)
{
	static const enum action actions[] = { ACTION_CONTINUE,	   ACTION_ACCEPT,  ACTION_DROP,
					       ACTION_RETURN,	   ACTION_JUMP,	   ACTION_JUMP,
					       ACTION_GOTO,	   ACTION_EXECUTE, ACTION_EXECUTE,
					       ACTION_EXECUTE_DROP };

	size_t count = draft->ir->execution_count ? ARRAY_SIZE(actions) : ARRAY_SIZE(actions) - 3;

	rule_begin(draft, actions[random_below(draft->random, (uint32_t)count)]);
	draft->ir->rules[draft->ir->rule_count].target =
		random_below(draft->random, EXECUTION_NUMBERS);
	add_conditions(draft);
	rule_end(draft);
}

static void add_plain(struct draft *draft, enum action action)
{
	rule_begin(draft, action);
	rule_end(draft);
}

/*
 * Jumps go forward only: no loops. Mostly to a chain's first rule, now and then into the middle of
 * one, as the kernel allows. At the end of the table there is nothing to jump to.
 */
static void aim_jump(struct draft *draft, uint32_t index)
{
	struct rule *rule = &draft->ir->rules[index];
	uint32_t target = draft->chains[random_below(draft->random, draft->chain_count)];

	if (random_chance(draft->random, 15))
		target = index + 2 + random_below(draft->random, 6);
	if (target <= index + 1 || target >= draft->ir->rule_count ||
	    draft->ir->rules[target].action == ACTION_NONE) {
		rule->action = ACTION_CONTINUE;
		return;
	}
	rule->target = target;
}

static void add_chains(struct draft *draft)
{
	for (size_t i = 0; i < ARRAY_SIZE(hooks); i++) {
		draft->ir->hook_entry[hooks[i]] = draft->ir->rule_count;
		for (uint32_t count = random_below(draft->random, 6); count; count--)
			add_rule(draft);
		draft->ir->underflow[hooks[i]] = draft->ir->rule_count;
		add_plain(draft, random_chance(draft->random, 50) ? ACTION_ACCEPT : ACTION_DROP);
	}
	draft->chain_count = 1 + random_below(draft->random, ARRAY_SIZE(draft->chains));
	for (uint32_t i = 0; i < draft->chain_count; i++) {
		add_plain(draft, ACTION_NONE);
		draft->chains[i] = draft->ir->rule_count;
		for (uint32_t count = random_below(draft->random, 5); count; count--)
			add_rule(draft);
		add_plain(draft, ACTION_RETURN);
	}
	add_plain(draft, ACTION_NONE);
}

struct ir *table_make(struct random *random, int family)
{
	struct draft draft = {
		.random = random,
		.ir = calloc(1, sizeof(struct ir)),
		.with_attributes = random_chance(random, 30),
		.with_tcp_options = random_chance(random, 8),
	};

	if (!draft.ir)
		return NULL;
	draft.ir->family = (uint8_t)family;
	draft.ir->rules = calloc(RULES_MAX, sizeof(*draft.ir->rules));
	if (!draft.ir->rules) {
		ir_free(draft.ir);
		return NULL;
	}
	/* what they are, nobody asks; in front of the netfilter hooks a table has none */
	draft.ir->execution_count = random_chance(random, 50) ? EXECUTION_NUMBERS : 0;
	for (unsigned i = 0; i < HOOK_COUNT; i++)
		draft.ir->hook_entry[i] = draft.ir->underflow[i] = RULE_NONE;
	add_chains(&draft);
	for (uint32_t i = 0; i < draft.ir->rule_count; i++)
		if (draft.ir->rules[i].action == ACTION_JUMP ||
		    draft.ir->rules[i].action == ACTION_GOTO)
			aim_jump(&draft, i);
	ir_number_states(draft.ir);
	if (draft.failed) {
		ir_free(draft.ir);
		return NULL;
	}
	return draft.ir;
}

/* --- a report -------------------------------------------------------------------------------- */

static void bytes_print(const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		printf("%02x", bytes[i]);
}

static void operand_print(const struct predicate *predicate, const struct field_info *field)
{
	switch ((enum operand)field->operand) {
	case OPERAND_MASKED:
	case OPERAND_BYTES:
		bytes_print(predicate->masked.value, field->size);
		printf("%c", field->operand == OPERAND_MASKED ? '/' : '-');
		bytes_print(predicate->masked.mask, field->size);
		break;
	case OPERAND_RANGE:
		printf("%u-%u", predicate->range.min, predicate->range.max);
		break;
	case OPERAND_SET:
		printf("%016llx", (unsigned long long)predicate->set);
		break;
	case OPERAND_NONE:
		break;
	}
}

static void predicate_print(const struct predicate *predicate)
{
	const struct field_info *field = field_info((enum field)predicate->field);

	printf(" %s%s ", predicate->invert ? "! " : "", field->name);
	if (predicate->fragment_one_drops)
		printf("(tcp)");
	operand_print(predicate, field);
	if (predicate->or_next)
		printf(" or");
}

void table_print(const struct ir *ir)
{
	static const char *const actions[] = { "continue", "accept", "drop", "return",
					       "jump",	   "goto",   "none" };

	for (uint32_t i = 0; i < ir->rule_count; i++) {
		const struct rule *rule = &ir->rules[i];

		for (size_t j = 0; j < ARRAY_SIZE(hooks); j++)
			if (ir->hook_entry[hooks[j]] == i)
				printf("hook %d:\n", hooks[j]);
		printf("%4u", i);
		for (uint32_t j = 0; j < rule->predicate_count; j++)
			predicate_print(&rule->predicates[j]);
		printf(" -> %s", actions[rule->action]);
		if (rule->action == ACTION_JUMP || rule->action == ACTION_GOTO)
			printf(" %u", rule->target);
		printf("\n");
	}
}
