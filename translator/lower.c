/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "../iptables-compat/extension.h"
#include "../iptables-compat/text.h"
#include "../iptables-compat/unsupported.h"
#include "compile.h"

/* What an ipt_ip and an ip6t_ip6 say, the same way for both. */
struct selector {
	const void *source, *source_mask;
	const void *destination, *destination_mask;
	size_t address_size;
	const char *in_name, *out_name;
	const unsigned char *in_mask, *out_mask;
	uint16_t protocol;
	bool protocol_wanted; /* there is a protocol condition at all */
	bool fragment;	      /* -f */
	bool goto_target;     /* -g */
	uint8_t inverted;     /* IPT_INV_*; IP6T_INV_* have the same values */
};

_Static_assert(IPT_INV_SRCIP == IP6T_INV_SRCIP && IPT_INV_DSTIP == IP6T_INV_DSTIP &&
		       IPT_INV_VIA_IN == IP6T_INV_VIA_IN && IPT_INV_VIA_OUT == IP6T_INV_VIA_OUT &&
		       IPT_INV_FRAG == IP6T_INV_FRAG && XT_INV_PROTO == IP6T_INV_PROTO,
	       "inversion flags are the same in both families");

static struct selector selector_ipv4(const struct ipt_ip *ip)
{
	return (struct selector){
		.source = &ip->src,
		.source_mask = &ip->smsk,
		.destination = &ip->dst,
		.destination_mask = &ip->dmsk,
		.address_size = sizeof(ip->src),
		.in_name = ip->iniface,
		.out_name = ip->outiface,
		.in_mask = ip->iniface_mask,
		.out_mask = ip->outiface_mask,
		.protocol = ip->proto,
		.protocol_wanted = ip->proto != 0,
		.fragment = ip->flags & IPT_F_FRAG,
		.goto_target = ip->flags & IPT_F_GOTO,
		.inverted = ip->invflags,
	};
}

static struct selector selector_ipv6(const struct ip6t_ip6 *ip)
{
	return (struct selector){
		.source = &ip->src,
		.source_mask = &ip->smsk,
		.destination = &ip->dst,
		.destination_mask = &ip->dmsk,
		.address_size = sizeof(ip->src),
		.in_name = ip->iniface,
		.out_name = ip->outiface,
		.in_mask = ip->iniface_mask,
		.out_mask = ip->outiface_mask,
		.protocol = ip->proto,
		.protocol_wanted = ip->flags & IP6T_F_PROTO,
		.goto_target = ip->flags & IP6T_F_GOTO,
		.inverted = ip->invflags,
	};
}

static int add_masked(struct rule *rule, enum field field, const void *value, const void *mask,
		      size_t size, bool invert)
{
	struct predicate predicate = { .field = (uint8_t)field, .invert = invert };

	memcpy(predicate.masked.value, value, size);
	memcpy(predicate.masked.mask, mask, size);
	return rule_add(rule, &predicate);
}

static int add_range(struct rule *rule, enum field field, uint16_t min, uint16_t max, bool invert)
{
	const struct predicate predicate = {
		.field = (uint8_t)field,
		.invert = invert,
		.range = { min, max },
	};

	return rule_add(rule, &predicate);
}

/* Every packet passes such a condition; most rules have several, and none needs code. */
static bool is_any(const void *mask, size_t size, bool invert)
{
	static const unsigned char zero[IFACE_NAME_SIZE];

	return !invert && !memcmp(mask, zero, size);
}

/* (packet ^ value) & mask, as the kernel compares names and IPv6 addresses: bits of the value
   outside the mask are not looked at, while for IPv4 addresses they make the condition impossible
 */
static void apply_mask(unsigned char *masked, const void *value, const void *mask, size_t size)
{
	for (size_t i = 0; i < size; i++)
		masked[i] = ((const unsigned char *)value)[i] & ((const unsigned char *)mask)[i];
}

