/* SPDX-License-Identifier: GPL-2.0-only */
#include "kernel.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../common/cleanup.h"
#include "../../common/io.h"

bool kernel_required(void)
{
	const char *ci = getenv("CI");

	return ci && strcmp(ci, "true") == 0;
}

static int level_of(enum family family)
{
	return family == FAMILY_IPV6 ? SOL_IPV6 : SOL_IP;
}

int kernel_socket(enum family family)
{
	int domain = family == FAMILY_IPV6 ? AF_INET6 : AF_INET;
	int fd = socket(domain, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);

	return fd < 0 ? -errno : fd;
}

int kernel_get(int fd, enum family family, int option, void *data, size_t *len)
{
	socklen_t length = (socklen_t)*len;

	if (getsockopt(fd, level_of(family), option, data, &length))
		return -errno;
	*len = length;
	return 0;
}

int kernel_set(int fd, enum family family, int option, const void *data, size_t len)
{
	return setsockopt(fd, level_of(family), option, data, (socklen_t)len) ? -errno : 0;
}

static int info_of(int fd, enum family family, struct ipt_getinfo *info)
{
	size_t len = sizeof(*info);

	*info = (struct ipt_getinfo){ .name = "filter" };
	return kernel_get(fd, family, IPT_SO_GET_INFO, info, &len);
}

int kernel_enter(void)
{
	if (unshare(CLONE_NEWNET))
		return -errno;
	for (enum family family = FAMILY_IPV4; family <= FAMILY_IPV6;
	     family += FAMILY_IPV6 - FAMILY_IPV4) {
		_cleanup_close_ int fd = kernel_socket(family);
		struct ipt_getinfo info;
		int error = fd < 0 ? fd : info_of(fd, family, &info);

		if (error)
			return error;
	}
	return 0;
}

int kernel_table(enum family family, void **data, size_t *size)
{
	_cleanup_close_ int fd = kernel_socket(family);
	_cleanup_free_ struct ipt_get_entries *entries = NULL;
	_cleanup_free_ struct ipt_replace *replace = NULL;
	struct ipt_getinfo info;
	size_t len;
	int error = fd < 0 ? fd : info_of(fd, family, &info);

	if (error)
		return error;
	len = sizeof(*entries) + info.size;
	entries = calloc(1, len);
	replace = calloc(1, sizeof(*replace) + info.size);
	if (!entries || !replace)
		return -ENOMEM;
	strcpy(entries->name, "filter");
	entries->size = info.size;
	error = kernel_get(fd, family, IPT_SO_GET_ENTRIES, entries, &len);
	if (error)
		return error;
	strcpy(replace->name, "filter");
	replace->valid_hooks = info.valid_hooks;
	replace->num_entries = info.num_entries;
	replace->size = info.size;
	memcpy(replace->hook_entry, info.hook_entry, sizeof(info.hook_entry));
	memcpy(replace->underflow, info.underflow, sizeof(info.underflow));
	replace->num_counters = info.num_entries;
	memcpy(replace->entries, entries->entrytable, info.size);
	*size = sizeof(*replace) + info.size;
	*data = TAKE_PTR(replace);
	return 0;
}

/* The whole file, NUL-terminated. */
static int slurp(int fd, char **text)
{
	off_t size = lseek(fd, 0, SEEK_END);
	_cleanup_free_ char *data = calloc(1, (size_t)size + 1);
	int error;

	if (!data)
		return -ENOMEM;
	if (lseek(fd, 0, SEEK_SET) != 0)
		return -EIO;
	error = io_read(fd, data, (size_t)size);
	if (error)
		return error;
	*text = TAKE_PTR(data);
	return 0;
}

/* Files in memory, not pipes: neither side can block on the other. */
int kernel_run(const char *const *arguments, const char *input, char **output)
{
	_cleanup_close_ int in = memfd_create("input", MFD_CLOEXEC);
	_cleanup_close_ int out = memfd_create("output", MFD_CLOEXEC);
	int status, error;
	pid_t child;

	if (in < 0 || out < 0)
		return -errno;
	error = input ? io_write(in, input, strlen(input)) : 0;
	if (error)
		return error;
	if (lseek(in, 0, SEEK_SET) != 0)
		return -EIO;
	child = fork();
	if (child < 0)
		return -errno;
	if (child == 0) {
		if (dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0)
			execvp(arguments[0], (char *const *)arguments);
		_exit(127);
	}
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	error = output ? slurp(out, output) : 0;
	if (error)
		return error;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -ECANCELED;
}
