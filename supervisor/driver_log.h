/* SPDX-License-Identifier: GPL-2.0-only */
/* The driver's descriptor 2: what it writes there becomes lines of the supervisor's log. */
#ifndef UBPFILTER_DRIVER_LOG_H
#define UBPFILTER_DRIVER_LOG_H

#include "log.h"
#include "loop.h"

struct driver_log {
	struct loop *loop;
	const struct log *log;
	struct watch watch;
	int read_end;
	size_t used;
	char line[512];
};

/**
 * driver_log_open() - a new pipe. @write_end: set on success, for the driver; the caller's. A
 * driver that writes faster than is read loses lines, and never waits.
 */
int driver_log_open(struct driver_log *driver_log, struct loop *loop, const struct log *log,
		    int *write_end);

/** driver_log_close() - log what is left, close the pipe. */
void driver_log_close(struct driver_log *driver_log);

#endif