static int lower_address(struct rule *rule, enum field field, const void *value, const void *mask,
			 const struct selector *selector, uint8_t inverted)
{
	bool invert = selector->inverted & inverted;
	size_t size = selector->address_size;
	unsigned char wanted[sizeof(struct in6_addr)];

	memcpy(wanted, value, size);
	if (size == sizeof(struct in6_addr))
		apply_mask(wanted, value, mask, size);
	if (is_any(mask, size, invert) && is_any(wanted, size, false))
		return 0;
	return add_masked(rule, field, wanted, mask, size, invert);
}

static int lower_name(struct rule *rule, enum field field, const char *name,
		      const unsigned char *mask, bool invert)
{
	unsigned char value[IFACE_NAME_SIZE];

	if (is_any(mask, IFACE_NAME_SIZE, invert))
		return 0;
	apply_mask(value, name, mask, sizeof(value));
	return add_masked(rule, field, value, mask, IFACE_NAME_SIZE, invert);
}

/*
 * as ip_packet_match() and ip6_packet_match(). IPv4 takes protocol 0 for "any", whatever the
 * inversion; IPv6 takes "not 0" at its word, and looks for the protocol even if any will do.
 */
static int lower_protocol(struct rule *rule, enum family family, const struct selector *selector)
{
	bool invert = selector->inverted & XT_INV_PROTO;

	if (!selector->protocol_wanted)
		return 0;
	if (family == FAMILY_IPV6 && selector->protocol == 0 && !invert)
		return add_range(rule, FIELD_PROTOCOL, 0, UINT8_MAX, false);
	return add_range(rule, FIELD_PROTOCOL, selector->protocol, selector->protocol, invert);
}

/* as ip_packet_match(): inverted without -f, the condition can never be met */
static int lower_fragment(struct rule *rule, const struct selector *selector)
{
	static const struct predicate never = { .field = FIELD_NEVER };
	bool invert = selector->inverted & IPT_INV_FRAG;

	if (!selector->fragment)
		return invert ? rule_add(rule, &never) : 0;
	return add_range(rule, FIELD_FRAGMENT, 1, 1, invert);
}

static int lower_selector(struct rule *rule, enum family family, const struct selector *selector)
{
	int error = lower_address(rule, FIELD_SOURCE, selector->source, selector->source_mask,
				  selector, IPT_INV_SRCIP);

	if (!error)
		error = lower_address(rule, FIELD_DESTINATION, selector->destination,
				      selector->destination_mask, selector, IPT_INV_DSTIP);
	if (!error)
		error = lower_name(rule, FIELD_IN_NAME, selector->in_name, selector->in_mask,
				   selector->inverted & IPT_INV_VIA_IN);
	if (!error)
		error = lower_name(rule, FIELD_OUT_NAME, selector->out_name, selector->out_mask,
				   selector->inverted & IPT_INV_VIA_OUT);
	if (!error)
		error = lower_protocol(rule, family, selector);
	if (!error && family == FAMILY_IPV4)
		error = lower_fragment(rule, selector);
	return error;
}

static int refuse(const struct table *table, uint32_t index, const char *kind, const char *name,
		  struct message *message)
{
	const char *reason = unsupported_reason(name);
	char place[128];

	rule_place(table, index, place, sizeof(place));
	return message_set(message, -EOPNOTSUPP, "%s: %s \"%s\" is not done in BPF%s%s", place,
			   kind, name, reason ? ": " : "", reason ? reason : "");
}

static int lower_matches(struct rule *rule, const struct table *table, uint32_t index,
			 const struct entry *entry, const struct selector *selector,
			 struct message *message)
{
	const struct match_context context = {
		.family = table->family,
		.protocol = selector->protocol,
		.protocol_inverted = selector->inverted & XT_INV_PROTO,
	};
	const unsigned char *next = entry->match_begin;

	while (next < entry->match_end) {
		const struct xt_entry_match *match = (const void *)next;
		const struct match_extension *extension =
			match_find(table->family, match->u.user.name, match->u.user.revision);
		uint32_t first;
		int error;

		if (!extension)
			return refuse(table, index, "match", match->u.user.name, message);
		first = rule->predicate_count;
		error = extension->lower ? extension->lower(match->data, &context, rule) : 0;
		if (error) /* a part of a match says nothing */
			rule->predicate_count = first;
		if (error == -ENOENT)
			return refuse(table, index, "these options of match", extension->name,
				      message);
		if (error)
			return error;
		for (uint32_t i = first; i < rule->predicate_count; i++)
			rule->predicates[i].match = extension->name;
		next += match->u.match_size;
	}
	return 0;
}

