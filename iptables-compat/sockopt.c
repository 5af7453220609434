/* SPDX-License-Identifier: GPL-2.0-only */
#include "sockopt.h"

#include <errno.h>
#include <stdlib.h>

#include "extension.h"
#include "layout.h"

/* What the client sent and what it gets back. */
struct exchange {
	struct table_home *home;
	enum family family;
	const unsigned char *input;
	size_t input_len;
	void **output;
	size_t *output_len;
	struct message *message;
};

static bool names_filter(const unsigned char *input)
{
	char name[XT_TABLE_MAXNAMELEN];

	memcpy(name, input, sizeof(name));
	name[sizeof(name) - 1] = '\0';
	return strcmp(name, FILTER_NAME) == 0;
}

static int reply(const struct exchange *exchange, void *data, size_t size)
{
	*exchange->output = data;
	*exchange->output_len = size;
	return 0;
}

/* As get_info(). */
static int get_info(const struct exchange *exchange)
{
	const struct table *table;
	struct ipt_getinfo *info;
	int error;

	if (exchange->input_len != sizeof(*info))
		return -EINVAL;
	if (!names_filter(exchange->input))
		return -ENOENT;
	error = exchange->home->current(exchange->home, &table, exchange->message);
	if (error)
		return error;
	info = calloc(1, sizeof(*info));
	if (!info)
		return -ENOMEM;
	strcpy(info->name, FILTER_NAME);
	info->valid_hooks = table->valid_hooks;
	memcpy(info->hook_entry, table->hook_entry, sizeof(info->hook_entry));
	memcpy(info->underflow, table->underflow, sizeof(info->underflow));
	info->num_entries = table->entry_count;
	info->size = table->size;
	return reply(exchange, info, sizeof(*info));
}

/*
 * The kernel writes a match or target field by field, the name only up to its NUL: what lies
 * behind it in the client's buffer stays as it was. xt_entry_match and xt_entry_target are alike.
 */
static void copy_extension(unsigned char *to, const unsigned char *from)
{
	const struct xt_entry_match *match = (const struct xt_entry_match *)from;
	size_t size = match->u.match_size;

	memcpy(to, from, sizeof(match->u.user.match_size));
	strcpy((char *)to + offsetof(struct xt_entry_match, u.user.name), match->u.user.name);
	to[offsetof(struct xt_entry_match, u.user.revision)] = match->u.user.revision;
	memcpy(to + sizeof(*match), from + sizeof(*match), size - sizeof(*match));
}

_Static_assert(offsetof(struct xt_entry_match, u.user.name) ==
			       offsetof(struct xt_entry_target, u.user.name) &&
		       offsetof(struct xt_entry_match, u.user.revision) ==
			       offsetof(struct xt_entry_target, u.user.revision),
	       "copy_extension() serves both");

/* As copy_entries_to_user(). */
static void copy_entries(unsigned char *to, const struct table *table,
			 const struct xt_counters *counters)
{
	const struct layout *layout = layout_get(table->family);

	for (uint32_t i = 0; i < table->entry_count; i++) {
		struct entry entry = table_entry(table, i);
		const unsigned char *base = table->entries + table->offsets[i];
		unsigned char *copy = to + table->offsets[i];

		memcpy(copy, base, layout->entry_size);
		memcpy(copy + layout->counters, &counters[i], sizeof(counters[i]));
		for (const unsigned char *match = entry.match_begin; match < entry.match_end;
		     match += field_u16(match, 0))
			copy_extension(copy + (match - base), match);
		copy_extension(copy + entry.target_offset, (const unsigned char *)entry.target);
	}
}

