/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The chain functions on any struct packet, which comes as the frame's payload: with fields that no
 * parser of the other programs fills in. The mark says which chain. What is left for the kernel to
 * execute comes back as the payload.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

#include "../../bpf/types.h"

int tc_input(struct packet *packet);
int tc_forward(struct packet *packet);
int tc_output(struct packet *packet);

static __always_inline int chain_run(__u32 hook, struct packet *packet)
{
	switch (hook) {
	case 1:
		return tc_input(packet);
	case 2:
		return tc_forward(packet);
	default:
		return tc_output(packet);
	}
}

SEC("tc")
int direct(struct __sk_buff *skb)
{
	struct packet packet;
	int verdict;

	if (bpf_skb_load_bytes(skb, ETH_HLEN, &packet, sizeof(packet)))
		return TC_ACT_STOLEN;
	verdict = chain_run(skb->mark, &packet);
	if (bpf_skb_store_bytes(skb, ETH_HLEN, &packet.pending, sizeof(packet.pending), 0))
		return TC_ACT_STOLEN;
	return verdict == VERDICT_DROP ? TC_ACT_SHOT : TC_ACT_UNSPEC;
}

char _license[] SEC("license") = "GPL";
