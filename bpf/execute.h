/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the judgement to the kernel's rules behind it: which targets a packet gets, and what becomes
 * of it. The netfilter programs leave it, the programs of execute.bpf.c take it, in rules of the
 * kernel's filter table (iptables-compat/execution_table.h).
 *
 * A packet is known by the address of its sk_buff, which is the same at both hooks and nobody
 * else's in between, whatever interrupts it and on whichever CPU it goes on. Should the packet not
 * get to the kernel's table (somebody else takes it away between the hooks), what was left stays:
 * the next packet at that address gets rid of it.
 */
#ifndef UBPFILTER_EXECUTE_H
#define UBPFILTER_EXECUTE_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

#include "types.h"

/* Packets between the two hooks at one time. */
#define EXECUTIONS_MAX 4096

struct execution {
	struct pending pending;
	__u8 verdict; /* enum verdict */
	__u8 next;    /* in `pending`: not begun yet */
	__u8 current; /* code of the target that is executed now */
	__u8 asked;   /* how many were asked whether they are it */
};

/* Address of an sk_buff -> what is left for it. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, EXECUTIONS_MAX);
	__type(key, __u64);
	__type(value, struct execution);
} executions __weak SEC(".maps");

/* How many there are in `executions`: mostly none, and nothing has to be looked for then. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __s64);
} execution_count __weak SEC(".maps");

static __always_inline __s64 *executions_counted(void)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&execution_count, &key);
}

static __always_inline bool executions_any(void)
{
	const volatile __s64 *count = executions_counted();

	return count && *count;
}

static __always_inline void executions_change(__s64 by)
{
	__s64 *count = executions_counted();

	if (count)
		__sync_fetch_and_add(count, by);
}

static __always_inline void execution_end(__u64 packet)
{
	if (!bpf_map_delete_elem(&executions, &packet))
		executions_change(-1);
}

/* Return: whether the kernel's rules will find it. */
static __always_inline bool execution_leave(__u64 packet, const struct execution *execution)
{
	if (!bpf_map_update_elem(&executions, &packet, execution, BPF_NOEXIST)) {
		executions_change(1);
		return true;
	}
	return !bpf_map_update_elem(&executions, &packet, execution, BPF_EXIST);
}

#endif
