/* SPDX-License-Identifier: GPL-2.0-only */
/* Devices by rtnetlink: what there is, and the programs on them. */
#include <bpf/bpf.h>
#include <errno.h>
#include <inttypes.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/if_vlan.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <string.h>

#include "internal.h"

/* --- one device ------------------------------------------------------------------------------ */

static int vlan_attribute(const struct nlattr *attribute, void *data)
{
	const struct ifla_vlan_flags *flags = mnl_attr_get_payload(attribute);
	struct device *device = data;

	if (mnl_attr_get_type(attribute) == IFLA_VLAN_ID)
		device->vlan_id = mnl_attr_get_u16(attribute);
	if (mnl_attr_get_type(attribute) == IFLA_VLAN_FLAGS && flags->flags & VLAN_FLAG_REORDER_HDR)
		device->flags &= (uint8_t)~DEVICE_KEEPS_TAGS;
	return MNL_CB_OK;
}

/* The kind comes before its data; flags that are all 0 do not come at all. */
static int linkinfo_attribute(const struct nlattr *attribute, void *data)
{
	struct device_info *info = data;

	if (mnl_attr_get_type(attribute) == IFLA_INFO_KIND) {
		info->has_kind = true;
		info->is_vlan = !strcmp(mnl_attr_get_str(attribute), "vlan");
	}
	if (mnl_attr_get_type(attribute) == IFLA_INFO_DATA && info->is_vlan) {
		info->device.flags |= DEVICE_KEEPS_TAGS;
		mnl_attr_parse_nested(attribute, vlan_attribute, &info->device);
	}
	ports_attribute(attribute, info);
	return MNL_CB_OK;
}

static int link_attribute(const struct nlattr *attribute, void *data)
{
	struct device_info *info = data;
	const char *name;

	switch (mnl_attr_get_type(attribute)) {
	case IFLA_IFNAME:
		name = mnl_attr_get_str(attribute);
		memcpy(info->device.name, name, strnlen(name, IFACE_NAME_SIZE - 1));
		break;
	case IFLA_ADDRESS:
		if (mnl_attr_get_payload_len(attribute) == sizeof(info->device.address))
			memcpy(info->device.address, mnl_attr_get_payload(attribute),
			       sizeof(info->device.address));
		break;
	case IFLA_MASTER:
		info->master = mnl_attr_get_u32(attribute);
		break;
	case IFLA_LINK:
		info->below = mnl_attr_get_u32(attribute);
		break;
	case IFLA_LINK_NETNSID:
		info->is_below_elsewhere = true;
		break;
	case IFLA_LINKINFO:
		mnl_attr_parse_nested(attribute, linkinfo_attribute, info);
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

static int add_device(const struct nlmsghdr *header, void *data)
{
	const struct ifinfomsg *message = mnl_nlmsg_get_payload(header);
	struct device_list *list = data;
	struct device_info *more, *info;

	if (header->nlmsg_type != RTM_NEWLINK)
		return MNL_CB_OK;
	more = reallocarray(list->devices, list->count + 1, sizeof(*more));
	if (!more)
		return MNL_CB_ERROR;
	list->devices = more;
	info = &more[list->count++];
	*info = (struct device_info){ .ifindex = (uint32_t)message->ifi_index };
	info->is_ethernet =
		message->ifi_type == ARPHRD_ETHER || message->ifi_type == ARPHRD_LOOPBACK;
	if (info->is_ethernet)
		info->device.flags |= DEVICE_ETHERNET;
	if (message->ifi_type == ARPHRD_LOOPBACK)
		info->device.flags |= DEVICE_LOOPBACK;
	mnl_attr_parse(header, sizeof(*message), link_attribute, info);
	return MNL_CB_OK;
}

static bool keeps_tags(const struct device_list *list, uint32_t ifindex)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->devices[i].ifindex == ifindex)
			return list->devices[i].device.flags & DEVICE_KEEPS_TAGS;
	return false;
}

/* A VLAN device on one that keeps its tag has that tag in its frames, too; so may one on a device
 * that cannot be seen from here. */
