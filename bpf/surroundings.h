/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who else is on a packet's way from a device to our netfilter hook. An early stage may drop only
 * what reaches that hook as it is: nobody before it may drop, change or count the packet.
 *
 * Everything is read from the kernel's own structures when a packet asks, so there is no moment at
 * which a change is not known yet. All of it is a few loads; ask only for what would be dropped.
 */
#ifndef UBPFILTER_SURROUNDINGS_H
#define UBPFILTER_SURROUNDINGS_H

#include <linux/ip.h>
#include <stdbool.h>

#include "kernel_cast.h"
#include "kernel_net.h"
#include "reverse_path.h"

enum way {
	WAY_SHARED,  /* somebody may drop, change or count the packet, or cannot be told not to */
	WAY_TRACKED, /* nobody, but conntrack will know if the packet came by, as rules elsewhere
			may ask: only a packet of no connection can be dropped without a trace */
	WAY_CLEAR,
};

/* Where on a device the asking program is. */
enum place {
	PLACE_XDP,
	PLACE_TC,
};

extern void *bpf_cast_to_kern_ctx(void *context) __ksym;

/* xdp_device(), skb_device() - address of the struct net_device that the packet came in by. */
static __always_inline __u64 xdp_device(struct xdp_md *context)
{
	__u64 queue =
		(__u64)KERNEL_FIELD(struct xdp_buff, (__u64)bpf_cast_to_kern_ctx(context), rxq);

	return (__u64)KERNEL_FIELD(struct xdp_rxq_info, queue, dev);
}

static __always_inline __u64 skb_device(struct __sk_buff *skb)
{
	return (__u64)KERNEL_FIELD(struct sk_buff, (__u64)bpf_cast_to_kern_ctx(skb), dev);
}

/* --- the device ------------------------------------------------------------------------------ */

/* Our program is the only one at TC, and no qdisc has filters behind it. */
static __always_inline bool is_alone_at_tc(__u64 entry)
{
	__u64 parent, others;

	if (KERNEL_FIELD(struct bpf_mprog_entry, entry, fp_items[1].prog))
		return false;
	parent = (__u64)KERNEL_FIELD(struct bpf_mprog_entry, entry, parent);
	others = parent - bpf_core_field_offset(((struct tcx_entry *)0)->bundle);
	return !KERNEL_FIELD(struct tcx_entry, others, miniq);
}

static __always_inline bool tc_is_clear(__u64 device, enum place place)
{
	__u64 entry;

	/* before 6.6 filters cannot be told from ours */
	if (!bpf_core_field_exists(((struct net_device *)0)->tcx_ingress))
		return place == PLACE_XDP &&
		       !KERNEL_FIELD(struct net_device, device, miniq_ingress);
	entry = (__u64)KERNEL_FIELD(struct net_device, device, tcx_ingress);
	return place == PLACE_XDP ? !entry : is_alone_at_tc(entry);
}

static __always_inline bool device_is_clear(__u64 device, enum place place)
{
	if (KERNEL_FIELD(struct net_device, device, rx_handler))
		return false;
	if (bpf_core_field_exists(((struct net_device *)0)->nf_hooks_ingress) &&
	    KERNEL_FIELD(struct net_device, device, nf_hooks_ingress))
		return false;
	return tc_is_clear(device, place);
}

/* --- the IP layer ---------------------------------------------------------------------------- */

#if FAMILY == 4
static __always_inline int rp_filter_at(__u64 devconf)
{
	return *(const int *)kernel_at(devconf +
				       bpf_core_field_offset(((struct ipv4_devconf *)0)->data) +
				       (IPV4_DEVCONF_RP_FILTER - 1) * sizeof(int));
}

