/* SPDX-License-Identifier: GPL-2.0-only */
/* What the subcommands that talk to the supervisor share. */
#ifndef UBPFILTER_CONTROL_H
#define UBPFILTER_CONTROL_H

#include <stdbool.h>

#include "../supervisor/client.h"

/**
 * control_ask() - send a control command for the caller's network namespace.
 * @name: the subcommand, for messages on stderr.
 * @text: set on success: the reply as a string, owned by the caller.
 * Return: 0 or -errno; the reason is on stderr, but for -ENOTCONN (no supervisor runs).
 */
int control_ask(const char *name, enum control_command command, enum client_start start,
		char **text);

/** control_ask_netns() - the same for the namespace that `ip netns` calls @netns; NULL: one's own.
 */
int control_ask_netns(const char *name, enum control_command command, enum client_start start,
		      const char *netns, char **text);

/**
 * control_options() - take the options of a subcommand that has --help and at most one flag.
 * @flag: the flag's long name, or NULL; @set: whether it was given.
 * Return: 0 to go on; otherwise the exit status plus one.
 */
int control_options(int argc, char **argv, const char *usage, const char *flag, bool *set);

#endif
