/* SPDX-License-Identifier: GPL-2.0-only */
#include "offline.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>

#include "../common/io.h"
#include "real.h"

_Static_assert(sizeof(struct ipt_getinfo) == sizeof(struct ip6t_getinfo) &&
		       sizeof(struct ipt_get_entries) == sizeof(struct ip6t_get_entries) &&
		       offsetof(struct ipt_replace, counters) ==
			       offsetof(struct ip6t_replace, counters),
	       "one code serves both families");

static int offline_fd(void)
{
	const char *text = getenv(OFFLINE_VARIABLE);
	char *end;
	long fd = text && *text ? strtol(text, &end, 10) : -1;

	return fd >= 0 && fd <= 1 << 20 && !*end ? (int)fd : -1;
}

bool offline(void)
{
	return offline_fd() >= 0;
}

int offline_socket(int type)
{
	return real_socket(AF_UNIX, SOCK_DGRAM | (type & (SOCK_CLOEXEC | SOCK_NONBLOCK)), 0);
}

/* Copy @size bytes at @offset of the file, all of them or none. */
static int answer(off_t offset, size_t size, void *value, socklen_t *length)
{
	if (*length < size) {
		errno = EINVAL;
		return -1;
	}
	if (pread(offline_fd(), value, size, offset) != (ssize_t)size) {
		errno = EIO;
		return -1;
	}
	*length = (socklen_t)size;
	return 0;
}

int offline_getsockopt(int option, void *value, socklen_t *length)
{
	/* REVISION_MATCH and REVISION_TARGET, whose numbers the families do not share */
	if (option != IPT_SO_GET_INFO && option != IPT_SO_GET_ENTRIES)
		return 0;
	if (option == IPT_SO_GET_INFO)
		return answer(0, sizeof(struct ipt_getinfo), value, length);
	return answer(sizeof(struct ipt_getinfo), *length, value, length);
}

/* The table that is replaced has counted nothing. */
static void clear_old_counters(const struct ipt_replace *replace)
{
	memset(replace->counters, 0, replace->num_counters * sizeof(*replace->counters));
}

int offline_setsockopt(int option, const void *value, socklen_t length)
{
	int fd = offline_fd(), error;

	if (option != IPT_SO_SET_REPLACE)
		return 0;
	if (lseek(fd, 0, SEEK_END) < 0)
		return -1;
	error = io_write(fd, value, length);
	if (error) {
		errno = -error;
		return -1;
	}
	clear_old_counters(value);
	return 0;
}
