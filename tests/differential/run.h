/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parts of the differential test: the same ruleset and the same packets go to the kernel's own
 * iptables in one network namespace and to ubpfilter in its twin; all counters, and what passed the
 * filter, must be the same.
 */
#ifndef UBPFILTER_DIFFERENTIAL_H
#define UBPFILTER_DIFFERENTIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A seeded generator (xorshift64*), so that a run can be repeated. */
struct random {
	uint64_t state;
};

uint32_t random_below(struct random *random, uint32_t bound);
bool random_chance(struct random *random, unsigned percent);

/* --- rulesets ------------------------------------------------------------------------------ */

#define RULES_MAX 64

struct ruleset {
	int family;		/* 4 or 6 */
	char *heading;		/* table and chain lines */
	char *rules[RULES_MAX]; /* one -A line each */
	unsigned rule_count;
};

void ruleset_make(struct ruleset *ruleset, int family, struct random *random);
void ruleset_free(struct ruleset *ruleset);
/* The text for iptables-restore; rules whose bit in @without is set are left out. */
char *ruleset_text(const struct ruleset *ruleset, uint64_t without);

/* --- packets ------------------------------------------------------------------------------- */

#define PACKET_MAX 1400

enum packet_way {
	WAY_IN,	 /* a frame on eth0, to the router or through it */
	WAY_OUT, /* sent by a raw socket of the router itself */
};

struct test_packet {
	enum packet_way way;
	unsigned size; /* from the IP header on */
	unsigned char data[PACKET_MAX];
};

/* What early stages cannot judge as iptables does is left out when @early (docs/semantics.md). */
void packet_make(struct test_packet *packet, int family, bool early, struct random *random);
void packet_print(const struct test_packet *packet);

/* --- the twins ----------------------------------------------------------------------------- */

enum twin {
	TWIN_KERNEL,
	TWIN_UBPFILTER,
	TWIN_COUNT,
};

struct bench {
	char name[32];	   /* prefix of the namespaces */
	const char *build; /* folder with our programs */
	int netns[TWIN_COUNT];
	int peer;		      /* namespace of the sender and the sink */
	uint64_t left[TWIN_COUNT][2]; /* frames that had left eth0 and eth1 at the last restore */
	int frames[TWIN_COUNT];	      /* packet sockets of the sender, one to each twin */
	int raw[TWIN_COUNT][2];	      /* raw sockets in the twins: IPv4, IPv6 */
	int frame_index[TWIN_COUNT];
};

int bench_open(struct bench *bench, const char *build);
void bench_close(struct bench *bench);
/* Run a program in a twin's namespace; its stdout goes to *@output (may be NULL), owned by caller.
 */
int bench_command(struct bench *bench, enum twin twin, const char *const argv[], const char *input,
		  char **output);
int bench_restore(struct bench *bench, enum twin twin, int family, const char *text);
int bench_send(struct bench *bench, enum twin twin, int family, const struct test_packet *packet);
/* Counters of the filter table, and of a table behind it that counts what came through. */
int bench_counters(struct bench *bench, enum twin twin, int family, char **text);

#endif
