/* SPDX-License-Identifier: GPL-2.0-only */
/* The programs and maps of a generation: pinned, and opened again. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "internal.h"

const char *const entry_program_names[ENTRY_COUNT] = {
	[ENTRY_XDP] = "xdp_ingress",
	[ENTRY_INGRESS] = "tc_ingress",
	[ENTRY_EGRESS] = "tc_egress",
	[ENTRY_NETFILTER] = "netfilter_hooks",
};

/* --- what is open ---------------------------------------------------------------------------- */

struct program_set program_set_of(const struct bpf_object *object)
{
	struct program_set set = { .counters = object_map(object, "counters"),
				   .table = object_map(object, TABLE_SECTION) };

	for (unsigned i = 0; i < ENTRY_COUNT; i++) {
		struct bpf_program *program = object_program(object, entry_program_names[i]);

		set.programs[i] = program ? bpf_program__fd(program) : -1;
	}
	return set;
}

/* Return: whether it is there, or, for what is @optional, certainly is not. */
static bool open_pinned(const struct netns *netns, const char *folder, const char *name,
			bool optional, int *fd)
{
	char path[STATE_PATH_SIZE];

	state_pin_path(netns, path, "%s/%s", folder, name);
	*fd = bpf_obj_get(path);
	return *fd >= 0 || (optional && errno == ENOENT);
}

static void folder_name(char *folder, size_t size, enum table_family family, uint64_t number)
{
	snprintf(folder, size, "%s-%" PRIu64, family_name(family), number);
}

int program_set_open(const struct netns *netns, enum table_family family, uint64_t number,
		     struct program_set *set)
{
	struct program_set opened;
	char folder[64];
	bool good;

	folder_name(folder, sizeof(folder), family, number);
	good = open_pinned(netns, folder, "counters", false, &opened.counters);
	good = open_pinned(netns, folder, "table", false, &opened.table) && good;
	for (unsigned i = 0; i < ENTRY_COUNT; i++)
		good = open_pinned(netns, folder, entry_program_names[i], true,
				   &opened.programs[i]) &&
		       good;
	if (!good) {
		program_set_close(&opened);
		return -EIO;
	}
	*set = opened;
	return 0;
}

void program_set_close(struct program_set *set)
{
	cleanup_close(&set->counters);
	cleanup_close(&set->table);
	set->counters = set->table = -1;
	for (unsigned i = 0; i < ENTRY_COUNT; i++) {
		cleanup_close(&set->programs[i]);
		set->programs[i] = -1;
	}
}

/* --- pins ------------------------------------------------------------------------------------ */

int object_pin(int fd, const char *path, struct message *message)
{
	if (!bpf_obj_pin(fd, path))
		return 0;
	return message_set(message, -errno, "cannot pin %s: %m", path);
}

/* What ADD_COUNTERS adds: one element, so that one system call changes all rules' or none. */
static int make_base(const char *path, uint32_t rules, struct message *message)
{
	_cleanup_close_ int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "base", sizeof(uint32_t),
						rules * (uint32_t)sizeof(struct counter), 1, NULL);

	if (fd < 0)
		return message_set(message, -errno, "cannot make the map for %u counters: %m",
				   rules);
	return object_pin(fd, path, message);
}

/* What a generation does not have (stages, a table as data) is not pinned. */
static int pin_in(const struct netns *netns, const char *folder, const char *name, int fd,
		  struct message *message)
{
	char path[STATE_PATH_SIZE];

	if (fd < 0)
		return 0;
	state_pin_path(netns, path, "%s/%s", folder, name);
	return object_pin(fd, path, message);
}

int generation_pin(const struct netns *netns, enum table_family family, uint64_t number,
		   const struct program_set *set, uint32_t rules, struct message *message)
{
	char path[STATE_PATH_SIZE], folder[64];
	int error;

	folder_name(folder, sizeof(folder), family, number);
	state_pin_path(netns, path, "%s", folder);
	if (mkdir(path, 0700))
		return message_set(message, -errno, "cannot make the folder %s: %m", path);
	error = pin_in(netns, folder, "counters", set->counters, message);
	state_pin_path(netns, path, "%s/base", folder);
	if (!error)
		error = make_base(path, rules, message);
	if (!error)
		error = pin_in(netns, folder, "table", set->table, message);
	for (unsigned i = 0; i < ENTRY_COUNT && !error; i++)
		error = pin_in(netns, folder, entry_program_names[i], set->programs[i], message);
	return error;
}

void generation_unpin(const struct netns *netns, enum table_family family, uint64_t number)
{
	char path[STATE_PATH_SIZE];

	state_pin_path(netns, path, "%s-%" PRIu64, family_name(family), number);
	remove_tree(path);
}

bool generation_has(const struct netns *netns, enum table_family family, uint64_t number,
		    enum entry_point entry)
{
	char path[STATE_PATH_SIZE];

	state_pin_path(netns, path, "%s-%" PRIu64 "/%s", family_name(family), number,
		       entry_program_names[entry]);
	return !access(path, F_OK);
}