/* How sources are looked up, as fib_validate_source() decides: the greater one of two settings. */
static __always_inline enum reverse_path reverse_path_wanted(__u64 net, __u64 ip)
{
	int all = rp_filter_at((__u64)KERNEL_FIELD(struct net, net, ipv4.devconf_all));
	int own = rp_filter_at(ip + bpf_core_field_offset(((struct in_device *)0)->cnf));
	int filter = all > own ? all : own;

	if (filter)
		return filter == 1 ? REVERSE_PATH_SAME : REVERSE_PATH_SOME;
	if (bpf_core_field_exists(((struct netns_ipv4 *)0)->fib_num_tclassid_users) &&
	    KERNEL_FIELD(struct net, net, ipv4.fib_num_tclassid_users.counter))
		return REVERSE_PATH_SOME;
	return KERNEL_FIELD(struct net, net, ipv4.fib_has_custom_local_routes) ? REVERSE_PATH_SOME
									       : REVERSE_PATH_ANY;
}

/* The source is accepted; whether it is this host's own, or a martian, is the caller's to know. */
static __always_inline bool ip_accepts(__u64 net, __u64 device, const __be32 source[4])
{
	__u64 ip = (__u64)KERNEL_FIELD(struct net_device, device, ip_ptr);
	enum reverse_path wanted;

	if (!ip || (bpf_core_field_exists(((struct netns_ipv4 *)0)->fib_has_custom_rules) &&
		    KERNEL_FIELD(struct net, net, ipv4.fib_has_custom_rules)))
		return false;
	wanted = reverse_path_wanted(net, ip);
	return wanted == REVERSE_PATH_ANY || reverse_path_has(wanted, net, device, source[0]);
}
#else
static __always_inline bool ip_accepts(__u64 net, __u64 device, const __be32 source[4])
{
	__u64 ip = (__u64)KERNEL_FIELD(struct net_device, device, ip6_ptr);

	(void)net, (void)source;
	return ip && !KERNEL_FIELD(struct inet6_dev, ip, cnf.disable_ipv6);
}
#endif

/* IPsec refuses what is forwarded without it before the hook; what is for us, behind it. */
static __always_inline bool xfrm_is_clear(__u64 net, __u32 hook)
{
	if (hook != NF_INET_FORWARD || !bpf_core_field_exists(((struct net *)0)->xfrm))
		return true;
	return !KERNEL_FIELD(struct net, net, xfrm.policy_count[XFRM_POLICY_FWD]) &&
	       !KERNEL_FIELD(struct net, net,
			     xfrm.policy_count[XFRM_POLICY_MAX + XFRM_POLICY_FWD]) &&
	       KERNEL_FIELD(struct net, net, xfrm.policy_default[XFRM_POLICY_FWD]) !=
		       XFRM_USERPOLICY_BLOCK;
}

/* --- netfilter hooks ------------------------------------------------------------------------- */

/*
 * Who is at PREROUTING without doing anything to a packet that nf_tables and BPF do not, known by
 * priority, the same in both families: br_netfilter, which lets pass what did not come through a
 * bridge, and has had the rest through here before; reassembly; conntrack; NAT, as long as nobody
 * has a chain there: it is asked to be at all hooks by who only masquerades.
 */
#define PRIORITY_BRIDGE	    (-2147483647 - 1)
#define PRIORITY_REASSEMBLY (-400)
#define PRIORITY_CONNTRACK  (-200)
#define PRIORITY_NAT	    (-100)
#define HARMLESS_HOOKS	    4

struct hook {
	__u64 priv;
	__u32 type; /* enum nf_hook_ops_type */
	int priority;
};

static __always_inline struct hook hook_at(__u64 entries, __u32 count, __u32 index)
{
	__u64 begin = entries + bpf_core_field_offset(((struct nf_hook_entries *)0)->hooks);
	__u64 entry = begin + index * bpf_core_type_size(struct nf_hook_entry);
	__u64 operations =
		begin + count * bpf_core_type_size(struct nf_hook_entry) + index * sizeof(__u64);
	struct hook hook;

	operations = *(const __u64 *)kernel_at(operations);
	hook.priv = (__u64)KERNEL_FIELD(struct nf_hook_entry, entry, priv);
	hook.priority = KERNEL_FIELD(struct nf_hook_ops, operations, priority);
	hook.type = KERNEL_BITFIELD(struct nf_hook_ops, operations, hook_ops_type);
	return hook;
}

