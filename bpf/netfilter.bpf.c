/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The netfilter stage: INPUT, FORWARD and OUTPUT where the kernel's iptables has them, right before
 * its filter table. Packets are reassembled, routed and tracked here, so nothing that a
 * rule can ask is unknown: what the stages before it did not drop is judged here, exactly.
 */
#include "bytes_skb.h"
#include "execute.h"
#include "chains.h"
#include "parse.h"
#include "attributes.h"
#include "slot.h"
#include "tracked.h"
#include "way.h"

#define NF_DROP	  0
#define NF_ACCEPT 1

CHAIN_FUNCTION(nf_input, CHAIN_INPUT)
CHAIN_FUNCTION(nf_forward, CHAIN_FORWARD)
CHAIN_FUNCTION(nf_output, CHAIN_OUTPUT)

/* --- headers that do not lie together -------------------------------------------------------- */

/* Bytes that are copied out of a packet whose headers are spread over fragments: as far as headers
   are followed, and a transport header behind. */
#define COPY_SIZE (OFFSET_MASK + 1u + 64u)

struct copy {
	__u64 taken;
	__u64 address; /* of `data`, as a number: bytes_at() takes no pointer of the verifier's */
	unsigned char data[COPY_SIZE];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SLOTS_MAX);
	__type(key, __u32);
	__type(value, struct copy);
} copies SEC(".maps");

extern int bpf_dynptr_from_skb(struct __sk_buff *skb, __u64 flags,
			       struct bpf_dynptr *pointer) __ksym;

/* Have @bytes in one piece. Return: whether that was possible. */
static __always_inline bool bytes_copy(struct bytes *bytes, struct copy *copy, struct sk_buff *skb)
{
	__u32 size = skb->len;
	struct bpf_dynptr pointer;

	/* what is compared shall be what is passed: no second load behind the comparison */
	__asm__ volatile("" : "+r"(size));
	if (size > COPY_SIZE)
		size = COPY_SIZE;
	if (bpf_dynptr_from_skb((struct __sk_buff *)skb, 0, &pointer) ||
	    bpf_dynptr_read(copy->data, size, &pointer, 0, 0))
		return false;
	*(volatile __u64 *)&copy->address = (__u64)copy->data;
	bytes->address = *(volatile __u64 *)&copy->address;
	bytes->readable = size;
	return true;
}

/* --- a packet's way in ----------------------------------------------------------------------- */

static __always_inline enum parse_result parse_copied(struct packet *packet, struct view *view,
						      struct route_facts *facts,
						      struct sk_buff *skb)
{
	struct copy *copy = (struct copy *)slot_take(&copies, SLOT_PREEMPTED);
	enum parse_result result = PARSE_REFUSED;

	if (!copy)
		return PARSE_REFUSED;
	if (bytes_copy(&view->bytes, copy, skb))
		result = parse_ip(packet, view, facts);
	slot_release(&copy->taken);
	return result;
}

static __always_inline enum parse_result parse(struct packet *packet, struct sk_buff *skb)
{
	struct route_facts facts = {};
	struct view view = {
		.bytes = { .address = (__u64)skb->head + skb->network_header,
			   .readable = skb->len - skb->data_len },
		.available = skb->len,
		.from_here = true, /* what the IP layer checks, it has checked */
	};
	enum parse_result result = parse_ip(packet, &view, &facts);

	return result == PARSE_SHORT ? parse_copied(packet, &view, &facts, skb) : result;
}

static __always_inline void name_copy(__u8 name[IFACE_NAME_SIZE], const struct net_device *device)
{
	for (int i = 0; i < IFACE_NAME_SIZE / 8; i++)
		((__u64 *)name)[i] = ((const __u64 *)device->name)[i];
}

static __always_inline bool packet_read(struct packet *packet, const struct bpf_nf_ctx *context,
					enum counting counting)
{
	const struct nf_hook_state *state = context->state;

	if (parse(packet, context->skb) != PARSE_OK)
		return false;
	packet->counting = counting;
	if (table_needs & NEED_IN_NAME && state->in)
		name_copy(packet->in_name, state->in);
	if (table_needs & NEED_OUT_NAME && state->out)
		name_copy(packet->out_name, state->out);
	attributes_read(packet, context->skb, state);
	if (table_needs & NEED_CONNECTION)
		connection_read(&packet->connection, context->skb->_nfct);
	return true;
}

/*
 * What netfilter is told. A packet with targets goes on to the kernel's table, which has the
 * verdict from us; where it cannot be told, nothing passes.
 */
static __always_inline int conclude(const struct packet *packet, const struct bpf_nf_ctx *context,
				    int verdict)
{
	__u64 key = (__u64)context->skb;
	struct execution execution = { .verdict = verdict };

	if (!(table_needs & NEED_EXECUTION))
		return verdict == VERDICT_ACCEPT ? NF_ACCEPT : NF_DROP;
	if (packet->pending.count) {
		execution.pending = packet->pending;
		return execution_leave(key, &execution) ? NF_ACCEPT : NF_DROP;
	}
	if (executions_any())
		execution_end(key);
	return verdict == VERDICT_ACCEPT ? NF_ACCEPT : NF_DROP;
}

/* --- the program ----------------------------------------------------------------------------- */

static __always_inline int judge(struct packet *packet, __u8 hook)
{
	switch (hook) {
	case NF_INET_LOCAL_IN:
		return RUN_INPUT(nf, packet);
	case NF_INET_FORWARD:
		return RUN_FORWARD(nf, packet);
	default:
		return RUN_OUTPUT(nf, packet);
	}
}

/* One for all three hooks: the verifier looks at what they share, nearly everything, only once. */
SEC("netfilter")
int netfilter_hooks(struct bpf_nf_ctx *context)
{
	__u8 hook = context->state->hook;
	struct slot *slot = packet_slot_take(SLOT_PREEMPTED);
	int action = NF_DROP;

	if (!slot)
		return NF_DROP;
	if (packet_read(&slot->packet, context,
			hook == NF_INET_LOCAL_OUT ? COUNTING_ATOMIC : COUNTING_PLAIN))
		action = conclude(&slot->packet, context, judge(&slot->packet, hook));
	slot_release(&slot->taken);
	return action;
}

char _license[] SEC("license") = "GPL";
