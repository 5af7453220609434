/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The chain functions of a table that is classified rather than run rule by rule. The code is the
 * same for every table; the compiled table brings the data.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "classify.h"

/* Of the compiled table: struct classifier and its arrays. Frozen, so its head is constant. */
extern const __u64 classifier[];

/* Of the compiled table: count one rule. */
int table_count(__u32 rule, struct packet *packet);

#define classifier_data			      ((const void *)classifier)
#define CLASSIFY_FUNCTION		      __attribute__((noinline))
#define classify_count(judged, rule)	      table_count(rule, (struct packet *)(judged))
#define classify_repeat(times, step, context) bpf_loop(times, step, context, 0)

#include "classify_walk.h"

static __always_inline int judge(struct packet *packet, __u32 chain)
{
	__u64 result;

	if (!packet)
		return VERDICT_DROP;
	result = classify(packet, chain);
	if (result >> 8 != CLASSIFY_NO_RULE)
		table_count(result >> 8, packet);
	return result & 0xff;
}

#define CHAIN(name, number)                   \
	int name(struct packet *packet)       \
	{                                     \
		return judge(packet, number); \
	}

CHAIN(xdp_input, 0)
CHAIN(xdp_forward, 1)
CHAIN(tc_input, 0)
CHAIN(tc_forward, 1)
CHAIN(tc_output, 2)
CHAIN(nf_input, 0)
CHAIN(nf_forward, 1)
CHAIN(nf_output, 2)
