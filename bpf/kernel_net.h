/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel knows of a network namespace, of that the few fields that we read: as kernel.h.
 * ___suffixes tell apart what kernels name differently.
 */
#ifndef UBPFILTER_KERNEL_NET_H
#define UBPFILTER_KERNEL_NET_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	int counter;
} atomic_t;

typedef struct refcount_struct {
	atomic_t refs;
} refcount_t;

struct ns_common {
	refcount_t count;
};

struct ns_common___renamed { /* 6.18 */
	refcount_t __ns_ref;
};

struct net {
	struct ns_common ns;
	__u64 net_cookie;
};

struct bpf_link {
	enum bpf_link_type type;
};

struct bpf_nf_link {
	struct bpf_link link;
	struct { /* where it is, the link holds a reference of the namespace */
	} ns_tracker;
	struct net *net;
	__u32 dead; /* detached: `net` is not held any more */
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__bpf_link {
	struct bpf_iter_meta *meta;
	struct bpf_link *link;
};

#pragma clang attribute pop

#endif
