/* SPDX-License-Identifier: GPL-2.0-only */
#include "pair.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../support/kernel.h"
#include "blob.h"

#define PATTERN	     0xa5 /* of bytes that nobody has written */
#define COUNTERS_MAX (1u << 20)

/* What one side made of a step. */
struct result {
	int status;
	unsigned char *data; /* owned: the option buffer afterwards */
	size_t len;
	unsigned char *counters; /* owned: REPLACE: what was written back */
	size_t counters_size;
};

static void result_free(struct result *result)
{
	free(result->data);
	free(result->counters);
}

#define _cleanup_result_ __attribute__((cleanup(result_free)))

static int family_index(enum family family)
{
	return family == FAMILY_IPV6;
}

struct memory_home *pair_home(struct pair *pair, enum family family)
{
	return &pair->homes[family_index(family)];
}

int pair_open(struct pair *pair)
{
	int error = kernel_enter();

	if (error)
		return error;
	*pair = (struct pair){ .sockets = { -1, -1 } };
	for (enum family family = FAMILY_IPV4; family <= FAMILY_IPV6;
	     family += FAMILY_IPV6 - FAMILY_IPV4) {
		int fd = kernel_socket(family);

		if (fd < 0)
			return fd;
		pair->sockets[family_index(family)] = fd;
		error = memory_home_open(pair_home(pair, family), family);
		if (error)
			return error;
	}
	return 0;
}

void pair_close(struct pair *pair)
{
	for (int i = 0; i < 2; i++) {
		if (pair->sockets[i] >= 0)
			close(pair->sockets[i]);
		memory_home_close(&pair->homes[i]);
	}
}

const char *step_name(const struct step *step)
{
	if (step->is_set)
		return step->option == IPT_SO_SET_REPLACE	 ? "REPLACE"
		       : step->option == IPT_SO_SET_ADD_COUNTERS ? "ADD_COUNTERS"
								 : "unknown set";
	if (step->option == IPT_SO_GET_INFO)
		return "INFO";
	if (step->option == IPT_SO_GET_ENTRIES)
		return "ENTRIES";
	if (step->family == FAMILY_IPV4)
		return step->option == IPT_SO_GET_REVISION_MATCH    ? "REVISION_MATCH"
		       : step->option == IPT_SO_GET_REVISION_TARGET ? "REVISION_TARGET"
								    : "unknown get";
	return step->option == IP6T_SO_GET_REVISION_MATCH    ? "REVISION_MATCH"
	       : step->option == IP6T_SO_GET_REVISION_TARGET ? "REVISION_TARGET"
							     : "unknown get";
}

static bool is_replace(const struct step *step)
{
	return step->is_set && step->option == IPT_SO_SET_REPLACE &&
	       step->len >= sizeof(struct ipt_replace);
}

/* Room for the counters that come back, and the pointer to it in the kernel's copy. */
static void prepare(struct result *result, const struct step *step)
{
	struct ipt_replace *replace;

	*result = (struct result){ .data = xcalloc(1, step->len), .len = step->len };
	memcpy(result->data, step->data, step->len);
	if (!is_replace(step))
		return;
	replace = (struct ipt_replace *)result->data;
	if (replace->num_counters <= COUNTERS_MAX)
		result->counters_size = replace->num_counters * sizeof(struct xt_counters);
	result->counters = xcalloc(1, result->counters_size);
	memset(result->counters, PATTERN, result->counters_size);
	replace->counters = step->bad_pointer ? (void *)sizeof(void *) : (void *)result->counters;
}

static void run_kernel(struct pair *pair, const struct step *step, struct result *result)
{
	int fd = pair->sockets[family_index(step->family)];

	prepare(result, step);
	if (step->is_set)
		result->status =
			kernel_set(fd, step->family, step->option, result->data, result->len);
	else
		result->status =
			kernel_get(fd, step->family, step->option, result->data, &result->len);
}

