/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Targets that the kernel executes for packets which BPF has judged: docs/architecture.md,
 * "Targets". While the kernel's table may hold those of a generation there is a file
 * "<family>-<number>.targets" that lists them.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "../common/io.h"
#include "../iptables-compat/execution_table.h"
#include "internal.h"
#include "kernel_table.h"

const char *const execution_program_names[EXECUTION_PROGRAMS] = {
	[EXECUTION_NEXT] = "execute_next",
	[EXECUTION_THIS] = "execute_this",
	[EXECUTION_DROP] = "execute_drop",
};

/* --- the lists ------------------------------------------------------------------------------- */

static void list_path(const struct netns *netns, char *path, enum table_family family,
		      uint64_t number)
{
	state_blob_path(netns, path, "%s-%" PRIu64 TARGETS_SUFFIX, family_name(family), number);
}

static int list_write(const struct netns *netns, enum table_family family, uint64_t number,
		      const struct execution_list *list)
{
	char name[64];

	snprintf(name, sizeof(name), "%s-%" PRIu64 TARGETS_SUFFIX, family_name(family), number);
	return state_write_blob(netns, name, list, list->size);
}

/* -ENOENT: the generation has none. */
static int list_read(const struct netns *netns, enum table_family family, uint64_t number,
		     struct execution_list **list)
{
	_cleanup_free_ struct execution_list *read = NULL;
	_cleanup_close_ int fd = -1;
	char path[STATE_PATH_SIZE];
	struct stat status;
	int error;

	list_path(netns, path, family, number);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &status))
		return -errno;
	read = malloc((size_t)status.st_size + 1);
	if (!read)
		return -ENOMEM;
	error = io_read(fd, read, (size_t)status.st_size);
	if (!error)
		error = execution_list_check(read, (size_t)status.st_size);
	if (!error)
		*list = TAKE_PTR(read);
	return error;
}

bool generation_has_targets(const struct netns *netns, enum table_family family, uint64_t number)
{
	char path[STATE_PATH_SIZE];

	list_path(netns, path, family, number);
	return !access(path, F_OK);
}

uint32_t generation_targets(const struct netns *netns, enum table_family family, uint64_t number)
{
	_cleanup_free_ struct execution_list *list = NULL;

	return list_read(netns, family, number, &list) ? 0 : list->rules;
}

/* --- the kernel's table ---------------------------------------------------------------------- */

/* The generations whose packets may come to the kernel's table. */
struct executed {
	struct execution_part parts[2];
	struct execution_list *lists[2]; /* owned */
	char paths[2][EXECUTION_PROGRAMS][STATE_PATH_SIZE];
	size_t count;
};

static int executed_add(struct executed *executed, const struct netns *netns,
			enum table_family family, uint64_t number)
{
	size_t at = executed->count;
	struct execution_part *part = &executed->parts[at];
	int error = list_read(netns, family, number, &executed->lists[at]);

	if (error)
		return error == -ENOENT ? 0 : error;
	part->list = executed->lists[at];
	part->generation = number;
	for (unsigned i = 0; i < EXECUTION_PROGRAMS; i++) {
		state_pin_path(netns, executed->paths[at][i], "%s-%" PRIu64 "/%s",
			       family_name(family), number, execution_program_names[i]);
		part->programs[i] = executed->paths[at][i];
	}
	executed->count++;
	return 0;
}

static int executed_argument(const struct netns *netns, enum table_family family,
			     const uint64_t *numbers, size_t count, struct ipt_replace **argument,
			     size_t *size)
{
	struct executed executed = {};
	int error = 0;

	for (size_t i = 0; i < count && !error; i++)
		error = executed_add(&executed, netns, family, numbers[i]);
	if (!error)
		error = execution_table(family == TABLE_IPV4 ? FAMILY_IPV4 : FAMILY_IPV6,
					executed.parts, executed.count, argument, size);
	for (size_t i = 0; i < count; i++)
		free(executed.lists[i]);
	return error;
}

int executions_restore(const struct netns *netns, int netns_fd, enum table_family family,
		       struct counter *old, uint32_t old_count)
{
	const struct kernel_table table = { netns->loader, netns_fd, family };
	const uint64_t active = netns_generation(netns, family);
	_cleanup_free_ struct ipt_replace *argument = NULL;
	size_t size;
	int error = executed_argument(netns, family, &active, 1, &argument, &size);

	return error ? error : kernel_table_put(&table, argument, size, old, old_count);
}

/* Those of the old generation and the new, before the new one is in force. */
static int put_both(const struct netns *netns, int netns_fd, enum table_family family,
		    uint64_t number)
{
	const struct kernel_table table = { netns->loader, netns_fd, family };
	const uint64_t numbers[] = { netns_generation(netns, family), number };
	bool is_kernels = generation_is_kernels(netns, family, numbers[0]);
	_cleanup_free_ struct ipt_replace *argument = NULL;
	size_t size;
	int error =
		executed_argument(netns, family, numbers, ARRAY_SIZE(numbers), &argument, &size);

	if (error)
		return error;
	if (!is_kernels)
		return kernel_table_put(&table, argument, size, NULL, 0);
	/* it is the client's until BPF is in force: only ask whether the kernel will take ours */
	error = kernel_table_check(&table, argument, size);
	return error == -EAGAIN ? 0 : error;
}

/* Whatever is in the way: who enforces the table instead will find it, too, and say so. */
static int refuse(enum table_family family, int error, struct message *message)
{
	return message_set(message, -EOPNOTSUPP, "the kernel's %s does not execute its targets: %s",
			   kernel_table_name(family), strerror(-error));
}

int executions_begin(const struct netns *netns, int netns_fd, enum table_family family,
		     uint64_t number, const struct execution_list *list, struct message *message)
{
	uint64_t active = netns_generation(netns, family);
	int error = 0;

	if (!list)
		return 0;
	if (!generation_is_kernels(netns, family, active) &&
	    !generation_has_targets(netns, family, active))
		error = hand_over_check_vacant(netns, netns_fd, family, NULL);
	if (error)
		return refuse(family, error, message);
	error = list_write(netns, family, number, list);
	if (!error)
		error = put_both(netns, netns_fd, family, number);
	if (!error)
		return 0;
	executions_forget(netns, family, number); /* nothing of it is in the kernel's table */
	return refuse(family, error, message);
}

int executions_end(const struct netns *netns, int netns_fd, enum table_family family,
		   uint64_t number, struct message *message)
{
	int error = 0;

	if (!generation_has_targets(netns, family, number))
		return 0;
	if (netns_enforcer(netns, family) == ENFORCER_BPF)
		error = executions_restore(netns, netns_fd, family, NULL, 0);
	if (error)
		return message_set(message, error,
				   "the kernel's %s still has targets of the table before: %s",
				   kernel_table_name(family), strerror(-error));
	return executions_forget(netns, family, number);
}

int executions_forget(const struct netns *netns, enum table_family family, uint64_t number)
{
	char path[STATE_PATH_SIZE];

	list_path(netns, path, family, number);
	return unlink(path) && errno != ENOENT ? -errno : 0;
}