static int lower_verdict(struct rule *rule, int verdict)
{
	switch (verdict) {
	case -NF_ACCEPT - 1:
		rule->action = ACTION_ACCEPT;
		return 0;
	case -NF_DROP - 1:
		rule->action = ACTION_DROP;
		return 0;
	case XT_RETURN:
		rule->action = ACTION_RETURN;
		return 0;
	default:
		return -ENOENT;
	}
}

static bool same_execution(const struct execution *one, const struct execution *other)
{
	const struct xt_entry_target *target = one->target, *other_target = other->target;

	return one->protocol == other->protocol && one->flags == other->flags &&
	       one->inverted == other->inverted &&
	       target->u.target_size == other_target->u.target_size &&
	       !memcmp(target, other_target, target->u.target_size);
}

/* Return: the number of @wanted in the list, EXECUTION_NUMBERS: there is no room for it. */
static uint32_t execution_find(struct ir *ir, const struct execution *wanted)
{
	for (uint32_t i = 0; i < ir->execution_count; i++)
		if (same_execution(&ir->executions[i], wanted))
			return i;
	if (ir->execution_count < EXECUTION_NUMBERS)
		ir->executions[ir->execution_count++] = *wanted;
	else
		return EXECUTION_NUMBERS;
	return ir->execution_count - 1;
}

/* A target that the kernel executes. */
static int lower_execution(struct ir *ir, const struct table *table, uint32_t index,
			   const struct entry *entry, struct message *message)
{
	const struct target_extension *extension = target_find(
		table->family, entry->target->u.user.name, entry->target->u.user.revision);
	struct execution execution = { .target = entry->target };
	struct rule *rule = &ir->rules[index];

	if (!extension)
		return refuse(table, index, "target", entry->target->u.user.name, message);
	if (!ir->executions)
		ir->executions = calloc(EXECUTION_NUMBERS, sizeof(*ir->executions));
	if (!ir->executions)
		return -ENOMEM;
	if (extension->reads_protocol) {
		execution.protocol = entry->ipv4 ? entry->ipv4->proto : entry->ipv6->proto;
		execution.flags = entry->ipv4 ? 0 : entry->ipv6->flags & IP6T_F_PROTO;
		execution.inverted = (entry->ipv4 ? entry->ipv4->invflags : entry->ipv6->invflags) &
				     XT_INV_PROTO;
	}
	rule->action = extension->end == TARGET_DROPS ? ACTION_EXECUTE_DROP : ACTION_EXECUTE;
	rule->target = execution_find(ir, &execution);
	if (rule->target < EXECUTION_NUMBERS)
		return 0;
	rule->action = ACTION_NONE;
	return message_set(message, -EOPNOTSUPP, "the table has more than %d targets that differ",
			   EXECUTION_NUMBERS);
}

static int lower_target(struct ir *ir, const struct table *table, uint32_t index,
			const struct entry *entry, bool goto_target, struct message *message)
{
	struct rule *rule = &ir->rules[index];
	const struct xt_standard_target *standard = (const void *)entry->target;
	uint32_t target;

	if (!strcmp(entry->target->u.user.name, XT_ERROR_TARGET)) {
		rule->action = ACTION_NONE;
		return 0;
	}
	if (strcmp(entry->target->u.user.name, XT_STANDARD_TARGET))
		return lower_execution(ir, table, index, entry, message);
	if (standard->verdict < 0) {
		if (lower_verdict(rule, standard->verdict))
			return refuse(table, index, "target", "QUEUE", message);
		return 0;
	}
	target = table_index(table, (uint32_t)standard->verdict);
	/* as ipt_do_table(): a jump to the next entry leaves nothing to come back to */
	if (target == index + 1)
		rule->action = ACTION_CONTINUE;
	else
		rule->action = goto_target ? ACTION_GOTO : ACTION_JUMP;
	rule->target = target;
	return 0;
}

