/* SPDX-License-Identifier: GPL-2.0-only */
/* Test helper: one control request to a running supervisor; prints the answer. */
#include <string.h>

#include "../../../supervisor/client.h"

static const struct {
	const char *name;
	uint32_t cmd;
} commands[] = {
	{ "health", CONTROL_HEALTH },	    { "status", CONTROL_STATUS },
	{ "dump", CONTROL_DUMP },	    { "stop", CONTROL_STOP },
	{ "flush", CONTROL_FLUSH },	    { "tables", CONTROL_TABLES },
	{ "configure", CONTROL_CONFIGURE },
};

int main(int argc, char **argv)
{
	struct client_request request = {
		.start = CLIENT_ATTACH,
		.kind = FRAME_CONTROL,
		.cmd = UINT32_MAX,
		.netns_fd = -1,
	};
	_cleanup_free_ void *output = NULL;
	struct message message;
	size_t output_len;
	int error;

	for (size_t i = 0; argc == 2 && i < ARRAY_SIZE(commands); i++)
		if (strcmp(commands[i].name, argv[1]) == 0)
			request.cmd = commands[i].cmd;
	if (request.cmd == UINT32_MAX)
		return 2;
	error = client_call(&request, &output, &output_len, &message);
	fwrite(output, 1, output_len, stdout);
	if (error)
		fprintf(stderr, "control: %s: %s\n", strerror(-error), message.text);
	return error ? 1 : 0;
}
