/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libFuzzer target: the first byte says family (bit 0) and option, the rest is the argument.
 * Whatever is accepted is printed, lowered, written to a file and read again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../iptables-compat/extension.h"
#include "../../iptables-compat/text.h"
#include "blob.h"
#include "memory_home.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t limit, unsigned int seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t limit);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void use_rule(const struct table *table, uint32_t index)
{
	struct entry entry = table_entry(table, index);
	struct match_context context = { .family = table->family };
	const unsigned char *next = entry.match_begin;
	struct rule rule = { 0 };
	char place[256];
	char *text = NULL;

	require(rule_text(table, index, &text) == 0 && *text && !strchr(text, '\n'));
	require(rule_place(table, index, place, sizeof(place)) == 0);
	require(table_index(table, table->offsets[index]) == index);
	while (next < entry.match_end) {
		const struct xt_entry_match *match = (const struct xt_entry_match *)next;
		const struct match_extension *extension =
			match_find(table->family, match->u.user.name, match->u.user.revision);
		int error;

		require(extension);
		error = extension->lower ? extension->lower(match->data, &context, &rule) : 0;
		/* options that BPF does not do are the kernel's */
		require(!error || error == -ENOENT || error == -EOPNOTSUPP);
		next += match->u.match_size;
	}
	free(rule.predicates);
	free(text);
}

static void use_table(const struct table *table)
{
	struct table *copy = NULL;
	void *file = NULL;
	size_t size;

	for (uint32_t i = 0; i < table->entry_count; i++)
		use_rule(table, i);
	require(table_write(table, &file, &size) == 0);
	require(table_read(file, size, &copy) == 0);
	require(copy->size == table->size && copy->entry_count == table->entry_count &&
		memcmp(copy->entries, table->entries, table->size) == 0);
	table_free(copy);
	free(file);
}

struct choice {
	bool is_set;
	int option;
};

static const struct choice choices[] = {
	{ true, IPT_SO_SET_REPLACE },
	{ true, IPT_SO_SET_ADD_COUNTERS },
	{ false, IPT_SO_GET_INFO },
	{ false, IPT_SO_GET_ENTRIES },
	{ false, IPT_SO_GET_REVISION_MATCH },
	{ false, IP6T_SO_GET_REVISION_MATCH },
	{ false, IPT_SO_GET_REVISION_TARGET },
	{ false, IP6T_SO_GET_REVISION_TARGET },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct choice *choice = size ? &choices[data[0] >> 1 & 7] : NULL;
	enum family family = size && data[0] & 1 ? FAMILY_IPV6 : FAMILY_IPV4;
	struct message message = { 0 };
	struct memory_home memory;
	size_t output_len = 0;
	void *output = NULL;
	int status;

	if (!size || memory_home_open(&memory, family))
		return 0;
	if (choice->is_set)
		status = sockopt_set(&memory.home, family, choice->option, data + 1, size - 1,
				     &output, &output_len, &message);
	else
		status = sockopt_get(&memory.home, family, choice->option, data + 1, size - 1,
				     &output, &output_len, &message);
	require(status <= 0 && (status == 0 || (!output && !output_len)));
	if (status == 0 && choice->is_set)
		use_table(memory.table);
	free(output);
	memory_home_close(&memory);
	return 0;
}

/* Half of the time, what knows the layout; the option byte stays. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t limit, unsigned int seed)
{
	struct random random = { .state = seed };
	enum family family = data[0] & 1 ? FAMILY_IPV6 : FAMILY_IPV4;
	struct blob blob;

	if (size < 2 || random_percent(&random, 50))
		return LLVMFuzzerMutate(data, size, limit);
	blob.size = size - 1;
	blob.data = xcalloc(1, blob.size);
	memcpy(blob.data, data + 1, blob.size);
	blob_mutate(&blob, family, &random);
	if (blob.size + 1 <= limit) {
		memcpy(data + 1, blob.data, blob.size);
		size = blob.size + 1;
	}
	blob_free(&blob);
	return size;
}
