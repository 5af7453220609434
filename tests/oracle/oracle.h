/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The evaluator beside the running kernel's ip_tables: the same random rules, set by the stock
 * iptables-restore, and the same random packets, written to a tun device; every counter of INPUT,
 * FORWARD and the chains that they jump to must be the same after each packet.
 *
 * It holds the decoder, the lowering of rules and the evaluator against something that we did not
 * write. What the evaluator says is then the yardstick of the generated programs (tests/generated).
 */
#ifndef UBPFILTER_ORACLE_H
#define UBPFILTER_ORACLE_H

#include "../generated/generated.h"

/* Text for iptables-restore: the table filter; owned by the caller, NULL: out of memory. */
char *rules_make(struct random *random, int family);

/* A way into the kernel's IP layer of a network namespace that this process is alone in. */
struct wire {
	int in;	 /* packets written here come in by the device "gin" */
	int out; /* holds "gout", where packets are forwarded to */
};

int wire_make(struct wire *wire, struct message *message);

/*
 * Whether the packet reaches INPUT or FORWARD as it is sent, if no condition of the IP layer that
 * the evaluator knows of discards it: not what is put together or looked up before.
 */
bool wire_takes(const struct raw_packet *packet, int family);

#endif
