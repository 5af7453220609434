/* SPDX-License-Identifier: GPL-2.0-only */
#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"

/* -1: the caller's own, for client_call(). */
static int open_netns(const char *name, const char *netns, int *fd)
{
	char path[PATH_MAX];

	*fd = -1;
	if (!netns)
		return 0;
	if (!*netns || *netns == '.' || strchr(netns, '/') || strlen(netns) > NAME_MAX) {
		fprintf(stderr, "ubpfilter %s: \"%s\" is no name of a network namespace\n", name,
			netns);
		return -EINVAL;
	}
	snprintf(path, sizeof(path), "/run/netns/%s", netns);
	*fd = open(path, O_RDONLY | O_CLOEXEC);
	if (*fd >= 0)
		return 0;
	fprintf(stderr, "ubpfilter %s: cannot open the network namespace %s: %m\n", name, path);
	return -errno;
}

/* What to tell the user when nobody said more. */
static const char *explain(int error)
{
	return error == -EPERM ? "this needs CAP_NET_ADMIN: run it as root" : strerror(-error);
}

int control_ask_netns(const char *name, enum control_command command, enum client_start start,
		      const char *netns, char **text)
{
	struct client_request request = {
		.start = start,
		.kind = FRAME_CONTROL,
		.cmd = command,
	};
	_cleanup_close_ int netns_fd = -1;
	_cleanup_free_ void *output = NULL;
	struct message message = {};
	size_t size;
	char *copy;
	int error = open_netns(name, netns, &netns_fd);

	if (error)
		return error;
	request.netns_fd = netns_fd;
	error = client_call(&request, &output, &size, &message);
	if (error == -ENOTCONN)
		return error;
	copy = error ? NULL : strndup(output ? output : "", size);
	if (!error && !copy)
		error = -ENOMEM;
	if (error) {
		fprintf(stderr, "ubpfilter %s: %s\n", name,
			message.text[0] ? message.text : explain(error));
		return error;
	}
	*text = copy;
	return 0;
}

int control_ask(const char *name, enum control_command command, enum client_start start,
		char **text)
{
	return control_ask_netns(name, command, start, NULL, text);
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
