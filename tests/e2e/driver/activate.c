/* SPDX-License-Identifier: GPL-2.0-only */
/* Test helper: a service manager's part in socket activation: activate SOCKET PROGRAM [ARG...] */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	char pid[16];

	if (argc < 3)
		return 2;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", argv[1]);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 16) < 0 ||
	    dup2(fd, 3) < 0) {
		perror(argv[1]);
		return 1;
	}
	snprintf(pid, sizeof(pid), "%d", getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "1", 1);
	execv(argv[2], argv + 2);
	perror(argv[2]);
	return 1;
}
