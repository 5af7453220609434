/* SPDX-License-Identifier: GPL-2.0-only */
#include "spare.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

/* A spare holds as much memory as a table in force, and up to six descriptors. */
#define SPARES_MAX 32

/* Elements written with one system call. */
#define BATCH 256u

/* A generation whose shape is known, while it is in force or about to be. */
struct known_shape {
	uint64_t number;
	struct shape shape;
};

struct spares {
	struct known_shape known[2]; /* by the lowest bit of the number, as slots are */
	struct shape shape;	     /* of the spare; none: there is no spare */
	struct program_set set;	     /* owned descriptors */
	uint64_t kept;		     /* the loader's clock when it became spare */
};

static void spare_drop(struct spares *spares)
{
	shape_free(&spares->shape);
	program_set_close(&spares->set);
}

static struct spares *spares_of(struct netns *netns, enum table_family family)
{
	if (!netns->spares[family])
		netns->spares[family] = calloc(1, sizeof(struct spares));
	return netns->spares[family];
}

void spares_free(struct netns *netns)
{
	for (unsigned family = 0; family < TABLE_FAMILIES; family++) {
		struct spares *spares = netns->spares[family];

		if (!spares)
			continue;
		if (spares->shape.bytes)
			spare_drop(spares);
		shape_free(&spares->known[0].shape);
		shape_free(&spares->known[1].shape);
		free(spares);
		netns->spares[family] = NULL;
	}
}

void spare_learn(struct netns *netns, enum table_family family, uint64_t number,
		 struct shape *shape)
{
	struct spares *spares = spares_of(netns, family);
	struct known_shape *known = spares ? &spares->known[number & 1] : NULL;

	if (!known) { /* no memory: it does not become a spare */
		shape_free(shape);
		return;
	}
	shape_free(&known->shape);
	*known = (struct known_shape){ number, *shape };
	*shape = (struct shape){};
}

void netns_likes(const struct netns *netns, enum table_family family,
		 struct table_shape likes[TABLE_LIKES])
{
	const struct spares *spares = netns->spares[family];
	const struct known_shape *in_force;

	memset(likes, 0, TABLE_LIKES * sizeof(*likes));
	if (!spares)
		return;
	in_force = &spares->known[netns_generation(netns, family) & 1];
	likes[0] = spares->shape.table;
	likes[1] = in_force->shape.table;
}

/* --- a generation of the spare --------------------------------------------------------------- */

/* What is not zero would be counted twice. */
static int counters_clear(int map, uint32_t blocks)
{
	int cpus = libbpf_num_possible_cpus(), error = 0;
	_cleanup_free_ struct counter_block *zeros = NULL;
	_cleanup_free_ uint32_t *keys = calloc(BATCH, sizeof(*keys));

	if (cpus < 0)
		return cpus;
	zeros = calloc((size_t)BATCH * (unsigned)cpus, sizeof(*zeros));
	if (!zeros || !keys)
		return -ENOMEM;
	for (uint32_t done = 0; done < blocks && !error;) {
		uint32_t size = blocks - done < BATCH ? blocks - done : BATCH, wanted = size;

		for (uint32_t i = 0; i < size; i++)
			keys[i] = done + i;
		if (bpf_map_update_batch(map, keys, zeros, &size, NULL))
			error = -errno;
		else if (size != wanted)
			error = -EIO;
		done += wanted;
	}
	return error;
}

static int table_write_data(int map, const struct object *object)
{
	uint32_t key = 0;

	return bpf_map_update_elem(map, &key, object->data + object->table_offset, BPF_ANY) ? -errno
											    : 0;
}

int spare_use(struct netns *netns, enum table_family family, uint64_t number,
	      const struct generation *next, const struct shape *shape)
{
	struct spares *spares = netns->spares[family];
	int error;

	if (!spares || !shape_equal(&spares->shape, shape))
		return -ENOENT;
	error = table_write_data(spares->set.table, next->object);
	if (!error)
		error = counters_clear(spares->set.counters, shape->table.blocks);
	if (!error)
		error = generation_pin(netns, family, number, &spares->set, next->rule_count, NULL);
	if (error)
		generation_unpin(netns, family, number);
	spare_drop(spares); /* its pins hold it now */
	return error;
}

/* --- a spare of a generation ----------------------------------------------------------------- */

static size_t spares_count(const struct loader *loader, struct spares **oldest)
{
	size_t count = 0;

	for (size_t i = 0; i < loader->netns_count; i++)
		for (unsigned family = 0; family < TABLE_FAMILIES; family++) {
			struct spares *spares = loader->netns[i]->spares[family];

			if (!spares || !spares->shape.bytes)
				continue;
			if (!count++ || spares->kept < (*oldest)->kept)
				*oldest = spares;
		}
	return count;
}

/* Those that changed last are likely to change again. */
static void make_room(const struct loader *loader)
{
	struct spares *oldest = NULL;

	if (spares_count(loader, &oldest) >= SPARES_MAX)
		spare_drop(oldest);
}

void spare_keep(struct netns *netns, enum table_family family, uint64_t number)
{
	struct spares *spares = netns->spares[family];
	struct known_shape *known = spares ? &spares->known[number & 1] : NULL;
	struct program_set set;

	if (!known || known->number != number || !known->shape.bytes)
		return;
	if (spares->shape.bytes)
		spare_drop(spares);
	make_room(netns->loader);
	if (program_set_open(netns, family, number, &set))
		return;
	spares->set = set;
	spares->shape = known->shape;
	spares->kept = ++netns->loader->spares_kept;
	*known = (struct known_shape){};
}