/* What the shim does around us: copy the output to where the client wants it. */
static void run_ours(struct pair *pair, const struct step *step, struct result *result,
		     struct message *message)
{
	struct table_home *home = &pair_home(pair, step->family)->home;
	_cleanup_free_ void *output = NULL;
	size_t output_len = 0;

	prepare(result, step);
	if (step->is_set)
		result->status = sockopt_set(home, step->family, step->option, result->data,
					     result->len, &output, &output_len, message);
	else
		result->status = sockopt_get(home, step->family, step->option, result->data,
					     result->len, &output, &output_len, message);
	if (result->status)
		return;
	if (!step->is_set) {
		if (output_len)
			memcpy(result->data, output, output_len);
		result->len = output_len ? output_len : result->len;
	} else if (!step->bad_pointer && result->counters && output_len) {
		memcpy(result->counters, output, output_len);
	}
}

static bool report(struct pair *pair, const struct step *step, const char *what, int theirs,
		   int ours)
{
	snprintf(pair->report, sizeof(pair->report), "IPv%d %s, %zu bytes: %s: kernel %d, ours %d",
		 step->family, step_name(step), step->len, what, theirs, ours);
	return false;
}

/* Index of the first byte that differs, for the report. */
static int first_difference(const unsigned char *a, const unsigned char *b, size_t size)
{
	size_t i = 0;

	while (i < size && a[i] == b[i])
		i++;
	return (int)i;
}

static bool equal_bytes(struct pair *pair, const struct step *step, const char *what,
			const unsigned char *theirs, const unsigned char *ours, size_t size)
{
	char text[64];
	int at = first_difference(theirs, ours, size);

	if ((size_t)at == size)
		return true;
	snprintf(text, sizeof(text), "%s, byte %d", what, at);
	return report(pair, step, text, theirs[at], ours[at]);
}

static bool equal_results(struct pair *pair, const struct step *step, const struct result *theirs,
			  const struct result *ours)
{
	if (theirs->status != ours->status)
		return report(pair, step, "status", theirs->status, ours->status);
	if (theirs->len != ours->len)
		return report(pair, step, "length", (int)theirs->len, (int)ours->len);
	if (is_replace(step)) /* an argument, which holds a pointer */
		return equal_bytes(pair, step, "counters written back", theirs->counters,
				   ours->counters, theirs->counters_size);
	return equal_bytes(pair, step, "data", theirs->data, ours->data, theirs->len);
}

static bool equal_step(struct pair *pair, const struct step *step)
{
	_cleanup_result_ struct result theirs = { 0 }, ours = { 0 };
	struct message message = { 0 };

	run_kernel(pair, step, &theirs);
	run_ours(pair, step, &ours, &message);
	return equal_results(pair, step, &theirs, &ours);
}

/* INFO and ENTRIES: the table as anybody sees it. */
static bool equal_tables(struct pair *pair, const struct step *after)
{
	struct ipt_getinfo info = { .name = "filter" };
	uint32_t size = pair_home(pair, after->family)->table->size;
	struct ipt_get_entries *entries = xcalloc(1, sizeof(*entries) + size);
	struct step look = { .family = after->family,
			     .option = IPT_SO_GET_INFO,
			     .data = (unsigned char *)&info,
			     .len = sizeof(info) };
	bool equal = equal_step(pair, &look);

	if (equal) {
		memset(entries, PATTERN, sizeof(*entries) + size);
		strcpy(entries->name, "filter");
		entries->size = size;
		look.option = IPT_SO_GET_ENTRIES;
		look.data = (unsigned char *)entries;
		look.len = sizeof(*entries) + size;
		equal = equal_step(pair, &look);
	}
	free(entries);
	return equal;
}

