/* SPDX-License-Identifier: GPL-2.0-only */
#include "real.h"

#include <dlfcn.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * Socket calls by system call: nothing to look up, so they work in signal handlers, in a child
 * after fork(), and before the first constructor.
 */
int real_getsockopt(int fd, int level, int option, void *restrict value, socklen_t *restrict length)
{
	return (int)syscall(SYS_getsockopt, fd, level, option, value, length);
}

int real_setsockopt(int fd, int level, int option, const void *value, socklen_t length)
{
	return (int)syscall(SYS_setsockopt, fd, level, option, value, length);
}

int real_socket(int domain, int type, int protocol)
{
	return (int)syscall(SYS_socket, domain, type, protocol);
}

/* Streams belong to libc. Looking the same thing up twice at once does no harm. */
static real_fopen_function *look_up(real_fopen_function **known, const char *name)
{
	if (!*known)
		*known = (real_fopen_function *)dlsym(RTLD_NEXT, name);
	return *known;
}

real_fopen_function *real_fopen(void)
{
	static real_fopen_function *known;

	return look_up(&known, "fopen");
}

real_fopen_function *real_fopen64(void)
{
	static real_fopen_function *known;

	return look_up(&known, "fopen64");
}
