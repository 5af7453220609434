/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What rules of the kernel's filter table ask, with `-m bpf`: 1 matches. Rules and programs go
 * together: iptables-compat/execution_table.h. A socket filter's context is the sk_buff itself.
 */
#include "execute.h"

static __always_inline struct execution *execution_find(__u64 packet)
{
	return bpf_map_lookup_elem(&executions, &packet);
}

/* Asked for every packet: has it a target that is not begun yet? That is the current one then. */
SEC("socket")
int execute_next(struct __sk_buff *skb)
{
	struct execution *execution;
	__u32 next;

	if (!executions_any())
		return 0;
	execution = execution_find((__u64)skb);
	if (!execution)
		return 0;
	next = execution->next;
	if (next >= PENDING_MAX || next >= execution->pending.count)
		return 0;
	execution->current = execution->pending.codes[next];
	execution->next = next + 1;
	execution->asked = 0;
	return 1;
}

/* Asked once for each target, in order: is it this one? What ends the packet ends its execution. */
SEC("socket")
int execute_this(struct __sk_buff *skb)
{
	struct execution *execution = execution_find((__u64)skb);
	__u32 current;

	if (!execution)
		return 0;
	current = execution->current;
	if (execution_number(current) != execution->asked++)
		return 0;
	if (current & EXECUTION_ENDS)
		execution_end((__u64)skb);
	return 1;
}

/* Asked last, of packets with targets: is it to be dropped? One that is not known is. */
SEC("socket")
int execute_drop(struct __sk_buff *skb)
{
	const struct execution *execution = execution_find((__u64)skb);
	bool drop;

	if (!execution)
		return 1;
	drop = execution->verdict != VERDICT_ACCEPT;
	execution_end((__u64)skb);
	return drop;
}

char _license[] SEC("license") = "GPL";
