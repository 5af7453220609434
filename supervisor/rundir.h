/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The runtime folder: made safely, owned by one supervisor, with the socket in it.
 *
 * Its mode is 0711: whoever knows the socket's name may reach it, because as in the kernel the
 * owner of an unprivileged user namespace may configure that namespace's network, and because an
 * ordinary user must get EPERM, not a different error from where the folder happens to be closed.
 * Nobody but root can list it, and everything else in it is closed to others.
 */
#ifndef UBPFILTER_RUNDIR_H
#define UBPFILTER_RUNDIR_H

#include <stdbool.h>

#include "../common/message.h"

#define RUNDIR_DEFAULT "/run/ubpfilter"
#define CONF_DEFAULT   "/etc/ubpfilter.conf"

struct rundir {
	const char *path;
	int lock_fd;
	int listen_fd;	 /* -1: not listening */
	bool own_socket; /* made here, not by a service manager */
};

enum rundir_claim {
	RUNDIR_OURS,   /* we are the supervisor of this folder */
	RUNDIR_SERVED, /* another one is, and it listens */
};

/**
 * rundir_claim() - make the folder, become its one supervisor, and listen.
 * @listen_fd: a listening socket from the service manager, or -1: make one.
 * @claim: set on success. When another supervisor is on its way out, its end is waited for.
 */
int rundir_claim(struct rundir *rundir, const char *path, int listen_fd, enum rundir_claim *claim,
		 struct message *message);

/** rundir_unlink_socket() - take our socket away, so that clients look for another supervisor. */
void rundir_unlink_socket(const struct rundir *rundir);

/**
 * rundir_enter_host() - move this process to the mount and network namespaces of pid 1, where what
 * it makes outlives the client that started it. `ip netns exec` gives its command a mount namespace
 * of its own.
 * @caller_root: set on success: a descriptor of the file system's root as it was seen before, or
 * -1 when nothing had to be done.
 */
int rundir_enter_host(int *caller_root, struct message *message);

/** rundir_visible() - 0 when the caller sees the same folder at that path; -ENOENT with a message.
 */
int rundir_visible(const char *path, int caller_root, struct message *message);

#endif
