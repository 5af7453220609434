/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One extension, a match or a target: everything the project knows about it, in one file under
 * extensions/ and one line in a table of extension.c.
 */
#ifndef UBPFILTER_EXTENSION_H
#define UBPFILTER_EXTENSION_H

#include "../translator/ir.h"
#include "table.h"

/* What surrounds a match or target: the entry's protocol decides whether tcp, udp and icmp fit. */
struct match_context {
	enum family family;
	uint16_t protocol;	/* ipt_ip::proto / ip6t_ip6::proto */
	bool protocol_inverted; /* XT_INV_PROTO */
	unsigned hooks;		/* bits of NF_INET_*: those that lead to the entry; for checks */
	bool protocol_wanted;	/* IP6T_F_PROTO; IPv4: always */
};

struct match_extension {
	const char *name;
	uint8_t revision;
	unsigned families; /* FAMILY_BIT()s */
	uint16_t protocol; /* the entry's protocol must be this, not inverted; 0: any will do */
	unsigned hooks;	   /* bits of NF_INET_*: no others may lead to it; 0: any may */
	bool transport; /* reads the transport header of some protocols, which check() asks for */
	const char *options; /* as iptables calls them, for people; inversion where it has one */
	const char *
		limits; /* what is not done, or not as the kernel does it, and why; NULL: nothing */
	size_t size;	/* bytes of match data */
	size_t user_size;  /* of these, what clients get back; zeros behind it. 0: all */
	size_t terminator; /* where the kernel's check ends a name with a byte 0; 0: nowhere */
	/* as the kernel's checkentry: 0 or its errno, -EOPNOTSUPP where BPF does not do that; NULL:
	   any data will do */
	int (*check)(const void *data, const struct match_context *context);
	/* append " -m NAME options" as iptables-save does; 0 or -ENOMEM */
	int (*print)(const void *data, const struct match_context *context, FILE *out);
	/* append the predicates, in the kernel's order of checks; 0, -ENOMEM, or -ENOENT for
	   options that are not done in BPF */
	int (*lower)(const void *data, const struct match_context *context, struct rule *rule);
};

/* What the kernel does with a packet behind a target. */
enum target_end {
	TARGET_CONTINUES, /* the next rule looks at it */
	TARGET_DROPS,
};

/*
 * A target that the kernel executes once BPF has judged the packet: one whose effect no later rule
 * of the table can see, and of which is known what becomes of the packet. The kernel checks its
 * data once more.
 */
#define TARGET_CHANGES 2
struct target_extension {
	const char *name;
	uint8_t revision;
	unsigned families; /* FAMILY_BIT()s */
	enum target_end end;
	bool reads_protocol;		     /* the kernel's check looks at the entry's protocol */
	const char *changes[TARGET_CHANGES]; /* matches that read what it changes */
	const char *options;		     /* as of a match */
	size_t size;			     /* bytes of target data */
	size_t user_size;		     /* as of a match */
	int (*check)(const void *data, const struct match_context *context); /* as of a match */
	int (*print)(const void *data, FILE *out); /* NULL: what it says is not shown */
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

/** target_find(), target_named(), target_at() - the same for targets that are not the kernel's
 * standard ones. */
const struct target_extension *target_find(enum family family, const char *name, uint8_t revision);
const struct target_extension *target_named(enum family family, const char *name);
const struct target_extension *target_at(size_t index);

#endif
