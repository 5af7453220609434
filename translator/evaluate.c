/* SPDX-License-Identifier: GPL-2.0-only */
#include "evaluate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "field.h"
#include "packet.h"

enum outcome {
	OUTCOME_FALSE,
	OUTCOME_TRUE,
	OUTCOME_HOTDROP,
};

/* --- predicates ----------------------------------------------------------------------------- */

static enum outcome from_bool(bool holds, const struct predicate *predicate)
{
	return holds != predicate->invert ? OUTCOME_TRUE : OUTCOME_FALSE;
}

static enum outcome test_masked(const struct predicate *predicate, const void *field, size_t size)
{
	const unsigned char *bytes = field;

	for (size_t i = 0; i < size; i++)
		if ((bytes[i] & predicate->masked.mask[i]) != predicate->masked.value[i])
			return from_bool(false, predicate);
	return from_bool(true, predicate);
}

static enum outcome test_range(const struct predicate *predicate, uint32_t value)
{
	return from_bool(value >= predicate->range.min && value <= predicate->range.max, predicate);
}

/* as ip6_packet_match() */
static enum outcome test_protocol(const struct predicate *predicate, const struct packet *packet)
{
	if (packet->family == 6 && packet->flags & PACKET_NO_PROTOCOL)
		return packet->flags & PACKET_FRAGMENT ? OUTCOME_FALSE : OUTCOME_HOTDROP;
	return test_range(predicate, packet->protocol);
}

/* as the beginnings of tcp_mt(), udp_mt() and icmp_match() */
static enum outcome test_transport(const struct predicate *predicate, const struct packet *packet)
{
	switch ((enum transport)packet->transport) {
	case TRANSPORT_OK:
		return OUTCOME_TRUE;
	case TRANSPORT_PORTS:
		return predicate->ports_suffice ? OUTCOME_TRUE : OUTCOME_HOTDROP;
	case TRANSPORT_FRAGMENT:
		return OUTCOME_FALSE;
	case TRANSPORT_FRAGMENT_ONE:
		return predicate->fragment_one_drops ? OUTCOME_HOTDROP : OUTCOME_FALSE;
	case TRANSPORT_NONE:
	case TRANSPORT_TRUNCATED:
		break;
	}
	return OUTCOME_HOTDROP;
}

static enum outcome test_tcp_option(const struct predicate *predicate, const struct packet *packet)
{
	unsigned kind = predicate->range.min & 255u;

	if (packet->flags & PACKET_TCP_OPTIONS_BAD)
		return OUTCOME_HOTDROP;
	return from_bool(packet->tcp_options[kind / 64] >> kind % 64 & 1, predicate);
}

/* as limit_mt() */
static bool test_limit(struct state *state, uint32_t jiffies)
{
	bool fresh = state->now == STATE_LIMIT_FRESH;
	uint32_t filled_at = (uint32_t)(state->now >> 32), credits = (uint32_t)state->now;
	bool match;

	if (fresh)
		credits = state->limit.first;
	else
		credits += (jiffies - filled_at) * state->limit.per_tick;
	if (credits > state->limit.cap)
		credits = state->limit.cap;
	match = credits >= state->limit.cost;
	if (match)
		credits -= state->limit.cost;
	state->now = (uint64_t)jiffies << 32 | credits;
	return match;
}

/* as statistic_mt() */
static bool test_nth(struct state *state)
{
	bool match = state->now == state->nth.every;

	state->now = match ? 0 : (uint32_t)(state->now + 1);
	return match;
}

/* as quota_mt() */
static bool test_quota(struct state *state, uint32_t length)
{
	bool match = state->now >= length;

	state->now = match ? state->now - length : 0;
	return match;
}

/* as time_mt() */
static bool test_time(const struct state *state, uint32_t clock)
{
	uint32_t first = state->time.second_first, last = state->time.second_last;
	time_t stamp = clock;
	struct tm tm;
	uint32_t second;

	if (clock < state->time.date_first || clock > state->time.date_last)
		return false;
	gmtime_r(&stamp, &tm);
	second = (uint32_t)(tm.tm_hour * 3600 + tm.tm_min * 60 + tm.tm_sec);
	if (first < last ? second < first || second > last : second < first && second > last)
		return false;
	if (first >= last && state->contiguous && second <= last) {
		stamp -= 24 * 60 * 60;
		gmtime_r(&stamp, &tm);
	}
	return state->weekdays >> (tm.tm_wday ? tm.tm_wday : 7) & 1 &&
	       state->time.monthdays >> tm.tm_mday & 1;
}

