/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The netfilter stage: INPUT, FORWARD and OUTPUT where the kernel's iptables has them, at the
 * priority of its filter table. Packets are reassembled, routed and tracked here, so nothing that a
 * rule can ask is unknown: what the stages before it did not drop is judged here, exactly.
 */
#include "bytes_skb.h"
#include "parse.h"
#include "tracked.h"

#define NF_DROP	  0
#define NF_ACCEPT 1

int nf_input(struct packet *packet);
int nf_forward(struct packet *packet);
int nf_output(struct packet *packet);

/* --- headers that do not lie together -------------------------------------------------------- */

/* Bytes that are copied out of a packet whose headers are spread over fragments. */
#define COPY_SIZE 2048u

struct copy {
	__u64 address; /* of `data`, as a number: bytes_at() takes no pointer of the verifier's */
	unsigned char data[COPY_SIZE];
};

/* INPUT and FORWARD run with bottom halves off: no packet interrupts another. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct copy);
} copies SEC(".maps");

extern int bpf_dynptr_from_skb(struct __sk_buff *skb, __u64 flags,
			       struct bpf_dynptr *pointer) __ksym;

/* Have @bytes in one piece. Return: whether that was possible. */
static __always_inline bool bytes_copy(struct bytes *bytes, struct sk_buff *skb)
{
	__u32 key = 0, size = skb->len;
	struct copy *copy = bpf_map_lookup_elem(&copies, &key);
	struct bpf_dynptr pointer;

	/* what is compared shall be what is passed: no second load behind the comparison */
	__asm__ volatile("" : "+r"(size));
	if (size > COPY_SIZE)
		size = COPY_SIZE;
	if (!copy || bpf_dynptr_from_skb((struct __sk_buff *)skb, 0, &pointer))
		return false;
	if (bpf_dynptr_read(copy->data, size, &pointer, 0, 0))
		return false;
	*(volatile __u64 *)&copy->address = (__u64)copy->data;
	bytes->address = *(volatile __u64 *)&copy->address;
	bytes->readable = size;
	return true;
}

/* --- a packet's way in ----------------------------------------------------------------------- */

enum copying {
	COPYING,
	NO_COPYING, /* OUTPUT can be interrupted; what it sees was made with its headers together */
};

static __always_inline enum parse_result parse(struct packet *packet, struct sk_buff *skb,
					       enum copying copying)
{
	struct route_facts facts = {};
	struct view view = {
		.bytes = { .address = (__u64)skb->head + skb->network_header,
			   .readable = skb->len - skb->data_len },
		.available = skb->len,
		.from_here = true, /* what the IP layer checks, it has checked */
	};
	enum parse_result result = parse_ip(packet, &view, &facts);

	if (result != PARSE_SHORT || copying == NO_COPYING)
		return result;
	if (!bytes_copy(&view.bytes, skb))
		return PARSE_REFUSED;
	*packet = (struct packet){};
	return parse_ip(packet, &view, &facts);
}

static __always_inline void name_copy(__u8 name[IFACE_NAME_SIZE], const struct net_device *device)
{
	for (int i = 0; i < IFACE_NAME_SIZE / 8; i++)
		((__u64 *)name)[i] = ((const __u64 *)device->name)[i];
}

static __always_inline bool packet_read(struct packet *packet, const struct bpf_nf_ctx *context,
					enum copying copying)
{
	const struct nf_hook_state *state = context->state;

	if (parse(packet, context->skb, copying) != PARSE_OK)
		return false;
	if (table_needs & NEED_IN_NAME && state->in)
		name_copy(packet->in_name, state->in);
	if (table_needs & NEED_OUT_NAME && state->out)
		name_copy(packet->out_name, state->out);
	if (table_needs & NEED_CONNECTION)
		connection_read(&packet->connection, context->skb->_nfct);
	return true;
}

/* --- the programs ---------------------------------------------------------------------------- */

SEC("netfilter")
int netfilter_input(struct bpf_nf_ctx *context)
{
	struct packet packet = {};

	if (!packet_read(&packet, context, COPYING))
		return NF_DROP;
	return nf_input(&packet) == VERDICT_ACCEPT ? NF_ACCEPT : NF_DROP;
}

SEC("netfilter")
int netfilter_forward(struct bpf_nf_ctx *context)
{
	struct packet packet = {};

	if (!packet_read(&packet, context, COPYING))
		return NF_DROP;
	return nf_forward(&packet) == VERDICT_ACCEPT ? NF_ACCEPT : NF_DROP;
}

SEC("netfilter")
int netfilter_output(struct bpf_nf_ctx *context)
{
	struct packet packet = { .counting = COUNTING_ATOMIC };

	if (!packet_read(&packet, context, NO_COPYING))
		return NF_DROP;
	return nf_output(&packet) == VERDICT_ACCEPT ? NF_ACCEPT : NF_DROP;
}

char _license[] SEC("license") = "GPL";
