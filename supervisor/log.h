/* SPDX-License-Identifier: GPL-2.0-only */
/* One line a notable event, to stderr or syslog. Priorities are syslog's (LOG_ERR ... LOG_DEBUG).
 */
#ifndef UBPFILTER_LOG_H
#define UBPFILTER_LOG_H

#include <syslog.h>

#include "../common/cleanup.h"

enum log_target {
	LOG_TO_STDERR,
	LOG_TO_SYSLOG,
};

struct log {
	enum log_target target;
	int level; /* the least important priority that is written */
};

/** log_open() - 0, or -EINVAL for an unknown @level name ("error", "warning", ...). */
int log_open(struct log *log, enum log_target target, const char *level);

void log_line(const struct log *log, int priority, const char *format, ...) _printf_(3, 4);

#endif
