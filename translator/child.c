/* SPDX-License-Identifier: GPL-2.0-only */
#include "child.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../common/cleanup.h"

/* Where iptables and bpftool are; an ordinary user's $PATH leaves these out. */
#define ADMINISTRATOR_PATH "/usr/local/sbin:/usr/sbin:/sbin"

void child_execute(const char *const argv[])
{
	_cleanup_free_ char *path = NULL;
	const char *before = getenv("PATH");

	if (asprintf(&path, "%s%s" ADMINISTRATOR_PATH, before ? before : "",
		     before && *before ? ":" : "") >= 0 &&
	    setenv("PATH", path, 1) == 0)
		execvp(argv[0], (char *const *)argv);
	_exit(CHILD_NOT_FOUND);
}

int child_wait(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
