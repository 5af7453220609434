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

/* of <net/netfilter/nf_conntrack_tuple.h> and nf_conntrack.h */
struct nf_conntrack_tuple {
	struct {
		union {
			__be32 all[4];
		} u3;
		union {
			__be16 all;
		} u;
	} src;
	struct {
		union {
			__be32 all[4];
		} u3;
		union {
			__be16 all;
		} u;
		__u8 protonum;
	} dst;
};

struct nf_conntrack_tuple_hash {
	struct nf_conntrack_tuple tuple;
};

struct nf_conn {
	struct nf_conntrack_tuple_hash tuplehash[2];
	unsigned long status;
	__u32 timeout; /* jiffies */
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

/* KERNEL_FIELD() - the value of a member of the structure of that type at an address. */
#define KERNEL_FIELD(type, address, member)               \
	(*(const typeof(((type *)0)->member) *)kernel_at( \
		(address) + bpf_core_field_offset(((type *)0)->member)))

#endif
