/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What netfilter programs read of the kernel's own structures: only the members that are used,
 * their offsets taken from the running kernel's BTF when the programs are loaded.
 */
#ifndef UBPFILTER_KERNEL_H
#define UBPFILTER_KERNEL_H

#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "types.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct net_device {
	char name[IFACE_NAME_SIZE];
	int ifindex;
};

struct nf_hook_state {
	__u8 hook;
	__u8 pf;
	struct net_device *in;
	struct net_device *out;
};

struct sk_buff {
	unsigned int len;
	unsigned int data_len; /* of these, outside of the linear part */
	unsigned char *head;
	unsigned char *data;
	__u16 network_header; /* offset from head */
	unsigned long _nfct;
};

struct bpf_nf_ctx {
	const struct nf_hook_state *state;
	struct sk_buff *skb;
};

#pragma clang attribute pop

/* 25 numbers of 64 bits and nothing else: a window on memory that any aligned load fits. */
struct rtnl_link_stats64;

extern void *bpf_rdonly_cast(const void *object, __u32 type) __ksym;

/* kernel_at() - memory at an address, up to 200 bytes, to be read with aligned loads. */
static __always_inline const void *kernel_at(__u64 address)
{
	return bpf_rdonly_cast((const void *)address,
			       bpf_core_type_id_kernel(struct rtnl_link_stats64));
}

#endif
