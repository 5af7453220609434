/* SPDX-License-Identifier: GPL-2.0-only */
/* The maps of devices: an array for low ifindexes, a hash for the others. */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "internal.h"

/* Which devices the maps have. */
struct known {
	struct device near[DEVICES_NEAR]; /* name empty: none */
	uint32_t far[DEVICES_FAR];	  /* ifindexes */
	uint32_t far_count;
};

static int known_read(const struct netns *netns, struct known **known)
{
	_cleanup_free_ uint32_t *keys = calloc(DEVICES_NEAR, sizeof(*keys));
	_cleanup_free_ struct known *found = calloc(1, sizeof(*found));
	uint32_t last, count = DEVICES_NEAR, next;

	if (!keys || !found)
		return -ENOMEM;
	if (bpf_map_lookup_batch(netns->maps[MAP_DEVICES], NULL, &last, keys, found->near, &count,
				 NULL) &&
	    errno != ENOENT) /* ENOENT: these were the last ones */
		return -errno;
	for (const uint32_t *key = NULL; found->far_count < DEVICES_FAR; key = &last) {
		if (bpf_map_get_next_key(netns->maps[MAP_DEVICES_FAR], key, &next))
			break;
		found->far[found->far_count++] = last = next;
	}
	*known = TAKE_PTR(found);
	return 0;
}

static int put(const struct netns *netns, uint32_t ifindex, const struct device *device)
{
	int map = netns->maps[ifindex < DEVICES_NEAR ? MAP_DEVICES : MAP_DEVICES_FAR];

	return bpf_map_update_elem(map, &ifindex, device, BPF_ANY) ? -errno : 0;
}

static bool list_has(const struct device_list *list, uint32_t ifindex)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->devices[i].ifindex == ifindex)
			return true;
	return false;
}

static void remove_others(const struct netns *netns, const struct known *known,
			  const struct device_list *list)
{
	static const struct device none;

	for (uint32_t i = 0; i < DEVICES_NEAR; i++)
		if (known->near[i].name[0] && !list_has(list, i))
			put(netns, i, &none);
	for (uint32_t i = 0; i < known->far_count; i++)
		if (!list_has(list, known->far[i]))
			bpf_map_delete_elem(netns->maps[MAP_DEVICES_FAR], &known->far[i]);
}

int device_map_set(const struct netns *netns, const struct device_list *list,
		   struct message *message)
{
	_cleanup_free_ struct known *known = NULL;
	int error = known_read(netns, &known);

	if (error)
		return message_set(message, error, "cannot read the map of devices: %s",
				   strerror(-error));
	remove_others(netns, known, list);
	for (size_t i = 0; i < list->count && !error; i++) {
		const struct device_info *info = &list->devices[i];

		if (info->ifindex < DEVICES_NEAR &&
		    !memcmp(&known->near[info->ifindex], &info->device, sizeof(info->device)))
			continue;
		error = put(netns, info->ifindex, &info->device);
		if (error)
			message_set(message, error, "cannot note device %.*s: %s", IFACE_NAME_SIZE,
				    (const char *)info->device.name, strerror(-error));
	}
	return error;
}

void device_map_each(const struct netns *netns, device_handler *handle, void *data)
{
	_cleanup_free_ struct known *known = NULL;
	struct device device;

	if (known_read(netns, &known))
		return;
	for (uint32_t i = 0; i < DEVICES_NEAR; i++)
		if (known->near[i].name[0])
			handle(netns, i, &known->near[i], data);
	for (uint32_t i = 0; i < known->far_count; i++)
		if (!bpf_map_lookup_elem(netns->maps[MAP_DEVICES_FAR], &known->far[i], &device))
			handle(netns, known->far[i], &device, data);
}
