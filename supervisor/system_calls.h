/* SPDX-License-Identifier: GPL-2.0-only */
/* Which system calls the driver may make once it runs. */
#ifndef UBPFILTER_SYSTEM_CALLS_H
#define UBPFILTER_SYSTEM_CALLS_H

/**
 * system_calls_restrict() - from now on this process makes no system call that is not on the list;
 * others fail with EPERM. No new program, no new process, no look into another one.
 * Return: 0 or -errno.
 */
int system_calls_restrict(void);

#endif
