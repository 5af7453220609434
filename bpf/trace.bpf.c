/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether a packet that is dropped early would have left a trace in conntrack: one of a connection
 * moves it on, or keeps it alive, even if INPUT or FORWARD drop it. A packet of none is forgotten
 * with what conntrack made of it. An object of its own: linked where the kernel can tell.
 */
#include <linux/in.h>
#include <bpf/bpf_endian.h>

#include "connection_find.h"
#include "types.h"

#define ENOENT 2

static __always_inline int leaves_trace(const struct frame_view *frame, const struct packet *packet)
{
	struct lookup_options options = {
		.namespace = BPF_F_CURRENT_NETNS,
		.protocol = packet->protocol,
	};
	const struct flow_view flow = { packet->source, packet->destination,
					bpf_htons(packet->source_port),
					bpf_htons(packet->destination_port) };
	struct nf_conn *found;

	if (packet->transport != TRANSPORT_OK ||
	    (packet->protocol != IPPROTO_TCP && packet->protocol != IPPROTO_UDP))
		return 1;
	found = connection_find(frame, &flow, &options);
	if (found) {
		bpf_ct_release(found);
		return 1;
	}
	return options.error != -ENOENT;
}

int xdp_leaves_trace(struct xdp_md *context, struct packet *packet)
{
	const struct frame_view frame = { context, ASKER_XDP };

	return packet ? leaves_trace(&frame, packet) : 1;
}

int tc_leaves_trace(struct __sk_buff *skb, struct packet *packet)
{
	const struct frame_view frame = { skb, ASKER_TC };

	return packet ? leaves_trace(&frame, packet) : 1;
}

char _license[] SEC("license") = "GPL";
