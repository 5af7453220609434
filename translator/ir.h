/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rule IR: a table as conjunctions of predicates over packet fields, each with an action.
 *
 * The rules stand in the order of the iptables blob, one for each entry, so that a rule's index is
 * its counter's index. Chains are not objects: as in the kernel, a chain is where a hook or a jump
 * starts, and it ends at an entry that always leaves.
 */
#ifndef UBPFILTER_IR_H
#define UBPFILTER_IR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../bpf/state.h"
#include "../bpf/types.h"

/* What a predicate reads of struct packet; field.c has their operands, and where they are known. */
enum field {
	FIELD_SOURCE,
	FIELD_DESTINATION,
	FIELD_IN_NAME,
	FIELD_OUT_NAME,
	FIELD_PROTOCOL, /* IPv6: hotdrop when it cannot be found */
	FIELD_FRAGMENT, /* range over 0 (whole or first) and 1 (later fragment) */
	FIELD_SOURCE_PORT,
	FIELD_DESTINATION_PORT,
	FIELD_ICMP, /* type << 8 | code */
	FIELD_TCP_FLAGS,
	FIELD_TCP_OPTION, /* range with min == max: the option kind occurs; hotdrop if malformed */
	FIELD_SPI,
	FIELD_MOBILITY,	 /* type of the mobility header (IPv6) */
	FIELD_LENGTH,	 /* as the IP layer has it; IPv6: header and payload */
	FIELD_TRANSPORT, /* guard: the transport header is there; see enum transport */
	FIELD_MAC,	 /* of the frame's source */
	FIELD_HAS_MAC,	 /* PACKET_HAS_MAC of the packet's flags */
	FIELD_SOCKET,	 /* PACKET_HAS_SOCKET, PACKET_HAS_OWNER */
	FIELD_UID,	 /* of the socket's owner */
	FIELD_GID,	 /* the same */
	FIELD_MARK,
	FIELD_TOS, /* IPv6: traffic class */
	FIELD_TTL, /* IPv6: hop limit */
	FIELD_PACKET_TYPE,
	FIELD_TRANSPORT_STATE,	/* enum transport as a number: no header is no hotdrop (ecn) */
	FIELD_IN_GROUP,		/* of the device */
	FIELD_OUT_GROUP,	/* the same */
	FIELD_REALM,		/* of the route */
	FIELD_PROCESSOR,	/* that works on the packet */
	FIELD_SOURCE_TYPE,	/* RTN_*: what routing takes the address for (IPv4) */
	FIELD_DESTINATION_TYPE, /* the same */
	FIELD_SOUND,	     /* guard: a packet with that bit of enum packet_flags is hotdropped */
	FIELD_HEADERS_SOUND, /* the same of its headers_broken: bits of enum ipv6_header */
	FIELD_HEADERS,	     /* enum ipv6_header: those that it has */
	FIELD_HOP_BY_HOP_SIZE,
	FIELD_DESTINATION_SIZE, /* of the header of destination options */
	FIELD_ROUTING_SIZE,
	FIELD_ROUTING_TYPE,
	FIELD_SEGMENTS_LEFT,
	FIELD_ROUTING_RESERVED,
	FIELD_FRAGMENT_ID,
	FIELD_FRAGMENT_OFFSET, /* with its flags */
	FIELD_FRAGMENT_RESERVED,
	FIELD_AUTHENTICATION_SIZE,
	FIELD_AUTHENTICATION_RESERVED,
	FIELD_AUTHENTICATION_SPI, /* IPv6; IPv4 has FIELD_SPI */
	FIELD_HAS_TCP_MSS,	  /* PACKET_HAS_TCP_MSS of the packet's facts */
	FIELD_TCP_MSS,
	FIELD_DCCP_TYPE,
	FIELD_EUI64,	    /* PACKET_EUI64 of the packet's facts */
	FIELD_HAS_CLASS,    /* PACKET_HAS_CLASS of the packet's facts */
	FIELD_CGROUP_CLASS, /* of its socket */
	FIELD_HELPER,	    /* of the connection that its connection is related to */
	FIELD_CONNECTION_MARK,
	FIELD_SOURCE_RANGE,
	FIELD_DESTINATION_RANGE,
	FIELD_CONNECTION_STATE,
	FIELD_CONNECTION_FLAGS,
	FIELD_CONNECTION_PROTOCOL,
	FIELD_CONNECTION_STATUS,
	FIELD_CONNECTION_EXPIRES,
	FIELD_ORIGINAL_SOURCE,
	FIELD_ORIGINAL_DESTINATION,
	FIELD_REPLY_SOURCE,
	FIELD_REPLY_DESTINATION,
	FIELD_ORIGINAL_SOURCE_PORT,
	FIELD_ORIGINAL_DESTINATION_PORT,
	FIELD_REPLY_SOURCE_PORT,
	FIELD_REPLY_DESTINATION_PORT,
	FIELD_STATE,	  /* a stateful match: what it says depends on the packets before, and each
			     packet that gets to it changes it */
	FIELD_HOOK_STATE, /* the same, of what only the netfilter stage can read */
	FIELD_NEVER,	  /* matches no packet (the kernel accepts such entries); no operand */
	FIELD_BEYOND,	  /* a match or target that BPF does not do; any packet may be meant */
	FIELD_COUNT,
};

