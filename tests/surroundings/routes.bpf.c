// SPDX-License-Identifier: GPL-2.0-only
// fib_route() beside the kernel's own lookup, for random addresses of 10.0.0.0/12 and the default.
#define FAMILY 4
#include "../../bpf/surroundings.h"

#define ADDRESSES	    8192
#define LOOPBACK	    1 // ifindex
#define ADDRESS_FAMILY_INET 2

struct comparison {
	struct __sk_buff *skb;
	__u64 table;
	int differences;
	int found;
};

// By which device the kernel sends to the address; 0: by none.
static __u32 device_by_kernel(struct __sk_buff *skb, __u32 address)
{
	struct bpf_fib_lookup fib = { .family = ADDRESS_FAMILY_INET,
				      .ipv4_dst = bpf_htonl(address),
				      .ifindex = LOOPBACK };
	long result = bpf_fib_lookup(skb, &fib, sizeof(fib), 0);

	return result == BPF_FIB_LKUP_RET_SUCCESS || result == BPF_FIB_LKUP_RET_NO_NEIGH
		       ? fib.ifindex
		       : 0;
}

static __u32 device_by_route(__u64 table, __u32 address)
{
	__u64 route = fib_route(table, address), information, hop, device;

	if (!route)
		return 0;
	information = (__u64)KERNEL_FIELD(struct fib_alias, route, fa_info);
	if (!route_is_usual(route, information))
		return 0;
	hop = information + bpf_core_field_offset(((struct fib_info *)0)->fib_nh);
	device = (__u64)KERNEL_FIELD(struct fib_nh, hop, nh_common.nhc_dev);
	return KERNEL_FIELD(struct net_device, device, ifindex);
}

static long compare(__u32 index, struct comparison *comparison)
{
	__u32 random = bpf_get_prandom_u32();
	__u32 address = index % 16 ? 10u << 24 | (random & 0xfffff) : random >> 8 | 20u << 24;
	__u32 expected = device_by_kernel(comparison->skb, address);

	comparison->found += expected != 0;
	comparison->differences += device_by_route(comparison->table, address) != expected;
	return 0;
}

// Return: so many differences, or -1 when the addresses had no routes at all.
SEC("tc")
int differences(struct __sk_buff *skb)
{
	__u64 net = (__u64)KERNEL_FIELD(struct net_device, skb_device(skb), nd_net.net);
	struct comparison comparison = { .skb = skb };

	comparison.table = (__u64)KERNEL_FIELD(struct net, net, ipv4.fib_main);
	bpf_loop(ADDRESSES, compare, &comparison, 0);
	return comparison.found ? comparison.differences : -1;
}

char _license[] SEC("license") = "GPL";
