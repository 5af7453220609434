/* SPDX-License-Identifier: GPL-2.0-only */
#include "heard.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/netlink.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROOM (32 << 20) /* bytes that may wait in a socket */

enum { HEARD_CLIENT, HEARD_SERVER, HEARD_LOG };

/* --- sockets -------------------------------------------------------------------------------- */

static int answers_open(const struct twin *twin, enum place place, const char *device)
{
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(twin->scope->family == 4 ? ETHERTYPE_IP : ETHERTYPE_IPV6),
	};
	int error = place_enter(twin, place), fd;

	if (error)
		return error;
	fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	address.sll_ifindex = (int)if_nametoindex(device);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)))
		return -errno;
	return fd;
}

static int log_configure(int fd, uint16_t attribute, const void *value, uint16_t size)
{
	struct {
		struct nlmsghdr header;
		struct nfgenmsg family;
		struct nlattr attribute;
		char value[8];
	} request = {
		.header = { .nlmsg_type = NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK },
		.family = { .res_id = htons(HEARD_GROUP) },
		.attribute = { .nla_len = (uint16_t)(NLA_HDRLEN + size), .nla_type = attribute },
	};
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
	} reply;

	memcpy(request.value, value, size);
	request.header.nlmsg_len =
		NLMSG_LENGTH(sizeof(request.family) + NLA_ALIGN(request.attribute.nla_len));
	if (send(fd, &request, request.header.nlmsg_len, 0) < 0 ||
	    recv(fd, &reply, sizeof(reply), 0) < (ssize_t)sizeof(reply.header))
		return -errno;
	return reply.header.nlmsg_type == NLMSG_ERROR ? reply.error.error : -EPROTO;
}

/* Each message comes at once, with the packet. */
static int log_open(const struct twin *twin)
{
	const struct nfulnl_msg_config_cmd bind = { .command = NFULNL_CFG_CMD_BIND };
	const struct nfulnl_msg_config_mode mode = { .copy_mode = NFULNL_COPY_PACKET,
						     .copy_range = htonl(0xffff) };
	const uint32_t one = htonl(1);
	int error = place_enter(twin, PLACE_ROUTER), fd;

	if (error)
		return error;
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	if (fd < 0)
		return -errno;
	error = log_configure(fd, NFULA_CFG_CMD, &bind, sizeof(bind));
	if (!error)
		error = log_configure(fd, NFULA_CFG_MODE, &mode, sizeof(mode));
	if (!error)
		error = log_configure(fd, NFULA_CFG_QTHRESH, &one, sizeof(one));
	if (!error)
		return fd;
	close(fd);
	return error;
}

int hearing_open(struct twin *twin)
{
	int room = ROOM;

	twin->heard[HEARD_CLIENT] = answers_open(twin, PLACE_CLIENT, "eth0");
	twin->heard[HEARD_SERVER] = answers_open(twin, PLACE_SERVER, "eth1");
	twin->heard[HEARD_LOG] = log_open(twin);
	for (int i = 0; i < HEARD_SOCKETS; i++) {
		if (twin->heard[i] < 0)
			return twin->heard[i];
		if (setsockopt(twin->heard[i], SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)))
			return -errno;
	}
	return 0;
}

void hearing_close(struct twin *twin)
{
	for (int i = 0; i < HEARD_SOCKETS; i++)
		if (twin->heard[i] >= 0)
			close(twin->heard[i]);
}

/* --- lines ---------------------------------------------------------------------------------- */

/* A line in the making; line_end() adds it. */
static FILE *line_begin(struct heard *heard)
{
	FILE *out;

	if (heard->count == heard->room) {
		heard->room = heard->room ? heard->room * 2 : 64;
		heard->lines = reallocarray(heard->lines, heard->room, sizeof(char *));
	}
	out = heard->lines ? open_memstream(&heard->lines[heard->count], &heard->length) : NULL;
	if (!out)
		abort();
	return out;
}

static void line_end(struct heard *heard, FILE *out)
{
	fclose(out);
	heard->count++;
}

static int compare(const void *one, const void *other)
{
	return strcmp(*(char *const *)one, *(char *const *)other);
}

void heard_print(struct heard *heard, FILE *out)
{
	qsort(heard->lines, heard->count, sizeof(char *), compare);
	for (size_t i = 0; i < heard->count; i++)
		fprintf(out, "%s\n", heard->lines[i]);
}

void heard_free(struct heard *heard)
{
	for (size_t i = 0; i < heard->count; i++)
		free(heard->lines[i]);
	free(heard->lines);
	*heard = (struct heard){};
}

/* --- packets -------------------------------------------------------------------------------- */

static unsigned header_size(const unsigned char *packet, size_t size, int family)
{
	unsigned bytes = family == 4 ? (packet[0] & 15u) * 4 : 40;

	return size >= 20 && bytes + 4 <= size ? bytes : 0;
}

static void put_bytes(FILE *out, const unsigned char *bytes, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		fprintf(out, "%02x", bytes[i]);
}

