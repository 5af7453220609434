/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Test helper: single socket options, and the errno they give, under the shim or on the kernel:
 * sockopt 4|6 WHAT, or all.
 */
#include <netinet/in.h>
#include <errno.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>

#include "../../../common/cleanup.h"

static int inet, level;

static int get(int fd, int option, void *value, socklen_t *length)
{
	return getsockopt(fd, level, option, value, length);
}

static int info(void)
{
	struct ipt_getinfo value = { .name = "filter" };
	socklen_t length = sizeof(value);

	return get(inet, IPT_SO_GET_INFO, &value, &length);
}

static int info_bad_descriptor(void)
{
	struct ipt_getinfo value = { .name = "filter" };
	socklen_t length = sizeof(value);

	return get(-1, IPT_SO_GET_INFO, &value, &length);
}

static int info_no_socket(void)
{
	struct ipt_getinfo value = { .name = "filter" };
	socklen_t length = sizeof(value);

	return get(STDIN_FILENO, IPT_SO_GET_INFO, &value, &length);
}

static int info_unix(void)
{
	struct ipt_getinfo value = { .name = "filter" };
	socklen_t length = sizeof(value);
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	return get(fd, IPT_SO_GET_INFO, &value, &length);
}

static int info_short(void)
{
	struct ipt_getinfo value = { .name = "filter" };
	socklen_t length = sizeof(value) - 1;

	return get(inet, IPT_SO_GET_INFO, &value, &length);
}

static int info_bad_value(void)
{
	socklen_t length = sizeof(struct ipt_getinfo);

	return get(inet, IPT_SO_GET_INFO, (void *)8, &length);
}

static int info_bad_length(void)
{
	struct ipt_getinfo value = { .name = "filter" };

	return get(inet, IPT_SO_GET_INFO, &value, (socklen_t *)8);
}

static int info_read_only(void)
{
	socklen_t length = sizeof(struct ipt_getinfo);
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	strcpy(page, "filter");
	mprotect(page, 4096, PROT_READ);
	return get(inet, IPT_SO_GET_INFO, page, &length);
}

static int info_no_table(void)
{
	struct ipt_getinfo value = { .name = "no_such" };
	socklen_t length = sizeof(value);

	return get(inet, IPT_SO_GET_INFO, &value, &length);
}

static int set_bad(void)
{
	struct ipt_replace value = { .name = "filter" };

	return setsockopt(inet, level, IPT_SO_SET_REPLACE, &value, sizeof(value));
}

static int set_bad_value(void)
{
	return setsockopt(inet, level, IPT_SO_SET_REPLACE, (void *)8, 1000);
}

static int set_unknown(void)
{
	struct ipt_replace value = { .name = "filter" };

	return setsockopt(inet, level, 66, &value, sizeof(value));
}

static int time_to_live(void)
{
	int value = 7;

	return level == SOL_IP ? setsockopt(inet, level, IP_TTL, &value, sizeof(value)) : 0;
}

/* The mean of many round trips. */
static int speed(void)
{
	struct timespec start, end;
	const int rounds = 2000;

	clock_gettime(CLOCK_MONOTONIC, &start);
	for (int i = 0; i < rounds; i++)
		if (info() < 0)
			return -1;
	clock_gettime(CLOCK_MONOTONIC, &end);
	printf("%.1f us ",
	       ((double)(end.tv_sec - start.tv_sec) * 1e9 + (double)(end.tv_nsec - start.tv_nsec)) /
		       rounds / 1e3);
	return 0;
}

static const struct {
	const char *name;
	int (*run)(void);
} calls[] = {
	{ "info", info },
	{ "info-bad-descriptor", info_bad_descriptor },
	{ "info-no-socket", info_no_socket },
	{ "info-unix", info_unix },
	{ "info-short", info_short },
	{ "info-bad-value", info_bad_value },
	{ "info-bad-length", info_bad_length },
	{ "info-read-only", info_read_only },
	{ "info-no-table", info_no_table },
	{ "set-bad", set_bad },
	{ "set-bad-value", set_bad_value },
	{ "set-unknown", set_unknown },
	{ "time-to-live", time_to_live },
	{ "speed", speed },
};

int main(int argc, char **argv)
{
	bool all = argc == 3 && strcmp(argv[2], "all") == 0;

	if (argc != 3)
		return 2;
	level = atoi(argv[1]) == 6 ? SOL_IPV6 : SOL_IP;
	inet = socket(level == SOL_IPV6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		if (all ? calls[i].run == speed : strcmp(calls[i].name, argv[2]) != 0)
			continue;
		errno = 0;
		if (all)
			printf("%s: ", calls[i].name);
		puts(calls[i].run() < 0 ? strerrorname_np(errno) : "0");
	}
	return 0;
}
