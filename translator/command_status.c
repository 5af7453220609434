/* SPDX-License-Identifier: GPL-2.0-only */
/* `ubpfilter status`: who runs, and what is enforced where. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "commands.h"
#include "control.h"

static const char usage[] =
	"usage: ubpfilter status\n"
	"\n"
	"Shows the supervisor and the driver, and for each network namespace its\n"
	"tables, their programs, and the hooks of its devices.\n";

int command_status(int argc, char **argv)
{
	_cleanup_free_ char *text = NULL;
	int status = control_options(argc, argv, usage, NULL, NULL);
	int error;

	if (status)
		return status - 1;
	error = control_ask(argv[0], CONTROL_STATUS, CLIENT_ATTACH, &text);
	if (error == -ENOTCONN) {
		printf("no supervisor runs at %s; rules that were in force still are\n",
		       client_rundir());
		return EXIT_SUCCESS;
	}
	if (error)
		return EXIT_FAILURE;
	fputs(text, stdout);
	return EXIT_SUCCESS;
}
