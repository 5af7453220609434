/* SPDX-License-Identifier: GPL-2.0-only */
/* /proc/net/ip_tables_names and ip6_tables_names: the kernel's tables and ours. */
#ifndef UBPFILTER_TABLE_NAMES_H
#define UBPFILTER_TABLE_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "real.h"

/** table_names_level() - whether @path is one of the two files; @level: set then: its family's. */
bool table_names_level(const char *path, uint32_t *level);

/**
 * table_names_open() - a stream over the kernel's list and "filter" once our table is in use. Where
 * the kernel has no such file it is there all the same.
 * Return: NULL with errno as fopen(3).
 */
FILE *table_names_open(uint32_t level, const char *path, const char *mode,
		       real_fopen_function *real);

#endif
