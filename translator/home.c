/* SPDX-License-Identifier: GPL-2.0-only */
#include "home.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "compile.h"

/* Counters of the loader and of the socket ABI are the same two u64. */
_Static_assert(sizeof(struct xt_counters) == sizeof(struct counter), "counters are cast");
_Static_assert(offsetof(struct xt_counters, pcnt) == offsetof(struct counter, packets) &&
		       offsetof(struct xt_counters, bcnt) == offsetof(struct counter, bytes),
	       "counters are cast");

/* The log is the supervisor's; the client, whose command did what it should, hears nothing. */
static void log_enforcer(const struct home *home, const char *reason)
{
	fprintf(stderr, "namespace %016" PRIx64 ": table filter (%s): enforced by ",
		netns_cookie(home->netns), home->family == FAMILY_IPV4 ? "IPv4" : "IPv6");
	if (reason)
		fprintf(stderr, "the kernel's %s: %s\n", kernel_table_name(home->slot), reason);
	else
		fputs("BPF again\n", stderr);
}

static struct table_key home_key(const struct home *home)
{
	return (struct table_key){
		.cookie = netns_cookie(home->netns),
		.generation = netns_generation(home->netns, home->slot),
		.family = home->family,
	};
}

/* Compile @table, put it in force and keep it; ownership moves on success. */
static int home_enforce(struct home *home, struct table *table, struct counter *old,
			uint32_t old_count, struct message *message)
{
	struct table_shape likes[TABLE_LIKES];
	struct compile_options options = { .executing = EXECUTING_TARGETS, .likes = likes };
	struct object object = {};
	_cleanup_free_ void *blob = NULL;
	struct generation next = { .object = &object, .rule_count = table->entry_count };
	struct table_key key;
	int error;

	error = table_write(table, &blob, &next.blob_size);
	if (error)
		return message_set(message, error, "cannot write the table down: %s",
				   strerror(-error));
	next.blob = blob;
	error = loader_stages(home->loader, &options.stages, message);
	if (error)
		return error;
	netns_likes(home->netns, home->slot, likes);
	error = compile(table, &options, &object, message);
	if (error)
		return error;
	error = netns_replace(home->netns, home->netns_fd, home->slot, &next, old, old_count,
			      message);
	object_free(&object);
	if (error)
		return error;
	key = home_key(home);
	table_cache_put(home->cache, &key, table);
	return 0;
}

/* As the kernel: a table that nobody asked for yet comes into being, and counts, when asked for. */
static int home_enforce_initial(struct home *home, struct message *message)
{
	struct table *table;
	int error;

	error = table_initial(home->family, &table);
	if (error)
		return error;
	error = home_enforce(home, table, NULL, 0, message);
	if (error)
		table_free(table);
	return error;
}

static int home_load(struct home *home, struct message *message)
{
	_cleanup_free_ void *blob = NULL;
	struct table_key key = home_key(home);
	struct table *table;
	size_t size;
	int error;

	error = netns_blob(home->netns, home->slot, &blob, &size, message);
	if (error)
		return error;
	error = table_read(blob, size, &table);
	if (error)
		return message_set(message, error, "the saved table is damaged: %s",
				   strerror(-error));
	table_cache_put(home->cache, &key, table);
	return 0;
}

static int home_current(struct table_home *base, const struct table **table,
			struct message *message)
{
	struct home *home = (struct home *)base;
	struct table_key key = home_key(home);
	const struct table *found = NULL;
	int error;

	if (key.generation == 0) {
		error = home_enforce_initial(home, message);
		if (error)
			return error;
		key = home_key(home);
	}
	found = table_cache_find(home->cache, &key);
	if (!found) {
		error = home_load(home, message);
		if (error)
			return error;
		found = table_cache_find(home->cache, &key);
	}
	*table = found;
	return 0;
}

static int home_counters(struct table_home *base, struct xt_counters *counters,
			 struct message *message)
{
	struct home *home = (struct home *)base;
	const struct table *table;
	int error = home_current(base, &table, message);

	if (error)
		return error;
	return netns_counters(home->netns, home->slot, (struct counter *)counters,
			      table->entry_count, message);
}

static int home_entry_count(struct table_home *base, uint32_t *count, struct message *message)
{
	struct home *home = (struct home *)base;
	const struct table *table;
	int error;

	if (netns_enforcer(home->netns, home->slot) == ENFORCER_KERNEL)
		return kernel_table_count(&home->kernel, count);
	error = home_current(base, &table, message);
	if (!error)
		*count = table->entry_count;
	return error;
}

static int home_replace(struct table_home *base, struct table *table, struct xt_counters *old,
			struct message *message)
{
	struct home *home = (struct home *)base;
	bool was_kernels = netns_enforcer(home->netns, home->slot) == ENFORCER_KERNEL;
	uint32_t old_count;
	int error = home_entry_count(base, &old_count, message);

	if (!error)
		error = home_enforce(home, table, (struct counter *)old, old_count, message);
	if (!error && was_kernels)
		log_enforcer(home, NULL);
	return error;
}

static int home_add_counters(struct table_home *base, const struct xt_counters *counters,
			     struct message *message)
{
	struct home *home = (struct home *)base;
	const struct table *table;
	int error = home_current(base, &table, message);

	if (error)
		return error;
	return netns_add_counters(home->netns, home->slot, (const struct counter *)counters,
				  table->entry_count, message);
}

/* What is dropped in front of the kernel's table. */
struct in_front {
	struct object object; /* owned */
	struct generation generation;
};

