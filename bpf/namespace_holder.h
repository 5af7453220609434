/* SPDX-License-Identifier: GPL-2.0-only */
/* What bpf/surroundings.bpf.c tells the loader; both sides include this file. */
#ifndef UBPFILTER_NAMESPACE_HOLDER_H
#define UBPFILTER_NAMESPACE_HOLDER_H

#include <linux/types.h>

/* One netfilter link that holds a network namespace, whoever made it. */
struct namespace_holder {
	__u64 cookie;	  /* SO_NETNS_COOKIE of the namespace */
	__u32 references; /* that the namespace has in all, this link's included */
	__u32 reserved;
};

_Static_assert(sizeof(struct namespace_holder) == 16, "read from an iterator, one after the other");

#endif
