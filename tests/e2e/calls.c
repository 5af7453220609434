/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Test helper: thousands of single socket option calls, with good and bad descriptors, addresses
 * and lengths, and what each gave, one line a call. Run on the kernel's own table and under the
 * shim, the output has to be the same.
 */
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../common/cleanup.h"
#include "../../iptables-compat/table.h"
#include "../support/kernel.h"

#define PAGE 4096u
#define ROOM (16 * PAGE) /* for a buffer; behind it there is a page that nobody may touch */

struct world {
	unsigned char *writable; /* ROOM bytes up to the forbidden page */
	unsigned char *readable; /* the same, read-only */
	void *replace;		 /* a good argument for each option */
	size_t replace_size;
	size_t entries_size;
	uint32_t entry_count;
};

/* --- descriptors ----------------------------------------------------------------------------- */

static int open_raw4(void)
{
	return socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
}

static int open_raw6(void)
{
	return socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
}

static int open_udp4(void)
{
	return socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

static int open_tcp6(void)
{
	return socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static int open_unix(void)
{
	return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

static int open_file(void)
{
	return memfd_create("file", MFD_CLOEXEC);
}

static int open_nothing(void)
{
	return -1;
}

struct descriptor {
	const char *name;
	int (*open)(void);
};

static const struct descriptor descriptors[] = {
	{ "raw4", open_raw4 },	  { "raw6", open_raw6 }, { "udp4", open_udp4 },
	{ "tcp6", open_tcp6 },	  { "unix", open_unix }, { "file", open_file },
	{ "none", open_nothing },
};

/* --- options --------------------------------------------------------------------------------- */

struct option {
	const char *name;
	enum family family;
	bool is_set;
	int number;
	/* write a good argument, which may be longer than @room; returns its length */
	size_t (*fill)(const struct world *world, unsigned char *argument);
};

static size_t fill_info(const struct world *world, unsigned char *argument)
{
	(void)world;
	*(struct ipt_getinfo *)argument = (struct ipt_getinfo){ .name = "filter" };
	return sizeof(struct ipt_getinfo);
}

static size_t fill_entries(const struct world *world, unsigned char *argument)
{
	struct ipt_get_entries *entries = (struct ipt_get_entries *)argument;

	memset(argument, 0, sizeof(*entries));
	strcpy(entries->name, "filter");
	entries->size = (uint32_t)world->entries_size;
	return sizeof(*entries) + world->entries_size;
}

static size_t fill_revision(const struct world *world, unsigned char *argument)
{
	(void)world;
	*(struct xt_get_revision *)argument = (struct xt_get_revision){ .name = "tcp" };
	return sizeof(struct xt_get_revision);
}

static size_t fill_replace(const struct world *world, unsigned char *argument)
{
	static struct xt_counters old[16];

	memcpy(argument, world->replace, world->replace_size);
	((struct ipt_replace *)argument)->counters = old;
	return world->replace_size;
}

static size_t fill_counters(const struct world *world, unsigned char *argument)
{
	struct xt_counters_info *info = (struct xt_counters_info *)argument;
	size_t size = sizeof(*info) + world->entry_count * sizeof(struct xt_counters);

	memset(argument, 0, size);
	strcpy(info->name, "filter");
	info->num_counters = world->entry_count;
	return size;
}

static const struct option options[] = {
	{ "INFO", FAMILY_IPV4, false, IPT_SO_GET_INFO, fill_info },
	{ "ENTRIES", FAMILY_IPV4, false, IPT_SO_GET_ENTRIES, fill_entries },
	{ "REVISION_MATCH", FAMILY_IPV4, false, IPT_SO_GET_REVISION_MATCH, fill_revision },
	{ "REVISION_TARGET", FAMILY_IPV4, false, IPT_SO_GET_REVISION_TARGET, fill_revision },
	{ "REPLACE", FAMILY_IPV4, true, IPT_SO_SET_REPLACE, fill_replace },
	{ "ADD_COUNTERS", FAMILY_IPV4, true, IPT_SO_SET_ADD_COUNTERS, fill_counters },
	{ "INFO", FAMILY_IPV6, false, IP6T_SO_GET_INFO, fill_info },
	{ "ENTRIES", FAMILY_IPV6, false, IP6T_SO_GET_ENTRIES, fill_entries },
	{ "REVISION_MATCH", FAMILY_IPV6, false, IP6T_SO_GET_REVISION_MATCH, fill_revision },
	{ "REVISION_TARGET", FAMILY_IPV6, false, IP6T_SO_GET_REVISION_TARGET, fill_revision },
	{ "REPLACE", FAMILY_IPV6, true, IP6T_SO_SET_REPLACE, fill_replace },
	{ "ADD_COUNTERS", FAMILY_IPV6, true, IP6T_SO_SET_ADD_COUNTERS, fill_counters },
};

/* --- calls ----------------------------------------------------------------------------------- */

enum place {
	PLACE_GOOD,
	PLACE_LAST,	 /* the argument's last byte is the last one that is there */
	PLACE_CUT,	 /* one byte less */
	PLACE_HALF,	 /* half of it */
	PLACE_NAME,	 /* the name only */
	PLACE_FORBIDDEN, /* nothing of it */
	PLACE_READABLE,	 /* read-only */
	PLACE_NULL,
	PLACE_COUNT,
};

static const char *const place_names[PLACE_COUNT] = { "good", "last",	   "cut",      "half",
						      "name", "forbidden", "readable", "null" };

/* Where the argument of @size bytes starts, and how many of them are there. */
static unsigned char *place_argument(const struct world *world, enum place place,
				     const unsigned char *argument, size_t size)
{
	size_t there = place == PLACE_CUT	  ? size - 1
		       : place == PLACE_HALF	  ? size / 2
		       : place == PLACE_NAME	  ? XT_TABLE_MAXNAMELEN
		       : place == PLACE_FORBIDDEN ? 0
						  : size;
	unsigned char *start;

	if (there > size)
		there = size;
	start = place == PLACE_GOOD ? world->writable : world->writable + ROOM - there;
	memset(world->writable, 0x5a, ROOM);
	memcpy(start, argument, there);
	if (place == PLACE_NULL)
		return NULL;
	if (place != PLACE_READABLE)
		return start;
	start = world->readable;
	if (mprotect(start, ROOM, PROT_READ | PROT_WRITE))
		abort();
	memcpy(start, argument, size);
	if (mprotect(start, ROOM, PROT_READ))
		abort();
	return start;
}

/* FNV-1a of all that a call can write. */
static uint32_t digest(const struct world *world)
{
	uint32_t sum = 0x811c9dc5u;

	for (size_t i = 0; i < ROOM; i++)
		sum = (sum ^ world->writable[i]) * 0x01000193u;
	return sum;
}

static void call(const struct world *world, const struct option *option, int fd,
		 const char *descriptor, enum place place, int64_t length)
{
	static unsigned char argument[ROOM];
	size_t size = option->fill(world, argument);
	unsigned char *value = place_argument(world, place, argument, size);
	socklen_t len = (socklen_t)(length == INT64_MAX ? (int64_t)size : length);
	int level = option->family == FAMILY_IPV6 ? SOL_IPV6 : SOL_IP;
	int result, error;

	if (option->is_set)
		result = setsockopt(fd, level, option->number, value, len);
	else
		result = getsockopt(fd, level, option->number, value, &len);
	error = result ? errno : 0;
	printf("IPv%d %s %s %s %ld: %s", option->family, option->name, descriptor,
	       place_names[place], length == INT64_MAX ? (long)size : (long)length,
	       error ? strerrorname_np(error) : "0");
	if (!option->is_set)
		printf(" length %d", (int)len);
	/* how far a copy got that failed in its middle is not promised */
	if (!option->is_set && error != EFAULT)
		printf(" buffer %08x", digest(world));
	puts("");
}

/* A good call but for the address of the length. */
static void call_bad_length(const struct world *world, const struct option *option, int fd)
{
	static const socklen_t read_only = sizeof(struct ipt_getinfo);
	const socklen_t *const addresses[] = { NULL, (void *)(world->writable + ROOM),
					       (void *)(world->writable + ROOM - 1), &read_only };
	unsigned char *value = world->writable;

	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
		int result;

		option->fill(world, value);
		result = getsockopt(fd, option->family == FAMILY_IPV6 ? SOL_IPV6 : SOL_IP,
				    option->number, value, (socklen_t *)addresses[i]);
		printf("IPv%d %s bad length %zu: %s\n", option->family, option->name, i,
		       result ? strerrorname_np(errno) : "0");
	}
}

static void call_all(const struct world *world, const struct option *option,
		     const struct descriptor *descriptor)
{
	static const int64_t lengths[] = { INT64_MAX, 0,  1,  8,       29,	31,	32, 39,
					   40,	      41, 83, 85,      95,	96,	97, -1,
					   100,	      55, 56, 1 << 20, INT_MAX, INT_MIN };
	bool fits = descriptor->open == open_raw4 || descriptor->open == open_raw6;
	int fd = descriptor->open();

	for (enum place place = 0; place < PLACE_COUNT; place++)
		for (size_t i = 0; i < (fits ? ARRAY_SIZE(lengths) : 2); i++)
			call(world, option, fd, descriptor->name, place, lengths[i]);
	if (!option->is_set)
		call_bad_length(world, option, fd);
	if (fd >= 0)
		close(fd);
}

static unsigned char *map_before_nothing(void)
{
	unsigned char *area =
		mmap(NULL, ROOM + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (area == MAP_FAILED || mprotect(area + ROOM, PAGE, PROT_NONE))
		abort();
	return area;
}

int main(void)
{
	struct world world = { .writable = map_before_nothing(), .readable = map_before_nothing() };

	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		const struct option *option = &options[i];
		const struct ipt_replace *replace;
		int error = kernel_table(option->family, &world.replace, &world.replace_size);

		if (error) {
			fprintf(stderr, "no table: %s\n", strerror(-error));
			return 1;
		}
		replace = world.replace;
		world.entries_size = replace->size;
		world.entry_count = replace->num_entries;
		for (size_t k = 0; k < ARRAY_SIZE(descriptors); k++)
			call_all(&world, option, &descriptors[k]);
		free(world.replace);
	}
	return 0;
}