/*
 * A rule is a conjunction of *clauses*. A clause is a predicate, or several alternatives of which
 * one must hold: all but its last predicate have `or_next`. Alternatives are on fields that are not
 * special (field.h), so they cannot hotdrop.
 *
 * One condition. `true` lets the next predicate of the rule look; `false` goes on with the next
 * rule; some can *hotdrop*: the packet is dropped at once and the rule does not count (as
 * xt_action_param::hotdrop). The order of a rule's predicates is the kernel's order of checks.
 */
struct predicate {
	uint8_t field; /* enum field */
	bool invert;
	bool fragment_one_drops; /* FIELD_TRANSPORT: fragment offset 1 is a hotdrop (TCP) */
	bool ports_suffice;	 /* FIELD_TRANSPORT: TRANSPORT_PORTS is enough (multiport) */
	bool or_next;		 /* an alternative: the next predicate is another one */
	uint32_t state_index;	 /* of a stateful match: its number in the table; ir_number_states()
				  */
	const char *match;	 /* name of the match that it comes from; NULL: the entry itself */
	union {			 /* by the field's enum operand */
		struct {
			uint8_t value[16]; /* packet bytes & mask == value; value outside the mask
					      makes it never true; as in the packet, network order
					    */
			uint8_t mask[16];
		} masked;
		struct {
			uint32_t min; /* inclusive, host order */
			uint32_t max; /* inclusive */
		} range;
		struct {
			uint8_t first[16]; /* inclusive, network order; IPv4 in the first 4 */
			uint8_t last[16];  /* inclusive */
		} bytes;
		uint64_t set;	    /* bit n: the number n */
		struct state state; /* before the first packet */
	};
};

enum action {
	ACTION_CONTINUE, /* no target: count, go on with the next rule */
	ACTION_ACCEPT,
	ACTION_DROP,
	ACTION_RETURN,	/* to the caller's next rule; in a built-in chain: to its policy entry */
	ACTION_JUMP,	/* rule `target`, come back to the next rule */
	ACTION_GOTO,	/* rule `target`, RETURN goes to this chain's caller */
	ACTION_EXECUTE, /* the kernel executes target `target`; go on with the next rule */
	ACTION_EXECUTE_DROP, /* the same, and the packet ends there: BPF's verdict is drop */
	ACTION_NONE,	     /* not a rule (ERROR entry: chain head, table end): never reached */
};

struct rule {
	struct predicate *predicates; /* owned; NULL when there are none */
	uint32_t predicate_count;
	uint8_t action;	 /* enum action */
	uint32_t target; /* ACTION_JUMP, ACTION_GOTO: index of a rule; ACTION_EXECUTE*: of an
			  * execution
			  */
};

/* Built-in chains of the filter table; numbers as enum nf_inet_hooks. */
enum hook {
	HOOK_INPUT = 1,
	HOOK_FORWARD = 2,
	HOOK_OUTPUT = 3,
	HOOK_COUNT = 5,
};

#define RULE_NONE UINT32_MAX

struct table;

/*
 * A target that the kernel executes, with what its checks look at. Rules that have the same share
 * it.
 */
struct execution {
	const void *target; /* struct xt_entry_target, in the table's blob: not owned */
	uint16_t protocol;  /* of the rule, where the target asks for it; else 0 */
	uint8_t flags;	    /* the same: IP6T_F_PROTO */
	uint8_t inverted;   /* the same: XT_INV_PROTO */
};

struct ir {
	uint8_t family; /* 4 or 6 */
	/* what it was lowered from, for the rules' text: not owned; NULL: they have none */
	const struct table *table;
	struct rule *rules;
	uint32_t rule_count;
	uint32_t hook_entry[HOOK_COUNT]; /* index of the hook's first rule; RULE_NONE: not hooked */
	uint32_t underflow[HOOK_COUNT];	 /* index of the hook's policy entry */
	uint32_t state_count;		 /* stateful matches */
	struct execution *executions;	 /* owned; EXECUTION_NUMBERS at most */
	uint32_t execution_count;
};

/** ir_free() - release everything that @ir owns, and @ir; NULL is fine. */
void ir_free(struct ir *ir);

/**
 * rule_add() - append @predicate to @rule.
 * Return: 0 or -ENOMEM (the rule is unchanged).
 */
int rule_add(struct rule *rule, const struct predicate *predicate);

/** predicate_remembers() - is it a stateful match? rule_remembers() - is one of its predicates? */
bool predicate_remembers(const struct predicate *predicate);
bool rule_remembers(const struct rule *rule);

/** rule_always_leaves() - does every packet that gets to this rule leave its chain here? */
bool rule_always_leaves(const struct rule *rule);

/** rule_leaves() - the same, or it is no rule: chains end with such a one. */
bool rule_leaves(const struct rule *rule);

/** ir_number_states() - number the stateful matches, once the rules are complete. */
void ir_number_states(struct ir *ir);

/** ir_states() - copy what they remember before the first packet to @states, by their number. */
void ir_states(const struct ir *ir, struct state *states);

/**
 * rule_code() - what a rule has the kernel execute, as struct pending has it; 0: nothing.
 * rule_counted() - the rule with that, as table_count() is told; RULE_NONE stays.
 */
uint32_t rule_code(const struct rule *rule);
uint32_t rule_counted(const struct ir *ir, uint32_t index);

#endif