/* A matter of speed only: where it cannot be told, nothing is dropped there. */
static void compile_in_front(const struct home *home, const void *argument, size_t len,
			     struct in_front *front)
{
	struct table *table = NULL;
	uint32_t num_counters;
	unsigned stages;

	*front = (struct in_front){ .generation.object = &front->object };
	if (loader_stages(home->loader, &stages, NULL) || !(stages & STAGE_BIT(STAGE_NF)))
		return;
	stages &= ~STAGE_BIT(STAGE_NF);
	if (!stages)
		return;
	if (!table_decode_as(home->family, DEMAND_SOUND, argument, len, &table, &num_counters,
			     NULL) &&
	    !compile_early(table, stages, &front->object, NULL))
		front->generation.rule_count = table->entry_count;
	table_free(table);
}

static int home_hand_over(struct table_home *base, const void *argument, size_t len,
			  struct xt_counters *old, struct message *message)
{
	struct home *home = (struct home *)base;
	struct message reason = *message, failure = {};
	struct in_front front;
	const struct hand_over next = { argument, len, reason.text, &front.generation };
	char before[MESSAGE_SIZE];
	uint32_t old_count;
	int error;

	netns_reason(home->netns, home->slot, before, sizeof(before));
	error = home_entry_count(base, &old_count, &failure);
	compile_in_front(home, argument, len, &front);
	if (!error)
		error = netns_hand_over(home->netns, home->netns_fd, home->slot, &next,
					(struct counter *)old, old_count, &failure);
	object_free(&front.object);
	message->text[0] = '\0';
	if (error)
		return failure.text[0] ? message_set(message, error, "%s, and %s", reason.text,
						     failure.text)
				       : error;
	if (strcmp(before, reason.text) != 0)
		log_enforcer(home, reason.text);
	return 0;
}

static int family_of_level(uint32_t level, enum family *family)
{
	switch (level) {
	case IPPROTO_IP:
		*family = FAMILY_IPV4;
		return 0;
	case IPPROTO_IPV6:
		*family = FAMILY_IPV6;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

int home_open(const struct home_options *options, int netns_fd, uint32_t level, struct home *home,
	      struct message *message)
{
	int error = family_of_level(level, &home->family);

	if (error)
		return message_set(message, error, "socket level %u has no tables", level);
	home->base = (struct table_home){
		.entry_count = home_entry_count,
		.current = home_current,
		.counters = home_counters,
		.replace = home_replace,
		.add_counters = home_add_counters,
		.hand_over = options->strict ? NULL : home_hand_over,
	};
	home->loader = options->loader;
	home->cache = options->cache;
	home->netns_fd = netns_fd;
	home->slot = home->family == FAMILY_IPV4 ? TABLE_IPV4 : TABLE_IPV6;
	home->kernel = (struct kernel_table){ options->loader, netns_fd, home->slot };
	return netns_open(options->loader, netns_fd, &home->netns, message);
}

/* What a table that the kernel enforces is asked: its answer is the answer. REPLACE decides anew
 * who enforces. */
static bool is_kernels(const struct home *home, int option, bool is_set, const void *input,
		       size_t input_len)
{
	enum family family;

	return netns_enforcer(home->netns, home->slot) == ENFORCER_KERNEL &&
	       (is_set ? option == IPT_SO_SET_ADD_COUNTERS
		       : option == IPT_SO_GET_INFO || option == IPT_SO_GET_ENTRIES) &&
	       sockopt_is_ours(home->family == FAMILY_IPV4 ? SOL_IP : SOL_IPV6, option, is_set,
			       input, input_len, &family);
}

int home_set(struct home *home, int option, const void *input, size_t input_len, void **output,
	     size_t *output_len, struct message *message)
{
	if (is_kernels(home, option, true, input, input_len))
		return kernel_table_call(&home->kernel, option, true, (void *)input, input_len);
	return sockopt_set(&home->base, home->family, option, input, input_len, output, output_len,
			   message);
}

/* The kernel has not seen what programs in front of it dropped. */
static int add_early_counters(const struct home *home, struct ipt_get_entries *answer, size_t size,
			      struct message *message)
{
	_cleanup_free_ struct xt_counters *early = NULL;
	uint32_t count;
	int error = kernel_table_count(&home->kernel, &count);

	if (error)
		return error;
	early = calloc(count, sizeof(*early));
	if (!early)
		return -ENOMEM;
	error = netns_early_counters(home->netns, home->slot, (struct counter *)early, count,
				     message);
	if (error)
		return error == -ENOENT ? 0 : error;
	error = entries_add(home->family, answer->entrytable, size - sizeof(*answer), early, count);
	/* somebody replaced the table between the two calls: ask again */
	return error ? -EAGAIN : 0;
}

static int get_entries(const struct home *home, struct ipt_get_entries *answer, size_t size,
		       struct message *message)
{
	int error = kernel_table_entries(&home->kernel, answer, size, NULL);

	return error ? error : add_early_counters(home, answer, size, message);
}

int home_get(struct home *home, int option, const void *input, size_t input_len, void **output,
	     size_t *output_len, struct message *message)
{
	_cleanup_free_ void *value = NULL;
	int error;

	if (!is_kernels(home, option, false, input, input_len))
		return sockopt_get(&home->base, home->family, option, input, input_len, output,
				   output_len, message);
	value = malloc(input_len);
	if (!value)
		return -ENOMEM;
	memcpy(value, input, input_len);
	error = option == IPT_SO_GET_ENTRIES
			? get_entries(home, value, input_len, message)
			: kernel_table_call(&home->kernel, option, false, value, input_len);
	if (error)
		return error;
	*output = TAKE_PTR(value);
	*output_len = input_len;
	return 0;
}