/* as connbytes_mt() */
static bool test_counts(const struct state *state, const struct connection_counts *counts)
{
	uint64_t min = (uint64_t)state->counts.min[1] << 32 | state->counts.min[0];
	uint64_t max = (uint64_t)state->counts.max[1] << 32 | state->counts.max[0];
	uint64_t packets = 0, bytes = 0, number;

	if (!counts)
		return false;
	for (unsigned direction = 0; direction < 2; direction++) {
		unsigned wanted = state->counted & 15u;

		if (wanted != direction && wanted != COUNTS_BOTH)
			continue;
		packets += counts->of[direction].packets;
		bytes += counts->of[direction].bytes;
	}
	switch ((enum counts_unit)(state->counted >> 4)) {
	case COUNTS_PACKETS:
		number = packets;
		break;
	case COUNTS_BYTES:
		number = bytes;
		break;
	case COUNTS_AVERAGE:
	default:
		number = packets ? bytes / packets : 0;
	}
	return min <= max ? min <= number && number <= max : number < max || number > min;
}

/* as owner_mt() */
static bool test_groups(const struct state *state, const struct packet *packet,
			const struct evaluation_memory *memory)
{
	bool found = packet->gid >= state->groups.min && packet->gid <= state->groups.max;

	for (size_t i = 0; !found && i < memory->group_count; i++)
		found = memory->groups[i] >= state->groups.min &&
			memory->groups[i] <= state->groups.max;
	return found && packet->flags & PACKET_HAS_OWNER;
}

static enum outcome test_state(const struct predicate *predicate, const struct packet *packet,
			       struct evaluation_memory *memory)
{
	struct state *state = &memory->states[predicate->state_index];

	switch ((enum state_kind)state->kind) {
	case STATE_LIMIT:
		return from_bool(test_limit(state, memory->jiffies), predicate);
	case STATE_NTH:
		return from_bool(test_nth(state), predicate);
	case STATE_RANDOM:
		return from_bool((memory->chance & 0x7fffffff) < state->random.probability,
				 predicate);
	case STATE_QUOTA:
		return from_bool(test_quota(state, packet->length), predicate);
	case STATE_TIME:
		return from_bool(test_time(state, memory->clock), predicate);
	case STATE_COUNTS:
		return from_bool(test_counts(state, memory->counts), predicate);
	case STATE_RATE: /* as where there is no room for one more rate */
		return OUTCOME_HOTDROP;
	case STATE_GROUPS:
		return from_bool(test_groups(state, packet, memory), predicate);
	}
	return OUTCOME_FALSE;
}

static enum outcome test_special(const struct predicate *predicate, const struct packet *packet,
				 struct evaluation_memory *memory)
{
	switch ((enum field)predicate->field) {
	case FIELD_PROTOCOL:
		return test_protocol(predicate, packet);
	case FIELD_FRAGMENT:
		return test_range(predicate, !!(packet->flags & PACKET_FRAGMENT));
	case FIELD_TCP_OPTION:
		return test_tcp_option(predicate, packet);
	case FIELD_TRANSPORT:
		return test_transport(predicate, packet);
	case FIELD_SOUND:
		return packet->flags & predicate->range.min ? OUTCOME_HOTDROP : OUTCOME_TRUE;
	case FIELD_HEADERS_SOUND:
		return packet->headers_broken & predicate->range.min ? OUTCOME_HOTDROP
								     : OUTCOME_TRUE;
	case FIELD_STATE:
	case FIELD_HOOK_STATE:
		return test_state(predicate, packet, memory);
	default:
		return OUTCOME_FALSE;
	}
}

/* A number of 1, 2 or 4 bytes in host order. */
static uint32_t number_at(const unsigned char *data, size_t size)
{
	uint32_t number;
	uint16_t half;

	if (size == 1)
		return *data;
	memcpy(&half, data, sizeof(half));
	if (size == sizeof(half))
		return half;
	memcpy(&number, data, sizeof(number));
	return number;
}

static enum outcome test_bytes(const struct predicate *predicate, const unsigned char *address,
			       size_t size)
{
	return from_bool(memcmp(address, predicate->bytes.first, size) >= 0 &&
				 memcmp(address, predicate->bytes.last, size) <= 0,
			 predicate);
}

static enum outcome test_set(const struct predicate *predicate, uint32_t number)
{
	return from_bool(number < 64 && predicate->set >> number & 1, predicate);
}

static enum outcome test_predicate(const struct predicate *predicate, const struct packet *packet,
				   struct evaluation_memory *memory)
{
	const struct field_info *field = field_info((enum field)predicate->field);
	const unsigned char *data = (const unsigned char *)packet + field->offset;

	if (field->special)
		return test_special(predicate, packet, memory);
	switch ((enum operand)field->operand) {
	case OPERAND_MASKED:
		return test_masked(predicate, data, field->size);
	case OPERAND_RANGE:
		return test_range(predicate, number_at(data, field->size));
	case OPERAND_BYTES:
		return test_bytes(predicate, data, packet->family == 4 ? 4 : field->size);
	case OPERAND_SET:
		return test_set(predicate, number_at(data, field->size));
	case OPERAND_NONE:
		break;
	}
	return OUTCOME_FALSE;
}

static enum outcome test_rule(const struct rule *rule, const struct packet *packet,
			      struct evaluation_memory *memory)
{
	const struct predicate *next = rule->predicates, *end = next + rule->predicate_count;

