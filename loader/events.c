/* SPDX-License-Identifier: GPL-2.0-only */
/* What changes in any namespace that we follow: devices, addresses, namespaces, nf_tables. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/net_namespace.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "internal.h"

/* --- numbers of namespaces ------------------------------------------------------------------- */

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
bool nsid_is_in_use(int nsid)
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

/* --- events ---------------------------------------------------------------------------------- */

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
	const int groups[] = { RTNLGRP_LINK,	    RTNLGRP_NSID,	RTNLGRP_IPV4_IFADDR,
			       RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_RULE,	RTNLGRP_IPV6_RULE,
			       RTNLGRP_IPV4_ROUTE,  RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV6_NETCONF };
	int error = netlink_listen(NETLINK_ROUTE, groups, ARRAY_SIZE(groups), &loader->events);

	if (!error)
		error = ignore_other_routes(loader->events);
	if (error)
		return message_set(message, error, "cannot listen to device events: %s",
				   strerror(-error));
	/* without nf_tables in the kernel nothing happens to it */
	netlink_listen(NETLINK_NETFILTER, &(const int){ NFNLGRP_NFTABLES }, 1, &loader->rulesets);
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
	case RTM_NEWNETCONF:
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
		if (!netns)
			break;
		netns->addresses_dirty = true;
		/* devices that do not forward are asked by rules, too */
		netns->dirty |=
			header->nlmsg_type == RTM_NEWRULE || header->nlmsg_type == RTM_DELRULE;
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
	for (size_t i = 0; i < loader->netns_count; i++) {
		loader->netns[i]->dirty = true;
		loader->netns[i]->ruleset_dirty = true;
	}
}

/* Each transaction ends with this. */
static int handle_ruleset(const struct nlmsghdr *header, void *data)
{
	const struct event *event = data;
	struct netns *netns = by_nsid(event->loader, event->nsid);

	if (netns && header->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWGEN))
		netns->ruleset_dirty = true;
	return MNL_CB_OK;
}

static int read_all(struct loader *loader, int listener, mnl_cb_t handle)
{
	struct event event = { .loader = loader };
	int error;

	do {
		error = netlink_hear(listener, &event.nsid, handle, &event);
		if (error == -ENOBUFS) /* events were lost: look everywhere */
			all_dirty(loader);
	} while (!error || error == -ENOBUFS);
	return error == -EAGAIN ? 0 : error;
}

int events_read(struct loader *loader)
{
	int error = read_all(loader, loader->events, handle_event);

	if (!error && loader->rulesets >= 0)
		error = read_all(loader, loader->rulesets, handle_ruleset);
	return error;
}
