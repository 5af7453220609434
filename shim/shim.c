/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The LD_PRELOAD library: takes the iptables socket options of the filter table to the supervisor
 * and leaves every other call alone. It interprets no table and holds nothing between calls.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../common/cleanup.h"
#include "../iptables-compat/sockopt.h"
#include "../supervisor/client.h"
#include "offline.h"
#include "real.h"
#include "safe_copy.h"
#include "table_names.h"

#define PUBLIC __attribute__((visibility("default")))

/* All options of iptables, of both families; sockopt_is_ours() knows which are whose. */
static bool in_iptables_range(int level, int option)
{
	return (level == SOL_IP || level == SOL_IPV6) && option >= IPT_BASE_CTL &&
	       option <= IP6T_SO_GET_REVISION_TARGET;
}

/* One intercepted call; the addresses are the program's and may be bad. */
struct call {
	int fd;
	int level;
	int option;
	bool is_set;
	void *value;
	socklen_t length;
	size_t extent; /* bytes of `value` that count */
	enum family family;
};

/* A line about the user's own command. iptables may try the same thing twice: say it once. */
static void print_message(const struct message *message)
{
	static char last[MESSAGE_SIZE];

	if (!message->text[0] || strcmp(last, message->text) == 0)
		return;
	memcpy(last, message->text, sizeof(last));
	dprintf(STDERR_FILENO, "ubpfilter: %s\n", message->text);
}

/*
 * Whether the kernel would take this descriptor to its iptables code: otherwise it shall answer, in
 * its own words (EBADF, ENOTSOCK, EOPNOTSUPP, ENOPROTOOPT).
 */
static bool socket_fits(int fd, int level)
{
	int domain, type;
	socklen_t length = sizeof(domain);

	if (real_getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) < 0)
		return false;
	if (level == SOL_IPV6 || domain == AF_INET)
		return domain == (level == SOL_IPV6 ? AF_INET6 : AF_INET);
	/* An IPv6 socket knows IPv4's options, but for a raw one. */
	length = sizeof(type);
	return domain == AF_INET6 &&
	       real_getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type != SOCK_RAW;
}

static bool call_is_ours(struct call *call)
{
	unsigned char head[SOCKOPT_HEAD_SIZE] = {};
	size_t size = call->length < sizeof(head) ? call->length : sizeof(head);

	if (!in_iptables_range(call->level, call->option))
		return false;
	if (!socket_fits(call->fd, call->level) || safe_copy(head, call->value, size) < 0)
		return false;
	return sockopt_is_ours(call->level, call->option, call->is_set, head, size,
			       &call->family) &&
	       sockopt_extent(call->option, call->is_set, head, size, call->length, &call->extent);
}

static int ask(const struct call *call, void **output, size_t *output_len)
{
	_cleanup_close_ int netns_fd = -1;
	struct client_request request = {
		.start = CLIENT_AUTOSTART,
		.kind = FRAME_SOCKOPT,
		.level = (uint32_t)call->level,
		.cmd = (uint32_t)call->option,
		.is_set = call->is_set,
		.payload = call->value,
		.len = (uint32_t)call->extent,
	};
	struct message message = {};
	int status;

	/* The socket's namespace, not the caller's; as iptables, it asks for CAP_NET_ADMIN there.
	 */
	request.netns_fd = netns_fd = ioctl(call->fd, SIOCGSKNS);
	if (netns_fd < 0)
		return -errno;
	status = client_call(&request, output, output_len, &message);
	print_message(&message);
	return status;
}

/* The old counters of a REPLACE go where its argument says; the kernel ignores a bad address too.
 */
static void copy_old_counters(const struct call *call, const void *counters, size_t size)
{
	union {
		struct ipt_replace ipv4;
		struct ip6t_replace ipv6;
	} head;
	void *target;

	if (call->option != IPT_SO_SET_REPLACE || !size ||
	    safe_copy(&head, call->value, sizeof(head)) < 0)
		return;
	target = call->family == FAMILY_IPV6 ? (void *)head.ipv6.counters
					     : (void *)head.ipv4.counters;
	safe_copy(target, counters, size);
}

static int result(int status, int saved_errno)
{
	errno = status < 0 ? -status : saved_errno;
	return status < 0 ? -1 : 0;
}

PUBLIC int setsockopt(int fd, int level, int option, const void *value, socklen_t length)
{
	_cleanup_free_ void *output = NULL;
	struct call call = {
		.fd = fd,
		.level = level,
		.option = option,
		.is_set = true,
		.value = (void *)value,
		.length = length,
	};
	int saved = errno;
	size_t output_len;
	int status;

	if (in_iptables_range(level, option) && offline())
		return offline_setsockopt(option, value, length);
	if (!call_is_ours(&call)) {
		errno = saved;
		return real_setsockopt(fd, level, option, value, length);
	}
	status = ask(&call, &output, &output_len);
	if (!status)
		copy_old_counters(&call, output, output_len);
	return result(status, saved);
}

static int copy_result(const struct call *call, socklen_t *length, const void *output,
		       size_t output_len)
{
	socklen_t new_length = (socklen_t)output_len;
	int status;

	if (!output_len) /* success was the answer */
		return 0;
	if (output_len > call->length)
		return -EINVAL;
	status = safe_copy(call->value, output, output_len);
	return status ? status : safe_copy(length, &new_length, sizeof(new_length));
}

PUBLIC int getsockopt(int fd, int level, int option, void *restrict value,
		      socklen_t *restrict length)
{
	_cleanup_free_ void *output = NULL;
	struct call call = { .fd = fd, .level = level, .option = option, .value = value };
	int saved = errno;
	size_t output_len;
	int status;

	if (in_iptables_range(level, option) && offline())
		return offline_getsockopt(option, value, length);
	/* A bad `length`, as everything that is not ours, is the kernel's to judge. */
	if (!in_iptables_range(level, option) ||
	    safe_copy(&call.length, length, sizeof(call.length)) < 0 || !call_is_ours(&call)) {
		errno = saved;
		return real_getsockopt(fd, level, option, value, length);
	}
	status = ask(&call, &output, &output_len);
	/* A revision that we leave to the kernel. */
	if (status == -EOPNOTSUPP) {
		errno = saved;
		return real_getsockopt(fd, level, option, value, length);
	}
	if (!status)
		status = copy_result(&call, length, output, output_len);
	return result(status, saved);
}

PUBLIC int socket(int domain, int type, int protocol)
{
	if (protocol == IPPROTO_RAW && offline())
		return offline_socket(type);
	return real_socket(domain, type, protocol);
}

static FILE *open_file(const char *path, const char *mode, real_fopen_function *real)
{
	int saved = errno;
	uint32_t level;
	FILE *file;

	if (!table_names_level(path, &level) || offline())
		return real(path, mode);
	file = table_names_open(level, path, mode, real);
	if (file)
		errno = saved;
	return file;
}

PUBLIC FILE *fopen(const char *restrict path, const char *restrict mode)
{
	return open_file(path, mode, real_fopen());
}

PUBLIC FILE *fopen64(const char *restrict path, const char *restrict mode)
{
	return open_file(path, mode, real_fopen64());
}
