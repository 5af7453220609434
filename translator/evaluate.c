/* SPDX-License-Identifier: GPL-2.0-only */
#include "evaluate.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define IPV4_HEADER_SIZE 20u
#define IPV6_HEADER_SIZE 40u
#define TCP_HEADER_SIZE	 20u
#define UDP_HEADER_SIZE	 8u
#define ICMP_HEADER_SIZE 8u /* what both families' ICMP matches ask for */

#define PROTOCOL_UNKNOWN (-1) /* IPv6: the chain of extension headers is broken */

/* A packet behind the IP layer's own checks. */
struct subject {
	const struct evaluation_input *input;
	uint8_t family;
	const unsigned char *data;
	size_t length;		  /* by the IP header: link-layer padding is cut off */
	int protocol;		  /* or PROTOCOL_UNKNOWN */
	unsigned fragment_offset; /* IPv4: in 8 bytes; IPv6: in bytes; 0: whole or first */
	size_t transport;	  /* where its header starts; may be behind the end */
};

enum outcome {
	OUTCOME_FALSE,
	OUTCOME_TRUE,
	OUTCOME_HOTDROP,
};

static enum outcome outcome_of(bool truth)
{
	return truth ? OUTCOME_TRUE : OUTCOME_FALSE;
}

/* as skb_header_pointer(): all of the bytes, or nothing */
static const unsigned char *bytes_at(const struct subject *subject, size_t offset, size_t size)
{
	if (offset > subject->length || size > subject->length - offset)
		return NULL;
	return subject->data + offset;
}

static unsigned be16(const unsigned char *bytes)
{
	return (unsigned)bytes[0] << 8 | bytes[1];
}

/* --- the IP layer ----------------------------------------------------------------------------- */

static bool checksum_is_good(const unsigned char *header, size_t size)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < size; i += 2)
		sum += be16(header + i);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff;
}

/* as ip_rcv_core() */
static int receive_ipv4(struct subject *subject, size_t size)
{
	const unsigned char *ip = subject->data;
	size_t header_size;

	if (size < IPV4_HEADER_SIZE || ip[0] >> 4 != 4)
		return -EINVAL;
	header_size = (ip[0] & 0xf) * 4u;
	if (header_size < IPV4_HEADER_SIZE || header_size > size ||
	    !checksum_is_good(ip, header_size))
		return -EINVAL;
	subject->length = be16(ip + 2);
	if (subject->length > size || subject->length < header_size)
		return -EINVAL;
	subject->protocol = ip[9];
	subject->fragment_offset = be16(ip + 6) & 0x1fff;
	subject->transport = header_size;
	return 0;
}

static bool is_extension(unsigned protocol)
{
	static const uint8_t extensions[] = { IPPROTO_HOPOPTS, IPPROTO_ROUTING, IPPROTO_FRAGMENT,
					      IPPROTO_AH,      IPPROTO_NONE,	IPPROTO_DSTOPTS };

	return memchr(extensions, (int)protocol, sizeof(extensions));
}

/* No header that could be stepped over follows. */
static bool ends_headers(unsigned protocol)
{
	return !is_extension(protocol) || protocol == IPPROTO_NONE;
}

/* Bytes of an extension header that ipv6_find_hdr() reads before it steps over it. */
static size_t bytes_read(unsigned protocol)
{
	return protocol == IPPROTO_FRAGMENT || protocol == IPPROTO_ROUTING ? 4 : 2;
}

static size_t extension_size(unsigned protocol, const unsigned char *header)
{
	if (protocol == IPPROTO_FRAGMENT)
		return 8;
	return protocol == IPPROTO_AH ? (header[1] + 2u) * 4 : (header[1] + 1u) * 8;
}

/* as ipv6_find_hdr(skb, &offset, -1, &fragoff, NULL) */
static void find_protocol(struct subject *subject)
{
	unsigned protocol = subject->data[6];
	size_t offset = IPV6_HEADER_SIZE;

	subject->protocol = PROTOCOL_UNKNOWN;
	while (!ends_headers(protocol)) {
		const unsigned char *header = bytes_at(subject, offset, bytes_read(protocol));
		unsigned fragment_offset = 0;

		if (!header)
			return;
		if (protocol == IPPROTO_FRAGMENT)
			fragment_offset = be16(header + 2) & ~7u;
		if (fragment_offset) { /* what follows is known only if it is the end */
			if (!ends_headers(header[0]))
				return;
			subject->fragment_offset = fragment_offset;
			subject->protocol = header[0];
			return;
		}
		offset += extension_size(protocol, header);
		protocol = header[0];
	}
	subject->protocol = (int)protocol;
	subject->transport = offset;
}

/* as ip6_rcv_core() */
static int receive_ipv6(struct subject *subject, size_t size)
{
	const unsigned char *ip = subject->data;

	if (size < IPV6_HEADER_SIZE || ip[0] >> 4 != 6)
		return -EINVAL;
	subject->length = size;
	/* a length of 0 before hop-by-hop options stands for a jumbogram */
	if (be16(ip + 4) || ip[6] != IPPROTO_HOPOPTS)
		subject->length = be16(ip + 4) + IPV6_HEADER_SIZE;
	if (subject->length > size)
		return -EINVAL;
	find_protocol(subject);
	return 0;
}

