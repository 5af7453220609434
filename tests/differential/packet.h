/* SPDX-License-Identifier: GPL-2.0-only */
/* IP packets in the making: what the headers shall say, and the bytes that come of it. */
#ifndef UBPFILTER_DIFFERENTIAL_PACKET_H
#define UBPFILTER_DIFFERENTIAL_PACKET_H

#include <stddef.h>

#include "random.h"
#include "scope.h"

#define PACKET_MAX     16384
#define PAYLOAD_MAX    12000
#define EXTENSIONS_MAX 512

/* Where a packet starts: as a frame of one of the two hosts, or at a raw socket of the router. */
enum origin {
	FROM_CLIENT,
	FROM_SERVER,
	FROM_ROUTER,
};

/* What an IP header, with options or extension headers, shall say. */
struct network {
	int family;
	unsigned char source[16]; /* network order; IPv4: the first four bytes */
	unsigned char destination[16];
	unsigned char protocol;
	unsigned char hop_limit;
	unsigned char tos;
	uint32_t id;
	bool fragment;				  /* IPv6: there is a fragment header */
	bool more;				  /* fragments follow */
	unsigned fragment_offset;		  /* bytes, a multiple of 8 */
	unsigned char extensions[EXTENSIONS_MAX]; /* IPv4: options; IPv6: headers, chained */
	unsigned extensions_size;
	unsigned char first_extension; /* IPv6: kind of the first of them */
	unsigned last_next;	       /* IPv6: where in @extensions the last one names its next */
};

struct packet_bytes {
	unsigned size;
	unsigned char data[PACKET_MAX];
};

/* A transport header with its data. */
struct payload {
	unsigned size;
	unsigned char data[PAYLOAD_MAX];
};

struct ports {
	uint16_t source; /* network order */
	uint16_t destination;
};

/* Put headers before @payload: lengths and header checksum are right. */
void packet_write(struct packet_bytes *packet, const struct network *network,
		  const unsigned char *payload, unsigned size);
/* Bytes that packet_write() puts before the payload. */
unsigned packet_header_size(const struct network *network);
/* Damage lengths, version, checksum; not @sound: data become options, too. */
void packet_damage(struct packet_bytes *packet, int family, bool sound, struct random *random);

/* Addresses, protocol, hop limit; whether it is for the router itself. */
bool network_make(struct network *network, const struct scope *scope, enum origin origin,
		  struct random *random);
/* The answer's header. */
void network_turn(struct network *network);
/* IPv4 options or IPv6 extension headers; @sound: only such as the IP layer lets through. */
void extensions_make(struct network *network, bool sound, struct random *random);

struct ports ports_make(struct random *random);
/* A packet of the network's protocol, checksum included. */
void payload_make(struct payload *payload, const struct network *network, struct ports ports,
		  struct random *random);
/* payload_spoil() - rarely, a bit of its header or the header's length; its checksum at least is
   wrong then. */
void payload_spoil(struct payload *payload, unsigned char protocol, struct random *random);
/* TCP with these flags, UDP, or an echo request or reply: one packet of a conversation. */
void payload_converse(struct payload *payload, const struct network *network, struct ports ports,
		      unsigned char tcp_flags, bool reply);
/* An ICMP error about @about. */
void payload_error(struct payload *payload, const struct network *network,
		   const struct packet_bytes *about, struct random *random);
void payload_checksum(struct payload *payload, const struct network *network);
/* Only what is not in the packet, as a sender leaves it to its device; returns where it stands. */
unsigned payload_pseudo_checksum(struct payload *payload, const struct network *network);

uint32_t sum_add(uint32_t sum, const unsigned char *data, unsigned size);
uint16_t sum_fold(uint32_t sum); /* network order */

#endif
