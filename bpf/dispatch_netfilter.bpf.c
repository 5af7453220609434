/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The dispatcher at the netfilter hooks (Linux 6.4): what the links hold while tables come and go.
 * An object of its own, since older kernels do not take its programs.
 */
#include "dispatch.h"
#include "kernel.h"

SLOTS(netfilter_slots);

#define NF_ACCEPT    1
#define NFPROTO_IPV4 2

static __always_inline __u32 slot_find(const struct bpf_nf_ctx *context)
{
	return slot_of_family(context->state->pf == NFPROTO_IPV4 ? TABLE_IPV4 : TABLE_IPV6);
}

SEC("netfilter")
int dispatch_netfilter(struct bpf_nf_ctx *context)
{
	bpf_tail_call(context, &netfilter_slots, slot_find(context));
	return NF_ACCEPT;
}

char _license[] SEC("license") = "GPL";