static bool is_icmp(const unsigned char *packet, int family)
{
	return packet[family == 4 ? 9 : 6] == (family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
}

/* The IP header, and behind it ports or ICMP type and code, without what each sender makes up by
   itself: ids, flow labels, times among the options, and checksums over these. */
static void put_packet(FILE *out, const unsigned char *packet, size_t size,
		       const struct scope *scope)
{
	int family = scope->family;
	unsigned header = header_size(packet, size, family);
	unsigned from = family == 4 ? 6 : 4, to = family == 4 ? 10 : 40;

	if (!header)
		return;
	put_bytes(out, packet, from - (family == 4 ? 2 : 3));
	put_bytes(out, packet + from, to - from);
	put_bytes(out, packet + 12, family == 4 ? 8 : 0);
	fputs(" ", out);
	/* the port that source NAT takes for one that is in use is a random one */
	if (is_icmp(packet, family) || !scope_has_nat(scope))
		put_bytes(out, packet + header, is_icmp(packet, family) ? 2 : 4);
}

#define TCP_RST 4

/* What REJECT answers with: an ICMP error, or a reset. Others say the like. */
static void hear_answer(const struct twin *twin, const char *where, const unsigned char *packet,
			size_t size, struct heard *heard)
{
	int family = twin->scope->family;
	unsigned header = size ? header_size(packet, size, family) : 0;
	const unsigned char *inner = packet + header + 8;
	FILE *out;

	if (!header || size < header + 20)
		return;
	if (is_icmp(packet, family) && packet[header] == (family == 4 ? 3 : 1)) {
		out = line_begin(heard);
		fprintf(out, "%s: unreachable %u, %zu bytes: ", where, packet[header + 1], size);
		put_packet(out, packet, size, twin->scope);
		fputs(" about ", out);
		put_packet(out, inner, size - header - 8, twin->scope);
		line_end(heard, out);
	} else if (packet[family == 4 ? 9 : 6] == IPPROTO_TCP && packet[header + 13] & TCP_RST) {
		out = line_begin(heard);
		fprintf(out, "%s: reset, flags %02x, %zu bytes: ", where, packet[header + 13],
			size);
		put_packet(out, packet, size, twin->scope);
		line_end(heard, out);
	}
}

/* --- NFLOG ---------------------------------------------------------------------------------- */

static void put_attribute(FILE *out, const struct nlattr *attribute, const struct scope *scope)
{
	const unsigned char *value = (const unsigned char *)attribute + NLA_HDRLEN;
	unsigned size = attribute->nla_len - (unsigned)NLA_HDRLEN;

	switch (attribute->nla_type & NLA_TYPE_MASK) {
	case NFULA_PACKET_HDR:
	case NFULA_MARK:
	case NFULA_UID:
	case NFULA_HWTYPE:
		fprintf(out, " %u:", attribute->nla_type);
		put_bytes(out, value, size);
		break;
	case NFULA_IFINDEX_INDEV:
	case NFULA_IFINDEX_OUTDEV:
		fprintf(out, " %u:%u", attribute->nla_type, value[3]);
		break;
	case NFULA_PREFIX:
		fprintf(out, " %.*s", (int)size, value);
		break;
	case NFULA_PAYLOAD:
		fprintf(out, " %u bytes: ", size);
		put_packet(out, value, size, scope);
		break;
	default:
		break;
	}
}

static void hear_message(const struct twin *twin, const struct nlmsghdr *message,
			 struct heard *heard)
{
	const unsigned char *next = NLMSG_DATA(message);
	const unsigned char *end = (const unsigned char *)message + message->nlmsg_len;
	FILE *out;

	if (message->nlmsg_type != (NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET))
		return;
	out = line_begin(heard);
	fputs("NFLOG:", out);
	for (next += sizeof(struct nfgenmsg); next + NLA_HDRLEN <= end;) {
		const struct nlattr *attribute = (const void *)next;

		if (attribute->nla_len < NLA_HDRLEN || next + attribute->nla_len > end)
			break;
		put_attribute(out, attribute, twin->scope);
		next += NLA_ALIGN(attribute->nla_len);
	}
	line_end(heard, out);
}

static void hear_messages(const struct twin *twin, const unsigned char *bytes, size_t size,
			  struct heard *heard)
{
	const struct nlmsghdr *message;

	/* the last one may end without its padding */
	for (size_t at = 0; at + sizeof(*message) <= size; at += NLMSG_ALIGN(message->nlmsg_len)) {
		message = (const void *)(bytes + at);
		if (message->nlmsg_len < sizeof(*message) || message->nlmsg_len > size - at)
			break;
		hear_message(twin, message, heard);
	}
}

/* --- all of it ------------------------------------------------------------------------------ */

int hear(struct twin *twin, struct heard *heard)
{
	static const char *const names[] = { "client", "server" };
	static _Thread_local unsigned char bytes[1 << 17];

	for (int i = 0; i < HEARD_SOCKETS; i++) {
		ssize_t got;

		while ((got = recv(twin->heard[i], bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
			if (i == HEARD_LOG)
				hear_messages(twin, bytes, (size_t)got, heard);
			else
				hear_answer(twin, names[i], bytes, (size_t)got, heard);
		if (got < 0 && errno != EAGAIN)
			return -errno;
	}
	return 0;
}
