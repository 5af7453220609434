/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tables that the kernel's own ip_tables enforces: docs/architecture.md, "Hand-over".
 *
 * Such a generation has a record, "<family>-<number>.kernel", which says why. A record is written
 * before the kernel's table is touched and removed after it was emptied: while the kernel may hold
 * rules of ours there is one, and one that is not in force says that something was interrupted. Of
 * two tables of the kernel's, the old one is marked ahead of the new one's record.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "internal.h"
#include "kernel_table.h"

static void record_path(const struct netns *netns, char *path, enum table_family family,
			uint64_t number)
{
	state_blob_path(netns, path, "%s-%" PRIu64 RECORD_SUFFIX, family_name(family), number);
}

static int record_write(const struct netns *netns, enum table_family family, uint64_t number,
			const char *reason)
{
	char name[64];

	snprintf(name, sizeof(name), "%s-%" PRIu64 RECORD_SUFFIX, family_name(family), number);
	return state_write_blob(netns, name, reason, strlen(reason));
}

static int record_remove(const struct netns *netns, enum table_family family, uint64_t number)
{
	char path[STATE_PATH_SIZE];

	record_path(netns, path, family, number);
	return unlink(path) && errno != ENOENT ? -errno : 0;
}

bool generation_is_kernels(const struct netns *netns, enum table_family family, uint64_t number)
{
	char path[STATE_PATH_SIZE];

	record_path(netns, path, family, number);
	return !access(path, F_OK);
}

enum enforcer netns_enforcer(const struct netns *netns, enum table_family family)
{
	uint64_t number = netns_generation(netns, family);

	if (!number)
		return ENFORCER_NONE;
	return generation_is_kernels(netns, family, number) ? ENFORCER_KERNEL : ENFORCER_BPF;
}

void netns_reason(const struct netns *netns, enum table_family family, char *reason, size_t size)
{
	char path[STATE_PATH_SIZE];
	_cleanup_close_ int fd = -1;
	ssize_t got;

	record_path(netns, path, family, netns_generation(netns, family));
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	got = fd < 0 ? 0 : read(fd, reason, size - 1);
	reason[got > 0 ? got : 0] = '\0';
}

/* A record that the kernel's table holds, or may hold, something of a generation's. */
struct record {
	uint64_t number;
	bool has_targets; /* those are executed for BPF; otherwise the table is enforced */
};

/* "<family>-<number>.kernel", "<family>-<number>.targets" */
static bool is_record(const char *name, const char *family, struct record *record)
{
	size_t length = strlen(family);
	char *end;

	if (strncmp(name, family, length) || name[length] != '-')
		return false;
	record->number = strtoull(name + length + 1, &end, 10);
	record->has_targets = !strcmp(end, TARGETS_SUFFIX);
	return record->has_targets || !strcmp(end, RECORD_SUFFIX);
}

/* A record of another generation than @active, if there is one. */
static bool record_find(const struct netns *netns, enum table_family family, uint64_t active,
			struct record *record)
{
	char path[STATE_PATH_SIZE];
	struct dirent *entry;
	bool found = false;
	DIR *folder;

	state_blob_path(netns, path, "%s", "");
	folder = opendir(path);
	while (folder && !found && (entry = readdir(folder)))
		found = is_record(entry->d_name, family_name(family), record) &&
			record->number != active;
	if (folder)
		closedir(folder);
	return found;
}

/* --- programs in front of it ----------------------------------------------------------------- */

bool generation_has_early(const struct netns *netns, enum table_family family, uint64_t number)
{
	return generation_has(netns, family, number, ENTRY_XDP) ||
	       generation_has(netns, family, number, ENTRY_INGRESS);
}

/* They are worth having, and not worth failing for: the kernel judges all that they leave. */
static void early_make(struct netns *netns, int netns_fd, enum table_family family, uint64_t number,
		       const struct generation *early)
{
	struct message message = {};
	int error = generation_make(netns, netns_fd, family, number, early, &message);

	netns->pending[family] = number;
	if (!error)
		error = devices_sync(netns, netns_fd, true, &message);
	netns->pending[family] = 0;
	if (!error)
		return;
	generation_clear(netns, family, number);
	fprintf(stderr, "no early drop in front of the kernel's %s: %s (%s)\n",
		kernel_table_name(family), message.text, strerror(-error));
}

