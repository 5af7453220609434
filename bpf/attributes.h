/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel knows of a packet beside its bytes, as netfilter programs see it. */
#ifndef UBPFILTER_ATTRIBUTES_H
#define UBPFILTER_ATTRIBUTES_H

#include <linux/if_ether.h>
#include <linux/if_packet.h>

#include "address_type.h"
#include "kernel_cast.h"
#include "tracked.h"

#define TYPE_ETHERNET  1    /* ARPHRD_ETHER */
#define HOOK_LOCAL_OUT 3    /* NF_INET_LOCAL_OUT */
#define ROUTE_NOT_HELD 1ull /* SKB_DST_NOREF, beside the address of a packet's route */

/* TCP's states of what is no whole socket; the UAPI headers do not have them all. */
#define STATE_TIME_WAIT	   6
#define STATE_NEW_SYN_RECV 12

/* The address of the frame's Ethernet header, 0 where it has none. */
static __always_inline __u64 ethernet_of(const struct sk_buff *skb)
{
	__u64 header = (__u64)skb->head + skb->mac_header;
	const struct net_device *device = skb->dev;

	if (!device || device->type != TYPE_ETHERNET || header + ETH_HLEN > (__u64)skb->data)
		return 0;
	return header;
}

/* as mac_mt() */
static __always_inline void mac_read(struct packet *packet, const struct sk_buff *skb)
{
	__u64 header = ethernet_of(skb);
	const __u16 *from;

	if (!header)
		return;
	from = kernel_at(header + ETH_ALEN);
	for (int i = 0; i < ETH_ALEN / 2; i++)
		((__u16 *)packet->mac)[i] = from[i];
	packet->flags |= PACKET_HAS_MAC;
}

/* as eui64_mt6() */
static __always_inline void eui64_read(struct packet *packet, const struct sk_buff *skb)
{
	const __u8 *half = (const __u8 *)packet->source + 8;
	__u64 header = ethernet_of(skb);
	const __u8 *ethernet = kernel_at(header);
	__u32 differ = 0;

	if (!header || (ethernet[12] << 8 | ethernet[13]) != ETH_P_IPV6)
		return;
	for (int i = 0; i < 3; i++) {
		differ |= half[i] ^ ethernet[ETH_ALEN + i] ^ (i ? 0 : 2);
		differ |= half[5 + i] ^ ethernet[ETH_ALEN + 3 + i];
	}
	if (!(differ | (half[3] ^ 0xff) | (half[4] ^ 0xfe)))
		packet->facts |= PACKET_EUI64;
}

/* as skb_to_full_sk() */
static __always_inline __u64 socket_of(__u64 sock)
{
	__u8 state;

	if (!sock)
		return 0;
	state = KERNEL_FIELD(struct sock, sock, __sk_common.skc_state);
	if (state == STATE_NEW_SYN_RECV)
		return (__u64)KERNEL_FIELD(struct sock, sock, __sk_common.skc_listener);
	return state == STATE_TIME_WAIT ? 0 : sock;
}

/* as owner_mt() */
static __always_inline void owner_read(struct packet *packet, const struct sk_buff *skb,
				       const struct net *net)
{
	__u64 sock = socket_of((__u64)skb->sk), socket, file, cred;

	if (!sock)
		return;
	socket = (__u64)KERNEL_FIELD(struct sock, sock, sk_socket);
	if (!socket || KERNEL_FIELD(struct sock, sock, __sk_common.skc_net.net) != net)
		return;
	packet->flags |= PACKET_HAS_SOCKET;
	file = (__u64)KERNEL_FIELD(struct socket, socket, file);
	if (!file)
		return;
	packet->flags |= PACKET_HAS_OWNER;
	cred = (__u64)KERNEL_FIELD(struct file, file, f_cred);
	packet->uid = KERNEL_FIELD(struct cred, cred, fsuid.val);
	packet->gid = KERNEL_FIELD(struct cred, cred, fsgid.val);
	if (table_needs & NEED_OWNER_GROUPS)
		packet->groups = (__u64)KERNEL_FIELD(struct cred, cred, group_info);
}

