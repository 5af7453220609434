/* SPDX-License-Identifier: GPL-2.0-only */
/* One socket option, done to the kernel and to us, and whether it came out the same. */
#ifndef UBPFILTER_FUZZ_PAIR_H
#define UBPFILTER_FUZZ_PAIR_H

#include "memory_home.h"

struct step {
	enum family family;
	bool is_set;
	int option;
	unsigned char *data; /* owned; @len bytes */
	size_t len;
	bool bad_pointer; /* REPLACE: the counters pointer leads nowhere */
};

enum outcome {
	OUTCOME_EQUAL,
	OUTCOME_ROUTED,	   /* the shim asks the kernel: equal by construction */
	OUTCOME_KNOWN,	   /* refused by us for a documented reason */
	OUTCOME_DIFFERENT, /* what is different is in the report */
};

#define REPORT_SIZE 512

/* Both sides: a network namespace with its sockets, and two homes in memory. */
struct pair {
	int sockets[2]; /* by family: 0 IPv4, 1 IPv6 */
	struct memory_home homes[2];
	int status; /* of the kernel, the step before */
	char report[REPORT_SIZE];
};

/** pair_open() - start over, in a fresh network namespace. Return: 0 or -errno. */
int pair_open(struct pair *pair);
void pair_close(struct pair *pair);

/** pair_step() - do @step on both sides and compare all that can be seen afterwards. */
enum outcome pair_step(struct pair *pair, const struct step *step);

/** pair_home() - our side. */
struct memory_home *pair_home(struct pair *pair, enum family family);

/** step_name() - "REPLACE" and so on, for reports. */
const char *step_name(const struct step *step);

#endif
