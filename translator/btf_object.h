/* SPDX-License-Identifier: GPL-2.0-only */
/* .BTF and .BTF.ext of a compiled table: types of its functions and map, and its rules as lines. */
#ifndef UBPFILTER_BTF_OBJECT_H
#define UBPFILTER_BTF_OBJECT_H

#include "elf_object.h"

struct btf_sections {
	void *types; /* owned: .BTF */
	size_t types_size;
	void *ext; /* owned: .BTF.ext */
	size_t ext_size;
};

/** btf_object_make() - both sections. Return: 0 or -ENOMEM, or -errno of libbpf. */
int btf_object_make(const struct elf_source *source, struct btf_sections *sections);

/** Bytes of the map definition `counters` in the section .maps: four pointers. */
#define MAP_DEFINITION_SIZE 32

#endif
