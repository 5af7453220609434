/* SPDX-License-Identifier: GPL-2.0-only */
#include "field.h"

#define EVERYWHERE (STAGE_BIT(STAGE_XDP) | STAGE_BIT(STAGE_TC) | STAGE_BIT(STAGE_NF))

#define NETFILTER STAGE_BIT(STAGE_NF)

#define NEED_TUPLES (NEED_CONNECTION | NEED_CONNECTION_TUPLES)
#define NEED_EXPIRY (NEED_CONNECTION | NEED_CONNECTION_EXPIRY)

#define AT(member) \
	.offset = offsetof(struct packet, member), .size = sizeof(((struct packet *)NULL)->member)

static const struct field_info fields[FIELD_COUNT] = {
	[FIELD_SOURCE] = { "source", AT(source), OPERAND_MASKED, .stages = EVERYWHERE },
	[FIELD_DESTINATION] = { "destination", AT(destination), OPERAND_MASKED,
				.stages = EVERYWHERE },
	[FIELD_IN_NAME] = { "input device", AT(in_name), OPERAND_MASKED, .needs = NEED_IN_NAME,
			    .stages = EVERYWHERE },
	[FIELD_OUT_NAME] = { "output device", AT(out_name), OPERAND_MASKED, .needs = NEED_OUT_NAME,
			     .stages = EVERYWHERE },
	[FIELD_PROTOCOL] = { "protocol", AT(protocol), OPERAND_RANGE, .special = true,
			     .stages = EVERYWHERE },
	[FIELD_FRAGMENT] = { "fragment", AT(flags), OPERAND_RANGE, .special = true,
			     .stages = EVERYWHERE },
	[FIELD_SOURCE_PORT] = { "source port", AT(source_port), OPERAND_RANGE,
				.stages = EVERYWHERE },
	[FIELD_DESTINATION_PORT] = { "destination port", AT(destination_port), OPERAND_RANGE,
				     .stages = EVERYWHERE },
	[FIELD_ICMP] = { "ICMP type and code", AT(icmp), OPERAND_RANGE, .stages = EVERYWHERE },
	[FIELD_TCP_FLAGS] = { "TCP flags", AT(tcp_flags), OPERAND_MASKED, .stages = EVERYWHERE },
	[FIELD_TCP_OPTION] = { "TCP options", AT(tcp_options), OPERAND_RANGE, .special = true,
			       .needs = NEED_TCP_OPTIONS, .stages = EVERYWHERE },
	[FIELD_SPI] = { "SPI", AT(spi), OPERAND_RANGE, .stages = EVERYWHERE },
	[FIELD_MOBILITY] = { "mobility header type", AT(icmp), OPERAND_RANGE,
			     .stages = EVERYWHERE },
	/* GRO joins packets behind XDP */
	[FIELD_LENGTH] = { "length", AT(length), OPERAND_RANGE,
			   .stages = STAGE_BIT(STAGE_TC) | STAGE_BIT(STAGE_NF) },
	[FIELD_TRANSPORT] = { "transport header", AT(transport), OPERAND_NONE, .special = true,
			      .stages = EVERYWHERE },
	[FIELD_MAC] = { "MAC address", AT(mac), OPERAND_MASKED, .needs = NEED_MAC,
			.stages = EVERYWHERE },
	[FIELD_HAS_MAC] = { "MAC address", AT(flags), OPERAND_MASKED, .needs = NEED_MAC,
			    .stages = EVERYWHERE },
	[FIELD_SOCKET] = { "socket", AT(flags), OPERAND_MASKED, .needs = NEED_OWNER,
			   .stages = NETFILTER },
	[FIELD_UID] = { "socket's user", AT(uid), OPERAND_RANGE, .needs = NEED_OWNER,
			.stages = NETFILTER },
	[FIELD_GID] = { "socket's group", AT(gid), OPERAND_RANGE, .needs = NEED_OWNER,
			.stages = NETFILTER },
	[FIELD_MARK] = { "mark", AT(mark), OPERAND_MASKED, .needs = NEED_MARK,
			 .stages = NETFILTER },
	[FIELD_TOS] = { "type of service", AT(tos), OPERAND_MASKED, .stages = EVERYWHERE },
	[FIELD_TTL] = { "time to live", AT(ttl), OPERAND_RANGE, .stages = EVERYWHERE },
	[FIELD_PACKET_TYPE] = { "packet type", AT(packet_type), OPERAND_SET,
				.needs = NEED_PACKET_TYPE, .stages = NETFILTER },
	[FIELD_TRANSPORT_STATE] = { "transport header", AT(transport), OPERAND_RANGE,
				    .stages = EVERYWHERE },
	[FIELD_IN_GROUP] = { "input device's group", AT(in_group), OPERAND_MASKED,
			     .needs = NEED_GROUPS, .stages = NETFILTER },
	[FIELD_OUT_GROUP] = { "output device's group", AT(out_group), OPERAND_MASKED,
			      .needs = NEED_GROUPS, .stages = NETFILTER },
	[FIELD_REALM] = { "realm", AT(realm), OPERAND_MASKED, .needs = NEED_REALM,
			  .stages = NETFILTER },
	[FIELD_PROCESSOR] = { "processor", AT(processor), OPERAND_RANGE, .needs = NEED_PROCESSOR,
			      .stages = NETFILTER },
	[FIELD_SOURCE_TYPE] = { "source's type", AT(source_type), OPERAND_SET,
				.needs = NEED_SOURCE_TYPE, .stages = NETFILTER },
	[FIELD_DESTINATION_TYPE] = { "destination's type", AT(destination_type), OPERAND_SET,
				     .needs = NEED_DESTINATION_TYPE, .stages = NETFILTER },
	[FIELD_SOUND] = { "headers", AT(flags), OPERAND_NONE, .special = true,
			  .stages = EVERYWHERE },
	[FIELD_HAS_TCP_MSS] = { "segment size", AT(facts), OPERAND_MASKED, .needs = NEED_TCP_MSS,
				.stages = EVERYWHERE },
	[FIELD_TCP_MSS] = { "segment size", AT(tcp_mss), OPERAND_RANGE, .needs = NEED_TCP_MSS,
			    .stages = EVERYWHERE },
	[FIELD_DCCP_TYPE] = { "DCCP type", AT(dccp_type), OPERAND_SET, .needs = NEED_DCCP_TYPE,
			      .stages = EVERYWHERE },
	[FIELD_EUI64] = { "EUI-64", AT(facts), OPERAND_MASKED, .needs = NEED_EUI64,
			  .stages = NETFILTER },
	[FIELD_HAS_CLASS] = { "cgroup class", AT(facts), OPERAND_MASKED, .needs = NEED_CGROUP_CLASS,
			      .stages = NETFILTER },
	[FIELD_CGROUP_CLASS] = { "cgroup class", AT(cgroup_class), OPERAND_RANGE,
				 .needs = NEED_CGROUP_CLASS, .stages = NETFILTER },
	[FIELD_HELPER] = { "helper", AT(helper), OPERAND_MASKED,
			   .needs = NEED_CONNECTION | NEED_HELPER, .stages = NETFILTER },
	[FIELD_CONNECTION_MARK] = { "connection mark", AT(connection.mark), OPERAND_MASKED,
				    .needs = NEED_CONNECTION, .stages = NETFILTER },
	[FIELD_SOURCE_RANGE] = { "source", AT(source), OPERAND_BYTES, .stages = EVERYWHERE },
	[FIELD_DESTINATION_RANGE] = { "destination", AT(destination), OPERAND_BYTES,
				      .stages = EVERYWHERE },
	[FIELD_CONNECTION_STATE] = { "connection state", AT(connection.state), OPERAND_MASKED,
				     .needs = NEED_CONNECTION, .stages = EVERYWHERE },
	[FIELD_CONNECTION_FLAGS] = { "connection", AT(connection.flags), OPERAND_MASKED,
				     .needs = NEED_CONNECTION, .stages = EVERYWHERE },
	[FIELD_CONNECTION_PROTOCOL] = { "connection protocol", AT(connection.protocol),
					OPERAND_RANGE, .needs = NEED_TUPLES, .stages = EVERYWHERE },
	[FIELD_CONNECTION_STATUS] = { "connection status", AT(connection.status), OPERAND_MASKED,
				      .needs = NEED_CONNECTION, .stages = EVERYWHERE },
	[FIELD_CONNECTION_EXPIRES] = { "connection expiry", AT(connection.expires), OPERAND_RANGE,
				       .needs = NEED_EXPIRY, .stages = EVERYWHERE },
	[FIELD_ORIGINAL_SOURCE] = { "original source", AT(connection.original_source),
				    OPERAND_MASKED, .needs = NEED_TUPLES, .stages = EVERYWHERE },
	[FIELD_ORIGINAL_DESTINATION] = { "original destination",
					 AT(connection.original_destination), OPERAND_MASKED,
					 .needs = NEED_TUPLES, .stages = EVERYWHERE },
	[FIELD_REPLY_SOURCE] = { "reply source", AT(connection.reply_source), OPERAND_MASKED,
				 .needs = NEED_TUPLES, .stages = EVERYWHERE },
	[FIELD_REPLY_DESTINATION] = { "reply destination", AT(connection.reply_destination),
				      OPERAND_MASKED, .needs = NEED_TUPLES, .stages = EVERYWHERE },
	[FIELD_ORIGINAL_SOURCE_PORT] = { "original source port",
					 AT(connection.original_source_port), OPERAND_RANGE,
					 .needs = NEED_TUPLES, .stages = EVERYWHERE },
	[FIELD_ORIGINAL_DESTINATION_PORT] = { "original destination port",
					      AT(connection.original_destination_port),
					      OPERAND_RANGE, .needs = NEED_TUPLES,
					      .stages = EVERYWHERE },
	[FIELD_REPLY_SOURCE_PORT] = { "reply source port", AT(connection.reply_source_port),
				      OPERAND_RANGE, .needs = NEED_TUPLES, .stages = EVERYWHERE },
	[FIELD_REPLY_DESTINATION_PORT] = { "reply destination port",
					   AT(connection.reply_destination_port), OPERAND_RANGE,
					   .needs = NEED_TUPLES, .stages = EVERYWHERE },
	[FIELD_STATE] = { "count of packets", .operand = OPERAND_NONE, .special = true,
			  .needs = NEED_STATE, .stages = EVERYWHERE },
	[FIELD_HOOK_STATE] = { "state of flows", .operand = OPERAND_NONE, .special = true,
			       .needs = NEED_STATE, .stages = NETFILTER },
	[FIELD_NEVER] = { "nothing", .operand = OPERAND_NONE, .special = true,
			  .stages = EVERYWHERE },
	[FIELD_BEYOND] = { "what BPF does not do", AT(protocol), OPERAND_RANGE, .stages = 0 },
};

/* All 16 bytes from a field on are read at once: those behind it must be in struct packet too. */
_Static_assert(offsetof(struct packet, connection.reply_destination) + 16 <= sizeof(struct packet),
	       "the last field is the widest");

const struct field_info *field_info(enum field field)
{
	return &fields[field < FIELD_COUNT ? field : FIELD_NEVER];
}

const struct predicate *rule_unknown(const struct rule *rule, enum stage stage)
{
	for (uint32_t i = 0; i < rule->predicate_count; i++) {
		const struct predicate *predicate = &rule->predicates[i];

		if (!(field_info((enum field)predicate->field)->stages & STAGE_BIT(stage)))
			return predicate;
	}
	return NULL;
}
