/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An iptables-save file to a table, by the stock iptables-restore under the shim in offline mode:
 * every syntax that the installed iptables knows is accepted, and its words are its own.
 */
#ifndef UBPFILTER_OFFLINE_RESTORE_H
#define UBPFILTER_OFFLINE_RESTORE_H

#include "../iptables-compat/table.h"

/* The part of an iptables-save file that is ours. */
struct rules_text {
	char *data; /* owned; the lines of other tables are empty, so that line numbers stay */
	size_t size;
	bool nat; /* the file's table "nat" has rules */
};

/**
 * rules_text_read() - read an iptables-save file and keep its table "filter".
 * @ignored: called with the name of each other table.
 * @rules: set on success.
 * Return: 0; -errno of reading; -EINVAL when there is not exactly one table "filter"; -EFBIG.
 */
int rules_text_read(FILE *in, void (*ignored)(const char *table), struct rules_text *rules,
		    struct message *message);

/**
 * offline_restore() - have the stock iptables-legacy-restore, or ip6tables-legacy-restore, parse
 * @rules.
 * @shim: path of the LD_PRELOAD library.
 * @table: set on success; release with table_free().
 * Return: 0; -EINVAL with an empty message when iptables-restore said on stderr what is wrong; the
 * errors of table_decode_as().
 */
int offline_restore(enum family family, enum table_demand demand, const struct rules_text *rules,
		    const char *shim, struct table **table, struct message *message);

/**
 * rules_table() - both, for the file at @path; - is standard input.
 * @nat: set to whether the file has rules of NAT beside; may be NULL.
 * Errors as these two; -errno when the file or our library is not found.
 */
int rules_table(enum family family, enum table_demand demand, const char *path,
		void (*ignored)(const char *table), struct table **table, bool *nat,
		struct message *message);

#endif
