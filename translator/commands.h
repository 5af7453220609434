/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The subcommands of `ubpfilter`, one file each. A command gets its own name as argv[0] and returns
 * the exit status: 0, 1 when it failed, 2 for arguments that make no sense.
 */
#ifndef UBPFILTER_COMMANDS_H
#define UBPFILTER_COMMANDS_H

int command_exec(int argc, char **argv);
int command_translate(int argc, char **argv);
int command_check(int argc, char **argv);
int command_dump(int argc, char **argv);
int command_status(int argc, char **argv);
int command_stop(int argc, char **argv);

#define EXIT_USAGE 2

#endif
