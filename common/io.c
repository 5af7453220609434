/* SPDX-License-Identifier: GPL-2.0-only */
#include "io.h"

#include <errno.h>
#include <unistd.h>

int io_read(int fd, void *data, size_t size)
{
	unsigned char *next = data;

	while (size) {
		ssize_t got = read(fd, next, size);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (!got)
			return -EPIPE;
		next += got;
		size -= (size_t)got;
	}
	return 0;
}

int io_write(int fd, const void *data, size_t size)
{
	const unsigned char *next = data;

	while (size) {
		ssize_t put = write(fd, next, size);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		next += put;
		size -= (size_t)put;
	}
	return 0;
}
