/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One line for a person, filled in once, at the place that knows what went wrong: what was being
 * done, on what, and why it failed. Passed along beside the -errno that the machine needs.
 */
#ifndef UBPFILTER_MESSAGE_H
#define UBPFILTER_MESSAGE_H

#include "cleanup.h"

#define MESSAGE_SIZE 512

struct message {
	char text[MESSAGE_SIZE]; /* NUL-terminated, no trailing newline; empty: nothing to say */
};

/**
 * message_set() - fill in a message, unless somebody closer to the fault already did.
 * @message: may be NULL: then nothing is recorded.
 * @error: 0 or a negative errno, returned as it is so that a caller can `return message_set(...)`.
 */
int message_set(struct message *message, int error, const char *format, ...) _printf_(3, 4);

#endif