/* As get_entries(). */
static int get_entries(const struct exchange *exchange)
{
	_cleanup_free_ struct xt_counters *counters = NULL;
	_cleanup_free_ unsigned char *copy = NULL;
	const size_t header = sizeof(struct ipt_get_entries);
	const struct table *table;
	uint32_t size;
	int error;

	if (exchange->input_len < header)
		return -EINVAL;
	size = field_u32(exchange->input, offsetof(struct ipt_get_entries, size));
	if (exchange->input_len != header + size)
		return -EINVAL;
	if (!names_filter(exchange->input))
		return -ENOENT;
	error = exchange->home->current(exchange->home, &table, exchange->message);
	if (error)
		return error;
	if (size != table->size)
		return -EAGAIN;
	counters = calloc(table->entry_count, sizeof(*counters));
	copy = malloc(exchange->input_len);
	if (!counters || !copy)
		return -ENOMEM;
	error = exchange->home->counters(exchange->home, counters, exchange->message);
	if (error)
		return error;
	memcpy(copy, exchange->input, exchange->input_len);
	copy_entries(copy + header, table, counters);
	return reply(exchange, TAKE_PTR(copy), exchange->input_len);
}

/* Bytes of the first of @size bytes of entries; 0: it is not whole. */
static size_t entry_extent(const struct layout *layout, const unsigned char *entry, size_t size)
{
	size_t next = size < layout->entry_size ? 0 : field_u16(entry, layout->next_offset);

	return next < layout->entry_size || next > size ? 0 : next;
}

struct xt_counters *entries_last(enum family family, void *entries, size_t size)
{
	const struct layout *layout = layout_get(family);
	unsigned char *base = entries;
	size_t next;

	while ((next = entry_extent(layout, base, size)) && next < size) {
		base += next;
		size -= next;
	}
	return next ? (struct xt_counters *)(base + layout->counters) : NULL;
}

int entries_add(enum family family, void *entries, size_t size, const struct xt_counters *counters,
		uint32_t count)
{
	const struct layout *layout = layout_get(family);
	unsigned char *base = entries;

	for (uint32_t i = 0; i < count; i++) {
		size_t next = entry_extent(layout, base, size);
		struct xt_counters sum;

		if (!next)
			return -EINVAL;
		memcpy(&sum, base + layout->counters, sizeof(sum));
		sum.pcnt += counters[i].pcnt;
		sum.bcnt += counters[i].bcnt;
		memcpy(base + layout->counters, &sum, sizeof(sum));
		base += next;
		size -= next;
	}
	return size ? -EINVAL : 0;
}

enum revision_kind {
	REVISION_MATCH,
	REVISION_TARGET,
};

/* As xt_find_revision(); the kernel's own answer of a highest revision becomes 0 on the way out. */
static int get_revision(const struct exchange *exchange, enum revision_kind kind)
{
	struct xt_get_revision asked;

	if (exchange->input_len != sizeof(asked))
		return -EINVAL;
	memcpy(&asked, exchange->input, sizeof(asked));
	asked.name[sizeof(asked.name) - 1] = '\0';
	if (kind == REVISION_TARGET) {
		if (strcmp(asked.name, XT_STANDARD_TARGET) == 0 ||
		    strcmp(asked.name, XT_ERROR_TARGET) == 0)
			return asked.revision ? -EPROTONOSUPPORT : 0;
		if (!target_named(exchange->family, asked.name))
			return -EOPNOTSUPP;
		if (!target_find(exchange->family, asked.name, asked.revision))
			return -EPROTONOSUPPORT;
	} else {
		if (!match_named(exchange->family, asked.name))
			return -EOPNOTSUPP;
		if (!match_find(exchange->family, asked.name, asked.revision))
			return -EPROTONOSUPPORT;
	}
	return 0; /* which says it all: nothing is written */
}

static int get_revision_match(const struct exchange *exchange)
{
	return get_revision(exchange, REVISION_MATCH);
}

static int get_revision_target(const struct exchange *exchange)
{
	return get_revision(exchange, REVISION_TARGET);
}

static int put_in_force(const struct exchange *exchange, struct table *table,
			struct xt_counters *old)
{
	/* the client speaks of a table that somebody has replaced since */
	int error = old ? exchange->home->replace(exchange->home, table, old, exchange->message)
			: -EAGAIN;

	if (error)
		table_free(table);
	return error;
}

/* Not in BPF: an extension, or too much of what there is. */
static bool is_beyond_bpf(int error)
{
	return error == -EOPNOTSUPP || error == -E2BIG;
}

/* With nobody to hand it to, an extension is as unknown as one that the kernel does not know. */
static int hand_over(const struct exchange *exchange, int error, struct xt_counters *old)
{
	if (exchange->home->hand_over)
		return exchange->home->hand_over(exchange->home, exchange->input,
						 exchange->input_len, old, exchange->message);
	return error == -EOPNOTSUPP ? -ENOENT : error;
}

