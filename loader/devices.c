/* SPDX-License-Identifier: GPL-2.0-only */
/* Devices by rtnetlink: what there is, what changes, and the programs on them. */
#include <bpf/bpf.h>
#include <errno.h>
#include <inttypes.h>
#include <libmnl/libmnl.h>
#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_link.h>
#include <linux/if_vlan.h>
#include <linux/net_namespace.h>
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
		if (mnl_attr_get_u32(attribute))
			info->device.flags |= DEVICE_HAS_MASTER;
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
	char buffer[256];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct ifinfomsg *link;
	struct device_list found = {};
	int error;

	request->nlmsg_type = RTM_GETLINK;
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	link = mnl_nlmsg_put_extra_header(request, sizeof(*link));
	link->ifi_family = AF_UNSPEC;
	error = netlink_ask(NETLINK_ROUTE, request, add_device, &found);
	if (error) {
		device_list_free(&found);
		return message_set(message, error, "cannot list network devices: %s",
				   strerror(-error));
	}
	inherit_tags(&found);
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
	bool xdp = number && generation_has(netns, family, number, ENTRY_XDP);
	bool ingress = number && generation_has(netns, family, number, ENTRY_INGRESS);

	wanted->ingress |= xdp || ingress;
	wanted->xdp &= xdp || !ingress;
	wanted->egress |= number && generation_has(netns, family, number, ENTRY_EGRESS);
	wanted->netfilter |= number && generation_has(netns, family, number, ENTRY_NETFILTER);
}

static struct wanted what_is_wanted(const struct netns *netns)
{
	struct wanted wanted = { .xdp = true };

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

/* --- events of all namespaces ---------------------------------------------------------------- */

static int nsid_attribute(const struct nlattr *attribute, void *data)
{
	if (mnl_attr_get_type(attribute) == NETNSA_NSID)
		*(int *)data = (int)mnl_attr_get_u32(attribute);
	return MNL_CB_OK;
}

static int nsid_answer(const struct nlmsghdr *header, void *data)
{
	if (header->nlmsg_type == RTM_NEWNSID)
		mnl_attr_parse(header, sizeof(struct rtgenmsg), nsid_attribute, data);
	return MNL_CB_STOP;
}

/* @attribute: NETNSA_FD or NETNSA_NSID, with @value: which namespace. */
static int nsid_request(uint16_t type, uint16_t flags, uint16_t attribute, int value, int *nsid)
{
	char buffer[256];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct rtgenmsg *generic;

	request->nlmsg_type = type;
	request->nlmsg_flags = NLM_F_REQUEST | flags;
	generic = mnl_nlmsg_put_extra_header(request, sizeof(*generic));
	generic->rtgen_family = AF_UNSPEC;
	mnl_attr_put_u32(request, attribute, (uint32_t)value);
	if (type == RTM_NEWNSID)
		mnl_attr_put_u32(request, NETNSA_NSID, (uint32_t)-1);
	return netlink_ask(NETLINK_ROUTE, request, nsid_answer, nsid);
}

/* A number that is free again may be another namespace's by the time we hear of it. */
static bool nsid_is_in_use(int nsid)
{
	int id = -1;

	return !nsid_request(RTM_GETNSID, 0, NETNSA_NSID, nsid, &id);
}

int nsid_assign(const struct loader *loader, int netns_fd, int *nsid, struct message *message)
{
	int id = -1;
	int error = nsid_request(RTM_NEWNSID, NLM_F_ACK, NETNSA_FD, netns_fd, &id);

	(void)loader;
	if (!error || error == -EEXIST)
		error = nsid_request(RTM_GETNSID, 0, NETNSA_FD, netns_fd, &id);
	if (error)
		return message_set(message, error, "cannot follow the namespace's devices: %s",
				   strerror(-error));
	*nsid = id;
	return 0;
}

/* Of routes, only what happens in the table "local": a router's others change all the time. */
static int ignore_other_routes(int fd)
{
	/* the filter reads numbers in network order, a message's are in the host's */
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_type)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_NEWROUTE), 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_DELROUTE), 1, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS,
			 NLMSG_HDRLEN + offsetof(struct rtmsg, rtm_table)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, RT_TABLE_LOCAL, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = { .len = ARRAY_SIZE(code), .filter = code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) ? -errno : 0;
}

int events_open(struct loader *loader, struct message *message)
{
	const int groups[] = { RTNLGRP_LINK,	    RTNLGRP_NSID,      RTNLGRP_IPV4_IFADDR,
			       RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE,
			       RTNLGRP_IPV4_ROUTE,  RTNLGRP_IPV6_ROUTE };
	int error = netlink_listen(NETLINK_ROUTE, groups, ARRAY_SIZE(groups), &loader->events);

	if (!error)
		error = ignore_other_routes(loader->events);
	if (error)
		return message_set(message, error, "cannot listen to device events: %s",
				   strerror(-error));
	return 0;
}

static struct netns *by_nsid(const struct loader *loader, int nsid)
{
	for (size_t i = 0; i < loader->netns_count; i++) {
		struct netns *netns = loader->netns[i];
		bool own = netns->cookie == loader->own_cookie;

		if (netns->loaded && (own ? nsid < 0 : netns->nsid == nsid))
			return netns;
	}
	return NULL;
}

struct event {
	struct loader *loader;
	int nsid; /* where it happened; -1: in the loader's own namespace */
};

static int handle_event(const struct nlmsghdr *header, void *data)
{
	const struct event *event = data;
	struct netns *netns = NULL;
	int ended = -1;

	switch (header->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		netns = by_nsid(event->loader, event->nsid);
		if (netns)
			netns->dirty = true;
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
	case RTM_NEWRULE:
	case RTM_DELRULE:
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		netns = by_nsid(event->loader, event->nsid);
		if (netns)
			netns->addresses_dirty = true;
		break;
	case RTM_DELNSID:
		/* each namespace numbers the others for itself: only our own numbers mean ours */
		if (event->nsid >= 0)
			break;
		mnl_attr_parse(header, sizeof(struct rtgenmsg), nsid_attribute, &ended);
		netns = ended >= 0 ? by_nsid(event->loader, ended) : NULL;
		if (netns && !nsid_is_in_use(ended))
			netns_forget(netns);
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

static void all_dirty(struct loader *loader)
{
	for (size_t i = 0; i < loader->netns_count; i++)
		loader->netns[i]->dirty = true;
}

int events_read(struct loader *loader)
{
	struct event event = { .loader = loader };
	int error;

	do {
		error = netlink_hear(loader->events, &event.nsid, handle_event, &event);
		if (error == -ENOBUFS) /* events were lost: look everywhere */
			all_dirty(loader);
	} while (!error || error == -ENOBUFS);
	return error == -EAGAIN ? 0 : error;
}
