/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tables of rates (bpf/rate.h) go from one generation to the next by their name: both maps are
 * pinned beside the generations, and each generation has a list of the tables that it uses. As in
 * the kernel, a table that is there already stays as it is, and goes with the last rule that names
 * it.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "internal.h"
#include "../iptables-compat/rates.h"

#define MAP_RATES	"rates"
#define MAP_RATE_TABLES "rate_tables"
#define LIST_FORMAT	"%s-%" PRIu64 "/rates"

static void map_path(const struct netns *netns, enum table_family family, const char *name,
		     char *path)
{
	state_pin_path(netns, path, "%s-%s", name, family_name(family));
}

static int open_map(const struct netns *netns, enum table_family family, const char *name)
{
	char path[STATE_PATH_SIZE];

	map_path(netns, family, name, path);
	return bpf_obj_get(path);
}

int rates_share(const struct netns *netns, enum table_family family, struct bpf_object *object)
{
	static const char *const names[] = { MAP_RATES, MAP_RATE_TABLES };
	int error = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names) && !error; i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(object, names[i]);
		char path[STATE_PATH_SIZE];

		if (!map)
			continue;
		map_path(netns, family, names[i], path);
		error = bpf_map__set_pin_path(map, path);
	}
	return error;
}

/* --- tables come ----------------------------------------------------------------------------- */

static int table_add(int tables, const struct named_rates *named, struct message *message)
{
	struct rate_table there;

	if (!bpf_map_update_elem(tables, &named->id, &named->table, BPF_NOEXIST))
		return 0;
	if (errno != EEXIST || bpf_map_lookup_elem(tables, &named->id, &there))
		return message_set(message, -errno, "cannot make a table of rates: %m");
	if ((there.flags ^ named->table.flags) & (RATE_BYTES | RATE_WINDOW))
		return message_set(
			message, -EOPNOTSUPP,
			"match \"hashlimit\" limits otherwise than what is remembered by "
			"that --hashlimit-name");
	return 0;
}

static int list_pin(const struct netns *netns, enum table_family family, uint64_t number,
		    const struct rate_list *list, struct message *message)
{
	_cleanup_close_ int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "rate_list", sizeof(uint32_t),
						sizeof(uint32_t), list->count, NULL);
	char path[STATE_PATH_SIZE];

	for (uint32_t i = 0; fd >= 0 && i < list->count; i++)
		if (bpf_map_update_elem(fd, &i, &list->tables[i].id, BPF_ANY))
			return message_set(message, -errno, "cannot list tables of rates: %m");
	if (fd < 0)
		return message_set(message, -errno, "cannot make a list of tables of rates: %m");
	state_pin_path(netns, path, LIST_FORMAT, family_name(family), number);
	return object_pin(fd, path, message);
}

int rates_begin(const struct netns *netns, enum table_family family, uint64_t number,
		const struct rate_list *list, struct message *message)
{
	_cleanup_close_ int tables = open_map(netns, family, MAP_RATE_TABLES);
	int error = 0;

	if (tables < 0)
		return message_set(message, -errno, "cannot open the tables of rates: %m");
	for (uint32_t i = 0; i < list->count && !error; i++)
		error = table_add(tables, &list->tables[i], message);
	return error ? error : list_pin(netns, family, number, list, message);
}

/* --- and go ---------------------------------------------------------------------------------- */

static bool list_has(int list, uint32_t id)
{
	uint32_t listed;

	for (uint32_t i = 0; list >= 0 && !bpf_map_lookup_elem(list, &i, &listed); i++)
		if (listed == id)
			return true;
	return false;
}

/* What is not in the list. Return: whether something is left. */
static bool tables_remove(int tables, int list)
{
	uint32_t id, next;
	bool more = !bpf_map_get_next_key(tables, NULL, &next), left = false;

	while (more) {
		id = next;
		more = !bpf_map_get_next_key(tables, &id, &next);
		if (list_has(list, id))
			left = true;
		else
			bpf_map_delete_elem(tables, &id);
	}
	return left;
}

/* Those of no table. */
static void rates_remove(int rates, int tables)
{
	struct rate_key key, next;
	bool more = !bpf_map_get_next_key(rates, NULL, &next);

	while (more) {
		struct rate_table table;

		key = next;
		more = !bpf_map_get_next_key(rates, &key, &next);
		if (bpf_map_lookup_elem(tables, &key.table, &table))
			bpf_map_delete_elem(rates, &key);
	}
}

static void unpin(const struct netns *netns, enum table_family family, const char *name)
{
	char path[STATE_PATH_SIZE];

	map_path(netns, family, name, path);
	unlink(path);
}

void rates_settle(const struct netns *netns, enum table_family family)
{
	_cleanup_close_ int tables = open_map(netns, family, MAP_RATE_TABLES);
	_cleanup_close_ int rates = open_map(netns, family, MAP_RATES);
	_cleanup_close_ int list = -1;
	char path[STATE_PATH_SIZE];

	if (tables < 0 || rates < 0)
		return;
	state_pin_path(netns, path, LIST_FORMAT, family_name(family),
		       netns_generation(netns, family));
	list = bpf_obj_get(path);
	if (tables_remove(tables, list)) {
		rates_remove(rates, tables);
		return;
	}
	unpin(netns, family, MAP_RATES);
	unpin(netns, family, MAP_RATE_TABLES);
}
