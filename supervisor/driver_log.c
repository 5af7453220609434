/* SPDX-License-Identifier: GPL-2.0-only */
#include "driver_log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

static void log_driver(struct driver_log *driver_log, const char *line)
{
	if (*line)
		log_line(driver_log->log, LOG_NOTICE, "driver: %s", line);
}

/* Log the complete lines; an overlong one is cut where the buffer ends. */
static void log_complete(struct driver_log *driver_log)
{
	char *line = driver_log->line, *end;

	driver_log->line[driver_log->used] = '\0';
	while ((end = strchr(line, '\n'))) {
		*end = '\0';
		log_driver(driver_log, line);
		line = end + 1;
	}
	if (line == driver_log->line && driver_log->used == sizeof(driver_log->line) - 1) {
		log_driver(driver_log, line);
		line += driver_log->used;
	}
	driver_log->used = strlen(line);
	memmove(driver_log->line, line, driver_log->used);
}

static void log_ready(void *owner, uint32_t events)
{
	struct driver_log *driver_log = owner;
	ssize_t got = read(driver_log->read_end, driver_log->line + driver_log->used,
			   sizeof(driver_log->line) - 1 - driver_log->used);

	(void)events;
	if (got > 0) {
		/* A NUL would hide what follows it. */
		for (ssize_t i = 0; i < got; i++)
			if (!driver_log->line[driver_log->used + (size_t)i])
				driver_log->line[driver_log->used + (size_t)i] = '?';
		driver_log->used += (size_t)got;
		log_complete(driver_log);
	} else if (!got || errno != EAGAIN) {
		loop_unwatch(driver_log->loop, &driver_log->watch);
	}
}

int driver_log_open(struct driver_log *driver_log, struct loop *loop, const struct log *log,
		    int *write_end)
{
	int fds[2], error;

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	*driver_log = (struct driver_log){
		.loop = loop,
		.log = log,
		.watch = { .fd = -1, .ready = log_ready, .owner = driver_log },
		.read_end = fds[0],
	};
	error = loop_watch(loop, &driver_log->watch, fds[0], EPOLLIN);
	if (error) {
		close(fds[0]);
		close(fds[1]);
		driver_log->read_end = -1;
		return error;
	}
	*write_end = fds[1];
	return 0;
}

void driver_log_close(struct driver_log *driver_log)
{
	/* Bounded: a driver's child could go on writing. */
	for (int i = 0; i < 64 && driver_log->watch.fd >= 0; i++)
		log_ready(driver_log, EPOLLIN);
	loop_unwatch(driver_log->loop, &driver_log->watch);
	driver_log->line[driver_log->used] = '\0';
	log_driver(driver_log, driver_log->line);
	close(driver_log->read_end);
	driver_log->read_end = -1;
}
