/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UBPFILTER_BENCH_H
#define UBPFILTER_BENCH_H

#include "../../translator/compile.h"
#include "shape.h"

#define BENCH_RUNS  5	/* median of */
#define BENCH_TRACE 100 /* packets that hit random rules; each XDP test run waits for RCU */

/* One line of the result. Nanoseconds a packet; 0: not measured. */
struct bench_result {
	enum shape shape;
	uint32_t rules, chains;
	double last;	    /* a packet that matches the last rule */
	double trace;	    /* median over the trace */
	double miss;	    /* a packet that matches nothing */
	double straight;    /* the last rule, as straight-line code, where that loads */
	double legacy, nft; /* the last rule, iptables' own cost */
	double build;	    /* IR to object and linked, ms */
	double load;	    /* open, verify and load, ms */
	double restore;	    /* iptables-legacy-restore on the kernel's own table, ms */
	double bytes;	    /* of the programs' data, a rule */
};

/** ours_measure() - fill in what our programs cost. Return: 0 or -errno. */
int ours_measure(const struct bench_rule *rules, struct bench_result *result);

/** empty_program() - ns of an XDP program that does nothing, in the same harness. */
double empty_program(void);

/** kernel_measure() - fill in what iptables costs; the caller is in a namespace of its own. */
void kernel_measure(const struct bench_rule *rules, struct bench_result *result);

/** kernel_open() - a veth pair that frames for any address come in by. Return: 0 or -errno. */
int kernel_open(void);

/** bench_frame() - an Ethernet frame of 64 bytes. */
void bench_frame(const struct bench_packet *packet, unsigned char frame[64]);

extern const unsigned char bench_address[6]; /* frames are for */

struct bpf_object;

/** bench_ground() - fill the maps of an object as the loader would, for @packet. Return: 0, -errno.
 */
int bench_ground(const struct bpf_object *object, const struct bench_packet *packet);

/** bench_run() - ns a packet; 0: could not be run. */
double bench_run(int program, const struct bench_packet *packet, int repeat);

/** stages_print() - a line for each stage with a small table. */
void stages_print(uint64_t seed);

double bench_now(void); /* milliseconds */
double bench_median(double *values, size_t count);

#endif
