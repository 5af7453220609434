/* SPDX-License-Identifier: GPL-2.0-only */
/* The one place that knows about short reads and writes and about EINTR. */
#ifndef UBPFILTER_IO_H
#define UBPFILTER_IO_H

#include <stddef.h>

/**
 * io_read() - read exactly @size bytes.
 * Return: 0; -EPIPE when the other side ended before the last byte; -errno of read(2).
 */
int io_read(int fd, void *data, size_t size);

/**
 * io_write() - write all @size bytes. The caller has SIGPIPE ignored or blocked.
 * Return: 0 or -errno of write(2).
 */
int io_write(int fd, const void *data, size_t size);

#endif