int netns_early_counters(const struct netns *netns, enum table_family family,
			 struct counter *counters, uint32_t count, struct message *message)
{
	uint64_t number = netns_generation(netns, family);

	if (!generation_has_early(netns, family, number))
		return -ENOENT;
	return generation_counters(netns, family, number, counters, count, message);
}

/* To those of the kernel, once nothing can add to them any more. */
static int early_counters_add(const struct netns *netns, enum table_family family, uint64_t number,
			      struct counter *old, uint32_t old_count, struct message *message)
{
	_cleanup_free_ struct counter *early = NULL;
	int error;

	if (!generation_has_early(netns, family, number))
		return 0;
	early = calloc(old_count, sizeof(*early));
	error = early ? generation_counters(netns, family, number, early, old_count, message)
		      : -ENOMEM;
	if (!error)
		counters_add(old, early, old_count);
	return error;
}

/* --- after an interruption ------------------------------------------------------------------- */

/*
 * Between two tables of the kernel's: the old one was marked ahead of the record, and whoever takes
 * its place is not. The new generation is put in force in the latter case.
 */
static int exchange_settle(const struct netns *netns, int netns_fd, enum table_family family,
			   uint64_t number)
{
	const struct kernel_table table = { netns->loader, netns_fd, family };
	uint64_t old = netns_generation(netns, family);
	bool marked;
	int error = kernel_table_is_marked(&table, &marked);

	if (error || marked)
		return error;
	error = generation_commit(netns, family, number, NULL);
	if (error)
		return error;
	generation_clear(netns, family, old);
	return record_remove(netns, family, old);
}

/* A record that is not in force, and why: it was never put there, or is not any more. */
static int record_settle(const struct netns *netns, int netns_fd, enum table_family family,
			 const struct record *record)
{
	/* who passed before BPF had the table must be through the kernel's */
	int error = programs_wait();

	if (error)
		return error;
	if (netns_enforcer(netns, family) != ENFORCER_KERNEL)
		error = executions_restore(netns, netns_fd, family, NULL, 0);
	else if (!record->has_targets && record->number > netns_generation(netns, family))
		error = exchange_settle(netns, netns_fd, family, record->number);
	if (error || record->number == netns_generation(netns, family))
		return error;
	return record->has_targets ? executions_forget(netns, family, record->number)
				   : record_remove(netns, family, record->number);
}

int hand_over_settle(const struct netns *netns, int netns_fd, enum table_family family,
		     struct message *message)
{
	struct record record;
	int error = 0;

	while (!error && record_find(netns, family, netns_generation(netns, family), &record))
		error = record_settle(netns, netns_fd, family, &record);
	return error ? message_set(message, error,
				   "cannot settle what the kernel's ip_tables enforces: %s",
				   strerror(-error))
		     : 0;
}

int hand_over_flush(const struct netns *netns, int netns_fd, struct message *message)
{
	int error = 0;

	for (unsigned family = 0; family < TABLE_FAMILIES && !error; family++) {
		const struct kernel_table table = { netns->loader, netns_fd,
						    (enum table_family)family };
		struct record record;

		if (record_find(netns, table.family, UINT64_MAX, &record))
			error = kernel_table_empty(&table);
	}
	return error ? message_set(message, error, "cannot empty the kernel's filter table: %s",
				   strerror(-error))
		     : 0;
}

/* --- back ------------------------------------------------------------------------------------ */

int hand_over_end(const struct netns *netns, int netns_fd, enum table_family family,
		  uint64_t number, struct counter *old, uint32_t old_count, struct message *message)
{
	int error = executions_restore(netns, netns_fd, family, old, old_count);

	if (error)
		return message_set(message, error,
				   "BPF enforces the table, but the kernel does still, too: "
				   "its filter table cannot be emptied: %s",
				   strerror(-error));
	error = record_remove(netns, family, number);
	return error ? error : early_counters_add(netns, family, number, old, old_count, message);
}

/* --- over ------------------------------------------------------------------------------------ */

/* Who filtered with the kernel's table before, without us, must not lose rules to us. */
int hand_over_check_vacant(const struct netns *netns, int netns_fd, enum table_family family,
			   struct message *message)
{
	const struct kernel_table table = { netns->loader, netns_fd, family };
	bool vacant;
	int error = kernel_table_is_vacant(&table, &vacant);

