/* SPDX-License-Identifier: GPL-2.0-only */
/* Running the stock tools that the commands lean on: iptables-restore, bpftool. No shell. */
#ifndef UBPFILTER_CHILD_H
#define UBPFILTER_CHILD_H

#include <sys/types.h>

#define CHILD_NOT_FOUND 127 /* exit status of a child that found no such program */

/**
 * child_execute() - in the child: run @argv[0], looked for in $PATH and then where administrators'
 * tools lie. Does not come back.
 */
_Noreturn void child_execute(const char *const argv[]);

/** child_wait() - a child's exit status; 128 + signal when it was killed; -errno. */
int child_wait(pid_t pid);

#endif
