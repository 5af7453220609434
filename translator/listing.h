/* SPDX-License-Identifier: GPL-2.0-only */
/* A program's listing by bpftool made pleasant to read: each rule once, above its instructions. */
#ifndef UBPFILTER_LISTING_H
#define UBPFILTER_LISTING_H

#include <stdio.h>

enum listing_scope {
	LISTING_RULES, /* only the functions made of rules */
	LISTING_ALL,   /* the entry program's functions too */
};

/**
 * listing_write() - read what `bpftool prog dump xlated ... linum` prints from @in, write it to
 * @out.
 *
 * Source lines lose their file and line, are printed once for a run of instructions, and rules
 * stand out by their number, the entry's place in the table. Functions that were not made of rules
 * are counted in one line, or printed as they are (LISTING_ALL).
 * Return: 0 or -errno of reading or writing.
 */
int listing_write(FILE *in, FILE *out, enum listing_scope scope);

#endif
