/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From a frame to the packet in it, through VLAN tags, as the kernel goes: tags with id 0 carry a
 * priority only and are taken off one after the other; any other id is a VLAN device's, or
 * nobody's.
 */
#ifndef UBPFILTER_FRAME_H
#define UBPFILTER_FRAME_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <stdbool.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "types.h"

#define VLAN_ID_MASK 0x0fff

/* The kernel takes off any number of priority tags; nobody sends more than one. */
#define PRIORITY_TAGS_MAX 4

/* VLAN devices one on top of the other, each of which leaves its tag in the frame. */
#define KEPT_TAGS_MAX 4

struct vlan_tag {
	__be16 control;
	__be16 protocol;
};

enum frame_result {
	FRAME_OPENED,
	FRAME_OTHERS, /* a VLAN device's, or cut off: the IP layer of this device does not get it */
	FRAME_REFUSED, /* more tags than we follow: cannot be judged, must not pass */
};

struct frame {
	__u32 tags_size; /* bytes of tags that were taken off */
	__be16 protocol;
};

static __always_inline bool protocol_is_tag(__be16 protocol)
{
	return protocol == bpf_htons(ETH_P_8021Q) || protocol == bpf_htons(ETH_P_8021AD);
}

/*
 * frame_open() - take off tags.
 * @header: what follows the EtherType that @frame->protocol holds.
 */
static __always_inline enum frame_result frame_open(struct frame *frame, void *header, void *end)
{
	for (int i = 0; i < PRIORITY_TAGS_MAX; i++) {
		struct vlan_tag *tag = header;

		if (!protocol_is_tag(frame->protocol))
			return FRAME_OPENED;
		if ((void *)(tag + 1) > end || tag->control & bpf_htons(VLAN_ID_MASK))
			return FRAME_OTHERS;
		frame->protocol = tag->protocol;
		frame->tags_size += sizeof(*tag);
		header = tag + 1;
	}
	return protocol_is_tag(frame->protocol) ? FRAME_REFUSED : FRAME_OPENED;
}

/* skb_open() - the same at TC, where the stack has taken off the first tag and keeps it aside. */
static __always_inline enum frame_result skb_open(struct frame *frame, struct __sk_buff *skb)
{
	const __u32 tags_end = ETH_HLEN + PRIORITY_TAGS_MAX * sizeof(struct vlan_tag);

	*frame = (struct frame){ .protocol = (__be16)skb->protocol };
	if (skb->vlan_present && skb->vlan_tci & VLAN_ID_MASK)
		return FRAME_OTHERS;
	if (!protocol_is_tag(frame->protocol))
		return FRAME_OPENED;
	if (bpf_skb_pull_data(skb, skb->len < tags_end ? skb->len : tags_end))
		return FRAME_REFUSED;
	return frame_open(frame, (void *)(long)skb->data + ETH_HLEN, (void *)(long)skb->data_end);
}

/*
 * frame_sent_protocol() - what a frame carries that leaves by a VLAN device which puts the tag in
 * itself; the device's own tag is the last one. 0: it is of a VLAN device above, or cut off.
 */
static __always_inline __be16 frame_sent_protocol(const struct ethhdr *ethernet, void *end,
						  __u16 own_id)
{
	const struct vlan_tag *tag = (const void *)(ethernet + 1);
	__u16 id = 0;
	__be16 protocol;

	if ((void *)(ethernet + 1) > end)
		return 0;
	protocol = ethernet->h_proto;
	for (int i = 0; i < KEPT_TAGS_MAX && protocol_is_tag(protocol); i++) {
		if ((void *)(tag + 1) > end)
			return 0;
		id = bpf_ntohs(tag->control) & VLAN_ID_MASK;
		protocol = tag->protocol;
		tag++;
	}
	return id == own_id ? protocol : 0;
}

/* skb_sent_protocol() - the protocol of what is sent by @device, tags put in by it not counted. */
static __always_inline __be16 skb_sent_protocol(struct __sk_buff *skb, const struct device *device)
{
	const __u32 tags_end = ETH_HLEN + KEPT_TAGS_MAX * sizeof(struct vlan_tag);

	if (!protocol_is_tag((__be16)skb->protocol) || !device ||
	    !(device->flags & DEVICE_KEEPS_TAGS))
		return (__be16)skb->protocol;
	if (bpf_skb_pull_data(skb, skb->len < tags_end ? skb->len : tags_end))
		return 0;
	return frame_sent_protocol((void *)(long)skb->data, (void *)(long)skb->data_end,
				   device->vlan_id);
}

#endif
