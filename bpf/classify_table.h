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

/* Of the compiled table: struct classifier, frozen, so it is constant; and the data, which are not.
 */
extern const __u64 classifier[];
extern const __u64 table_data[];

/* Of the compiled table: count one rule. */
int table_count(__u32 rule, struct packet *packet);

/* state.bpf.c brings it to tables with stateful matches. */
__weak int table_state(__u32 index, struct packet *packet)
{
	(void)index, (void)packet;
	return 0;
}

/* Of the compiled table. The loader puts its number of elements here, too, before it links. */
extern struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, CLASSIFY_BLOCKS_UNKNOWN);
	__type(key, __u32);
	__type(value, struct counter_block);
} counters SEC(".maps");

static __always_inline void rule_note(__u32 rule, struct packet *packet)
{
	__u32 count = packet->notes.count;

	if (count >= NOTES_MAX) {
		packet->notes.count = NOTES_MAX + 1;
		return;
	}
	packet->notes.rules[count] = rule;
	packet->notes.count = count + 1;
}

/* as table_count(), for the last rule: inlined at each rule on the way, the verifier has too many
   ways to follow */
static __always_inline void rule_count(__u32 rule, struct packet *packet)
{
	__u32 key = rule / COUNTERS_OF_BLOCK;
	struct counter_block *block;
	struct counter *counter;

	if (packet->counting == COUNTING_LATER) {
		rule_note(rule, packet);
		return;
	}
	block = bpf_map_lookup_elem(&counters, &key);
	if (!block)
		return;
	counter = &block->counters[rule % COUNTERS_OF_BLOCK];
	if (packet->counting == COUNTING_ATOMIC) {
		__sync_fetch_and_add(&counter->packets, 1);
		__sync_fetch_and_add(&counter->bytes, packet->length);
		return;
	}
	counter->packets++;
	counter->bytes += packet->length;
}

#define classifier_shape		      ((const void *)classifier)
#define classifier_data			      ((const void *)table_data)
#define classify_word			      __u64
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
	if (result >> 8 == CLASSIFY_NO_RULE)
		return result & 0xff;
	if (result >> 8 > COUNTED_RULE_MASK) /* it has a target */
		table_count(result >> 8, packet);
	else
		rule_count(result >> 8, packet);
	return result & 0xff;
}

#endif
