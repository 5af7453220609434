/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rulesets to measure with: seeded, with the prefix lengths, nesting and shares of wildcards that
 * are published for ClassBench's seeds (Taylor and Turner, INFOCOM 2005), and a plain blocklist.
 */
#ifndef UBPFILTER_BENCH_SHAPE_H
#define UBPFILTER_BENCH_SHAPE_H

#include <stdint.h>
#include <stdio.h>

#include "../../translator/ir.h"

enum shape {
	SHAPE_BLOCKLIST, /* -s one host -j DROP */
	SHAPE_ACL,
	SHAPE_FW,
	SHAPE_IPC,
	SHAPE_COUNT,
};

const char *shape_name(enum shape shape);

struct bench_rule {
	uint32_t source, destination; /* host order */
	uint8_t source_length, destination_length;
	uint8_t protocol;		   /* 0: any */
	uint16_t port_min[2], port_max[2]; /* source, destination; tcp and udp only */
};

/* What a packet of the trace carries. */
struct bench_packet {
	uint32_t source, destination; /* host order */
	uint16_t source_port, destination_port;
	uint8_t protocol; /* 6 or 17 */
};

/** bench_rules() - @count rules; the same for the same seed. Return: owned by the caller. */
struct bench_rule *bench_rules(enum shape shape, uint32_t count, uint64_t seed);

/** bench_packet() - a packet that matches @rule (maybe an earlier one as well). */
struct bench_packet bench_packet(const struct bench_rule *rule, uint64_t seed);

/**
 * bench_table() - the rules in INPUT, with target DROP and policy ACCEPT, as IR. With @chains,
 * rules with a long enough source stand in that many user chains, by its first bits, each behind a
 * jump.
 */
struct ir *bench_table(const struct bench_rule *rules, uint32_t count, uint32_t chains);

/** bench_restore() - the same without user chains as input for iptables-restore. */
void bench_restore(const struct bench_rule *rules, uint32_t count, FILE *out);

#endif
