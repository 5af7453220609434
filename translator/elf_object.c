/* SPDX-License-Identifier: GPL-2.0-only */
#include "elf_object.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "../common/io.h"
#include "btf_object.h"

/* Relocations of a 64-bit immediate load and of a call (kernel: Documentation/bpf/llvm_reloc). */
#define RELOCATION_64_64 1
#define RELOCATION_64_32 10

/* Sections in the order of the file; index 0 is ELF's own. */
enum section {
	SECTION_TEXT = 1,
	SECTION_RELOCATIONS,
	SECTION_MAPS,
	SECTION_RODATA,
	SECTION_BTF,
	SECTION_BTF_EXT,
	SECTION_SYMBOLS,
	SECTION_STRINGS,
	SECTION_STATES, /* only where there are some, as the next */
	SECTION_CLASSIFIER,
	SECTION_TABLE,
	SECTION_COUNT,
};

struct section_shape {
	const char *name;
	uint32_t type;
	uint64_t flags;
	uint64_t entry_size;
	uint32_t link;
	uint64_t alignment;
};

static const struct section_shape shapes[SECTION_COUNT] = {
	[SECTION_TEXT] = { ".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, 0, 0, 8 },
	[SECTION_RELOCATIONS] = { ".rel.text", SHT_REL, SHF_INFO_LINK, sizeof(Elf64_Rel),
				  SECTION_SYMBOLS, 8 },
	[SECTION_MAPS] = { ".maps", SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, 0, 0, 8 },
	[SECTION_RODATA] = { ".rodata", SHT_PROGBITS, SHF_ALLOC, 0, 0, 4 },
	[SECTION_BTF] = { ".BTF", SHT_PROGBITS, 0, 0, 0, 4 },
	[SECTION_BTF_EXT] = { ".BTF.ext", SHT_PROGBITS, 0, 0, 0, 4 },
	[SECTION_SYMBOLS] = { ".symtab", SHT_SYMTAB, 0, sizeof(Elf64_Sym), SECTION_STRINGS, 8 },
	[SECTION_STRINGS] = { ".strtab", SHT_STRTAB, 0, 0, 0, 1 },
	[SECTION_STATES] = { STATES_SECTION, SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, 0, 0, 8 },
	[SECTION_CLASSIFIER] = { CLASSIFIER_SECTION, SHT_PROGBITS, SHF_ALLOC, 0, 0, 8 },
	[SECTION_TABLE] = { TABLE_SECTION, SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, 0, 0, 64 },
};

/*
 * Symbols: ELF's null symbol, the map, the constants, the functions, and what there is of states,
 * classifier and the function that the linker brings; all but the first global.
 */
enum symbol {
	SYMBOL_NULL,
	SYMBOL_COUNTERS,
	SYMBOL_NEEDS,
	SYMBOL_STATE_COUNT,
	SYMBOL_FUNCTIONS,
};

/* The section .rodata. */
struct constants {
	uint32_t needs;
	uint32_t state_count;
};

struct contents {
	const void *data[SECTION_COUNT];
	size_t size[SECTION_COUNT];
	struct constants constants;
	uint32_t symbol_count;
	uint32_t name[SECTION_COUNT]; /* offset of the section's name in the strings */
	char *strings;		      /* owned */
	Elf64_Sym *symbols;	      /* owned */
	Elf64_Rel *relocations;	      /* owned */
	struct btf_sections btf;      /* owned */
};

static void contents_free(struct contents *contents)
{
	free(contents->strings);
	free(contents->symbols);
	free(contents->relocations);
	free(contents->btf.types);
	free(contents->btf.ext);
}

/* --- what stands in the sections ------------------------------------------------------------- */

static Elf64_Sym make_symbol(uint32_t name, unsigned char type, enum section section,
			     uint64_t value, uint64_t size)
{
	return (Elf64_Sym){
		.st_name = name,
		.st_info = ELF64_ST_INFO(STB_GLOBAL, type),
		.st_shndx = (Elf64_Half)section,
		.st_value = value,
		.st_size = size,
	};
}

static size_t states_size(const struct elf_source *source)
{
	return source->ir->state_count * sizeof(*source->states);
}

/* Sections behind the states are one earlier where there are none. */
static enum section place_in_file(const struct elf_source *source, enum section section)
{
	return source->states ? section : section - 1;
}

/* Append a string; its offset. */
static uint32_t put_string(FILE *strings, const char *string)
{
	uint32_t offset = (uint32_t)ftell(strings);

	fprintf(strings, "%s%c", string, 0);
	return offset;
}

static void make_symbols(struct contents *contents, const struct elf_source *source, FILE *strings)
{
	Elf64_Sym *symbols = contents->symbols, *next = symbols + SYMBOL_FUNCTIONS;

	symbols[SYMBOL_COUNTERS] = make_symbol(put_string(strings, "counters"), STT_OBJECT,
					       SECTION_MAPS, 0, MAP_DEFINITION_SIZE);
	symbols[SYMBOL_NEEDS] =
		make_symbol(put_string(strings, "table_needs"), STT_OBJECT, SECTION_RODATA,
			    offsetof(struct constants, needs), sizeof(uint32_t));
	symbols[SYMBOL_STATE_COUNT] =
		make_symbol(put_string(strings, "table_states"), STT_OBJECT, SECTION_RODATA,
			    offsetof(struct constants, state_count), sizeof(uint32_t));
	for (uint32_t i = 0; i < source->function_count; i++) {
		const struct function *function = &source->functions[i];

		*next++ = make_symbol(put_string(strings, function->name), STT_FUNC, SECTION_TEXT,
				      function->begin * sizeof(struct bpf_insn),
				      (function->end - function->begin) * sizeof(struct bpf_insn));
	}
	if (source->states)
		*next++ = make_symbol(put_string(strings, "states"), STT_OBJECT, SECTION_STATES, 0,
				      states_size(source));
	if (source->image) {
		*next++ = make_symbol(put_string(strings, "classifier"), STT_OBJECT,
				      place_in_file(source, SECTION_CLASSIFIER), 0,
				      sizeof(source->image->head));
		*next++ = make_symbol(put_string(strings, "table_data"), STT_OBJECT,
				      place_in_file(source, SECTION_TABLE), 0, source->image->size);
	}
	if (assembler_refers(source->assembler,
			     OUTSIDE_STATE)) /* the last, see make_relocations() */
		*next++ = make_symbol(put_string(strings, "table_state"), STT_NOTYPE, SHN_UNDEF, 0,
				      0);
	contents->symbol_count = (uint32_t)(next - symbols);
	for (unsigned i = 1; i < SECTION_COUNT; i++)
		contents->name[i] = put_string(strings, shapes[i].name);
}

static int make_strings_and_symbols(struct contents *contents, const struct elf_source *source)
{
	size_t most = SYMBOL_FUNCTIONS + (size_t)source->function_count + 4;
	FILE *strings;

	contents->symbols = calloc(most, sizeof(*contents->symbols));
	if (!contents->symbols)
		return -ENOMEM;
	strings = open_memstream(&contents->strings, &contents->size[SECTION_STRINGS]);
	if (!strings)
		return -ENOMEM;
	fputc(0, strings);
	make_symbols(contents, source, strings);
	if (fclose(strings))
		return -ENOMEM;
	contents->data[SECTION_STRINGS] = contents->strings;
	contents->data[SECTION_SYMBOLS] = contents->symbols;
	contents->size[SECTION_SYMBOLS] = contents->symbol_count * sizeof(*contents->symbols);
	return 0;
}

static int make_relocations(struct contents *contents, const struct assembler *assembler)
{
	const Elf64_Xword kinds[] = {
		[OUTSIDE_COUNTERS] = ELF64_R_INFO(SYMBOL_COUNTERS, RELOCATION_64_64),
		[OUTSIDE_STATE] =
			ELF64_R_INFO((Elf64_Xword)contents->symbol_count - 1, RELOCATION_64_32),
	};

	contents->relocations =
		calloc(assembler->reference_count + 1, sizeof(*contents->relocations));
	if (!contents->relocations)
		return -ENOMEM;
	for (uint32_t i = 0; i < assembler->reference_count; i++)
		contents->relocations[i] = (Elf64_Rel){
			.r_offset = assembler->references[i].instruction * sizeof(struct bpf_insn),
			.r_info = kinds[assembler->references[i].to],
		};
	contents->data[SECTION_RELOCATIONS] = contents->relocations;
	contents->size[SECTION_RELOCATIONS] =
		assembler->reference_count * sizeof(*contents->relocations);
	return 0;
}

static int contents_make(struct contents *contents, const struct elf_source *source)
{
	static const unsigned char map_definition[MAP_DEFINITION_SIZE];
	const struct assembler *assembler = source->assembler;
	int error;

	contents->constants = (struct constants){ source->needs, source->ir->state_count };
	error = make_strings_and_symbols(contents, source);
	if (!error)
		error = make_relocations(contents, assembler);
	if (!error)
		error = btf_object_make(source, &contents->btf);
	if (error)
		return error;
	contents->data[SECTION_TEXT] = assembler->instructions;
	contents->size[SECTION_TEXT] = assembler->count * sizeof(struct bpf_insn);
	contents->data[SECTION_MAPS] = map_definition;
	contents->size[SECTION_MAPS] = sizeof(map_definition);
	contents->data[SECTION_RODATA] = &contents->constants;
	contents->size[SECTION_RODATA] = sizeof(contents->constants);
	contents->data[SECTION_STATES] = source->states;
	contents->size[SECTION_STATES] = states_size(source);
	if (source->image) {
		contents->data[SECTION_CLASSIFIER] = &source->image->head;
		contents->size[SECTION_CLASSIFIER] = sizeof(source->image->head);
		contents->data[SECTION_TABLE] = source->image->bytes;
		contents->size[SECTION_TABLE] = source->image->size;
	}
	contents->data[SECTION_BTF] = contents->btf.types;
	contents->size[SECTION_BTF] = contents->btf.types_size;
	contents->data[SECTION_BTF_EXT] = contents->btf.ext;
	contents->size[SECTION_BTF_EXT] = contents->btf.ext_size;
	return 0;
}

/* --- the file -------------------------------------------------------------------------------- */

static bool write_header(Elf *elf)
{
	GElf_Ehdr header;

	if (!gelf_newehdr(elf, ELFCLASS64) || !gelf_getehdr(elf, &header))
		return false;
	header.e_ident[EI_DATA] =
		__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;
	header.e_machine = EM_BPF;
	header.e_type = ET_REL;
	header.e_version = EV_CURRENT;
	header.e_shstrndx = SECTION_STRINGS;
	return gelf_update_ehdr(elf, &header);
}

static Elf_Type data_type(enum section section)
{
	switch (section) {
	case SECTION_RELOCATIONS:
		return ELF_T_REL;
	case SECTION_SYMBOLS:
		return ELF_T_SYM;
	default:
		return ELF_T_BYTE;
	}
}

static Elf_Scn *write_section(Elf *elf, const struct contents *contents, enum section section)
{
	const struct section_shape *shape = &shapes[section];
	Elf_Scn *scn = elf_newscn(elf);
	Elf_Data *data = scn ? elf_newdata(scn) : NULL;
	GElf_Shdr header;

	if (!data || !gelf_getshdr(scn, &header))
		return NULL;
	data->d_buf = (void *)contents->data[section];
	data->d_size = contents->size[section];
	data->d_type = data_type(section);
	data->d_align = shape->alignment;
	data->d_version = EV_CURRENT;
	header.sh_name = contents->name[section];
	header.sh_type = shape->type;
	header.sh_flags = shape->flags;
	header.sh_entsize = shape->entry_size;
	header.sh_link = shape->link;
	header.sh_addralign = shape->alignment;
	if (section == SECTION_RELOCATIONS)
		header.sh_info = SECTION_TEXT;
	if (section == SECTION_SYMBOLS)
		header.sh_info = SYMBOL_COUNTERS; /* first symbol that is not local */
	return gelf_update_shdr(scn, &header) ? scn : NULL;
}

/* @table_offset: where the table's data, the last section, come to lie. */
static bool write_file(int fd, const struct contents *contents, size_t *table_offset)
{
	Elf *elf = elf_begin(fd, ELF_C_WRITE, NULL);
	bool good = elf && write_header(elf);
	Elf_Scn *last = NULL;
	GElf_Shdr header;

	for (unsigned i = 1; good && i < SECTION_COUNT; i++)
		if (i < SECTION_STATES || contents->data[i])
			good = (last = write_section(elf, contents, (enum section)i)) != NULL;
	good = good && elf_update(elf, ELF_C_WRITE) >= 0;
	if (good && contents->data[SECTION_TABLE]) {
		good = gelf_getshdr(last, &header);
		*table_offset = good ? header.sh_offset : 0;
	}
	elf_end(elf);
	return good;
}

int object_read(int fd, struct object *object)
{
	struct object read = {};
	struct stat status;
	int error;

	if (fstat(fd, &status) || lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	read.size = (size_t)status.st_size;
	read.data = malloc(read.size);
	if (!read.data)
		return -ENOMEM;
	error = io_read(fd, read.data, read.size);
	if (error) {
		object_free(&read);
		return error;
	}
	*object = read;
	return 0;
}

/* libelf writes to descriptors only: the file is one in memory. */
int elf_object_write(const struct elf_source *source, struct object *object,
		     struct message *message)
{
	_cleanup_close_ int fd = memfd_create("table.bpf.o", MFD_CLOEXEC);
	struct contents contents = {};
	size_t table_offset = 0;
	int error;

	if (fd < 0)
		return message_set(message, -errno, "cannot make a memory file: %m");
	if (elf_version(EV_CURRENT) == EV_NONE)
		return message_set(message, -EIO, "libelf: %s", elf_errmsg(-1));
	error = contents_make(&contents, source);
	if (!error && !write_file(fd, &contents, &table_offset))
		error = message_set(message, -EIO, "libelf: %s", elf_errmsg(-1));
	if (!error)
		error = object_read(fd, object);
	if (!error) {
		object->needs = source->needs;
		object->shape.blocks = source->blocks;
		if (source->image)
			object->shape.head = source->image->head;
		object->classified = source->image != NULL;
		object->table_offset = table_offset;
		object->table_size = source->image ? source->image->size : 0;
	}
	contents_free(&contents);
	return error;
}