/* --- predicates ------------------------------------------------------------------------------- */

/* (bytes & mask) == value */
static enum outcome match_masked(const struct predicate *predicate, const void *bytes, size_t size)
{
	const unsigned char *byte = bytes;
	bool equal = true;

	for (size_t i = 0; i < size; i++)
		equal &= (byte[i] & predicate->masked.mask[i]) == predicate->masked.value[i];
	return outcome_of(equal != predicate->invert);
}

static enum outcome match_range(const struct predicate *predicate, unsigned value)
{
	bool inside = value >= predicate->range.min && value <= predicate->range.max;

	return outcome_of(inside != predicate->invert);
}

static enum outcome match_source(const struct predicate *predicate, const struct subject *subject)
{
	return subject->family == 4 ? match_masked(predicate, subject->data + 12, 4)
				    : match_masked(predicate, subject->data + 8, 16);
}

static enum outcome match_destination(const struct predicate *predicate,
				      const struct subject *subject)
{
	return subject->family == 4 ? match_masked(predicate, subject->data + 16, 4)
				    : match_masked(predicate, subject->data + 24, 16);
}

static enum outcome match_in_name(const struct predicate *predicate, const struct subject *subject)
{
	return match_masked(predicate, subject->input->in_name, IFACE_NAME_SIZE);
}

static enum outcome match_out_name(const struct predicate *predicate, const struct subject *subject)
{
	return match_masked(predicate, subject->input->out_name, IFACE_NAME_SIZE);
}

/* as ip6_packet_match(): a protocol that cannot be found is a hotdrop */
static enum outcome match_protocol(const struct predicate *predicate, const struct subject *subject)
{
	if (subject->protocol == PROTOCOL_UNKNOWN)
		return OUTCOME_HOTDROP;
	return match_range(predicate, (unsigned)subject->protocol);
}

static enum outcome match_fragment(const struct predicate *predicate, const struct subject *subject)
{
	return match_range(predicate, subject->fragment_offset != 0);
}

static size_t transport_size(const struct subject *subject)
{
	switch (subject->protocol) {
	case IPPROTO_TCP:
		return TCP_HEADER_SIZE;
	case IPPROTO_UDP:
		return UDP_HEADER_SIZE;
	case IPPROTO_ICMP:
		return subject->family == 4 ? ICMP_HEADER_SIZE : 0;
	case IPPROTO_ICMPV6:
		return subject->family == 6 ? ICMP_HEADER_SIZE : 0;
	default:
		return 0;
	}
}

/* The transport header that rules read; NULL: the packet has none, or not all of it. */
static const unsigned char *transport_header(const struct subject *subject)
{
	size_t size = transport_size(subject);

	if (!size || subject->fragment_offset)
		return NULL;
	return bytes_at(subject, subject->transport, size);
}

/* as tcp_mt(), udp_mt(), icmp_match(), icmp6_match() begin */
static enum outcome match_transport(const struct predicate *predicate,
				    const struct subject *subject)
{
	if (subject->fragment_offset)
		return predicate->fragment_one_drops && subject->fragment_offset == 1
			       ? OUTCOME_HOTDROP
			       : OUTCOME_FALSE;
	return transport_header(subject) ? OUTCOME_TRUE : OUTCOME_HOTDROP;
}

static enum outcome match_port(const struct predicate *predicate, const struct subject *subject,
			       size_t offset)
{
	const unsigned char *header = transport_header(subject);
	bool has_ports = subject->protocol == IPPROTO_TCP || subject->protocol == IPPROTO_UDP;

	return match_range(predicate, header && has_ports ? be16(header + offset) : 0);
}

static enum outcome match_source_port(const struct predicate *predicate,
				      const struct subject *subject)
{
	return match_port(predicate, subject, 0);
}

static enum outcome match_destination_port(const struct predicate *predicate,
					   const struct subject *subject)
{
	return match_port(predicate, subject, 2);
}

static enum outcome match_icmp(const struct predicate *predicate, const struct subject *subject)
{
	const unsigned char *header = transport_header(subject);
	bool is_icmp = subject->protocol == (subject->family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);

	return match_range(predicate, header && is_icmp ? be16(header) : 0);
}

static const unsigned char *tcp_header(const struct subject *subject)
{
	return subject->protocol == IPPROTO_TCP ? transport_header(subject) : NULL;
}

static enum outcome match_tcp_flags(const struct predicate *predicate,
				    const struct subject *subject)
{
	static const unsigned char none;
	const unsigned char *header = tcp_header(subject);

	return match_masked(predicate, header ? header + 13 : &none, 1);
}

/* as tcp_find_option() */
static bool option_occurs(const unsigned char *options, size_t size, unsigned kind)
{
	size_t i = 0;

	while (i < size) {
		unsigned step = 1;

		if (options[i] == kind)
			return true;
		if (options[i] >= 2 && i + 1 < size && options[i + 1])
			step = options[i + 1];
		i += step;
	}
	return false;
}