static int lower_entry(struct ir *ir, const struct table *table, uint32_t index,
		       struct message *message)
{
	struct rule *rule = &ir->rules[index];
	struct entry entry = table_entry(table, index);
	struct selector selector =
		entry.ipv4 ? selector_ipv4(entry.ipv4) : selector_ipv6(entry.ipv6);
	int error = lower_selector(rule, table->family, &selector);

	if (!error)
		error = lower_matches(rule, table, index, &entry, &selector, message);
	if (!error)
		error = lower_target(ir, table, index, &entry, selector.goto_target, message);
	return error;
}

static void lower_hooks(struct ir *ir, const struct table *table)
{
	for (unsigned hook = 0; hook < HOOK_COUNT; hook++) {
		bool valid = table->valid_hooks >> hook & 1;

		ir->hook_entry[hook] =
			valid ? table_index(table, table->hook_entry[hook]) : RULE_NONE;
		ir->underflow[hook] =
			valid ? table_index(table, table->underflow[hook]) : RULE_NONE;
	}
}

static int ir_make(const struct table *table, struct ir **ir)
{
	struct ir *new = calloc(1, sizeof(*new));

	if (!new)
		return -ENOMEM;
	new->family = (uint8_t)table->family;
	new->table = table;
	new->rule_count = table->entry_count;
	new->rules = calloc(table->entry_count, sizeof(*new->rules));
	if (!new->rules) {
		ir_free(new);
		return -ENOMEM;
	}
	lower_hooks(new, table);
	*ir = new;
	return 0;
}

/* Hand it out, complete, or release what there is of it. */
static int ir_finish(struct ir *new, int error, struct ir **ir)
{
	if (error) {
		ir_free(new);
		return error;
	}
	ir_number_states(new);
	*ir = new;
	return 0;
}

int lower(const struct table *table, struct ir **ir, struct message *message)
{
	struct ir *new;
	int error = ir_make(table, &new);

	if (error)
		return error;
	for (uint32_t i = 0; !error && i < table->entry_count; i++)
		error = lower_entry(new, table, i, message);
	return ir_finish(new, error, ir);
}

/*
 * The predicates before @from stay. What comes behind is not looked at: the match there may have
 * effects of its own, or drop the packet, before the kernel gets further. A target may do anything.
 */
static int end_beyond(struct rule *rule, uint32_t from)
{
	static const struct predicate beyond = { .field = FIELD_BEYOND, .range = { 0, UINT8_MAX } };

	rule->predicate_count = from;
	rule->action = ACTION_CONTINUE;
	return rule_add(rule, &beyond);
}

/* Counts of packets are the kernel's where it enforces the table. */
static int end_at_state(struct rule *rule)
{
	for (uint32_t i = 0; i < rule->predicate_count; i++)
		if (predicate_remembers(&rule->predicates[i]))
			return end_beyond(rule, i);
	return 0;
}

int lower_known(const struct table *table, struct ir **ir)
{
	struct ir *new;
	int error = ir_make(table, &new);

	if (error)
		return error;
	for (uint32_t i = 0; !error && i < table->entry_count; i++) {
		error = lower_entry(new, table, i, NULL);
		if (error == -EOPNOTSUPP || (!error && rule_code(&new->rules[i])))
			error = end_beyond(&new->rules[i], new->rules[i].predicate_count);
		if (!error)
			error = end_at_state(&new->rules[i]);
	}
	new->execution_count = 0; /* the kernel executes its own */
	if (error)
		ir_free(new);
	else
		*ir = new;
	return error;
}

int lower_each(const struct table *table, struct ir **ir, struct message *messages)
{
	struct ir *new;
	int error = ir_make(table, &new);

	if (error)
		return error;
	for (uint32_t i = 0; !error && i < table->entry_count; i++) {
		error = lower_entry(new, table, i, &messages[i]);
		if (error == -EOPNOTSUPP)
			error = 0;
	}
	return ir_finish(new, error, ir);
}