static __always_inline __u64 hooks_of(__u64 net, __u32 hook)
{
#if FAMILY == 4
	__u32 begin = bpf_core_field_offset(((struct net *)0)->nf.hooks_ipv4);
#else
	__u32 begin = bpf_core_field_offset(((struct net *)0)->nf.hooks_ipv6);
#endif

	return *(const __u64 *)kernel_at(net + begin + hook * sizeof(__u64));
}

/* The chains are what struct nf_nat_lookup_hook_priv begins with, since 4.18. It is a module's,
 * which may not be there yet when programs are loaded: its offsets cannot be asked for. */
static __always_inline bool nat_has_chains(__u64 lookup)
{
	return *(const __u64 *)kernel_at(lookup) != 0;
}

static __always_inline enum way way_through(const struct hook *hook)
{
	if (hook->type != NF_HOOK_OP_UNDEFINED)
		return WAY_SHARED;
	switch (hook->priority) {
	case PRIORITY_BRIDGE:
	case PRIORITY_REASSEMBLY:
		return WAY_CLEAR;
	case PRIORITY_CONNTRACK:
		return WAY_TRACKED;
	case PRIORITY_NAT:
		return nat_has_chains(hook->priv) ? WAY_SHARED : WAY_CLEAR;
	default:
		return WAY_SHARED;
	}
}

static __always_inline enum way way_through_prerouting(__u64 net)
{
	__u64 entries = hooks_of(net, NF_INET_PRE_ROUTING);
	enum way way = WAY_CLEAR;
	__u32 count;

	if (!entries)
		return WAY_CLEAR;
	count = KERNEL_FIELD(struct nf_hook_entries, entries, num_hook_entries);
	if (count > HARMLESS_HOOKS)
		return WAY_SHARED;
	for (__u32 i = 0; i < HARMLESS_HOOKS && i < count; i++) {
		struct hook hook = hook_at(entries, count, i);
		enum way through = way_through(&hook);

		if (through == WAY_SHARED)
			return WAY_SHARED;
		if (through == WAY_TRACKED)
			way = WAY_TRACKED;
	}
	return way;
}

/* The names of our dispatcher's programs begin with these eight bytes. */
#define OUR_NAME "dispatch"

/* The first at the hook is our dispatcher. */
static __always_inline bool hook_is_ours(__u64 net, __u32 hook)
{
	__u64 entries = hooks_of(net, hook), aux;
	struct hook first;

	if (!entries)
		return false;
	first = hook_at(entries, KERNEL_FIELD(struct nf_hook_entries, entries, num_hook_entries),
			0);
	if (first.type != bpf_core_enum_value(enum nf_hook_ops_type, NF_HOOK_OP_BPF))
		return false;
	aux = (__u64)KERNEL_FIELD(struct bpf_prog, first.priv, aux);
	return *(const __u64 *)kernel_at(aux +
					 bpf_core_field_offset(((struct bpf_prog_aux *)0)->name)) ==
	       *(const __u64 *)OUR_NAME;
}

/*
 * way_to() - who is between @place on @device and our program at @hook (NF_INET_LOCAL_IN or
 * NF_INET_FORWARD) of FAMILY, for a packet from @source, as struct packet::source. For unicast
 * frames to the device, not for what the IP layer looks at more closely: options, fragments,
 * martian sources, what a redirect is sent for.
 */
static __always_inline enum way way_to(__u32 hook, enum place place, __u64 device,
				       const __be32 source[4])
{
	__u64 net = (__u64)KERNEL_FIELD(struct net_device, device, nd_net.net);

	if (!device_is_clear(device, place) || !xfrm_is_clear(net, hook) ||
	    !hook_is_ours(net, hook) || !ip_accepts(net, device, source))
		return WAY_SHARED;
	return way_through_prerouting(net);
}

#endif