/* As do_replace(): everything is checked before the number of counters, then the tables swap. */
static int set_replace(const struct exchange *exchange)
{
	_cleanup_free_ struct xt_counters *old = NULL;
	struct table *table = NULL;
	uint32_t num_counters, count;
	int decoded = table_decode(exchange->family, exchange->input, exchange->input_len, &table,
				   &num_counters, exchange->message);
	int error = decoded;

	if (error && !is_beyond_bpf(error))
		return error;
	error = exchange->home->entry_count(exchange->home, &count, exchange->message);
	if (!error && num_counters == count) {
		old = calloc(count, sizeof(*old));
		error = old ? 0 : -ENOMEM;
	}
	if (error) {
		table_free(table);
		return error;
	}
	error = decoded ? decoded : put_in_force(exchange, table, old);
	if (is_beyond_bpf(error))
		error = hand_over(exchange, error, old);
	return error ? error : reply(exchange, TAKE_PTR(old), count * sizeof(*old));
}

/* As do_add_counters(). */
static int set_add_counters(const struct exchange *exchange)
{
	_cleanup_free_ struct xt_counters *add = NULL;
	const size_t header = sizeof(struct xt_counters_info);
	const struct table *table;
	uint64_t size;
	uint32_t count;
	int error;

	if (exchange->input_len <= header)
		return -EINVAL;
	count = field_u32(exchange->input, offsetof(struct xt_counters_info, num_counters));
	size = (uint64_t)count * sizeof(*add);
	if (size != exchange->input_len - header)
		return -EINVAL;
	if (!names_filter(exchange->input))
		return -ENOENT;
	error = exchange->home->current(exchange->home, &table, exchange->message);
	if (error)
		return error;
	if (count != table->entry_count)
		return -EINVAL;
	add = malloc(size);
	if (!add)
		return -ENOMEM;
	memcpy(add, exchange->input + header, size);
	return exchange->home->add_counters(exchange->home, add, exchange->message);
}

struct handler {
	int option;
	int (*handle)(const struct exchange *exchange);
};

static const struct handler get_ipv4[] = {
	{ IPT_SO_GET_INFO, get_info },
	{ IPT_SO_GET_ENTRIES, get_entries },
	{ IPT_SO_GET_REVISION_MATCH, get_revision_match },
	{ IPT_SO_GET_REVISION_TARGET, get_revision_target },
};

static const struct handler get_ipv6[] = {
	{ IP6T_SO_GET_INFO, get_info },
	{ IP6T_SO_GET_ENTRIES, get_entries },
	{ IP6T_SO_GET_REVISION_MATCH, get_revision_match },
	{ IP6T_SO_GET_REVISION_TARGET, get_revision_target },
};

static const struct handler set_both[] = {
	{ IPT_SO_SET_REPLACE, set_replace },
	{ IPT_SO_SET_ADD_COUNTERS, set_add_counters },
};

static int dispatch(const struct handler *handlers, size_t count, int option,
		    const struct exchange *exchange)
{
	*exchange->output = NULL;
	*exchange->output_len = 0;
	for (size_t i = 0; i < count; i++)
		if (handlers[i].option == option)
			return handlers[i].handle(exchange);
	return -ENOPROTOOPT;
}

int sockopt_get(struct table_home *home, enum family family, int option, const void *input,
		size_t input_len, void **output, size_t *output_len, struct message *message)
{
	const struct exchange exchange = { home,   family,     input,  input_len,
					   output, output_len, message };

	if (family == FAMILY_IPV6)
		return dispatch(get_ipv6, ARRAY_SIZE(get_ipv6), option, &exchange);
	return dispatch(get_ipv4, ARRAY_SIZE(get_ipv4), option, &exchange);
}

int sockopt_set(struct table_home *home, enum family family, int option, const void *input,
		size_t input_len, void **output, size_t *output_len, struct message *message)
{
	const struct exchange exchange = { home,   family,     input,  input_len,
					   output, output_len, message };

	return dispatch(set_both, ARRAY_SIZE(set_both), option, &exchange);
}
