/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel knows of a network namespace, of that the few fields that we read: as kernel.h.
 * ___suffixes tell apart what kernels name differently.
 */
#ifndef UBPFILTER_KERNEL_NET_H
#define UBPFILTER_KERNEL_NET_H

#include <linux/netfilter.h>
#include <linux/xfrm.h>
#include <stdbool.h>

#include "kernel.h"

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

enum nf_hook_ops_type {
	NF_HOOK_OP_UNDEFINED,
	NF_HOOK_OP_BPF = 2,
};

struct nf_hook_ops {
	enum nf_hook_ops_type hook_ops_type : 8;
	int priority;
};

struct nf_hook_entry {
	void *hook;
	void *priv; /* a BPF program's hook: the program */
};

/* Behind the last of `hooks` lie as many pointers to struct nf_hook_ops. */
struct nf_hook_entries {
	__u16 num_hook_entries;
	struct nf_hook_entry hooks[];
};

struct netns_nf {
	struct nf_hook_entries *hooks_ipv4[NF_INET_NUMHOOKS];
	struct nf_hook_entries *hooks_ipv6[NF_INET_NUMHOOKS];
};

struct netns_xfrm {
	unsigned int policy_count[XFRM_POLICY_MAX * 2];
	__u8 policy_default[XFRM_POLICY_MAX];
};

struct ipv4_devconf {
	int data[1]; /* by IPV4_DEVCONF_* - 1 */
};

struct fib_table;
struct in_ifaddr;

struct fib_rules_ops;
struct hlist_head;

struct netns_ipv4 {
	struct fib_rules_ops *rules_ops;   /* only with CONFIG_IP_MULTIPLE_TABLES */
	struct hlist_head *fib_table_hash; /* of struct fib_table, by number */
	struct ipv4_devconf *devconf_all;
	struct fib_table *fib_main; /* with "local" in it, unless there are rules */
	bool fib_has_custom_rules;
	bool fib_has_custom_local_routes;
	atomic_t fib_num_tclassid_users;
};

struct net {
	struct ns_common ns;
	__u64 net_cookie;
	struct netns_nf nf;
	struct netns_xfrm xfrm;
	struct netns_ipv4 ipv4;
};

struct in_device {
	struct in_ifaddr *ifa_list;
	struct ipv4_devconf cnf;
};

struct inet6_dev {
	struct {
		__s32 disable_ipv6;
	} cnf;
};

/* TC programs of a device: one beside the other, and where the filters of its qdisc are. */
struct bpf_mprog_fp {
	struct bpf_prog *prog;
};

struct bpf_mprog_bundle;

struct bpf_mprog_entry {
	struct bpf_mprog_fp fp_items[2];
	struct bpf_mprog_bundle *parent;
};

struct tcx_entry {
	void *miniq;
	struct {
	} bundle;
};

struct bpf_prog_aux {
	char name[16];
};

struct bpf_prog {
	struct bpf_prog_aux *aux;
};

struct xdp_rxq_info {
	struct net_device *dev;
};

struct xdp_buff {
	struct xdp_rxq_info *rxq;
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
