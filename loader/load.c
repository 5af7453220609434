/* SPDX-License-Identifier: GPL-2.0-only */
/* ELF objects to programs and maps, pinned. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "features.h"
#include "../iptables-compat/execution_table.h"
#include "internal.h"
#include "objects.h"
#include "shape.h"
#include "spare.h"

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

int object_map(const struct bpf_object *object, const char *name)
{
	return bpf_object__find_map_fd_by_name(object, name);
}

struct bpf_program *object_program(const struct bpf_object *object, const char *name)
{
	return bpf_object__find_program_by_name(object, name);
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
	if (strstr(log, "too complex") || strstr(log, "too large") || strstr(log, "Too large"))
		error = -E2BIG;
	return message_set(message, error,
			   "the kernel does not take the program of %u rules: %s%s%s", rules,
			   strerror(-error), *reason ? ": " : "", reason);
}

/* Connections that the programs remember outlive generations; the map comes with the first object
 * that needs it. */
static int share_left_flows(const struct netns *netns, struct bpf_object *object)
{
	struct bpf_map *flows = bpf_object__find_map_by_name(object, "left_flows");
	char path[STATE_PATH_SIZE];

	if (!flows)
		return 0;
	state_pin_path(netns, path, "left_connections");
	return bpf_map__set_pin_path(flows, path);
}

/* Programs at netfilter hooks use none of them: the kernel tells names and directions. */
static int reuse_maps(const struct netns *netns, struct bpf_object *object)
{
	int error = 0;

	for (unsigned i = 0; i < SHARED_MAPS && !error; i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(object, shared_map_names[i]);

		if (map)
			error = bpf_map__reuse_fd(map, netns->maps[i]);
	}
	return error;
}

/* What a table without targets has no use for; its programs have no way to it. */
static int leave_out_executions(struct bpf_object *object)
{
	static const char *const names[] = { "executions", "execution_count" };
	int error = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names) && !error; i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(object, names[i]);

		if (map)
			error = bpf_map__set_autocreate(map, false);
	}
	return error;
}

/* The programs only read a table's data; it is not frozen, so that we can write the next one's. */
static int table_guard(struct bpf_object *object)
{
	struct bpf_map *table = bpf_object__find_map_by_name(object, TABLE_SECTION);

	return table ? bpf_map__set_map_flags(table, bpf_map__map_flags(table) | BPF_F_RDONLY_PROG)
		     : 0;
}

/* bpf/slot.h: where bottom halves can be preempted, programs that run in them cannot rely on it. */
static int slots_guard(struct bpf_object *object)
{
	struct bpf_map *map = bpf_object__find_map_by_name(object, SLOTS_SECTION);
	uint32_t words[STAGE_COUNT] = { 1, 1, 1 }; /* one of each entry program's object */
	struct utsname kernel;

	if (!map || uname(&kernel) || !strstr(kernel.version, "PREEMPT_RT"))
		return 0;
	if (bpf_map__value_size(map) > sizeof(words))
		return -EINVAL;
	return bpf_map__set_initial_value(map, words, bpf_map__value_size(map));
}

static int programs_load(struct bpf_object *object)
{
	struct bpf_program *program = object_program(object, entry_program_names[ENTRY_NETFILTER]);

	if (program)
		netfilter_program_set(program);
	return bpf_object__load(object);
}

/* Room for all of it: where it ends early, kernels before 6.4 hide the error behind ENOSPC. */
#define VERIFIER_LOG_SIZE (16u << 20)

static int object_load(const struct netns *netns, enum table_family family,
		       const struct object *linked, const struct generation *next,
		       struct bpf_object **object, struct message *message)
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
		error = share_left_flows(netns, opened);
	if (!error)
		error = rates_share(netns, family, opened);
	if (!error && !next->object->executions)
		error = leave_out_executions(opened);
	if (!error)
		error = table_guard(opened);
	if (!error)
		error = slots_guard(opened);
	if (!error)
		error = programs_load(opened);
	if (error) {
		bpf_object__close(opened);
		return report_load(error, next->rule_count, log, message);
	}
	*object = opened;
	return 0;
}

/* The verifier's words for a function that the kernel does not have help nobody. */
static int explain(int error, const struct generation *next, unsigned stages,
		   struct message *message)
{
	bool looks_up = next->object->needs & NEED_CONNECTION && !(stages & DECIDED_BEHIND);
	const char *reason = NULL;
	struct features features;

