/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The running kernel's own iptables as the oracle: raw socket options and the stock commands, in a
 * network namespace that the calling process makes for itself and that ends with it.
 */
#ifndef UBPFILTER_TEST_KERNEL_H
#define UBPFILTER_TEST_KERNEL_H

#include "../../iptables-compat/table.h"

/**
 * kernel_enter() - move to a fresh network namespace and see whether legacy iptables is there.
 * Return: 0; -errno when a privilege or a kernel feature is missing.
 */
int kernel_enter(void);

/** kernel_required() - whether a missing privilege or feature is a failure (CI=true), not a skip.
 */
bool kernel_required(void);

/** kernel_socket() - a raw socket for the options of @family. Return: a descriptor or -errno. */
int kernel_socket(enum family family);

/** kernel_get(), kernel_set() - one option. Return: 0 or -errno. */
int kernel_get(int fd, enum family family, int option, void *data, size_t *len);
int kernel_set(int fd, enum family family, int option, const void *data, size_t len);

/**
 * kernel_table() - the filter table in force as a SET_REPLACE argument (counters pointer NULL).
 * @data: owned by the caller.
 */
int kernel_table(enum family family, void **data, size_t *size);

/**
 * kernel_run() - run a command with @input on its stdin.
 * @output: what it wrote to stdout, owned by the caller; NULL: not wanted.
 * Return: its exit status, or -errno.
 */
int kernel_run(const char *const *arguments, const char *input, char **output);

#endif
