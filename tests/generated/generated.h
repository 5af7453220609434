/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random tables and random packets through the evaluator and through the generated programs
 * (BPF_PROG_TEST_RUN): verdict and every counter must be the same.
 *
 * The tables are made as IR, so that they hold conditions and jumps that no iptables command makes
 * but that an iptables blob may; the packets are well-formed and malformed, and often one bit away
 * from what a rule asks for.
 */
#ifndef UBPFILTER_GENERATED_H
#define UBPFILTER_GENERATED_H

#include "../../translator/evaluate.h"
#include "../../common/message.h"

/* --- randomness (random.c): xorshift64*, so that a seed repeats a run ------------------------ */

struct random {
	uint64_t state; /* not 0 */
};

uint32_t random_below(struct random *random, uint32_t bound);
bool random_chance(struct random *random, unsigned percent);
void random_bytes(struct random *random, void *data, size_t size);
/* Numbers below SMALL as 16-bit words; of one byte a byte. */
void random_small(struct random *random, void *data, size_t size);
#define SMALL 6
/* One of the elements of an array. */
#define random_pick(random, array) ((array)[random_below(random, ARRAY_SIZE(array))])

/* A number that the environment may set: UBPFILTER_SEED, UBPFILTER_COMPARISONS. */
uint64_t setting(const char *name, uint64_t otherwise);

/* --- values that rules and packets share (values.c), so that they meet often ----------------- */

extern const uint16_t port_values[6];
extern const uint8_t protocol_values[15];
extern const uint16_t mss_values[4];
extern const uint8_t tcp_option_values[8];
/* Who sends what comes in. */
extern const uint8_t packet_mac[6];

/* An address as it stands in a packet, 4 or 16 bytes; the rest of @address is 0. */
void random_source(struct random *random, int family, uint8_t address[16]);
void random_destination(struct random *random, int family, enum hook hook, uint8_t address[16]);

/* --- tables (tables.c) ---------------------------------------------------------------------- */

/* A table that fulfils what table_decode() guarantees; NULL: out of memory. */
struct ir *table_make(struct random *random, int family);
/* Whether it reads what the packets' bytes do not say: then only PROGRAM_DIRECT can be compared. */
bool table_has_attributes(const struct ir *ir);
/* One line a rule, for a report. */
void table_print(const struct ir *ir);

/* --- packets (packets.c) -------------------------------------------------------------------- */

#define PACKET_BYTES_MAX 1200

/* A hop-by-hop option that nobody knows and that may be skipped. */
#define HOP_BY_HOP_PLAIN 0x1e

struct raw_packet {
	enum hook hook; /* where it belongs by its addresses */
	size_t size;	/* from the IP header on */
	unsigned char data[PACKET_BYTES_MAX];
	struct packet attributes; /* what its bytes do not say; for PROGRAM_DIRECT */
};

void packet_make(struct raw_packet *packet, struct random *random, int family);
/* As rules see it, with what the bytes do not say; -EINVAL: the IP layer discards it. */
int packet_attributed(struct packet *packet, const struct raw_packet *raw, int family);
void packet_print(const struct raw_packet *packet);

/* --- the programs (ground.c, programs.c) ----------------------------------------------------- */

/* The device that packets come in by and the one that they leave by. */
enum ground_device {
	DEVICE_IN,
	DEVICE_OUT,
	DEVICE_COUNT,
};

/* A network namespace of this process's own, with devices, addresses and routes. */
struct ground {
	struct {
		char name[IFACE_NAME_SIZE];
		uint8_t address[6];
		unsigned index;
	} devices[DEVICE_COUNT];
};

int ground_make(struct ground *ground, struct message *message);

enum program {
	PROGRAM_XDP,
	PROGRAM_TC_INGRESS,
	PROGRAM_TC_EGRESS,
	PROGRAM_DIRECT, /* direct.bpf.c: the chains alone, on packets with all attributes */
	PROGRAM_COUNT,
};

struct programs;

/* Compile, link, verify and load @ir; with room for @batch packets at once, 0: for none. */
int programs_load(struct programs **programs, const struct ir *ir, const struct ground *ground,
		  uint32_t batch, struct message *message);
void programs_free(struct programs *programs);

/* Whether the packet comes by @program, and BPF_PROG_TEST_RUN can make it. */
bool program_sees(const struct programs *programs, enum program program,
		  const struct raw_packet *packet);
const char *program_name(enum program program);

/* Run one packet; returns an enum verdict, or -errno. */
int programs_run(const struct programs *programs, enum program program,
		 const struct raw_packet *packet, const struct ground *ground,
		 struct pending *pending);

/* Where packets for INPUT are written that are to be run at once, and what became of each then. */
struct packet *programs_batch(const struct programs *programs);
const uint64_t *programs_batch_verdicts(const struct programs *programs); /* enum verdict */
/* Run the first @count of them. Return: 0 or -errno. */
int programs_run_batch(const struct programs *programs, uint32_t count);

/* Let the stateful matches begin anew, at @states; @count of them. */
int programs_set_states(const struct programs *programs, const struct state *states,
			uint32_t count);

/* The counters of @count rules, summed over the CPUs; they start from 0 again afterwards. */
int programs_take_counters(const struct programs *programs, struct counter *counters,
			   uint32_t count);

#endif
