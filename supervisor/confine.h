/* SPDX-License-Identifier: GPL-2.0-only */
/* What the driver may do: capabilities before its image runs. */
#ifndef UBPFILTER_CONFINE_H
#define UBPFILTER_CONFINE_H

/**
 * confine() - give up, for this process and what it executes, all capabilities that the driver does
 * not need, and every way to regain some. Async-signal-safe.
 * Return: 0 or -errno.
 */
int confine(void);

#endif
