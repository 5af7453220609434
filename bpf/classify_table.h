/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The chains of a table that is classified rather than run rule by rule. The code is the same for
 * every table; the compiled table brings the data.
 */
#ifndef UBPFILTER_CLASSIFY_TABLE_H
#define UBPFILTER_CLASSIFY_TABLE_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "classify.h"

/* Of the compiled table: struct classifier and its arrays. Frozen, so its head is constant. */
extern const __u64 classifier[];

/* Of the compiled table: count one rule. */
int table_count(__u32 rule, struct packet *packet);

/* state.bpf.c brings it to tables with stateful matches. */
__weak int table_state(__u32 index, struct packet *packet)
{
	(void)index, (void)packet;
	return 0;
}

#define classifier_data			      ((const void *)classifier)
#define CLASSIFY_FUNCTION		      __attribute__((noinline, weak))
#define classify_count(judged, rule)	      table_count(rule, (struct packet *)(judged))
#define classify_state(judged, index)	      table_state(index, (struct packet *)(judged))
#define classify_repeat(times, step, context) bpf_loop(times, step, context, 0)

#include "classify_walk.h"

static __always_inline int table_judge(struct packet *packet, __u32 chain)
{
	__u64 result;

	if (!packet)
		return VERDICT_DROP;
	result = classify(packet, chain);
	if (result >> 8 != CLASSIFY_NO_RULE)
		table_count(result >> 8, packet);
	return result & 0xff;
}

#endif