/* as tcp_mt(): options that are not there in full are a hotdrop */
static enum outcome match_tcp_option(const struct predicate *predicate,
				     const struct subject *subject)
{
	const unsigned char *header = tcp_header(subject), *options;
	size_t size;

	if (!header)
		return outcome_of(predicate->invert);
	size = (header[12] >> 4) * 4u;
	if (size < TCP_HEADER_SIZE)
		return OUTCOME_HOTDROP;
	size -= TCP_HEADER_SIZE;
	options = bytes_at(subject, subject->transport + TCP_HEADER_SIZE, size);
	if (!options)
		return OUTCOME_HOTDROP;
	return outcome_of(option_occurs(options, size, predicate->range.min) != predicate->invert);
}

static enum outcome match_never(const struct predicate *predicate, const struct subject *subject)
{
	(void)predicate;
	(void)subject;
	return OUTCOME_FALSE;
}

static enum outcome match(const struct predicate *predicate, const struct subject *subject)
{
	static enum outcome (*const matchers[FIELD_COUNT])(const struct predicate *,
							   const struct subject *) = {
		[FIELD_SOURCE] = match_source,
		[FIELD_DESTINATION] = match_destination,
		[FIELD_IN_NAME] = match_in_name,
		[FIELD_OUT_NAME] = match_out_name,
		[FIELD_PROTOCOL] = match_protocol,
		[FIELD_FRAGMENT] = match_fragment,
		[FIELD_SOURCE_PORT] = match_source_port,
		[FIELD_DESTINATION_PORT] = match_destination_port,
		[FIELD_ICMP] = match_icmp,
		[FIELD_TCP_FLAGS] = match_tcp_flags,
		[FIELD_TCP_OPTION] = match_tcp_option,
		[FIELD_TRANSPORT] = match_transport,
		[FIELD_NEVER] = match_never,
	};

	return matchers[predicate->field](predicate, subject);
}

/* --- chains ----------------------------------------------------------------------------------- */

static enum outcome match_rule(const struct rule *rule, const struct subject *subject)
{
	enum outcome outcome = OUTCOME_TRUE;

	for (uint32_t i = 0; outcome == OUTCOME_TRUE && i < rule->predicate_count; i++)
		outcome = match(&rule->predicates[i], subject);
	return outcome;
}

/* Where a packet is in the table. */
struct position {
	uint32_t rule;
	uint32_t *callers; /* rules to come back to, innermost last */
	uint32_t depth;
	uint32_t underflow;
};

/* The action of a rule that matched. Return: VERDICT_DEFER to go on at @position. */
static enum verdict act(const struct rule *rule, struct position *position)
{
	uint32_t next = position->rule + 1;

	switch ((enum action)rule->action) {
	case ACTION_CONTINUE:
		position->rule = next;
		return VERDICT_DEFER;
	case ACTION_RETURN:
		position->rule = position->depth ? position->callers[--position->depth]
						 : position->underflow;
		return VERDICT_DEFER;
	case ACTION_JUMP:
		position->callers[position->depth++] = next;
		position->rule = rule->target;
		return VERDICT_DEFER;
	case ACTION_GOTO:
		position->rule = rule->target;
		return VERDICT_DEFER;
	case ACTION_ACCEPT:
		return VERDICT_ACCEPT;
	case ACTION_DROP:
	case ACTION_NONE: /* not reached in a checked table */
		break;
	}
	return VERDICT_DROP;
}

/* as ipt_do_table() */
static enum verdict walk(const struct ir *ir, const struct subject *subject,
			 struct position *position, struct counter *counters)
{
	enum verdict verdict = VERDICT_DEFER;

	while (verdict == VERDICT_DEFER) {
		const struct rule *rule = ir->rules + position->rule;

		/* a table that was not checked can end without a verdict, or call for ever */
		if (position->rule >= ir->rule_count || position->depth >= ir->rule_count)
			return VERDICT_DROP;
		switch (match_rule(rule, subject)) {
		case OUTCOME_HOTDROP:
			return VERDICT_DROP;
		case OUTCOME_FALSE:
			position->rule++;
			break;
		case OUTCOME_TRUE:
			counters[position->rule].packets++;
			counters[position->rule].bytes += subject->length;
			verdict = act(rule, position);
			break;
		}
	}
	return verdict;
}

int evaluate(const struct ir *ir, const struct evaluation_input *input, struct counter *counters)
{
	struct subject subject = { .input = input, .family = ir->family, .data = input->data };
	struct position position = {
		.rule = ir->hook_entry[input->hook],
		.underflow = ir->underflow[input->hook],
	};
	int result = ir->family == 4 ? receive_ipv4(&subject, input->size)
				     : receive_ipv6(&subject, input->size);

	if (result)
		return result;
	position.callers = calloc(ir->rule_count, sizeof(*position.callers));
	if (!position.callers)
		return -ENOMEM;
	result = (int)walk(ir, &subject, &position, counters);
	free(position.callers);
	return result;
}
