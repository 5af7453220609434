/* SPDX-License-Identifier: GPL-2.0-only */
/* Starting ubpfilterd from inside a client, which may be any program with any threads and signals.
 */
#ifndef UBPFILTER_AUTOSTART_H
#define UBPFILTER_AUTOSTART_H

#include "../common/message.h"

/**
 * autostart() - start ubpfilterd as a daemon; returns when one listens, whoever started it.
 * Return: 0; -EACCES when UBPFILTER_AUTOSTART=0 forbids it; -errno.
 */
int autostart(struct message *message);

#endif
