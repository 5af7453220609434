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

/*
 * Many packets for INPUT at once, and what became of them: to run one by BPF_PROG_TEST_RUN costs
 * many times what judging it does. Loaded only where user space asks for it.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct packet);
} batch SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} batch_verdicts SEC(".maps");

static long batch_judge(__u32 index, void *unused)
{
	struct packet *packet = bpf_map_lookup_elem(&batch, &index);
	__u64 *verdict = bpf_map_lookup_elem(&batch_verdicts, &index);

	(void)unused;
	if (!packet || !verdict)
		return 1;
	*verdict = (__u64)tc_input(packet);
	return 0;
}

/* The mark says how many. */
SEC("tc")
int direct_batch(struct __sk_buff *skb)
{
	return (int)bpf_loop(skb->mark, batch_judge, NULL, 0);
}

char _license[] SEC("license") = "GPL";