static void inherit_tags(struct device_list *list)
{
	for (bool changed = true; changed;) {
		changed = false;
		for (size_t i = 0; i < list->count; i++) {
			struct device_info *info = &list->devices[i];

			if (!info->is_vlan || info->device.flags & DEVICE_KEEPS_TAGS)
				continue;
			if (!info->is_below_elsewhere && !keeps_tags(list, info->below))
				continue;
			info->device.flags |= DEVICE_KEEPS_TAGS;
			changed = true;
		}
	}
}

int devices_list(struct device_list *list, struct message *message)
{
	char buffer[NETLINK_DUMP_SIZE];
	struct nlmsghdr *request =
		netlink_dump(buffer, RTM_GETLINK, AF_UNSPEC, sizeof(struct ifinfomsg));
	struct device_list found = {};
	int error = netlink_ask(NETLINK_ROUTE, request, add_device, &found);

	if (error) {
		device_list_free(&found);
		return message_set(message, error, "cannot list network devices: %s",
				   strerror(-error));
	}
	inherit_tags(&found);
	ports_settle(&found);
	forwarding_settle(&found);
	*list = found;
	return 0;
}

void device_list_free(struct device_list *list)
{
	free(list->devices);
	*list = (struct device_list){};
}

/* --- what follows from them ------------------------------------------------------------------- */

static bool list_has(const void *data, uint32_t ifindex)
{
	const struct device_list *list = data;

	for (size_t i = 0; i < list->count; i++)
		if (list->devices[i].ifindex == ifindex)
			return true;
	return false;
}

/* Add what one generation of a table has programs for. */
static void wanted_add(struct wanted *wanted, const struct netns *netns, enum table_family family,
		       uint64_t number)
{
	bool has[ENTRY_COUNT], at_ingress, kernels;

	if (!number)
		return;
	for (unsigned entry = 0; entry < ENTRY_COUNT; entry++)
		has[entry] = generation_has(netns, family, number, (enum entry_point)entry);
	at_ingress = has[ENTRY_XDP] || has[ENTRY_INGRESS];
	wanted->ingress |= at_ingress;
	kernels = generation_is_kernels(netns, family, number);
	wanted->early &= has[ENTRY_NETFILTER] || kernels || !at_ingress;
	wanted->xdp &= has[ENTRY_XDP] || !at_ingress;
	wanted->egress |= has[ENTRY_EGRESS];
	/* without a program to judge there: who comes first at the hook is known then, to be us */
	wanted->netfilter |= has[ENTRY_NETFILTER] || (kernels && at_ingress);
}

static struct wanted what_is_wanted(const struct netns *netns)
{
	struct wanted wanted = { .xdp = true, .early = true };

	for (unsigned i = 0; i < TABLE_FAMILIES; i++) {
		enum table_family family = (enum table_family)i;

		wanted_add(&wanted, netns, family, netns_generation(netns, family));
		wanted_add(&wanted, netns, family, netns->pending[family]);
	}
	return wanted;
}

static int attach_all(struct netns *netns, const struct device_list *list, struct message *message)
{
	struct wanted wanted = what_is_wanted(netns);
	int error = wanted.netfilter ? netfilter_attach(netns, message) : 0;

	for (size_t i = 0; i < list->count && !error; i++) {
		error = device_attach(netns, &list->devices[i], &wanted, message);
		if (error == -ENODEV) /* gone again meanwhile: its end is an event, too */
			error = 0;
	}
	if (!error && !wanted.netfilter)
		netfilter_detach(netns);
	return error;
}

/* The maps before the programs: a program never meets a device that it does not know. */
int devices_sync(struct netns *netns, int netns_fd, bool attach, struct message *message)
{
	struct device_list list = {};
	int error = netns_enter(netns->loader, netns_fd, message);

	if (error)
		return error;
	error = devices_list(&list, message);
	if (!error) {
		netns->dirty = false;
		error = device_map_set(netns, &list, message);
	}
	if (!error)
		error = addresses_sync(netns, message);
	if (!error && attach)
		error = attach_all(netns, &list, message);
	netns_leave(netns->loader);
	if (!error)
		links_collect(netns, list_has, &list);
	device_list_free(&list);
	return error;
}
