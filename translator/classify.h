/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The classifier's data of a table: IR in, struct classifier and the data that it describes out.
 * Pure: no I/O, no globals.
 */
#ifndef UBPFILTER_CLASSIFY_H
#define UBPFILTER_CLASSIFY_H

#include "calls.h"
#include "layout.h"

struct classify_options {
	unsigned memory_percent; /* of what trees may take by default; less memory, longer walks */
	const struct table_shape *likes; /* as layout_make() */
};

/**
 * classify_table() - build the classifier of every chain that @ir hooks or @plan calls.
 * @image: set on success; free bytes with free().
 * Return: 0, -E2BIG (@message says what is too large, and the number) or -ENOMEM.
 */
int classify_table(const struct ir *ir, const struct call_plan *plan,
		   const struct classify_options *options, struct classifier_image *image,
		   struct message *message);

#endif
