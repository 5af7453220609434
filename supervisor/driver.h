/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The life of a user mode driver, as kernel/usermode_driver.c had it: an image is loaded once into
 * a private file system, processes are started from it, looked at, and stopped. Goes in: the bytes
 * of any executable. Comes out: a process with pipes on descriptors 0 and 1 and a log on 2. It
 * knows nothing of what the driver does.
 *
 * All functions are to be called under one lock (here: from one thread).
 */
#ifndef UBPFILTER_DRIVER_H
#define UBPFILTER_DRIVER_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct driver {
	const char *driver_name; /* file name of the image, argv[0] and the process's name */
	int (*confine)(void);	 /* in the new process, before the image runs: 0 or -errno, only
				    async-signal-safe calls; NULL: nothing to do */
	int image_mount;	 /* the private file system; -1: no image is loaded */
	int pidfd;		 /* of the process; -1: none was started, or it was cleaned up */
	pid_t pid;     /* for log lines only: numbers are reused, the pidfd is the process */
	int pipe_to;   /* to its descriptor 0; non-blocking */
	int pipe_from; /* from its descriptor 1; non-blocking */
};

/* How one ended. */
struct driver_end {
	siginfo_t process; /* as waitid(2) says it */
	int unread;	   /* bytes that were written to it and that it never read; -1: not known */
};

/** driver_init() - no image, no process. */
void driver_init(struct driver *driver, const char *driver_name, int (*confine)(void));

/**
 * driver_load_image() - keep a copy of an executable that nobody can change any more.
 * Return: 0; -EBUSY when an image is loaded; -errno.
 */
int driver_load_image(struct driver *driver, const void *data, size_t len);

/**
 * driver_unload_image() - drop the copy. A process that runs from it goes on.
 * Return: 0; -EINVAL when no image is loaded.
 */
int driver_unload_image(struct driver *driver);

/**
 * driver_start() - start a process from the image: pidfd, pipe to and pipe from, or nothing.
 * @log_fd: becomes its descriptor 2; stays the caller's.
 * Return: 0; -EBUSY when a process was started and not cleaned up; -EINVAL when no image is loaded;
 * -errno, that of exec included: no descriptor and no process is left then.
 */
int driver_start(struct driver *driver, int log_fd);

/**
 * driver_exited() - whether the whole thread group is gone. A zombie is; a group whose leader left
 * before its other threads is not.
 */
bool driver_exited(const struct driver *driver);

/**
 * driver_stop() - kill the process, wait until it is gone, clean up.
 * @end: set on success.
 * Return: 0; -ESRCH when there is none.
 */
int driver_stop(struct driver *driver, struct driver_end *end);

#endif
