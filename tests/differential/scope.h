/* SPDX-License-Identifier: GPL-2.0-only */
/* What a trial may contain: it depends on where ubpfilter judges, and on what else is in force. */
#ifndef UBPFILTER_DIFFERENTIAL_SCOPE_H
#define UBPFILTER_DIFFERENTIAL_SCOPE_H

#include <stdbool.h>

/* Who judges in the end. Behind the early stages alone docs/semantics.md lists what differs from
   iptables; that is left out. */
enum judge {
	JUDGE_NETFILTER, /* nothing is left out */
	JUDGE_TC,
	JUDGE_XDP,
};

enum variant {
	VARIANT_PLAIN,	     /* no connection tracking in the namespaces */
	VARIANT_CONNTRACK,   /* rules look at connections */
	VARIANT_MASQUERADED, /* and nf_tables changes the addresses of what leaves, no others */
	VARIANT_MARKED,	     /* and the kernel's raw and mangle tables exempt and mark packets */
	VARIANT_NAT,	     /* and its nat table changes addresses */
	VARIANT_COUNT,
};

struct scope {
	int family; /* 4 or 6 */
	enum judge judge;
	enum variant variant;
	unsigned rp_filter; /* of the router: 0, 1 (strict) or 2 (loose) */
	/* of one ruleset: */
	bool executes; /* rules have targets that the kernel executes */
	bool marks;    /* some of them change marks: no match may ask for these */
};

static inline bool scope_has_nat(const struct scope *scope)
{
	return scope->variant == VARIANT_MASQUERADED || scope->variant == VARIANT_NAT;
}

static inline bool scope_is_exact(const struct scope *scope)
{
	return scope->judge == JUDGE_NETFILTER;
}

/* Early stages alone look connections up that conntrack has not judged yet: what docs/semantics.md
   lists under "Connections" is left out. */
static inline bool scope_predicts(const struct scope *scope)
{
	return !scope_is_exact(scope) && scope->variant != VARIANT_PLAIN;
}

/* And then this host's errors about connections with NAT, whose own source nobody knows any more.
 */
static inline bool scope_hides_errors(const struct scope *scope)
{
	return scope_predicts(scope) && scope_has_nat(scope);
}

#endif
