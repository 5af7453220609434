/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The twins: two routers that are wired alike,
 *
 *	client --- eth0 | router | eth1 --- server
 *
 * each host in a network namespace of its own. One router is filtered by the kernel's iptables,
 * the other by ubpfilter. Each twin is worked by a thread of its own on a processor of its own, so
 * that what was sent first is also handled first.
 */
#ifndef UBPFILTER_DIFFERENTIAL_BENCH_H
#define UBPFILTER_DIFFERENTIAL_BENCH_H

#include <stdio.h>

#include "ruleset.h"
#include "step.h"

/* One direction of a wire (the last one: the router's loopback device). */
#define LINKS 5

#define HEARD_SOCKETS 3

struct link {
	int sender;   /* packet socket at one end */
	int receiver; /* at the other; takes fences only */
};

struct twin {
	char name[48];	    /* prefix of the three namespaces */
	const char *runner; /* the program `ubpfilter`, which runs iptables; NULL: the kernel's */
	char **environment; /* for iptables */
	unsigned processor; /* where its thread runs */
	const struct scope *scope;
	int netns[PLACE_COUNT];
	int traffic[PLACE_COUNT]; /* /proc/net/dev of each host */
	struct link links[LINKS];
	int raw;		  /* raw socket of the router */
	int connections;	  /* netlink socket of the router, to forget connections */
	uint64_t fences;	  /* sent so far on each link */
	int heard[HEARD_SOCKETS]; /* heard.h */
	uint64_t left[2][2]; /* frames and bytes that had left eth0 and eth1 when the run began */
};

/* What a thread does to its twin in one run, and what comes of it. */
struct run {
	struct twin *twin;
	const struct ruleset *ruleset;
	const bool *without; /* rules left out */
	const struct step *steps;
	const bool *skip; /* steps left out */
	unsigned step_count;
	uint32_t salt;
	char *text; /* every counter, and what senders and receivers were told; owned by caller */
	int error;  /* the test itself failed; -EREMOTE: BPF does not enforce the rules */
};

/* --- twin.c --------------------------------------------------------------------------------- */

/* @build: folder of ubpfilter's programs, NULL for a twin of the kernel's. Return 0 or -errno. */
int twin_open(struct twin *twin, const char *name, const char *build, const struct scope *scope,
	      unsigned processor);
void twin_close(struct twin *twin);
/* Thread: restore the rules, do the steps, read the counters. */
void *twin_run(void *run);
/* Read the counters again: what is late gets time to arrive. */
int twin_counters(struct twin *twin, FILE *out);

/* --- wiring.c ------------------------------------------------------------------------------- */

int twin_wire(struct twin *twin);
void twin_unwire(struct twin *twin);

/* --- wire.c: sending, and knowing that all has arrived --------------------------------------- */

int links_open(struct twin *twin);
void links_close(struct twin *twin);
/* What a burst's senders are told goes to @log. */
int burst_send(struct twin *twin, const struct burst *burst, FILE *log);
/* Wait until nothing is on its way in the twin any more. */
int twin_settle(struct twin *twin);
/* Frames and bytes that have arrived at the client (0) or the server (1), fences apart. */
int traffic_left(const struct twin *twin, unsigned side, uint64_t left[2]);

/* --- talk.c --------------------------------------------------------------------------------- */

int exchange_do(struct twin *twin, const struct step *step, FILE *log);

/* --- process.c ------------------------------------------------------------------------------ */

int place_enter(const struct twin *twin, enum place place);
/* Run a program in namespace @netns (-1: this one). *@output (may be NULL): its stdout, owned by
   the caller. Return: exit status or -errno. */
int command_run(int netns, char *const environment[], const char *const argv[], const char *input,
		char **output);
/* Forget all connections of the namespace of @netlink. */
int connections_flush(int netlink);

#endif
