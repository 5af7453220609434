/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The evaluator: a plain interpreter of the IR over a raw packet, the yardstick for generated code.
 * It parses the packet itself, apart from bpf/, so that the two can be held against each other.
 */
#ifndef UBPFILTER_EVALUATE_H
#define UBPFILTER_EVALUATE_H

#include "ir.h"

struct evaluation_input {
	enum hook hook;
	char in_name[IFACE_NAME_SIZE];	/* NUL padded; empty: no such device */
	char out_name[IFACE_NAME_SIZE]; /* the same */
	bool has_mac;			/* it came in an Ethernet frame */
	uint8_t mac[6];			/* that frame's source */
	const unsigned char *data;	/* from the IP header on, as it came in */
	size_t size;			/* bytes that are there */
};

/* What stateful matches remember, and what they find in the world. */
struct evaluation_memory {
	struct state *states; /* ir::state_count of them; each evaluation changes them */
	uint32_t jiffies;     /* the kernel's */
	uint32_t chance;      /* 32 random bits, anew for each packet */
	uint32_t clock;	      /* seconds since 1970, UTC */
	const struct connection_counts *counts; /* of the packet's connection; NULL: not counted */
	const uint32_t *groups; /* of the socket's owner, beside struct packet::gid */
	size_t group_count;
};

/**
 * evaluate() - what the kernel's iptables would do with this packet at this hook.
 * @memory: NULL will do for a table without stateful matches. Tables of rates (hashlimit) are not
 * evaluated: their rules drop.
 * @counters: one for each rule of @ir; what the packet counts is added. Link-layer padding behind
 * the IP length is not counted.
 * Return: an enum verdict (accept or drop); -EINVAL for a packet that the IP layer discards before
 * any hook (short, bad version, bad header length or checksum): nothing is counted then; -ENOMEM.
 * OUTPUT sees what raw sockets write unchecked, version and lengths included.
 */
int evaluate(const struct ir *ir, const struct evaluation_input *input,
	     struct evaluation_memory *memory, struct counter *counters);

/**
 * evaluate_packet() - the same for a packet that is parsed already, as the generated functions get
 * it. What the kernel is to execute is added to @packet->pending.
 * Return: an enum verdict (accept or drop); -ENOMEM.
 */
int evaluate_packet(const struct ir *ir, enum hook hook, struct packet *packet,
		    struct evaluation_memory *memory, struct counter *counters);

#endif
