/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where IPv6 is forwarded although the device's own switch is off. The kernel asks for that of
 * `all` (ip6_forward()), the FIB as programs may ask it for the device's; so another device has to
 * be asked in its place, the loopback device, where routing does not look at the input device.
 */
#include <linux/fib_rules.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "internal.h"

/* since 6.17: a device's own switch that is enough */
#define FORCE_FORWARDING 9

struct forwarding {
	struct device_list *list;
	bool all;
	bool loopback;
	bool by_input; /* a routing rule asks for the input device */
};

/* One answer's. */
struct switches {
	int32_t ifindex;
	bool forwarding;
	bool forced;
};

static int switch_attribute(const struct nlattr *attribute, void *data)
{
	struct switches *switches = data;

	switch (mnl_attr_get_type(attribute)) {
	case NETCONFA_IFINDEX:
		switches->ifindex = (int32_t)mnl_attr_get_u32(attribute);
		break;
	case NETCONFA_FORWARDING:
		switches->forwarding = mnl_attr_get_u32(attribute);
		break;
	case FORCE_FORWARDING:
		switches->forced = mnl_attr_get_u32(attribute);
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

static void note_device(struct device_list *list, const struct switches *switches)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->devices[i].ifindex == (uint32_t)switches->ifindex) {
			list->devices[i].is_forced = switches->forced;
			list->devices[i].is_off = !switches->forwarding;
		}
}

static int note_switches(const struct nlmsghdr *header, void *data)
{
	struct forwarding *forwarding = data;
	struct switches switches = {};

	if (header->nlmsg_type != RTM_NEWNETCONF)
		return MNL_CB_OK;
	mnl_attr_parse(header, sizeof(struct netconfmsg), switch_attribute, &switches);
	if (switches.ifindex == NETCONFA_IFINDEX_ALL)
		forwarding->all = switches.forwarding;
	if (switches.ifindex == LOOPBACK_IFINDEX)
		forwarding->loopback = switches.forwarding;
	note_device(forwarding->list, &switches);
	return MNL_CB_OK;
}

static int rule_attribute(const struct nlattr *attribute, void *data)
{
	if (mnl_attr_get_type(attribute) == FRA_IIFNAME)
		((struct forwarding *)data)->by_input = true;
	return MNL_CB_OK;
}

static int note_rule(const struct nlmsghdr *header, void *data)
{
	if (header->nlmsg_type == RTM_NEWRULE)
		mnl_attr_parse(header, sizeof(struct fib_rule_hdr), rule_attribute, data);
	return MNL_CB_OK;
}

/* A kernel without IPv6, or without routing rules, has none to tell. */
static void look(struct forwarding *forwarding)
{
	char buffer[NETLINK_DUMP_SIZE];
	struct nlmsghdr *request =
		netlink_dump(buffer, RTM_GETNETCONF, AF_INET6, sizeof(struct netconfmsg));

	if (netlink_ask(NETLINK_ROUTE, request, note_switches, forwarding))
		return;
	request = netlink_dump(buffer, RTM_GETRULE, AF_INET6, sizeof(struct fib_rule_hdr));
	netlink_ask(NETLINK_ROUTE, request, note_rule, forwarding);
}

void forwarding_settle(struct device_list *list)
{
	struct forwarding forwarding = { .list = list };
	bool replaced;

	look(&forwarding);
	replaced = forwarding.loopback && !forwarding.by_input;
	for (size_t i = 0; i < list->count; i++) {
		struct device_info *info = &list->devices[i];

		if (!info->is_off || !(forwarding.all || info->is_forced))
			continue;
		/* routes of a VRF are found by its own devices only */
		info->device.ipv6_fib = replaced && !(info->device.flags & DEVICE_VRF)
						? IPV6_FIB_LOOPBACK
						: IPV6_FIB_UNKNOWN;
	}
}
