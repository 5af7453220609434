/* SPDX-License-Identifier: GPL-2.0-only */
/* ELF objects to programs and maps, pinned. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include "internal.h"
#include "objects.h"

const char *const entry_program_names[ENTRY_COUNT] = {
	[ENTRY_XDP] = "xdp_ingress",
	[ENTRY_INGRESS] = "tc_ingress",
	[ENTRY_EGRESS] = "tc_egress",
};

static const char *const dispatcher_names[ENTRY_COUNT] = {
	[ENTRY_XDP] = "dispatch_xdp",
	[ENTRY_INGRESS] = "dispatch_ingress",
	[ENTRY_EGRESS] = "dispatch_egress",
};

static const char *const slot_names[ENTRY_COUNT] = {
	[ENTRY_XDP] = "xdp_slots",
	[ENTRY_INGRESS] = "ingress_slots",
	[ENTRY_EGRESS] = "egress_slots",
};

const char *const shared_map_names[SHARED_MAPS] = {
	[MAP_DEVICES] = "devices",
	[MAP_DEVICES_FAR] = "devices_far",
	[MAP_LOCAL_ADDRESSES] = "local_addresses",
};

/* What went wrong is in the return values; the verifier's log is asked for where it is wanted. */
static int say_nothing(enum libbpf_print_level level, const char *format, va_list arguments)
{
	(void)level;
	(void)format;
	(void)arguments;
	return 0;
}

void libbpf_say_nothing(void)
{
	libbpf_set_print(say_nothing);
}

static int pin(int fd, const char *path, struct message *message)
{
	if (!bpf_obj_pin(fd, path))
		return 0;
	return message_set(message, -errno, "cannot pin %s: %m", path);
}

static int pin_in_netns(const struct netns *netns, int fd, const char *name,
			struct message *message)
{
	char path[STATE_PATH_SIZE];

	state_pin_path(netns, path, "%s", name);
	return pin(fd, path, message);
}

/* --- the dispatcher -------------------------------------------------------------------------- */

static int map_fd(const struct bpf_object *object, const char *name)
{
	return bpf_object__find_map_fd_by_name(object, name);
}

static int dispatcher_pin(struct netns *netns, const struct bpf_object *object,
			  struct message *message)
{
	int error = 0;

	for (unsigned i = 0; i < SHARED_MAPS && !error; i++)
		error = pin_in_netns(netns, map_fd(object, shared_map_names[i]),
				     shared_map_names[i], message);
	for (unsigned i = 0; i < ENTRY_COUNT && !error; i++) {
		struct bpf_program *program =
			bpf_object__find_program_by_name(object, dispatcher_names[i]);

		error = pin_in_netns(netns, bpf_program__fd(program), dispatcher_names[i], message);
		if (!error)
			error = pin_in_netns(netns, map_fd(object, slot_names[i]), slot_names[i],
					     message);
	}
	/* last: where `generation` is pinned, everything is */
	return error ? error
		     : pin_in_netns(netns, map_fd(object, "generation"), "generation", message);
}

int dispatcher_load(struct netns *netns, struct message *message)
{
	struct bpf_object *object =
		bpf_object__open_mem(object_dispatch, object_dispatch_size, NULL);
	int error = object ? bpf_object__load(object) : -errno;

	if (error)
		message_set(message, error, "cannot load the dispatcher: %s", strerror(-error));
	else
		error = dispatcher_pin(netns, object, message);
	bpf_object__close(object);
	return error ? error : dispatcher_open(netns, message);
}

static int open_pin(const struct netns *netns, const char *name, int *fd, struct message *message)
{
	char path[STATE_PATH_SIZE];

	state_pin_path(netns, path, "%s", name);
	*fd = bpf_obj_get(path);
	if (*fd >= 0)
		return 0;
	return message_set(message, -errno, "cannot open %s: %m", path);
}

int dispatcher_open(struct netns *netns, struct message *message)
{
	int error = 0;

	for (unsigned i = 0; i < SHARED_MAPS && !error; i++)
		error = open_pin(netns, shared_map_names[i], &netns->maps[i], message);
	if (!error)
		error = open_pin(netns, "generation", &netns->generation, message);
	for (unsigned i = 0; i < ENTRY_COUNT && !error; i++) {
		error = open_pin(netns, dispatcher_names[i], &netns->dispatcher[i], message);
		if (!error)
			error = open_pin(netns, slot_names[i], &netns->slots[i], message);
	}
	netns->loaded = !error;
	return error;
}

/* --- a table's object ------------------------------------------------------------------------ */

