/* SPDX-License-Identifier: GPL-2.0-only */
#include <bpf/libbpf.h>
#include <errno.h>
#include <gelf.h>
#include <string.h>
#include <sys/mman.h>

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

static int add_object(struct bpf_linker *linker, const void *data, size_t size)
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

struct entry_object {
	const unsigned char *data;
	const uint64_t *size; /* bytes */
};

static struct entry_object entry_object(enum stage stage, enum family family)
{
	static const struct entry_object objects[STAGE_COUNT][2] = {
		[STAGE_XDP] = { { object_xdp4, &object_xdp4_size },
				{ object_xdp6, &object_xdp6_size } },
		[STAGE_TC] = { { object_tc4, &object_tc4_size }, { object_tc6, &object_tc6_size } },
		[STAGE_NF] = { { object_netfilter4, &object_netfilter4_size },
			       { object_netfilter6, &object_netfilter6_size } },
	};

	return objects[stage][family == FAMILY_IPV6];
}

static bool elf_has_section(Elf *elf, const char *wanted)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	size_t names;

	if (!elf || elf_getshdrstrndx(elf, &names))
		return false;
	while ((section = elf_nextscn(elf, section))) {
		const char *name = gelf_getshdr(section, &header)
					   ? elf_strptr(elf, names, header.sh_name)
					   : NULL;

		if (name && strcmp(name, wanted) == 0)
			return true;
	}
	return false;
}

/* A table as data comes without code for its chains: bpf/classify.bpf.c has it. */
static bool is_classified(const struct object *compiled)
{
	Elf *elf;
	bool has;

	if (elf_version(EV_CURRENT) == EV_NONE)
		return false;
	elf = elf_memory((char *)compiled->data, compiled->size);
	has = elf_has_section(elf, CLASSIFIER_SECTION);
	elf_end(elf);
	return has;
}

static int add_all(struct bpf_linker *linker, const struct object *compiled, enum family family,
		   unsigned stages)
{
	int error = 0;

	for (unsigned stage = 0; stage < STAGE_COUNT && !error; stage++) {
		struct entry_object entry = entry_object((enum stage)stage, family);

		if (stages & STAGE_BIT(stage))
			error = entry.data ? add_object(linker, entry.data, *entry.size)
					   : -EOPNOTSUPP;
	}
	if (!error && is_classified(compiled))
		error = add_object(linker, object_classify, object_classify_size);
	return error ? error : add_object(linker, compiled->data, compiled->size);
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
