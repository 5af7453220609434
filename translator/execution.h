/* SPDX-License-Identifier: GPL-2.0-only */
/* What a table has the kernel execute: docs/architecture.md, "Targets". Pure: no I/O, no globals.
 */
#ifndef UBPFILTER_EXECUTION_H
#define UBPFILTER_EXECUTION_H

#include "../common/message.h"
#include "../iptables-compat/execution_table.h"
#include "ir.h"

/**
 * executions_check() - whether all targets of a table can wait until BPF has walked it.
 * @ir: as lower() makes it of @table.
 * Return: 0; -EOPNOTSUPP and @message: a later rule may read what one changes.
 */
int executions_check(const struct table *table, const struct ir *ir, struct message *message);

/**
 * executions_list() - the targets, to be kept and put into the kernel's table.
 * @list: set on success, owned by the caller; NULL when there are none.
 * Return: 0; -EOPNOTSUPP and @message: a packet may get more targets than BPF leaves for it;
 * -ELOOP as reach_make(); -ENOMEM.
 */
int executions_list(const struct ir *ir, struct execution_list **list, struct message *message);

#endif