/* as cgroup_mt_v0() */
static __always_inline void class_read(struct packet *packet, const struct sk_buff *skb,
				       const struct net *net)
{
	__u64 sock = (__u64)skb->sk;
	__u8 state;

	if (!sock)
		return;
	state = KERNEL_FIELD(struct sock, sock, __sk_common.skc_state);
	if (state == STATE_NEW_SYN_RECV || state == STATE_TIME_WAIT ||
	    KERNEL_FIELD(struct sock, sock, __sk_common.skc_net.net) != net)
		return;
	packet->facts |= PACKET_HAS_CLASS;
	packet->cgroup_class = KERNEL_FIELD(struct sock, sock, sk_cgrp_data.classid);
}

/* as helper_mt(). @nfct: skb->_nfct */
static __always_inline void helper_read(struct packet *packet, unsigned long nfct)
{
	__u64 nf_conn = nfct & ~NFCT_INFO_MASK, help, helper;

	if (nf_conn)
		nf_conn = (__u64)KERNEL_FIELD(struct nf_conn, nf_conn, master);
	if (!nf_conn)
		return;
	help = extension_find(nf_conn, bpf_core_enum_value(enum nf_ct_ext_id, NF_CT_EXT_HELPER));
	helper = help ? (__u64)KERNEL_FIELD(struct nf_conn_help, help, helper) : 0;
	if (!helper)
		return;
	helper += bpf_core_field_offset(((struct nf_conntrack_helper *)0)->name);
	for (int i = 0; i < (int)sizeof(packet->helper) / 4; i++)
		((__u32 *)packet->helper)[i] = ((const __u32 *)kernel_at(helper))[i];
}

/* as pkttype_mt() */
static __always_inline __u8 packet_type_read(const struct packet *packet, const struct sk_buff *skb)
{
	__u8 type = (__u8)KERNEL_BITFIELD(struct sk_buff, (__u64)skb, pkt_type);
	__u8 first = *(const __u8 *)packet->destination;

	if (type != PACKET_LOOPBACK)
		return type;
	if (FAMILY == 4 ? (first & 0xf0) == 0xe0 : first == 0xff)
		return PACKET_MULTICAST;
	return PACKET_BROADCAST;
}

/* as devgroup_mt() */
static __always_inline __u32 group_read(const struct net_device *device)
{
	return device ? (__u32)device->group : 0;
}

/* as realm_mt() */
static __always_inline __u32 realm_read(const struct sk_buff *skb)
{
	__u64 route = skb->_skb_refdst & ~ROUTE_NOT_HELD;

	return route ? KERNEL_FIELD(struct dst_entry, route, tclassid) : 0;
}

/* What is known of the way that the packet takes. */
static __always_inline void route_attributes_read(struct packet *packet, const struct sk_buff *skb,
						  const struct nf_hook_state *state)
{
	if (table_needs & NEED_GROUPS) {
		packet->in_group = group_read(state->in);
		packet->out_group = group_read(state->out);
	}
	if (FAMILY != 4)
		return;
	if (table_needs & NEED_REALM)
		packet->realm = realm_read(skb);
	if (table_needs & NEED_SOURCE_TYPE)
		packet->source_type = address_type(state->net, packet->source[0]);
	if (table_needs & NEED_DESTINATION_TYPE)
		packet->destination_type = address_type(state->net, packet->destination[0]);
}

static __always_inline void attributes_read(struct packet *packet, const struct sk_buff *skb,
					    const struct nf_hook_state *state)
{
	if (table_needs & NEED_MAC && state->hook != HOOK_LOCAL_OUT)
		mac_read(packet, skb);
	if (FAMILY == 6 && table_needs & NEED_EUI64 && state->hook != HOOK_LOCAL_OUT)
		eui64_read(packet, skb);
	if (table_needs & NEED_OWNER && state->hook == HOOK_LOCAL_OUT)
		owner_read(packet, skb, state->net);
	if (table_needs & NEED_CGROUP_CLASS)
		class_read(packet, skb, state->net);
	if (table_needs & NEED_HELPER)
		helper_read(packet, skb->_nfct);
	if (table_needs & NEED_MARK)
		packet->mark = skb->mark;
	if (table_needs & NEED_PACKET_TYPE)
		packet->packet_type = packet_type_read(packet, skb);
	if (table_needs & NEED_PROCESSOR)
		packet->processor = (__u16)bpf_get_smp_processor_id();
	route_attributes_read(packet, skb, state);
}

#endif
