/* SPDX-License-Identifier: GPL-2.0-only */
/* Counters of a generation: what programs count per CPU, plus what ADD_COUNTERS added. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "internal.h"

/* Elements read with one system call. */
#define BATCH 256u

static int open_map(const struct netns *netns, enum table_family family, uint64_t number,
		    const char *name, struct message *message)
{
	char path[STATE_PATH_SIZE];
	int fd;

	state_pin_path(netns, path, "%s-%" PRIu64 "/%s", family_name(family), number, name);
	fd = bpf_obj_get(path);
	return fd >= 0 ? fd : message_set(message, -errno, "cannot open %s: %m", path);
}

/* Add the counters of a block, one copy a CPU, to those from rule @first on. */
static void add_block(struct counter *counters, uint32_t count, uint32_t first,
		      const struct counter_block *copies, int cpus)
{
	for (int cpu = 0; cpu < cpus; cpu++)
		for (uint32_t i = 0; i < COUNTERS_OF_BLOCK && first + i < count; i++) {
			counters[first + i].packets += copies[cpu].counters[i].packets;
			counters[first + i].bytes += copies[cpu].counters[i].bytes;
		}
}

/* Add the per-CPU counters from element *@done on; at most a batch of them. */
static int read_batch(int map, struct counter *counters, uint32_t count, uint32_t *done,
		      struct counter_block *values, uint32_t *keys, int cpus)
{
	uint32_t blocks = COUNTER_BLOCKS(count), last = *done - 1;
	uint32_t size = blocks - *done < BATCH ? blocks - *done : BATCH;
	int error =
		bpf_map_lookup_batch(map, *done ? &last : NULL, &last, keys, values, &size, NULL);

	if (error && errno != ENOENT) /* ENOENT: these were the last ones */
		return -errno;
	if (!size)
		return -ENODATA;
	for (uint32_t i = 0; i < size; i++)
		add_block(counters, count, (*done + i) * COUNTERS_OF_BLOCK,
			  values + (size_t)i * (unsigned)cpus, cpus);
	*done += size;
	return 0;
}

static int add_per_cpu(int map, struct counter *counters, uint32_t count)
{
	int cpus = libbpf_num_possible_cpus(), error = 0;
	_cleanup_free_ struct counter_block *values = NULL;
	_cleanup_free_ uint32_t *keys = NULL;

	if (cpus < 0)
		return cpus;
	values = calloc((size_t)BATCH * (unsigned)cpus, sizeof(*values));
	keys = calloc(BATCH, sizeof(*keys));
	if (!values || !keys)
		return -ENOMEM;
	for (uint32_t done = 0; done < COUNTER_BLOCKS(count) && !error;)
		error = read_batch(map, counters, count, &done, values, keys, cpus);
	return error;
}

int generation_counters(const struct netns *netns, enum table_family family, uint64_t number,
			struct counter *counters, uint32_t count, struct message *message)
{
	_cleanup_close_ int base = open_map(netns, family, number, "base", message);
	_cleanup_close_ int map = open_map(netns, family, number, "counters", message);
	uint32_t key = 0;
	int error;

	if (base < 0 || map < 0)
		return base < 0 ? base : map;
	/* base has exactly one element of all the counters */
	if (bpf_map_lookup_elem(base, &key, counters))
		return message_set(message, -errno, "cannot read counters: %m");
	error = add_per_cpu(map, counters, count);
	if (error)
		message_set(message, error, "cannot read counters: %s", strerror(-error));
	return error;
}

int netns_counters(const struct netns *netns, enum table_family family, struct counter *counters,
		   uint32_t count, struct message *message)
{
	uint64_t number = netns_generation(netns, family);

	if (!number)
		return -ENOENT;
	return generation_counters(netns, family, number, counters, count, message);
}

void counters_add(struct counter *sum, const struct counter *add, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		sum[i].packets += add[i].packets;
		sum[i].bytes += add[i].bytes;
	}
}

int netns_add_counters(struct netns *netns, enum table_family family, const struct counter *add,
		       uint32_t count, struct message *message)
{
	_cleanup_close_ int base =
		open_map(netns, family, netns_generation(netns, family), "base", message);
	_cleanup_free_ struct counter *sum = calloc(count, sizeof(*sum));
	uint32_t key = 0;

	if (base < 0)
		return base;
	if (!sum)
		return -ENOMEM;
	if (bpf_map_lookup_elem(base, &key, sum))
		return message_set(message, -errno, "cannot read counters: %m");
	counters_add(sum, add, count);
	if (bpf_map_update_elem(base, &key, sum, BPF_ANY))
		return message_set(message, -errno, "cannot add to counters: %m");
	return 0;
}
