/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What programs read of the kernel's own structures: only the members that are used, their offsets
 * taken from the running kernel's BTF when the programs are loaded. How they are read is in
 * kernel_cast.h and kernel_probe.h.
 */
#ifndef UBPFILTER_KERNEL_H
#define UBPFILTER_KERNEL_H

#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "types.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct net;
struct in_device;
struct inet6_dev;

struct net_device {
	char name[IFACE_NAME_SIZE];
	int ifindex;
	unsigned short type; /* ARPHRD_* */
	struct {
		struct net *net;
	} nd_net;
	void *rx_handler;	/* of a master: bridge, bond, macvlan, ... */
	void *tcx_ingress;	/* TC programs, and the qdisc with its filters; since 6.6 */
	void *miniq_ingress;	/* that qdisc before */
	void *nf_hooks_ingress; /* chains of nf_tables at the device */
	struct in_device *ip_ptr;
	struct inet6_dev *ip6_ptr;
	int group;
};

struct nf_hook_state {
	__u8 hook;
	__u8 pf;
	struct net_device *in;
	struct net_device *out;
	struct net *net;
};

typedef struct {
	struct net *net;
} possible_net_t;

typedef struct {
	__u32 val;
} kuid_t;

typedef struct {
	__u32 val;
} kgid_t;

struct group_info {
	int ngroups;
	kgid_t gid[];
};

struct cred {
	kuid_t fsuid;
	kgid_t fsgid;
	struct group_info *group_info;
};

struct file {
	const struct cred *f_cred;
};

struct socket {
	struct file *file;
};

struct sock;

struct sock_common {
	volatile unsigned char skc_state;
	struct sock *skc_listener; /* of a connection that is being made */
	possible_net_t skc_net;
};

struct sock_cgroup_data {
	__u32 classid; /* of net_cls */
};

struct sock {
	struct sock_common __sk_common;
	struct socket *sk_socket;
	struct sock_cgroup_data sk_cgrp_data;
};

struct dst_entry {
	__u32 tclassid; /* the realm */
};

struct sk_buff {
	unsigned long _skb_refdst; /* struct dst_entry, and a bit */
	unsigned int len;
	unsigned int data_len; /* of these, outside of the linear part */
	unsigned char *head;
	unsigned char *data;
	__u16 network_header; /* offset from head */
	struct net_device *dev;
	__u16 mac_header; /* the same */
	unsigned long _nfct;
	struct sock *sk;
	__u32 mark;
	__u8 pkt_type : 3;
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

struct ip_ct_tcp_state {
	__u8 flags; /* IP_CT_TCP_FLAG_* */
};

struct ip_ct_tcp {
	struct ip_ct_tcp_state seen[2]; /* by direction */
	__u8 state;			/* TCP_CONNTRACK_* */
	/* of the last segment: */
	__u8 last_dir;	 /* its direction */
	__u8 last_index; /* enum tcp_kind of connection_tcp.h */
	__u8 last_flags; /* what it left to remember, IP_CT_* */
};

struct nf_ct_udp {
	unsigned long stream_ts; /* jiffies: packets both ways after that are a stream */
};

union nf_conntrack_proto {
	struct ip_ct_tcp tcp;
	struct nf_ct_udp udp;
};

enum nf_ct_ext_id { /* the running kernel's numbers are asked for */
		    NF_CT_EXT_HELPER = 0,
		    NF_CT_EXT_ACCT = 3,
};

struct nf_conntrack_helper {
	char name[16];
};

struct nf_conn_help {
	struct nf_conntrack_helper *helper;
};

/* Behind it, at these offsets from its beginning, are the extensions that a connection has. */
struct nf_ct_ext {
	__u8 offset[4]; /* by enum nf_ct_ext_id; 0: it has none of this kind */
};

struct nf_conn {
	struct nf_conntrack_tuple_hash tuplehash[2];
	unsigned long status;
	possible_net_t ct_net;
	__u32 timeout; /* jiffies */
	__u32 mark;
	struct nf_ct_ext *ext;
	struct nf_conn *master; /* that expected it */
	union nf_conntrack_proto proto;
};

#pragma clang attribute pop

#endif
