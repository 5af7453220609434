/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Addresses of this host, for the map `local_addresses`: from the routing table "local", not from
 * the devices' addresses, as routes decide. Only those are listed that every packet is routed by:
 * the rule for that table comes first and has no condition, the address is not a link's own.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "internal.h"

struct collection {
	uint8_t family; /* AF_INET, AF_INET6 */
	bool plain;	/* the first rule sends all packets to the table "local" */
	uint32_t rules; /* seen so far */
	__be32 last[4]; /* address of the route before; of two with the same one the first counts */
	union address_bucket *buckets; /* of the family, ADDRESS_BUCKETS */
};

/* --- rules ----------------------------------------------------------------------------------- */

/* Whether an attribute is one that every rule has, and says nothing. */
static int rule_attribute(const struct nlattr *attribute, void *data)
{
	struct collection *collection = data;

	switch (mnl_attr_get_type(attribute)) {
	case FRA_PRIORITY:
	case FRA_PROTOCOL:
	case FRA_PAD:
		break;
	case FRA_TABLE:
		collection->plain &= mnl_attr_get_u32(attribute) == RT_TABLE_LOCAL;
		break;
	case FRA_SUPPRESS_PREFIXLEN:
		collection->plain &= mnl_attr_get_u32(attribute) == UINT32_MAX;
		break;
	default:
		collection->plain = false;
	}
	return MNL_CB_OK;
}

/* The kernel lists rules in the order in which it follows them. */
static int look_at_rule(const struct nlmsghdr *header, void *data)
{
	const struct fib_rule_hdr *rule = mnl_nlmsg_get_payload(header);
	struct collection *collection = data;

	if (header->nlmsg_type != RTM_NEWRULE || rule->family != collection->family ||
	    collection->rules++)
		return MNL_CB_OK;
	collection->plain = rule->table == RT_TABLE_LOCAL && rule->action == FR_ACT_TO_TBL &&
			    !(rule->flags & FIB_RULE_INVERT) && !rule->dst_len && !rule->src_len &&
			    !rule->tos;
	mnl_attr_parse(header, sizeof(*rule), rule_attribute, collection);
	return MNL_CB_OK;
}

/* --- routes ---------------------------------------------------------------------------------- */

static int route_attribute(const struct nlattr *attribute, void *data)
{
	__be32 *address = data;

	if (mnl_attr_get_type(attribute) == RTA_DST &&
	    mnl_attr_get_payload_len(attribute) <= sizeof(__be32[4]))
		memcpy(address, mnl_attr_get_payload(attribute),
		       mnl_attr_get_payload_len(attribute));
	return MNL_CB_OK;
}

/* One address in its bucket, if there is room. */
static void add_address(const struct collection *collection, const __be32 address[4])
{
	union address_bucket *bucket = &collection->buckets[address_hash(address)];

	if (collection->family == AF_INET) {
		for (unsigned i = 0; i < ADDRESSES_OF_IPV4; i++)
			if (!bucket->ipv4[i]) {
				bucket->ipv4[i] = address[0];
				return;
			}
		return;
	}
	for (unsigned i = 0; i < ADDRESSES_OF_IPV6; i++) {
		__be32 *place = bucket->ipv6[i];

		if (!(place[0] | place[1] | place[2] | place[3])) {
			memcpy(place, address, sizeof(bucket->ipv6[i]));
			return;
		}
	}
}

/* fe80::/10 is this host's on one link and a neighbour's on another. */
static bool is_of_a_link(const struct collection *collection, const __be32 address[4])
{
	return collection->family == AF_INET6 &&
	       (address[0] & htobe32(0xffc00000)) == htobe32(0xfe800000);
}

static int look_at_route(const struct nlmsghdr *header, void *data)
{
	const struct rtmsg *route = mnl_nlmsg_get_payload(header);
	struct collection *collection = data;
	__be32 address[4] = {};
	bool repeated;

	if (header->nlmsg_type != RTM_NEWROUTE || route->rtm_table != RT_TABLE_LOCAL ||
	    route->rtm_dst_len != (collection->family == AF_INET ? 32 : 128))
		return MNL_CB_OK;
	mnl_attr_parse(header, sizeof(*route), route_attribute, address);
	repeated = !memcmp(address, collection->last, sizeof(address));
	memcpy(collection->last, address, sizeof(address));
	if (!repeated && route->rtm_type == RTN_LOCAL && !route->rtm_tos && !route->rtm_src_len &&
	    !(route->rtm_flags & RTNH_F_DEAD) && !is_of_a_link(collection, address))
		add_address(collection, address);
	return MNL_CB_OK;
}

/* --- both ------------------------------------------------------------------------------------ */

/* What the kernel does not tell, or tells while it changes, is not listed: that is always right. */
static void collect(struct collection *collection)
{
	char buffer[NETLINK_DUMP_SIZE];
	struct nlmsghdr *request =
		netlink_dump(buffer, RTM_GETRULE, collection->family, sizeof(struct fib_rule_hdr));
	struct rtmsg *route;

	if (netlink_ask(NETLINK_ROUTE, request, look_at_rule, collection) || !collection->plain)
		return;
	request = netlink_dump(buffer, RTM_GETROUTE, collection->family, sizeof(*route));
	route = mnl_nlmsg_get_payload(request);
	route->rtm_table = RT_TABLE_LOCAL;
	if (netlink_ask(NETLINK_ROUTE, request, look_at_route, collection))
		memset(collection->buckets, 0, ADDRESS_BUCKETS * sizeof(*collection->buckets));
}

static int buckets_write(const struct netns *netns, const union address_bucket *buckets)
{
	uint32_t last, count = 2 * ADDRESS_BUCKETS;
	_cleanup_free_ union address_bucket *old = calloc(count, sizeof(*old));
	_cleanup_free_ uint32_t *keys = calloc(count, sizeof(*keys));
	int map = netns->maps[MAP_LOCAL_ADDRESSES];

	if (!old || !keys)
		return -ENOMEM;
	if (bpf_map_lookup_batch(map, NULL, &last, keys, old, &count, NULL) && errno != ENOENT)
		return -errno;
	for (uint32_t i = 0; i < count; i++)
		if (memcmp(&old[i], &buckets[i], sizeof(old[i])) &&
		    bpf_map_update_elem(map, &i, &buckets[i], BPF_ANY))
			return -errno;
	return 0;
}

int addresses_sync(struct netns *netns, struct message *message)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	_cleanup_free_ union address_bucket *buckets =
		calloc(2 * ADDRESS_BUCKETS, sizeof(*buckets));
	int error;

	if (!buckets)
		return -ENOMEM;
	netns->addresses_dirty = false;
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		collect(&(struct collection){ .family = families[i],
					      .buckets = buckets + i * ADDRESS_BUCKETS });
	error = buckets_write(netns, buckets);
	if (error)
		message_set(message, error, "cannot note the addresses of this host: %s",
			    strerror(-error));
	return error;
}
