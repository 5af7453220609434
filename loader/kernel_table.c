/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's own filter table, through the socket options that iptables itself uses. */
#include "kernel_table.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "internal.h"

/* Somebody may replace the table between a look at it and the next call; not for ever. */
#define TRIES 16

_Static_assert(sizeof(struct xt_counters) == sizeof(struct counter), "counters are cast");

/* In the namespace, as the thread is then. Any IP socket will do; a raw one asks for a capability
 * that the driver has not. */
static int call_inside(enum table_family family, int option, bool is_set, void *value, size_t size)
{
	bool ipv4 = family == TABLE_IPV4;
	_cleanup_close_ int fd = socket(ipv4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int level = ipv4 ? SOL_IP : SOL_IPV6;
	socklen_t length = (socklen_t)size;
	int failed;

	if (fd < 0)
		return -errno;
	failed = is_set ? setsockopt(fd, level, option, value, length)
			: getsockopt(fd, level, option, value, &length);
	return failed ? -errno : 0;
}

const char *kernel_table_name(enum table_family family)
{
	return family == TABLE_IPV4 ? "ip_tables" : "ip6_tables";
}

int kernel_table_call(const struct kernel_table *table, int option, bool is_set, void *value,
		      size_t size)
{
	int error = netns_enter(table->loader, table->netns_fd, NULL);

	if (error)
		return error;
	error = call_inside(table->family, option, is_set, value, size);
	netns_leave(table->loader);
	return error;
}

static int get_info(const struct kernel_table *table, struct ipt_getinfo *info)
{
	*info = (struct ipt_getinfo){ .name = "filter" };
	return kernel_table_call(table, IPT_SO_GET_INFO, false, info, sizeof(*info));
}

int kernel_table_count(const struct kernel_table *table, uint32_t *count)
{
	struct ipt_getinfo info;
	int error = get_info(table, &info);

	if (!error)
		*count = info.num_entries;
	return error;
}

/* --- reading --------------------------------------------------------------------------------- */

static int get_entries(const struct kernel_table *table, const struct ipt_getinfo *info,
		       struct ipt_replace *argument)
{
	size_t size = sizeof(struct ipt_get_entries) + info->size;
	_cleanup_free_ struct ipt_get_entries *entries = calloc(1, size);
	int error;

	if (!entries)
		return -ENOMEM;
	strcpy(entries->name, info->name);
	entries->size = info->size;
	error = kernel_table_call(table, IPT_SO_GET_ENTRIES, false, entries, size);
	if (!error)
		memcpy(argument->entries, entries->entrytable, info->size);
	return error;
}

/* As the SET_REPLACE argument that would make it. */
static int read_argument(const struct kernel_table *table, struct ipt_replace **argument,
			 size_t *size)
{
	_cleanup_free_ struct ipt_replace *made = NULL;
	struct ipt_getinfo info;
	int error = get_info(table, &info);

	if (error)
		return error;
	*size = sizeof(*made) + info.size;
	made = calloc(1, *size);
	if (!made)
		return -ENOMEM;
	strcpy(made->name, info.name);
	made->valid_hooks = info.valid_hooks;
	made->num_entries = made->num_counters = info.num_entries;
	made->size = info.size;
	memcpy(made->hook_entry, info.hook_entry, sizeof(made->hook_entry));
	memcpy(made->underflow, info.underflow, sizeof(made->underflow));
	error = get_entries(table, &info, made);
	if (!error)
		*argument = TAKE_PTR(made);
	return error;
}

int kernel_table_read(const struct kernel_table *table, struct table **read,
		      struct message *message)
{
	_cleanup_free_ struct ipt_replace *argument = NULL;
	uint32_t num_counters;
	int error = -EAGAIN;
	size_t size;

	for (int i = 0; i < TRIES && error == -EAGAIN; i++)
		error = read_argument(table, &argument, &size);
	if (error)
		return error;
	return table_decode(table->family == TABLE_IPV4 ? FAMILY_IPV4 : FAMILY_IPV6, argument, size,
			    read, &num_counters, message);
}

int kernel_table_is_vacant(const struct kernel_table *table, bool *vacant)
{
	struct table *there = NULL, *initial = NULL;
	int error = kernel_table_read(table, &there, NULL);

	*vacant = false;
	if (error == -EOPNOTSUPP)
		return 0;
	if (!error)
		error = table_initial(there->family, &initial);
	if (!error)
		*vacant = there->size == initial->size &&
			  !memcmp(there->entries, initial->entries, there->size);
	table_free(there);
	table_free(initial);
	return error;
}

/* --- writing --------------------------------------------------------------------------------- */

static int replace_counted(const struct kernel_table *table, struct ipt_replace *argument,
			   size_t size, struct counter *old, uint32_t count)
{
	argument->num_counters = count;
	argument->counters = (struct xt_counters *)old;
	return kernel_table_call(table, IPT_SO_SET_REPLACE, true, argument, size);
}

/* Whatever is there, and however often that changes. */
static int replace_any(const struct kernel_table *table, struct ipt_replace *argument, size_t size)
{
	int error = -EAGAIN;

	for (int i = 0; i < TRIES && error == -EAGAIN; i++) {
		_cleanup_free_ struct counter *old = NULL;
		uint32_t count;

		error = kernel_table_count(table, &count);
		if (error)
			return error;
		old = calloc(count, sizeof(*old));
		if (!old)
			return -ENOMEM;
		error = replace_counted(table, argument, size, old, count);
	}
	return error;
}

static struct ipt_replace *copy_argument(const void *argument, size_t size)
{
	struct ipt_replace *copy = malloc(size);

	return copy ? memcpy(copy, argument, size) : NULL;
}

int kernel_table_replace(const struct kernel_table *table, const void *argument, size_t size,
			 struct counter *old, uint32_t old_count)
{
	_cleanup_free_ struct ipt_replace *copy = copy_argument(argument, size);

	if (!copy)
		return -ENOMEM;
	return old ? replace_counted(table, copy, size, old, old_count)
		   : replace_any(table, copy, size);
}

int kernel_table_check(const struct kernel_table *table, const void *argument, size_t size)
{
	_cleanup_free_ struct ipt_replace *copy = copy_argument(argument, size);
	uint32_t count;
	int error;

	if (!copy)
		return -ENOMEM;
	error = kernel_table_count(table, &count);
	/* the number of counters is looked at last, and this one is wrong */
	return error ? error : replace_counted(table, copy, size, NULL, count + 1);
}

int kernel_table_put(const struct kernel_table *table, const void *argument, size_t size,
		     struct counter *old, uint32_t old_count)
{
	_cleanup_free_ struct ipt_replace *copy = copy_argument(argument, size);
	int error;

	if (!copy)
		return -ENOMEM;
	error = old ? replace_counted(table, copy, size, old, old_count) : -EAGAIN;
	return error == -EAGAIN ? replace_any(table, copy, size) : error;
}

int kernel_table_empty(const struct kernel_table *table)
{
	_cleanup_free_ struct ipt_replace *argument = NULL;
	struct table *initial;
	size_t size;
	int error =
		table_initial(table->family == TABLE_IPV4 ? FAMILY_IPV4 : FAMILY_IPV6, &initial);

	if (error)
		return error;
	error = table_argument(initial, &argument, &size);
	table_free(initial);
	return error ? error : replace_any(table, argument, size);
}