	if (features_read(&features, NULL))
		return error;
	if (looks_up && !features.connection_lookups)
		reason = "rules ask for connections, and this kernel has no functions that let XDP "
			 "and TC look them up (they came with Linux 5.18)";
	else if (next->object->needs & NEED_CLOCK && !features.clock)
		reason = "match \"time\" asks for the time, which this kernel does not tell "
			 "programs (since Linux 6.1)";
	if (!reason)
		return error;
	if (message)
		message->text[0] = '\0';
	return message_set(message, -EOPNOTSUPP, "%s", reason);
}

/* Whether programs can look up connections now; a module that is there stays. */
static bool can_look_up(struct loader *loader)
{
	struct features features;

	if (!loader->has_lookups && !features_read(&features, NULL))
		loader->has_lookups = features.connection_lookups_loaded;
	return loader->has_lookups;
}

/* @stages: with LINK_LOOKUPS, where programs can look up connections. */
static int stages_load(const struct netns *netns, enum table_family family,
		       const struct generation *next, unsigned stages, struct bpf_object **object,
		       struct message *message)
{
	struct object linked = {};
	int error = link_object(next->object, family == TABLE_IPV4 ? FAMILY_IPV4 : FAMILY_IPV6,
				stages, &linked, message);

	if (error)
		return error;
	error = object_load(netns, family, &linked, next, object, message);
	object_free(&linked);
	return error ? explain(error, next, stages, message) : 0;
}

/* The netfilter stage enforces the table by itself where the kernel does not take early ones. */
static int stages_load_without_early(const struct netns *netns, enum table_family family,
				     const struct generation *next, unsigned lookups,
				     struct bpf_object **object, struct message *message)
{
	struct message ignored = {};
	int error =
		stages_load(netns, family, next, STAGE_BIT(STAGE_NF) | lookups, object, &ignored);

	if (error)
		return error;
	fprintf(stderr, "%s: nothing is dropped early: %s\n", family_name(family),
		message ? message->text : "");
	if (message)
		message->text[0] = '\0';
	return 0;
}

/* Targets are asked for by path, by the kernel's table. */
static int executions_pin(const struct netns *netns, enum table_family family, uint64_t number,
			  const struct bpf_object *object, struct message *message)
{
	char path[STATE_PATH_SIZE];
	int error = 0;

	for (unsigned i = 0; i < EXECUTION_PROGRAMS && !error; i++) {
		struct bpf_program *program = object_program(object, execution_program_names[i]);

		if (!program)
			continue;
		state_pin_path(netns, path, "%s-%" PRIu64 "/%s", family_name(family), number,
			       execution_program_names[i]);
		error = object_pin(bpf_program__fd(program), path, message);
	}
	return error;
}

/* @shape: taken over where the programs are those that it asks for. */
static int load_anew(struct netns *netns, enum table_family family, uint64_t number,
		     const struct generation *next, unsigned stages, struct shape *shape,
		     struct message *message)
{
	unsigned lookups = stages & LINK_LOOKUPS, wanted = stages & ~LINK_LOOKUPS;
	struct bpf_object *object = NULL;
	struct program_set set;
	int error = stages_load(netns, family, next, stages, &object, message);

	if (error && wanted & STAGE_BIT(STAGE_NF) && wanted != STAGE_BIT(STAGE_NF)) {
		shape_free(shape);
		error = stages_load_without_early(netns, family, next, lookups, &object, message);
	}
	if (error)
		return error;
	set = program_set_of(object);
	error = generation_pin(netns, family, number, &set, next->rule_count, message);
	if (!error)
		error = executions_pin(netns, family, number, object, message);
	if (!error && next->object->rates)
		error = rates_begin(netns, family, number, next->object->rates, message);
	bpf_object__close(object);
	return error;
}

int generation_load(struct netns *netns, enum table_family family, uint64_t number,
		    const struct generation *next, unsigned stages, struct message *message)
{
	struct shape shape = {};
	int error;

	if (can_look_up(netns->loader))
		stages |= LINK_LOOKUPS;
	error = shape_make(next->object, stages, &shape);
	if (error && error != -ENODATA)
		return error;
	if (spare_use(netns, family, number, next, &shape))
		error = load_anew(netns, family, number, next, stages, &shape, message);
	else
		error = 0;
	if (!error && shape.bytes)
		spare_learn(netns, family, number, &shape);
	shape_free(&shape);
	return error;
}
