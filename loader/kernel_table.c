/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's own filter table, through the socket options that iptables itself uses. */
#include "kernel_table.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "../iptables-compat/sockopt.h"
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

static enum family table_family(const struct kernel_table *table)
{
	return table->family == TABLE_IPV4 ? FAMILY_IPV4 : FAMILY_IPV6;
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

/* --- a mark ---------------------------------------------------------------------------------- */

/* More than packets can come to an entry. The last one is ERROR, to which none comes at all. */
#define MARK (1ULL << 48)

static int last_counter_add(const struct kernel_table *table, uint32_t count, uint64_t packets)
{
	const size_t size = sizeof(struct xt_counters_info) + count * sizeof(struct xt_counters);
	_cleanup_free_ struct xt_counters_info *info = calloc(1, size);
	int error;

	if (!info)
		return -ENOMEM;
	strcpy(info->name, "filter");
	info->num_counters = count;
	info->counters[count - 1].pcnt = packets;
	error = kernel_table_call(table, IPT_SO_SET_ADD_COUNTERS, true, info, size);
	return error == -EINVAL ? -EAGAIN : error;
}

int kernel_table_mark(const struct kernel_table *table, uint32_t count)
{
	return last_counter_add(table, count, MARK);
}

int kernel_table_unmark(const struct kernel_table *table, uint32_t count)
{
	return last_counter_add(table, count, -MARK);
}

int kernel_table_entries(const struct kernel_table *table, struct ipt_get_entries *entries,
			 size_t size, bool *marked)
{
	struct xt_counters *last;
	int error = kernel_table_call(table, IPT_SO_GET_ENTRIES, false, entries, size);

	if (error)
		return error;
	last = entries_last(table_family(table), entries->entrytable, entries->size);
	if (!last)
		return -EINVAL;
	if (marked)
		*marked = last->pcnt >= MARK;
	last->pcnt %= MARK;
	return 0;
}

/* --- reading --------------------------------------------------------------------------------- */

static int get_entries(const struct kernel_table *table, const struct ipt_getinfo *info,
		       struct ipt_replace *argument, bool *marked)
{
	size_t size = sizeof(struct ipt_get_entries) + info->size;
	_cleanup_free_ struct ipt_get_entries *entries = calloc(1, size);
	int error;

	if (!entries)
		return -ENOMEM;
	strcpy(entries->name, info->name);
	entries->size = info->size;
	error = kernel_table_entries(table, entries, size, marked);
	if (!error)
		memcpy(argument->entries, entries->entrytable, info->size);
	return error;
}

/* As the SET_REPLACE argument that would make it. */
static int read_argument(const struct kernel_table *table, struct ipt_replace **argument,
			 size_t *size, bool *marked)
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
	error = get_entries(table, &info, made, marked);
	if (!error)
		*argument = TAKE_PTR(made);
	return error;
}

static int read_steady(const struct kernel_table *table, struct ipt_replace **argument,
		       size_t *size, bool *marked)
{
	int error = -EAGAIN;

	for (int i = 0; i < TRIES && error == -EAGAIN; i++)
		error = read_argument(table, argument, size, marked);
	return error;
}

int kernel_table_is_marked(const struct kernel_table *table, bool *marked)
{
	_cleanup_free_ struct ipt_replace *argument = NULL;
	size_t size;

	return read_steady(table, &argument, &size, marked);
}

/* -EOPNOTSUPP: it is one that BPF does not do. */
static int read_table(const struct kernel_table *table, struct table **read)
{
	_cleanup_free_ struct ipt_replace *argument = NULL;
	uint32_t num_counters;
	size_t size;
	int error = read_steady(table, &argument, &size, NULL);

	return error ? error
		     : table_decode(table_family(table), argument, size, read, &num_counters, NULL);
}

int kernel_table_is_vacant(const struct kernel_table *table, bool *vacant)
{
	struct table *there = NULL, *initial = NULL;
	int error = read_table(table, &there);

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
	int error;

	argument->num_counters = count;
	argument->counters = (struct xt_counters *)old;
	error = kernel_table_call(table, IPT_SO_SET_REPLACE, true, argument, size);
	if (!error && count)
		old[count - 1].packets %= MARK;
	return error;
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
	int error = table_initial(table_family(table), &initial);

	if (error)
		return error;
	error = table_argument(initial, &argument, &size);
	table_free(initial);
	return error ? error : replace_any(table, argument, size);
}
