/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The classifier's data of a table: IR in, the bytes of struct classifier and its arrays out.
 * Pure: no I/O, no globals.
 */
#ifndef UBPFILTER_CLASSIFY_H
#define UBPFILTER_CLASSIFY_H

#include "../common/message.h"
#include "ir.h"

struct classifier_image {
	unsigned char *bytes; /* owned; starts with struct classifier */
	size_t size;
};

/**
 * classify_table() - build the classifier of every chain that @ir hooks.
 * @data: set on success; free bytes with free().
 * Return: 0, -E2BIG (@message says what is too large, and the number) or -ENOMEM.
 */
int classify_table(const struct ir *ir, struct classifier_image *data, struct message *message);

#endif
