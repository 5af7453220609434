/* SPDX-License-Identifier: GPL-2.0-only */
/* What user space cannot ask the kernel for: who uses a network namespace. */
#include "kernel_net.h"
#include "namespace_holder.h"

#define LINK_TYPE_NETFILTER 10 /* BPF_LINK_TYPE_NETFILTER of Linux 6.4 */

static __always_inline __u32 net_references(struct net *net)
{
	struct ns_common___renamed *renamed = (void *)&net->ns;

	if (bpf_core_field_exists(renamed->__ns_ref))
		return (__u32)BPF_CORE_READ(renamed, __ns_ref.refs.counter);
	return (__u32)BPF_CORE_READ(net, ns.count.refs.counter);
}

/*
 * For each netfilter link in the system: the namespace that it is in. Links are the one handle on
 * a namespace that nobody else may have any more, and they are pinned: nothing else is remembered.
 */
SEC("iter/bpf_link")
int namespace_holders(struct bpf_iter__bpf_link *context)
{
	struct namespace_holder holder = {};
	struct bpf_link *link = context->link;
	struct bpf_nf_link *netfilter = (void *)link;
	struct net *net;

	/* before this field was there, a link did not hold its namespace: refuse to be loaded */
	if (!bpf_core_field_exists(netfilter->ns_tracker))
		return bpf_core_field_offset(netfilter->ns_tracker);
	if (!link || (__u32)link->type != LINK_TYPE_NETFILTER || BPF_CORE_READ(netfilter, dead))
		return 0;
	net = BPF_CORE_READ(netfilter, net);
	holder.cookie = BPF_CORE_READ(net, net_cookie);
	holder.references = net_references(net);
	bpf_seq_write(context->meta->seq, &holder, sizeof(holder));
	return 0;
}

char _license[] SEC("license") = "GPL";
