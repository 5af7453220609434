/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the running kernel has, by the names of functions in its BTF: to know what will be used
 * where, without the privilege to try it.
 */
#ifndef UBPFILTER_FEATURES_H
#define UBPFILTER_FEATURES_H

#include <stdbool.h>

#include "../common/message.h"

struct features {
	bool netfilter_links;		/* BPF programs at netfilter hooks (6.4) */
	bool clock;			/* programs are told the time (6.1) */
	bool connection_lookups;	/* functions that look into conntrack's table (5.18) */
	bool connection_lookups_loaded; /* and its module is there: programs can name them */
};

/**
 * features_read() - look.
 * Return: 0; -errno when the kernel has no BTF or it cannot be read.
 */
int features_read(struct features *features, struct message *message);

#endif
