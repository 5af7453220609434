/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is heard of the targets that the kernel executes: errors and resets that come back to client
 * and server, and what NFLOG tells at the router. A line each, whatever their order.
 */
#ifndef UBPFILTER_DIFFERENTIAL_HEARD_H
#define UBPFILTER_DIFFERENTIAL_HEARD_H

#include "bench.h"

struct heard {
	char **lines; /* owned, as each of them */
	size_t count;
	size_t room;
	size_t length; /* of the last line, once it has ended */
};

/* Return 0 or -errno. */
int hearing_open(struct twin *twin);
void hearing_close(struct twin *twin);
/* What has come since the last time; before a run, to be forgotten. -ENOBUFS: some is lost. */
int hear(struct twin *twin, struct heard *heard);
/* Print all in a certain order. */
void heard_print(struct heard *heard, FILE *out);
void heard_free(struct heard *heard);

#endif
