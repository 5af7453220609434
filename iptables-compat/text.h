/* SPDX-License-Identifier: GPL-2.0-only */
/* Rules as text, in iptables-save form: for line info, dumps and messages. */
#ifndef UBPFILTER_TEXT_H
#define UBPFILTER_TEXT_H

#include "table.h"

/**
 * rule_text() - entry @index as iptables-save prints it, counters left out: "-A INPUT -s ... -j X";
 * a policy as ":INPUT DROP", a chain head as ":NAME -", the end of the table as "# end". The RETURN
 * that ends a user chain, which iptables-save leaves out, is "-A NAME -j RETURN".
 * @text: set on success, owned by the caller. Never longer than a line.
 * Return: 0 or -ENOMEM.
 */
int rule_text(const struct table *table, uint32_t index, char **text);

/**
 * rule_place() - chain and number of an entry for messages: "filter/INPUT rule 3".
 */
int rule_place(const struct table *table, uint32_t index, char *text, size_t size);

#endif
