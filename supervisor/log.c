/* SPDX-License-Identifier: GPL-2.0-only */
#include "log.h"

#include <stdarg.h>
#include <string.h>

static const char *const level_names[] = {
	[LOG_ERR] = "error", [LOG_WARNING] = "warning", [LOG_NOTICE] = "notice",
	[LOG_INFO] = "info", [LOG_DEBUG] = "debug",
};

int log_open(struct log *log, enum log_target target, const char *level)
{
	for (size_t i = LOG_ERR; i < ARRAY_SIZE(level_names); i++) {
		if (strcmp(level_names[i], level) != 0)
			continue;
		*log = (struct log){ .target = target, .level = (int)i };
		if (target == LOG_TO_SYSLOG)
			openlog("ubpfilterd", LOG_PID, LOG_DAEMON);
		return 0;
	}
	return -EINVAL;
}

void log_line(const struct log *log, int priority, const char *format, ...)
{
	char line[1024];
	va_list arguments;

	if (priority > log->level)
		return;
	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	if (log->target == LOG_TO_SYSLOG)
		syslog(priority, "%s", line);
	else
		dprintf(STDERR_FILENO, "ubpfilterd: %s: %s\n", level_names[priority], line);
}
