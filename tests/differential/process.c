/* SPDX-License-Identifier: GPL-2.0-only */
/* Programs and requests in a namespace. */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

int place_enter(const struct twin *twin, enum place place)
{
	return setns(twin->netns[place], CLONE_NEWNET) ? -errno : 0;
}

/* The child's side of a command: never returns. */
static void command_child(int netns, char *const environment[], const char *const argv[], int input,
			  int output)
{
	if (netns >= 0 && setns(netns, CLONE_NEWNET))
		_exit(125);
	if (dup2(input, 0) < 0 || dup2(output, 1) < 0)
		_exit(125);
	execvpe(argv[0], (char *const *)argv, environment ? environment : environ);
	_exit(126);
}

static int memory_file(const char *text)
{
	int fd = memfd_create("text", MFD_CLOEXEC);
	size_t size = text ? strlen(text) : 0;

	if (fd < 0)
		return -1;
	if ((size && write(fd, text, size) != (ssize_t)size) || lseek(fd, 0, SEEK_SET)) {
		close(fd);
		return -1;
	}
	return fd;
}

static char *read_all(int fd)
{
	char *text = NULL, chunk[65536];
	size_t size;
	FILE *out = open_memstream(&text, &size);
	ssize_t got;

	if (!out)
		return NULL;
	while ((got = read(fd, chunk, sizeof(chunk))) > 0)
		fwrite(chunk, 1, (size_t)got, out);
	fclose(out);
	return text;
}

int command_run(int netns, char *const environment[], const char *const argv[], const char *input,
		char **output)
{
	int in = memory_file(input), out[2], status;
	char *text;
	pid_t child;

	if (in < 0)
		return -errno;
	if (pipe2(out, O_CLOEXEC)) {
		close(in);
		return -errno;
	}
	child = fork();
	if (child == 0)
		command_child(netns, environment, argv, in, out[1]);
	close(in);
	close(out[1]);
	text = read_all(out[0]);
	close(out[0]);
	if (child < 0 || waitpid(child, &status, 0) != child) {
		free(text);
		return -ECHILD;
	}
	if (output)
		*output = text;
	else
		free(text);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

int connections_flush(int netlink)
{
	struct {
		struct nlmsghdr header;
		struct nfgenmsg family;
	} request = {
		.header = { .nlmsg_len = sizeof(request),
			    .nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK },
	};
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		char rest[256];
	} reply;

	if (send(netlink, &request, sizeof(request), 0) != sizeof(request))
		return -errno;
	if (recv(netlink, &reply, sizeof(reply), 0) < (ssize_t)sizeof(reply.header))
		return -errno;
	return reply.header.nlmsg_type == NLMSG_ERROR ? reply.error.error : -EPROTO;
}
