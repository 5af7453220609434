/* SPDX-License-Identifier: GPL-2.0-only */
/* Connections in the kernel's table, by the functions that it has for that: TCP and UDP only. */
#ifndef UBPFILTER_CONNECTION_FIND_H
#define UBPFILTER_CONNECTION_FIND_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "kernel.h"

/* struct bpf_ct_opts as it was first; later kernels take it, too. */
struct lookup_options {
	__s32 namespace; /* BPF_F_CURRENT_NETNS: the device's */
	__s32 error;
	__u8 protocol;
	__u8 direction; /* set: in which the packet goes */
	__u8 reserved[2];
};

extern struct nf_conn *bpf_xdp_ct_lookup(struct xdp_md *context, struct bpf_sock_tuple *tuple,
					 __u32 tuple__sz, struct lookup_options *options,
					 __u32 options__sz) __ksym __weak;
extern struct nf_conn *bpf_skb_ct_lookup(struct __sk_buff *skb, struct bpf_sock_tuple *tuple,
					 __u32 tuple__sz, struct lookup_options *options,
					 __u32 options__sz) __ksym __weak;
extern void bpf_ct_release(struct nf_conn *nf_conn) __ksym __weak;

/* Who asks: a constant to the compiler, which leaves out what is for the other. */
enum asker {
	ASKER_XDP, /* its context is a struct xdp_md */
	ASKER_TC,  /* a struct __sk_buff */
};

/* A frame, in the context that a program was called with. */
struct frame_view {
	void *context;
	enum asker asker;
};

static __always_inline struct nf_conn *tuple_find(const struct frame_view *frame,
						  struct bpf_sock_tuple *tuple, __u32 size,
						  struct lookup_options *options)
{
	return frame->asker == ASKER_XDP
		       ? bpf_xdp_ct_lookup(frame->context, tuple, size, options, sizeof(*options))
		       : bpf_skb_ct_lookup(frame->context, tuple, size, options, sizeof(*options));
}

/* Who sends what to whom, as in a packet's headers. */
struct flow_view {
	const __be32 *source; /* as struct packet */
	const __be32 *destination;
	__be16 source_port;
	__be16 destination_port;
};

/*
 * connection_find() - the connection that a packet would be of; to be released. NULL:
 * @options->error is -ENOENT when there is none.
 * @options: with namespace and protocol.
 */
static __always_inline struct nf_conn *connection_find(const struct frame_view *frame,
						       const struct flow_view *flow,
						       struct lookup_options *options)
{
	struct bpf_sock_tuple tuple = {};

#if FAMILY == 4
	tuple.ipv4.saddr = flow->source[0];
	tuple.ipv4.daddr = flow->destination[0];
	tuple.ipv4.sport = flow->source_port;
	tuple.ipv4.dport = flow->destination_port;
	return tuple_find(frame, &tuple, sizeof(tuple.ipv4), options);
#else
	__builtin_memcpy(tuple.ipv6.saddr, flow->source, 16);
	__builtin_memcpy(tuple.ipv6.daddr, flow->destination, 16);
	tuple.ipv6.sport = flow->source_port;
	tuple.ipv6.dport = flow->destination_port;
	return tuple_find(frame, &tuple, sizeof(tuple.ipv6), options);
#endif
}

#endif
