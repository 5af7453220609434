/* SPDX-License-Identifier: GPL-2.0-only */
/* `ubpfilter exec`: run a command with the shim preloaded. */
#include "commands.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../common/cleanup.h"
#include "shim_path.h"

static const char usage[] = "usage: ubpfilter exec -- COMMAND [ARGUMENT...]\n"
			    "\n"
			    "Runs a command, and what it runs in turn, with the shim preloaded: "
			    "its iptables-legacy and\n"
			    "ip6tables-legacy work on the BPF filter tables. `iptables` and "
			    "`ip6tables` run their legacy\n"
			    "variants.\n";

/* Ours first, then what was there. */
static int set_preload(const char *shim)
{
	const char *others = getenv("LD_PRELOAD");
	_cleanup_free_ char *value = NULL;

	if (asprintf(&value, "%s%s%s", shim, others && *others ? ":" : "", others ? others : "") <
	    0) {
		value = NULL;
		return -ENOMEM;
	}
	return setenv("LD_PRELOAD", value, 1) < 0 ? -errno : 0;
}

int command_exec(int argc, char **argv)
{
	char shim[PATH_MAX];
	char **command = argv + 1;
	int error;

	if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		fputs(usage, stdout);
		return EXIT_SUCCESS;
	}
	if (*command && strcmp(*command, "--") == 0)
		command++;
	if (!*command || (*command)[0] == '-') {
		fprintf(stderr, "ubpfilter exec: %s%s\n",
			*command ? "unknown option: " : "no command", *command ? *command : "");
		return 2;
	}
	error = shim_path(shim);
	if (!error)
		error = set_preload(shim);
	if (error) {
		fprintf(stderr, "ubpfilter exec: cannot preload %s: %s\n", shim, strerror(-error));
		return EXIT_FAILURE;
	}
	execvp(*command, command);
	fprintf(stderr, "ubpfilter exec: %s: %s\n", *command, strerror(errno));
	return errno == ENOENT ? 127 : 126;
}
