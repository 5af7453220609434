/* SPDX-License-Identifier: GPL-2.0-only */
/* Masters and their ports: which frames are judged at the port, which at the master. */
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <string.h>

#include "internal.h"

/* of linux/if_bonding.h, which does not go together with <netinet/in.h> */
#define BOND_STATE_BACKUP 1

/* As bridges number the addresses 01-80-C2-00-00-0n: bit n. */
#define GROUPS_ALL	    0xffff
#define GROUP_BRIDGES	    (1 << 0x0) /* spanning tree's; passed on where that is off */
#define GROUP_PAUSE	    (1 << 0x1) /* nobody gets these */
#define GROUPS_OF_PROVIDERS 0xb801     /* passed on by bridges of 802.1ad */

/* --- what rtnetlink says --------------------------------------------------------------------- */

static int bridge_attribute(const struct nlattr *attribute, void *data)
{
	struct device_info *info = data;

	switch (mnl_attr_get_type(attribute)) {
	case IFLA_BR_STP_STATE:
		if (!mnl_attr_get_u32(attribute))
			info->forwarded_groups |= GROUP_BRIDGES;
		break;
	case IFLA_BR_GROUP_FWD_MASK: /* not for spanning tree's and pauses: those bits are 0 */
		info->forwarded_groups |= mnl_attr_get_u16(attribute);
		break;
	case IFLA_BR_VLAN_PROTOCOL:
		if (mnl_attr_get_u16(attribute) == htobe16(ETH_P_8021AD))
			info->forwarded_groups |= GROUPS_OF_PROVIDERS;
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

static int bridge_port_attribute(const struct nlattr *attribute, void *data)
{
	if (mnl_attr_get_type(attribute) == IFLA_BRPORT_GROUP_FWD_MASK)
		((struct device_info *)data)->forwarded_groups |= mnl_attr_get_u16(attribute);
	return MNL_CB_OK;
}

static int bond_port_attribute(const struct nlattr *attribute, void *data)
{
	if (mnl_attr_get_type(attribute) == IFLA_BOND_SLAVE_STATE)
		((struct device_info *)data)->is_resting =
			mnl_attr_get_u8(attribute) == BOND_STATE_BACKUP;
	return MNL_CB_OK;
}

static void kind_note(struct device_info *info, const char *kind)
{
	static const char *const uppers[] = { "bridge", "bond", "team", "vrf" };

	for (size_t i = 0; i < ARRAY_SIZE(uppers); i++)
		info->is_upper |= !strcmp(kind, uppers[i]);
	info->is_bridge = !strcmp(kind, "bridge");
	if (!strcmp(kind, "vrf"))
		info->device.flags |= DEVICE_VRF;
}

/* A kind comes before its data. */
void ports_attribute(const struct nlattr *attribute, struct device_info *info)
{
	const char *kind;

	switch (mnl_attr_get_type(attribute)) {
	case IFLA_INFO_KIND:
		kind_note(info, mnl_attr_get_str(attribute));
		break;
	case IFLA_INFO_DATA:
		if (info->is_bridge)
			mnl_attr_parse_nested(attribute, bridge_attribute, info);
		break;
	case IFLA_INFO_SLAVE_KIND:
		kind = mnl_attr_get_str(attribute);
		memcpy(info->master_kind, kind, strnlen(kind, sizeof(info->master_kind) - 1));
		break;
	case IFLA_INFO_SLAVE_DATA:
		if (!strcmp(info->master_kind, "bridge"))
			mnl_attr_parse_nested(attribute, bridge_port_attribute, info);
		else if (!strcmp(info->master_kind, "bond"))
			mnl_attr_parse_nested(attribute, bond_port_attribute, info);
		break;
	default:
		break;
	}
}

/* --- what follows ---------------------------------------------------------------------------- */

/* Frames to link-local groups that a bridge does not pass on are the port's; as br_handle_frame().
 */
static uint16_t groups_kept_by_bridge(const struct device_list *list,
				      const struct device_info *port)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->devices[i].ifindex == port->master)
			return (uint16_t) ~(list->devices[i].forwarded_groups |
					    port->forwarded_groups | GROUP_PAUSE);
	return GROUPS_ALL;
}

/* Of those that carry nothing for their master, too; which they are, teams do not tell here. */
static uint16_t groups_kept(const struct device_list *list, const struct device_info *port)
{
	if (!strcmp(port->master_kind, "bridge"))
		return groups_kept_by_bridge(list, port);
	if (!strcmp(port->master_kind, "team"))
		return GROUPS_ALL;
	return port->is_resting ? GROUPS_ALL : 0;
}

void ports_settle(struct device_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		struct device_info *info = &list->devices[i];

		/* batman-adv takes its own protocol only from its ports */
		if (!info->master || !strcmp(info->master_kind, "batadv"))
			continue;
		if (!strcmp(info->master_kind, "vrf")) {
			info->device.vrf = info->master;
			continue;
		}
		info->device.flags |= DEVICE_HAS_MASTER;
		info->device.kept_groups = groups_kept(list, info);
	}
}