	while (next < end) {
		enum outcome outcome = test_predicate(next, packet, memory);

		for (; next->or_next; next++)
			if (outcome == OUTCOME_FALSE)
				outcome = test_predicate(next + 1, packet, memory);
		next++;
		if (outcome != OUTCOME_TRUE)
			return outcome;
	}
	return OUTCOME_TRUE;
}

/* --- chains --------------------------------------------------------------------------------- */

/* Where RETURN goes back to: the rules behind the jumps that were taken. */
struct callers {
	uint32_t *rules; /* owned */
	uint32_t depth;
	uint32_t room;
};

static int callers_push(struct callers *callers, uint32_t rule)
{
	if (callers->depth == callers->room) {
		uint32_t room = callers->room ? callers->room * 2 : 16;
		uint32_t *rules = reallocarray(callers->rules, room, sizeof(*rules));

		if (!rules)
			return -ENOMEM;
		callers->rules = rules;
		callers->room = room;
	}
	callers->rules[callers->depth++] = rule;
	return 0;
}

static uint32_t callers_pop(struct callers *callers, uint32_t policy)
{
	return callers->depth ? callers->rules[--callers->depth] : policy;
}

static void pending_add(struct pending *pending, const struct rule *rule)
{
	if (pending->count < PENDING_MAX)
		pending->codes[pending->count++] = (uint8_t)rule_code(rule);
}

/* The loop of ipt_do_table(). Return: an enum verdict or -ENOMEM. */
static int walk(const struct ir *ir, enum hook hook, struct packet *packet, struct callers *callers,
		struct evaluation_memory *memory, struct counter *counters)
{
	uint32_t next = ir->hook_entry[hook];

	while (next < ir->rule_count) {
		uint32_t index = next++;
		const struct rule *rule = &ir->rules[index];
		enum outcome outcome = test_rule(rule, packet, memory);

		if (outcome == OUTCOME_HOTDROP)
			return VERDICT_DROP;
		if (outcome == OUTCOME_FALSE)
			continue;
		counters[index].packets++;
		counters[index].bytes += packet->length;
		switch ((enum action)rule->action) {
		case ACTION_CONTINUE:
			break;
		case ACTION_EXECUTE:
			pending_add(&packet->pending, rule);
			break;
		case ACTION_EXECUTE_DROP:
			pending_add(&packet->pending, rule);
			return VERDICT_DROP;
		case ACTION_ACCEPT:
			return VERDICT_ACCEPT;
		case ACTION_RETURN:
			next = callers_pop(callers, ir->underflow[hook]);
			break;
		case ACTION_JUMP:
			/* a loop, which no checked table has; the kernel's full stack drops too */
			if (callers->depth == ir->rule_count)
				return VERDICT_DROP;
			if (callers_push(callers, next))
				return -ENOMEM;
			next = rule->target;
			break;
		case ACTION_GOTO:
			next = rule->target;
			break;
		case ACTION_DROP:
		case ACTION_NONE:
			return VERDICT_DROP;
		}
	}
	return VERDICT_DROP; /* past the end: not in a checked table */
}

int evaluate_packet(const struct ir *ir, enum hook hook, struct packet *packet,
		    struct evaluation_memory *memory, struct counter *counters)
{
	struct callers callers = {};
	int verdict;

	if (ir->hook_entry[hook] == RULE_NONE)
		return VERDICT_ACCEPT;
	verdict = walk(ir, hook, packet, &callers, memory, counters);
	free(callers.rules);
	return verdict;
}

/* as eui64_mt6(), of a frame that is IPv6's; without one there is nothing to compare */
static void find_eui64(struct packet *packet, const struct evaluation_input *input)
{
	const uint8_t *mac = input->mac, *half = (const uint8_t *)packet->source + 8;
	const uint8_t made[] = { mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5] };

	if (packet->family == 6 && input->has_mac && memcmp(made, half, sizeof(made)) == 0)
		packet->facts |= PACKET_EUI64;
}

int evaluate(const struct ir *ir, const struct evaluation_input *input,
	     struct evaluation_memory *memory, struct counter *counters)
{
	struct packet packet;
	enum origin origin = input->hook == HOOK_OUTPUT ? ORIGIN_HOST : ORIGIN_OTHERS;
	int error = packet_parse(&packet, ir->family, origin, input->data, input->size);

	if (error)
		return error;
	memcpy(packet.in_name, input->in_name, sizeof(packet.in_name));
	memcpy(packet.out_name, input->out_name, sizeof(packet.out_name));
	if (input->has_mac) {
		packet.flags |= PACKET_HAS_MAC;
		memcpy(packet.mac, input->mac, sizeof(packet.mac));
	}
	find_eui64(&packet, input);
	if (input->hook == HOOK_FORWARD && packet.ttl-- <= 1)
		return -EINVAL; /* no hop is left */
	return evaluate_packet(ir, input->hook, &packet, memory, counters);
}