	if (error == -ENOPROTOOPT || error == -ENOENT || error == -EAFNOSUPPORT)
		return message_set(message, -ENOENT, "this kernel has no %s to enforce it",
				   kernel_table_name(family));
	if (error)
		return message_set(message, error, "cannot read the kernel's filter table: %s",
				   strerror(-error));
	return vacant ? 0
		      : message_set(message, -EBUSY,
				    "the kernel's own filter table holds rules that did not come "
				    "through ubpfilter");
}

/* TC egress comes behind the kernel's hook, all other stages before it. */
static bool judged_behind(const struct netns *netns, enum table_family family, enum enforcer before)
{
	return before == ENFORCER_BPF &&
	       generation_has(netns, family, netns_generation(netns, family), ENTRY_EGRESS);
}

/* From one table of the kernel's to the next: @old has what the kernel counted. */
static void kernel_go_on(struct netns *netns, int netns_fd, enum table_family family,
			 uint64_t number, struct counter *old, uint32_t old_count,
			 struct message *message)
{
	record_remove(netns, family, number);
	if (!generation_has_early(netns, family, number))
		return;
	if (!programs_wait())
		early_counters_add(netns, family, number, old, old_count, message);
	generation_end(netns, netns_fd, family, number);
}

/* The new number in force, and what was before out of it. */
static int kernel_begin(struct netns *netns, int netns_fd, enum table_family family,
			enum enforcer before, struct counter *old, uint32_t old_count,
			struct message *message)
{
	uint64_t number = netns_generation(netns, family);
	/* who passed the kernel's hook before it had the table must be through BPF, too */
	int error = judged_behind(netns, family, before) ? programs_wait() : 0;

	if (error)
		return message_set(message, error, "cannot wait for programs to end: %s",
				   strerror(-error));
	error = generation_commit(netns, family, number + 1, message);
	if (error)
		return error;
	if (before == ENFORCER_KERNEL)
		kernel_go_on(netns, netns_fd, family, number, old, old_count, message);
	if (before == ENFORCER_BPF)
		generation_retire(netns, netns_fd, family, number, old, old_count, message);
	return 0;
}

/* The kernel's table gets the new one in place of what is there, or all is as it was. */
static int kernel_fill(struct netns *netns, const struct kernel_table *table, uint64_t number,
		       const struct hand_over *next, struct counter *old, uint32_t old_count)
{
	bool is_kernels = netns_enforcer(netns, table->family) == ENFORCER_KERNEL;
	/* ahead of the record, which says that it was done */
	int error = is_kernels ? kernel_table_mark(table, old_count) : 0;

	if (error)
		return error;
	generation_clear(netns, table->family, number);
	error = record_write(netns, table->family, number, next->reason);
	if (!error && next->early->object->stages)
		early_make(netns, table->netns_fd, table->family, number, next->early);
	if (!error)
		error = kernel_table_replace(table, next->argument, next->size,
					     is_kernels ? old : NULL, old_count);
	if (!error)
		return 0;
	generation_end(netns, table->netns_fd, table->family, number);
	if (!record_remove(netns, table->family, number) && is_kernels)
		kernel_table_unmark(table, old_count);
	return error;
}

int netns_hand_over(struct netns *netns, int netns_fd, enum table_family family,
		    const struct hand_over *next, struct counter *old, uint32_t old_count,
		    struct message *message)
{
	const struct kernel_table table = { netns->loader, netns_fd, family };
	enum enforcer before;
	uint64_t number;
	int error = netns_prepare(netns, netns_fd, message);

	if (!error)
		error = hand_over_settle(netns, netns_fd, family, message);
	if (error)
		return error;
	before = netns_enforcer(netns, family);
	number = netns_generation(netns, family);
	if (before != ENFORCER_KERNEL && !generation_has_targets(netns, family, number))
		error = hand_over_check_vacant(netns, netns_fd, family, message);
	if (error)
		return error;
	if (!old)
		return kernel_table_check(&table, next->argument, next->size);
	number++;
	error = kernel_fill(netns, &table, number, next, old, old_count);
	if (error)
		return error;
	error = kernel_begin(netns, netns_fd, family, before, old, old_count, message);
	if (error) {
		generation_end(netns, netns_fd, family, number);
		hand_over_settle(netns, netns_fd, family, NULL);
	}
	return error;
}
