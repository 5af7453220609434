/* SPDX-License-Identifier: GPL-2.0-only */
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <gelf.h>
#include <string.h>
#include <sys/mman.h>

#include "../bpf/classify.h"
#include "../common/io.h"
#include "loader.h"
#include "objects.h"

/* libbpf's linker takes file names only: files in memory, by their name under /proc. */
struct memory_file {
	int fd;
	char path[32];
};

static int memory_file_open(struct memory_file *file, const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	file->fd = fd;
	snprintf(file->path, sizeof(file->path), "/proc/self/fd/%d", fd);
	return 0;
}

static int add_bytes(struct bpf_linker *linker, const void *data, size_t size)
{
	struct memory_file file;
	int error = memory_file_open(&file, "part.bpf.o");

	if (error)
		return error;
	error = io_write(file.fd, data, size);
	if (!error)
		error = bpf_linker__add_file(linker, file.path, NULL);
	close(file.fd);
	return error;
}

/* One of bpf/, carried inside this program. */
struct carried_object {
	const unsigned char *data;
	const uint64_t *size; /* bytes */
};

static int add_object(struct bpf_linker *linker, const struct carried_object *object)
{
	return add_bytes(linker, object->data, *object->size);
}

#define OBJECT(name)                                 \
	{                                            \
		object_##name, &object_##name##_size \
	}

/* By stage, with calls of the chains' functions or with the walk in a classifier's data, and by
   family: [0] IPv4, [1] IPv6. */
static const struct carried_object entry_objects[STAGE_COUNT][2][2] = {
	[STAGE_XDP] = { { OBJECT(xdp4), OBJECT(xdp6) }, { OBJECT(xdp4c), OBJECT(xdp6c) } },
	[STAGE_TC] = { { OBJECT(tc4), OBJECT(tc6) }, { OBJECT(tc4c), OBJECT(tc6c) } },
	[STAGE_NF] = { { OBJECT(netfilter4), OBJECT(netfilter6) },
		       { OBJECT(netfilter4c), OBJECT(netfilter6c) } },
};

/* The same in front of the netfilter hooks. */
static const struct carried_object early_objects[STAGE_NF][2][2] = {
	[STAGE_XDP] = { { OBJECT(xdp_early4), OBJECT(xdp_early6) },
			{ OBJECT(xdp_early4c), OBJECT(xdp_early6c) } },
	[STAGE_TC] = { { OBJECT(tc_early4), OBJECT(tc_early6) },
		       { OBJECT(tc_early4c), OBJECT(tc_early6c) } },
};

/* What XDP and TC need beside for tables that ask for connections. */
static const struct carried_object connection_objects[2] = {
	{ object_connection4, &object_connection4_size },
	{ object_connection6, &object_connection6_size },
};

/* What they need in front of the netfilter hooks, to leave no connection behind that missed a
 * packet. */
static const struct carried_object trace_objects[2] = {
	{ object_trace4, &object_trace4_size },
	{ object_trace6, &object_trace6_size },
};

/* The netfilter stage brings this itself; in front of a table of the kernel's it is linked apart.
 */
static const struct carried_object way_objects[2] = { OBJECT(way4), OBJECT(way6) };

/* What tables with stateful matches need, and those of them that ask what time it is or who sends.
 */
static const struct carried_object state_object = { object_state, &object_state_size };
static const struct carried_object clock_object = { object_wall_clock, &object_wall_clock_size };
static const struct carried_object state_rates_object = OBJECT(state_rates);
static const struct carried_object groups_object = OBJECT(groups);

/* What the kernel's filter table asks for tables with targets. */
static const struct carried_object execute_object = { object_execute, &object_execute_size };

/* Where a section of an object is; false: it has none of this name. */
static bool section_find(Elf *elf, const char *wanted, GElf_Shdr *header)
{
	Elf_Scn *section = NULL;
	size_t names;

	if (!elf || elf_getshdrstrndx(elf, &names))
		return false;
	while ((section = elf_nextscn(elf, section))) {
		const char *name = gelf_getshdr(section, header)
					   ? elf_strptr(elf, names, header->sh_name)
					   : NULL;

		if (name && strcmp(name, wanted) == 0)
			return true;
	}
	return false;
}