/* Whether the kernel has an extension of that name. */
static bool kernel_knows(const char *name)
{
	static const char *const lists[] = {
		"/proc/net/ip_tables_matches",
		"/proc/net/ip_tables_targets",
		"/proc/net/ip6_tables_matches",
		"/proc/net/ip6_tables_targets",
	};

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		_cleanup_fclose_ FILE *list = fopen(lists[i], "re");
		char line[64];

		while (list && fgets(line, sizeof(line), list)) {
			line[strcspn(line, "\n")] = '\0';
			if (strcmp(line, name) == 0)
				return true;
		}
	}
	return false;
}

/* The differences that docs/abi.md lists: we refuse by message what the kernel does. */
static bool is_known(int status, const struct message *message)
{
	const char *quote = strchr(message->text, '"');
	char name[64] = { 0 };

	if (status != -ENOENT || !quote)
		return false;
	strncpy(name, quote + 1, sizeof(name) - 1);
	name[strcspn(name, "\"")] = '\0';
	return strcmp(name, "QUEUE") == 0 || strcmp(name, "without IP6T_F_PROTO") == 0 ||
	       kernel_knows(name);
}

/* Other tables, and what sockopt_get() says is not ours, are the kernel's business. */
static bool is_routed(const struct step *step)
{
	static const char *const others[] = { "nat", "mangle", "raw", "security" };
	char name[XT_TABLE_MAXNAMELEN] = { 0 };

	memcpy(name, step->data, step->len < sizeof(name) ? step->len : sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (strcmp(name, others[i]) == 0)
			return true;
	return false;
}

/* Put our table and counters back into the kernel, which went on without us. */
static bool resync(struct pair *pair, const struct step *step)
{
	struct memory_home *memory = pair_home(pair, step->family);
	uint32_t count = memory->table->entry_count;
	size_t counters_size = count * sizeof(struct xt_counters);
	int fd = pair->sockets[family_index(step->family)];
	struct ipt_getinfo info = { .name = "filter" };
	_cleanup_free_ void *file = NULL;
	_cleanup_free_ struct xt_counters_info *add = xcalloc(1, sizeof(*add) + counters_size);
	size_t size, len = sizeof(info);
	struct ipt_replace *replace;
	_cleanup_free_ void *old = NULL;

	if (table_write(memory->table, &file, &size) ||
	    kernel_get(fd, step->family, IPT_SO_GET_INFO, &info, &len))
		return false;
	/* behind a header of our own */
	size = sizeof(*replace) + memory->table->size;
	replace = (struct ipt_replace *)((unsigned char *)file + 24);
	old = xcalloc(info.num_entries, sizeof(struct xt_counters));
	replace->num_counters = info.num_entries;
	replace->counters = old;
	strcpy(add->name, "filter");
	add->num_counters = count;
	memcpy(add->counters, memory->counters, counters_size);
	return kernel_set(fd, step->family, IPT_SO_SET_REPLACE, replace, size) == 0 &&
	       kernel_set(fd, step->family, IPT_SO_SET_ADD_COUNTERS, add,
			  sizeof(*add) + counters_size) == 0;
}

enum outcome pair_step(struct pair *pair, const struct step *step)
{
	_cleanup_result_ struct result theirs = { 0 }, ours = { 0 };
	struct message message = { 0 };

	if (is_routed(step))
		return OUTCOME_ROUTED;
	run_ours(pair, step, &ours, &message);
	if (ours.status == -EOPNOTSUPP)
		return OUTCOME_ROUTED;
	run_kernel(pair, step, &theirs);
	pair->status = theirs.status;
	if (is_known(ours.status, &message)) {
		if (theirs.status || resync(pair, step))
			return OUTCOME_KNOWN;
		report(pair, step, "our table cannot be put back", 0, 0);
		return OUTCOME_DIFFERENT;
	}
	if (!equal_results(pair, step, &theirs, &ours))
		return OUTCOME_DIFFERENT;
	if (step->is_set && !equal_tables(pair, step))
		return OUTCOME_DIFFERENT;
	return OUTCOME_EQUAL;
}
