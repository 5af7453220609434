/* SPDX-License-Identifier: GPL-2.0-only */
/* Random tables and random packets that meet often, for the test of generated programs. */
#ifndef UBPFILTER_TEST_GENERATED_H
#define UBPFILTER_TEST_GENERATED_H

#include "../../../translator/ir.h"

/* A seeded generator (xorshift64*), so that a run can be repeated. */
struct random {
	uint64_t state;
};

uint32_t random_below(struct random *random, uint32_t bound);
bool random_chance(struct random *random, unsigned percent);

/* Addresses that rules ask for and packets have; the first LOCAL_ADDRESSES are not forwarded. */
#define ADDRESSES	6u
#define LOCAL_ADDRESSES 3u
extern const unsigned char address_pool[2][ADDRESSES][16]; /* IPv4, IPv6 */

extern const uint16_t port_pool[6];

/** table_make() - rules as lower() would make them, of up to three user chains. */
struct ir *table_make(uint8_t family, struct random *random);

/** table_print() - all rules for a person, to stdout. */
void table_print(const struct ir *ir);

struct frame {
	enum hook hook;
	size_t size;		  /* with the Ethernet header */
	unsigned char data[2048]; /* well below the pool of a test run */
};

/** frame_make() - a frame for in0 (INPUT, FORWARD) or one that out0 sends (OUTPUT). */
void frame_make(struct frame *frame, uint8_t family, struct random *random);

#define IN_ADDRESS  "\x02\x00\x00\x00\x00\x01" /* link-layer address of in0 */
#define OUT_ADDRESS "\x02\x00\x00\x00\x00\x02" /* of out0 */

#endif
