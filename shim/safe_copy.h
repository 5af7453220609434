/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copies between our memory and addresses that a program passed to a system call: a bad address
 * gives -EFAULT, as from the kernel, and no signal.
 */
#ifndef UBPFILTER_SAFE_COPY_H
#define UBPFILTER_SAFE_COPY_H

#include <stddef.h>

/**
 * safe_copy() - copy @size bytes; @target or @source may be any address.
 * Return: 0; -EFAULT; -errno of pipe2(2).
 */
int safe_copy(void *target, const void *source, size_t size);

#endif