/* In an object's types, the number CLASSIFY_BLOCKS_UNKNOWN becomes @blocks. */
static int types_patch(unsigned char *types, uint32_t size, uint32_t blocks)
{
	struct btf *btf = btf__new(types, size);
	const char *raw = btf ? btf__raw_data(btf, &size) : NULL;
	int error = -ENOENT;

	for (uint32_t id = 1; raw && id < btf__type_cnt(btf); id++) {
		const struct btf_type *type = btf__type_by_id(btf, id);

		if (!btf_is_array(type) || btf_array(type)->nelems != CLASSIFY_BLOCKS_UNKNOWN)
			continue;
		memcpy(types + ((const char *)&btf_array(type)->nelems - raw), &blocks,
		       sizeof(blocks));
		error = 0;
	}
	btf__free(btf);
	return raw ? error : -EINVAL;
}

/* Entry objects with a walk declare the map `counters`, whose size is the table's. */
static int add_classified(struct bpf_linker *linker, const struct carried_object *object,
			  uint32_t blocks)
{
	_cleanup_free_ unsigned char *copy = malloc(*object->size);
	GElf_Shdr header;
	bool found;
	Elf *elf;
	int error;

	if (!copy)
		return -ENOMEM;
	memcpy(copy, object->data, *object->size);
	if (elf_version(EV_CURRENT) == EV_NONE)
		return -EINVAL;
	elf = elf_memory((char *)copy, *object->size);
	found = section_find(elf, ".BTF", &header);
	elf_end(elf);
	error = found ? types_patch(copy + header.sh_offset, (uint32_t)header.sh_size, blocks)
		      : -ENOENT;
	return error ? error : add_bytes(linker, copy, *object->size);
}

/* @early: in front of the netfilter hooks and the kernel, XDP and TC only drop what is certain. */
static int add_entry(struct bpf_linker *linker, const struct object *compiled, unsigned stage,
		     bool early, bool ipv6)
{
	const struct carried_object *entry =
		early ? &early_objects[stage][compiled->classified][ipv6]
		      : &entry_objects[stage][compiled->classified][ipv6];

	return compiled->classified ? add_classified(linker, entry, compiled->shape.blocks)
				    : add_object(linker, entry);
}

/* Stages in front of the netfilter hooks leave connections to them. */
static bool predicts_connections(const struct object *compiled, unsigned stages)
{
	return compiled->needs & NEED_CONNECTION && !(stages & DECIDED_BEHIND);
}

static bool looks_for_traces(unsigned stages)
{
	return stages & LINK_LOOKUPS && stages & DECIDED_BEHIND &&
	       stages & (STAGE_BIT(STAGE_XDP) | STAGE_BIT(STAGE_TC));
}

static int add_all(struct bpf_linker *linker, const struct object *compiled, enum family family,
		   unsigned stages)
{
	bool ipv6 = family == FAMILY_IPV6;
	/* first: libbpf 1.1 forgets the place of a map that is declared before it is defined */
	int error = add_bytes(linker, compiled->data, compiled->size);

	for (unsigned stage = 0; stage < STAGE_COUNT && !error; stage++)
		if (stages & STAGE_BIT(stage))
			error = add_entry(linker, compiled, stage,
					  stages & DECIDED_BEHIND && stage != STAGE_NF, ipv6);
	if (!error && predicts_connections(compiled, stages))
		error = add_object(linker, &connection_objects[ipv6]);
	if (!error && stages & KERNEL_BEHIND)
		error = add_object(linker, &way_objects[ipv6]);
	if (!error && looks_for_traces(stages))
		error = add_object(linker, &trace_objects[ipv6]);
	if (!error && compiled->needs & NEED_STATE)
		error = add_object(linker, compiled->needs & NEED_RATES ? &state_rates_object
									: &state_object);
	if (!error && compiled->needs & NEED_CLOCK)
		error = add_object(linker, &clock_object);
	if (!error && compiled->needs & NEED_OWNER_GROUPS)
		error = add_object(linker, &groups_object);
	if (!error && compiled->executions)
		error = add_object(linker, &execute_object);
	return error;
}

int link_object(const struct object *compiled, enum family family, unsigned stages,
		struct object *linked, struct message *message)
{
	struct bpf_linker *linker;
	struct memory_file output;
	int error = memory_file_open(&output, "linked.bpf.o");

	if (error)
		return message_set(message, error, "cannot make a memory file: %s",
				   strerror(-error));
	linker = bpf_linker__new(output.path, NULL);
	error = linker ? add_all(linker, compiled, family, stages) : -errno;
	if (!error)
		error = bpf_linker__finalize(linker);
	bpf_linker__free(linker);
	if (!error)
		error = object_read(output.fd, linked);
	close(output.fd);
	if (error)
		message_set(message, error, "cannot link the table with the entry programs: %s",
			    strerror(-error));
	return error;
}