/* What the verifier says last is what it is about. */
static void last_line(const char *log, char *line, size_t size)
{
	size_t end = strlen(log), begin;

	while (end && log[end - 1] == '\n')
		end--;
	for (begin = end; begin && log[begin - 1] != '\n'; begin--)
		;
	/* the very last line counts instructions; the reason stands before it */
	if (!strncmp(log + begin, "processed ", 10) && begin) {
		for (end = begin - 1, begin = end; begin && log[begin - 1] != '\n'; begin--)
			;
	}
	snprintf(line, size, "%.*s", (int)(end - begin), log + begin);
}

static int report_load(int error, uint32_t rules, const char *log, struct message *message)
{
	char reason[160];

	last_line(log, reason, sizeof(reason));
	if (strstr(log, "too complex") || strstr(log, "too large"))
		error = -E2BIG;
	return message_set(message, error,
			   "the kernel does not take the program of %u rules: %s%s%s", rules,
			   strerror(-error), *reason ? ": " : "", reason);
}

static int reuse_maps(const struct netns *netns, struct bpf_object *object)
{
	int error = 0;

	for (unsigned i = 0; i < SHARED_MAPS && !error; i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(object, shared_map_names[i]);

		error = map ? bpf_map__reuse_fd(map, netns->maps[i]) : -ENOENT;
	}
	return error;
}

#define VERIFIER_LOG_SIZE (64u << 10)

static int object_load(const struct netns *netns, const struct object *linked,
		       const struct generation *next, struct bpf_object **object,
		       struct message *message)
{
	_cleanup_free_ char *log = calloc(1, VERIFIER_LOG_SIZE);
	LIBBPF_OPTS(bpf_object_open_opts, options, .kernel_log_buf = log,
		    .kernel_log_size = VERIFIER_LOG_SIZE, .kernel_log_level = 0);
	struct bpf_object *opened;
	int error;

	if (!log)
		return -ENOMEM;
	opened = bpf_object__open_mem(linked->data, linked->size, &options);
	error = opened ? reuse_maps(netns, opened) : -errno;
	if (!error)
		error = bpf_object__load(opened);
	if (error) {
		bpf_object__close(opened);
		return report_load(error, next->rule_count, log, message);
	}
	*object = opened;
	return 0;
}

/* What ADD_COUNTERS adds: one element, so that one system call changes all rules' or none. */
static int make_base(const char *path, uint32_t rules, struct message *message)
{
	_cleanup_close_ int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "base", sizeof(uint32_t),
						rules * (uint32_t)sizeof(struct counter), 1, NULL);

	if (fd < 0)
		return message_set(message, -errno, "cannot make the map for %u counters: %m",
				   rules);
	return pin(fd, path, message);
}

static int generation_pin(const struct netns *netns, const char *folder,
			  const struct bpf_object *object, uint32_t rules, struct message *message)
{
	char path[STATE_PATH_SIZE];
	int error;

	state_pin_path(netns, path, "%s", folder);
	if (mkdir(path, 0700))
		return message_set(message, -errno, "cannot make the folder %s: %m", path);
	state_pin_path(netns, path, "%s/counters", folder);
	error = pin(map_fd(object, "counters"), path, message);
	state_pin_path(netns, path, "%s/base", folder);
	if (!error)
		error = make_base(path, rules, message);
	for (unsigned i = 0; i < ENTRY_COUNT && !error; i++) {
		struct bpf_program *program =
			bpf_object__find_program_by_name(object, entry_program_names[i]);

		if (!program)
			continue;
		state_pin_path(netns, path, "%s/%s", folder, entry_program_names[i]);
		error = pin(bpf_program__fd(program), path, message);
	}
	return error;
}

int generation_load(struct netns *netns, enum table_family family, uint64_t number,
		    const struct generation *next, bool with_xdp, struct message *message)
{
	unsigned stages = STAGE_BIT(STAGE_TC) | (with_xdp ? STAGE_BIT(STAGE_XDP) : 0);
	struct bpf_object *object = NULL;
	struct object linked = {};
	char folder[64];
	int error;

	error = link_object(next->object, family == TABLE_IPV4 ? FAMILY_IPV4 : FAMILY_IPV6, stages,
			    &linked, message);
	if (error)
		return error;
	error = object_load(netns, &linked, next, &object, message);
	object_free(&linked);
	if (error)
		return error;
	snprintf(folder, sizeof(folder), "%s-%" PRIu64, family_name(family), number);
	error = generation_pin(netns, folder, object, next->rule_count, message);
	bpf_object__close(object);
	return error;
}
