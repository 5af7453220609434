/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Test helper: a client that leaves in the middle, N at once. "connect": connects and says nothing;
 * "hello": no frame; "header": half a header; "payload": a header and half of what it announces.
 * Prints "ready", then stays until it is killed.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "../../../common/cleanup.h"
#include "../../../common/io.h"
#include "../../../supervisor/client.h"
#include "../../../supervisor/meeting.h"

static int come(const char *until)
{
	const struct request request = {
		.magic = FRAME_MAGIC,
		.version = FRAME_VERSION,
		.kind = FRAME_SOCKOPT,
		.len = 1 << 20,
		.cmd = 64,
		.is_set = 1,
	};
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0), netns = open("/proc/self/ns/net", O_RDONLY);
	struct meeting greeting;
	char data[1 << 10] = {};
	int pipes[2];

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/" SOCKET_NAME, client_rundir());
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -1;
	if (strcmp(until, "connect") == 0)
		return 0;
	if (meeting_receive(fd, &greeting, pipes, 2, NULL) < 0 ||
	    meeting_send(fd, MEETING_HELLO, 0, greeting.nonce, &netns, 1) < 0)
		return -1;
	if (strcmp(until, "hello") == 0)
		return 0;
	if (strcmp(until, "header") == 0)
		return io_write(pipes[0], &request, sizeof(request) / 2);
	io_write(pipes[0], &request, sizeof(request));
	return io_write(pipes[0], data, sizeof(data));
}

int main(int argc, char **argv)
{
	for (int i = argc == 3 ? atoi(argv[2]) : 0; i > 0; i--)
		if (come(argv[1]) < 0)
			return 1;
	puts("ready");
	fflush(stdout);
	pause();
	return 0;
}
