/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A table as bytes for a state file: a header of our own, then what a client would pass to
 * SET_REPLACE. Reading goes through table_decode(), so a file is trusted no more than a client;
 * the checksum catches damage that would leave a good but different table.
 */
#include "table.h"

#include <errno.h>
#include <stdlib.h>

#include "../common/checksum.h"
#include "../common/cleanup.h"
#include "layout.h"

struct table_file {
	char magic[8];	   /* FILE_MAGIC and the version of this format, a digit */
	uint32_t family;   /* enum family */
	uint32_t size;	   /* bytes behind this header */
	uint64_t checksum; /* of those bytes, seeded with family and size */
};

_Static_assert(sizeof(struct table_file) == 24, "the entries behind it stay aligned");

static const char FILE_MAGIC[] = "ubpftab";
#define MAGIC_LENGTH (sizeof(FILE_MAGIC) - 1)

/* What is behind the header is the same in both. */
static const struct version {
	char digit;
	uint64_t (*checksum)(uint64_t seed, const void *data, size_t size);
} versions[] = {
	{ '2', checksum_long }, /* what is written */
	{ '1', checksum },	/* of a driver before an upgrade */
};

static const struct version *version_find(const char magic[static MAGIC_LENGTH + 1])
{
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++)
		if (!memcmp(magic, FILE_MAGIC, MAGIC_LENGTH) &&
		    magic[MAGIC_LENGTH] == versions[i].digit)
			return &versions[i];
	return NULL;
}

/* @data: file->size bytes */
static uint64_t file_checksum(const struct version *version, const struct table_file *file,
			      const void *data)
{
	return version->checksum((uint64_t)file->family << 32 | file->size, data, file->size);
}

static size_t argument_size(const struct table *table)
{
	return sizeof(struct ipt_replace) + table->size;
}

/* @replace: argument_size() bytes */
static void fill_argument(const struct table *table, struct ipt_replace *replace)
{
	memset(replace, 0, sizeof(*replace));
	memcpy(replace->name, table->name, sizeof(replace->name));
	replace->valid_hooks = table->valid_hooks;
	replace->num_entries = table->entry_count;
	replace->size = table->size;
	memcpy(replace->hook_entry, table->hook_entry, sizeof(replace->hook_entry));
	memcpy(replace->underflow, table->underflow, sizeof(replace->underflow));
	memcpy(replace->entries, table->entries, table->size);
}

int table_argument(const struct table *table, struct ipt_replace **argument, size_t *size)
{
	*argument = malloc(argument_size(table));
	if (!*argument)
		return -ENOMEM;
	fill_argument(table, *argument);
	*size = argument_size(table);
	return 0;
}

int table_write(const struct table *table, void **data, size_t *size)
{
	size_t length = argument_size(table);
	_cleanup_free_ struct table_file *file = malloc(sizeof(*file) + length);
	struct ipt_replace *replace;

	if (!file)
		return -ENOMEM;
	memcpy(file->magic, FILE_MAGIC, MAGIC_LENGTH);
	file->magic[MAGIC_LENGTH] = versions[0].digit;
	file->family = table->family;
	file->size = (uint32_t)length;

	replace = (struct ipt_replace *)(file + 1);
	fill_argument(table, replace);
	replace->num_counters = table->entry_count;

	file->checksum = file_checksum(&versions[0], file, replace);
	*data = TAKE_PTR(file);
	*size = sizeof(struct table_file) + length;
	return 0;
}

int table_read(const void *data, size_t size, struct table **table)
{
	const struct table_file *file = data;
	const struct version *version;
	struct table_file header;
	uint32_t num_counters;
	int error;

	if (size < sizeof(header))
		return -EINVAL;
	memcpy(&header, data, sizeof(header));
	version = version_find(header.magic);
	if (!version || header.size != size - sizeof(header) ||
	    (header.family != FAMILY_IPV4 && header.family != FAMILY_IPV6) ||
	    header.checksum != file_checksum(version, &header, file + 1))
		return -EINVAL;
	error = table_decode(header.family, file + 1, header.size, table, &num_counters, NULL);
	return error && error != -ENOMEM ? -EINVAL : error;
}
