/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UBPFILTER_SHIM_PATH_H
#define UBPFILTER_SHIM_PATH_H

#include <limits.h>

/**
 * shim_path() - the LD_PRELOAD library: beside this program, or where it is installed.
 * @path: always set, to where it was looked for last.
 * Return: 0 or -errno.
 */
int shim_path(char path[PATH_MAX]);

#endif
