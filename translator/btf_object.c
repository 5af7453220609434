/* SPDX-License-Identifier: GPL-2.0-only */
#include "btf_object.h"

#include <bpf/btf.h>
#include <errno.h>
#include <string.h>

#include "../iptables-compat/text.h"

/* Type numbers that the functions and variables refer to. */
struct types {
	struct btf *btf;
	int integer, u32, u64, block, packet;
	int error; /* first error of libbpf, negative */
};

/* libbpf returns a new number, or a negative errno; the first error sticks. */
static int note(struct types *types, int result)
{
	if (result < 0 && !types->error)
		types->error = result;
	return result;
}

static void add_base_types(struct types *types)
{
	struct btf *btf = types->btf;
	int counter, counters, packet;

	types->integer = note(types, btf__add_int(btf, "int", 4, BTF_INT_SIGNED));
	types->u32 = note(types, btf__add_int(btf, "unsigned int", 4, 0));
	types->u64 = note(types, btf__add_int(btf, "unsigned long long", 8, 0));
	counter = note(types, btf__add_struct(btf, "counter", sizeof(struct counter)));
	note(types, btf__add_field(btf, "packets", types->u64, 0, 0));
	note(types, btf__add_field(btf, "bytes", types->u64, 64, 0));
	counters = note(types, btf__add_array(btf, types->integer, counter, COUNTERS_OF_BLOCK));
	types->block =
		note(types, btf__add_struct(btf, "counter_block", sizeof(struct counter_block)));
	note(types, btf__add_field(btf, "counters", counters, 0, 0));
	/* its members are in the entry programs' BTF; here the size is what the verifier needs */
	packet = note(types, btf__add_struct(btf, "packet", sizeof(struct packet)));
	types->packet = note(types, btf__add_ptr(btf, packet));
}

/* `int (*name)[value]`: how BTF-defined maps spell a number. */
static int add_number(struct types *types, uint32_t value)
{
	int array = note(types, btf__add_array(types->btf, types->integer, types->integer, value));

	return note(types, btf__add_ptr(types->btf, array));
}

static void add_map(struct types *types, uint32_t elements)
{
	struct btf *btf = types->btf;
	int type = add_number(types, BPF_MAP_TYPE_PERCPU_ARRAY);
	int max_entries = add_number(types, elements);
	int key = note(types, btf__add_ptr(btf, types->u32));
	int value = note(types, btf__add_ptr(btf, types->block));
	int definition = note(types, btf__add_struct(btf, NULL, MAP_DEFINITION_SIZE));
	int variable;

	note(types, btf__add_field(btf, "type", type, 0, 0));
	note(types, btf__add_field(btf, "key", key, 64, 0));
	note(types, btf__add_field(btf, "value", value, 128, 0));
	note(types, btf__add_field(btf, "max_entries", max_entries, 192, 0));
	variable = note(types, btf__add_var(btf, "counters", BTF_VAR_GLOBAL_ALLOCATED, definition));
	note(types, btf__add_datasec(btf, ".maps", MAP_DEFINITION_SIZE));
	note(types, btf__add_datasec_var_info(btf, variable, 0, MAP_DEFINITION_SIZE));
}

/* `const volatile u32` for each, one behind the other. */
static void add_constants(struct types *types)
{
	static const char *const names[] = { "table_needs", "table_states" };
	struct btf *btf = types->btf;
	int volatile_u32 = note(types, btf__add_volatile(btf, types->u32));
	int constant = note(types, btf__add_const(btf, volatile_u32));
	int variables[ARRAY_SIZE(names)];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		variables[i] = note(
			types, btf__add_var(btf, names[i], BTF_VAR_GLOBAL_ALLOCATED, constant));
	note(types, btf__add_datasec(btf, ".rodata", sizeof(names) / sizeof(*names) * 4));
	for (uint32_t i = 0; i < ARRAY_SIZE(names); i++)
		note(types, btf__add_datasec_var_info(btf, variables[i], i * 4, 4));
}

/* `u64 name[]`, in a section of its own: it becomes a map of its own. */
static void add_words(struct types *types, const char *name, const char *section, int element,
		      size_t size)
{
	struct btf *btf = types->btf;
	int array = note(types, btf__add_array(btf, types->integer, element,
					       (uint32_t)(size / sizeof(uint64_t))));
	int variable = note(types, btf__add_var(btf, name, BTF_VAR_GLOBAL_ALLOCATED, array));

	note(types, btf__add_datasec(btf, section, (uint32_t)size));
	note(types, btf__add_datasec_var_info(btf, variable, 0, (uint32_t)size));
}

static int add_function(struct types *types, const struct function *function,
			enum btf_func_linkage linkage)
{
	struct btf *btf = types->btf;
	int prototype = note(types, btf__add_func_proto(btf, types->integer));

	if (function->signature == SIGNATURE_NUMBER)
		note(types, btf__add_func_param(btf, "number", types->u32));
	note(types, btf__add_func_param(btf, "packet", types->packet));
	return note(types, btf__add_func(btf, function->name, linkage, prototype));
}

/* --- .BTF.ext: libbpf reads it but has no writer; the layout is Documentation/bpf/btf.rst's ----
 */

struct ext_header {
	uint16_t magic;
	uint8_t version;
	uint8_t flags;
	uint32_t header_size;
	uint32_t func_info_offset, func_info_size;
	uint32_t line_info_offset, line_info_size;
};

struct ext_section {
	uint32_t section_name;
	uint32_t count;
};

struct func_info {
	uint32_t offset; /* bytes into the section */
	uint32_t type;
};

struct line_info {
	uint32_t offset; /* bytes into the section */
	uint32_t file_name;
	uint32_t line;
	uint32_t line_and_column; /* line << 10 | column */
};

