/* SPDX-License-Identifier: GPL-2.0-only */
/* `ubpfilter stop`: end the processes, or take a namespace's rules down as well. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "commands.h"
#include "control.h"

static const char usage[] =
	"usage: ubpfilter stop [--flush]\n"
	"\n"
	"Ends the supervisor and the driver. The rules stay in force, and the next iptables\n"
	"command starts both again.\n"
	"\n"
	"  --flush  first remove programs, links and state of this network namespace, and what\n"
	"           was handed to the kernel: its packets are not filtered any more\n";

static int flush(const char *name)
{
	_cleanup_free_ char *text = NULL;

	/* what is to be flushed may be there without a supervisor: it is started for that */
	if (control_ask(name, CONTROL_FLUSH, CLIENT_AUTOSTART, &text))
		return EXIT_FAILURE;
	puts("removed the programs, links and state of this network namespace");
	return EXIT_SUCCESS;
}

int command_stop(int argc, char **argv)
{
	_cleanup_free_ char *text = NULL;
	bool with_flush = false;
	int status = control_options(argc, argv, usage, "flush", &with_flush);
	int error;

	if (status)
		return status - 1;
	if (with_flush && flush(argv[0]))
		return EXIT_FAILURE;
	error = control_ask(argv[0], CONTROL_STOP, CLIENT_ATTACH, &text);
	if (error == -ENOTCONN) {
		printf("no supervisor runs at %s\n", client_rundir());
		return EXIT_SUCCESS;
	}
	if (error)
		return EXIT_FAILURE;
	puts("stopped the supervisor and the driver; rules in force stay in force");
	return EXIT_SUCCESS;
}
