/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One match extension: everything the project knows about it, in one file under extensions/ and one
 * line in the table of extension.c.
 */
#ifndef UBPFILTER_EXTENSION_H
#define UBPFILTER_EXTENSION_H

#include "../translator/ir.h"
#include "table.h"

/* What surrounds a match: the entry's protocol decides whether tcp, udp and icmp fit. */
struct match_context {
	enum family family;
	uint16_t protocol;	/* ipt_ip::proto / ip6t_ip6::proto */
	bool protocol_inverted; /* XT_INV_PROTO */
	unsigned hooks;		/* bits of NF_INET_*: those that lead to the entry; for checks */
};

struct match_extension {
	const char *name;
	uint8_t revision;
	unsigned families; /* FAMILY_BIT()s */
	bool unspec;	   /* the kernel registers it for NFPROTO_UNSPEC: a wrong revision is then
			      EPROTOTYPE, not ENOENT */
	uint16_t protocol; /* the entry's protocol must be this, not inverted; 0: any will do */
	unsigned hooks;	   /* bits of NF_INET_*: no others may lead to it; 0: any may */
	bool transport; /* reads the transport header of some protocols, which check() asks for */
	const char *options; /* as iptables calls them, for people; inversion where it has one */
	const char *
		limits; /* what is not done, or not as the kernel does it, and why; NULL: nothing */
	size_t size;	/* bytes of match data */
	size_t user_size; /* of these, what clients get back; zeros behind it. 0: all */
	/* as the kernel's checkentry: 0 or its errno, -EOPNOTSUPP where BPF does not do that; NULL:
	   any data will do */
	int (*check)(const void *data, const struct match_context *context);
	/* append " -m NAME options" as iptables-save does; 0 or -ENOMEM */
	int (*print)(const void *data, const struct match_context *context, FILE *out);
	/* append the predicates, in the kernel's order of checks; 0, -ENOMEM, or -ENOENT for
	   options that are not done in BPF */
	int (*lower)(const void *data, const struct match_context *context, struct rule *rule);
};

#define FAMILY_BIT(family) (1u << (family))

/**
 * match_find() - the extension for a match, or NULL when BPF does not do it.
 * @revision: exact.
 */
const struct match_extension *match_find(enum family family, const char *name, uint8_t revision);

/** match_named() - the extension of that name with the highest revision, or NULL. */
const struct match_extension *match_named(enum family family, const char *name);

/** match_at() - the extensions one by one, from 0 on; NULL behind the last. */
const struct match_extension *match_at(size_t index);

#endif
