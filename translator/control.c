/* SPDX-License-Identifier: GPL-2.0-only */
#include "control.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"

int control_ask(const char *name, enum control_command command, enum client_start start,
		char **text)
{
	const struct client_request request = {
		.start = start,
		.kind = FRAME_CONTROL,
		.cmd = command,
		.netns_fd = -1,
	};
	_cleanup_free_ void *output = NULL;
	struct message message = {};
	size_t size;
	char *copy;
	int error = client_call(&request, &output, &size, &message);

	if (error == -ENOTCONN)
		return error;
	copy = error ? NULL : strndup(output ? output : "", size);
	if (!error && !copy)
		error = -ENOMEM;
	if (error) {
		fprintf(stderr, "ubpfilter %s: %s\n", name,
			message.text[0] ? message.text : strerror(-error));
		return error;
	}
	*text = copy;
	return 0;
}

int control_options(int argc, char **argv, const char *usage, const char *flag, bool *set)
{
	const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ flag, no_argument, NULL, 'f' },
		{},
	};
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		switch (option) {
		case 'h':
			fputs(usage, stdout);
			return EXIT_SUCCESS + 1;
		case 'f':
			*set = true;
			break;
		default:
			return EXIT_USAGE + 1;
		}
	}
	if (optind == argc)
		return 0;
	fprintf(stderr, "ubpfilter %s: unexpected argument \"%s\"\n", argv[0], argv[optind]);
	return EXIT_USAGE + 1;
}