static void put(unsigned char **to, const void *data, size_t size)
{
	memcpy(*to, data, size);
	*to += size;
}

/* A rule without code of its own (it can never match) begins where the next one does, or nowhere.
 */
static bool line_is_shadowed(const struct assembler *assembler, uint32_t index)
{
	uint32_t next = index + 1 < assembler->line_count ? assembler->lines[index + 1].instruction
							  : assembler->count;

	return assembler->lines[index].instruction == next;
}

/* Only here: most rules of a large table are data and are shown nowhere. */
static int add_rule_text(struct types *types, const struct elf_source *source, uint32_t rule)
{
	const struct table *table = source->ir->table;
	_cleanup_free_ char *text = NULL;
	int error = table ? rule_text(table, rule, &text) : 0;

	return note(types, error ? error : btf__add_str(types->btf, text ? text : ""));
}

static struct line_info make_line(struct types *types, const struct elf_source *source,
				  uint32_t index, uint32_t file_name)
{
	const struct line *line = &source->assembler->lines[index];
	bool is_rule = line->rule != RULE_NONE;
	int text = is_rule ? add_rule_text(types, source, line->rule)
			   : note(types, btf__add_str(types->btf, "count a rule"));

	return (struct line_info){
		.offset = line->instruction * (uint32_t)sizeof(struct bpf_insn),
		.file_name = file_name,
		.line = (uint32_t)text,
		.line_and_column = is_rule ? (line->rule + 1) << 10 : 0,
	};
}

static uint32_t put_lines(struct types *types, const struct elf_source *source, unsigned char **to)
{
	uint32_t file = (uint32_t)note(types, btf__add_str(types->btf, source->source_name));
	uint32_t count = 0;

	for (uint32_t i = 0; i < source->assembler->line_count; i++) {
		struct line_info line;

		if (line_is_shadowed(source->assembler, i))
			continue;
		line = make_line(types, source, i, file);
		put(to, &line, sizeof(line));
		count++;
	}
	return count;
}

static int make_ext(struct types *types, const struct elf_source *source, const int *function_types,
		    struct btf_sections *sections)
{
	static const uint32_t func_size = sizeof(struct func_info),
			      line_size = sizeof(struct line_info);
	size_t functions =
		4 + sizeof(struct ext_section) + source->function_count * (size_t)func_size;
	size_t lines =
		4 + sizeof(struct ext_section) + source->assembler->line_count * (size_t)line_size;
	struct ext_header header = { .magic = 0xeb9f, .version = 1, .header_size = sizeof(header) };
	uint32_t text = (uint32_t)note(types, btf__add_str(types->btf, ".text"));
	struct ext_section section = { text, source->function_count };
	unsigned char *data = calloc(1, sizeof(header) + functions + lines), *to = data, *lines_at;

	if (!data)
		return -ENOMEM;
	to += sizeof(header);
	put(&to, &func_size, 4);
	put(&to, &section, sizeof(section));
	for (uint32_t i = 0; i < source->function_count; i++) {
		struct func_info info = { source->functions[i].begin * 8,
					  (uint32_t)function_types[i] };

		put(&to, &info, sizeof(info));
	}
	lines_at = to;
	put(&to, &line_size, 4);
	to += sizeof(section);
	section.count = put_lines(types, source, &to);
	memcpy(lines_at + 4, &section, sizeof(section));
	header.func_info_size = (uint32_t)functions;
	header.line_info_offset = (uint32_t)functions;
	header.line_info_size = (uint32_t)(to - lines_at);
	memcpy(data, &header, sizeof(header));
	sections->ext = data;
	sections->ext_size = (size_t)(to - data);
	return 0;
}

static const struct function outside_state = { .name = "table_state",
					       .signature = SIGNATURE_NUMBER };

static int make_sections(struct types *types, const struct elf_source *source,
			 struct btf_sections *sections)
{
	_cleanup_free_ int *function_types =
		calloc(source->function_count, sizeof(*function_types));
	const void *raw;
	uint32_t size;
	int error;

	if (!function_types)
		return -ENOMEM;
	add_base_types(types);
	for (uint32_t i = 0; i < source->function_count; i++)
		function_types[i] = add_function(types, &source->functions[i], BTF_FUNC_GLOBAL);
	if (assembler_refers(source->assembler, OUTSIDE_STATE))
		add_function(types, &outside_state, BTF_FUNC_EXTERN);
	add_map(types, source->blocks);
	add_constants(types);
	if (source->states)
		add_words(types, "states", STATES_SECTION, types->u64,
			  source->ir->state_count * sizeof(*source->states));
	if (source->image) {
		int constant = note(types, btf__add_const(types->btf, types->u64));

		add_words(types, "classifier", CLASSIFIER_SECTION, constant,
			  sizeof(source->image->head));
		add_words(types, "table_data", TABLE_SECTION, constant, source->image->size);
	}
	error = make_ext(types, source, function_types, sections);
	if (error || types->error)
		return error ? error : types->error;
	raw = btf__raw_data(types->btf, &size);
	sections->types = raw ? malloc(size) : NULL;
	if (!sections->types)
		return -ENOMEM;
	memcpy(sections->types, raw, size);
	sections->types_size = size;
	return 0;
}

int btf_object_make(const struct elf_source *source, struct btf_sections *sections)
{
	struct btf_sections made = {};
	struct types types = { .btf = btf__new_empty() };
	int error;

	if (!types.btf)
		return -errno;
	error = make_sections(&types, source, &made);
	btf__free(types.btf);
	if (error) {
		free(made.ext);
		free(made.types);
		return error;
	}
	*sections = made;
	return 0;
}
