/* SPDX-License-Identifier: GPL-2.0-only */
/* From one generation of a table to the next: docs/architecture.md, "Generations". */
#include <bpf/bpf.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "internal.h"
#include "spare.h"

static uint32_t slot_of(enum table_family family, uint64_t number)
{
	return (uint32_t)family * 2 + (uint32_t)(number & 1);
}

/* Put the programs of a generation where no packet goes yet; an entry without program stays free.
 */
static int slots_fill(const struct netns *netns, enum table_family family, uint64_t number,
		      struct message *message)
{
	uint32_t slot = slot_of(family, number);
	char path[STATE_PATH_SIZE];

	for (unsigned i = 0; i < ENTRY_COUNT; i++) {
		_cleanup_close_ int fd = -1;

		if (netns->slots[i] < 0)
			continue;
		state_pin_path(netns, path, "%s-%" PRIu64 "/%s", family_name(family), number,
			       entry_program_names[i]);
		fd = bpf_obj_get(path);
		if (fd < 0 && errno == ENOENT) {
			bpf_map_delete_elem(netns->slots[i], &slot);
			continue;
		}
		if (fd < 0 || bpf_map_update_elem(netns->slots[i], &slot, &fd, BPF_ANY))
			return message_set(message, -errno, "cannot enter program %s: %m", path);
	}
	return 0;
}

static void slots_clear(const struct netns *netns, enum table_family family, uint64_t number)
{
	uint32_t slot = slot_of(family, number);

	for (unsigned i = 0; i < ENTRY_COUNT; i++)
		if (netns->slots[i] >= 0)
			bpf_map_delete_elem(netns->slots[i], &slot);
}

/*
 * The kernel promises that when an element of a map of maps is replaced from user space
 * (maybe_wait_bpf_programs), for just this purpose. It is RCU's grace period.
 */
int programs_wait(void)
{
	_cleanup_close_ int inner =
		bpf_map_create(BPF_MAP_TYPE_ARRAY, "inner", sizeof(uint32_t), 8, 1, NULL);
	LIBBPF_OPTS(bpf_map_create_opts, options, .inner_map_fd = (uint32_t)inner);
	_cleanup_close_ int outer = -1;
	uint32_t key = 0;

	if (inner < 0)
		return -errno;
	outer = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "outer", sizeof(uint32_t),
			       sizeof(uint32_t), 1, &options);
	if (outer < 0 || bpf_map_update_elem(outer, &key, &inner, BPF_ANY))
		return -errno;
	return 0;
}

static void generation_remove(const struct netns *netns, enum table_family family, uint64_t number)
{
	char path[STATE_PATH_SIZE];

	generation_unpin(netns, family, number);
	state_blob_path(netns, path, "%s-%" PRIu64, family_name(family), number);
	unlink(path);
	conntrack_forget(netns, family, number);
}

/* XDP programs are loaded only where a device of the namespace is to be judged there. */
static int needs_xdp(const struct netns *netns, int netns_fd, bool *needed, struct message *message)
{
	struct device_list list = {};
	int error = netns_enter(netns->loader, netns_fd, message);

	if (error)
		return error;
	error = devices_list(&list, message);
	netns_leave(netns->loader);
	for (size_t i = 0; i < list.count && !error; i++)
		*needed |= device_wants_xdp(netns->loader, &list.devices[i]);
	device_list_free(&list);
	return error;
}

/* Steps 1 and 2. */
int generation_make(struct netns *netns, int netns_fd, enum table_family family, uint64_t number,
		    const struct generation *next, struct message *message)
{
	unsigned stages = next->object->stages;
	bool with_xdp = false;
	char name[64];
	int error =
		stages & STAGE_BIT(STAGE_XDP) ? needs_xdp(netns, netns_fd, &with_xdp, message) : 0;

	if (!with_xdp)
		stages &= ~STAGE_BIT(STAGE_XDP);
	if (!error && next->object->rates) /* what a replacement that failed has left */
		rates_settle(netns, family);
	/* first: where conntrack is a module, programs that call it load only once it is there */
	if (!error && next->object->needs & NEED_CONNECTION)
		error = conntrack_prepare(netns, netns_fd, family, number, next->object->needs,
					  message);
	if (!error)
		error = generation_load(netns, family, number, next, stages, message);
	if (error)
		return error;
	snprintf(name, sizeof(name), "%s-%" PRIu64, family_name(family), number);
	if (next->blob)
		error = state_write_blob(netns, name, next->blob, next->blob_size);
	if (error)
		return message_set(message, error, "cannot keep the table of %u rules: %s",
				   next->rule_count, strerror(-error));
	return slots_fill(netns, family, number, message);
}

int generation_commit(const struct netns *netns, enum table_family family, uint64_t number,
		      struct message *message)
{
	uint32_t key = family;

	if (bpf_map_update_elem(netns->generation, &key, &number, BPF_EXIST))
		return message_set(message, -errno, "cannot put the table in force: %m");
	return 0;
}

void generation_clear(const struct netns *netns, enum table_family family, uint64_t number)
{
	slots_clear(netns, family, number);
	generation_remove(netns, family, number);
}

/* Step 4: the old generation's counters, once nothing can add to them any more. */
static int old_counters(const struct netns *netns, int netns_fd, enum table_family family,
			uint64_t number, struct counter *old, uint32_t old_count,
			struct message *message)
{
	int error = programs_wait();

	if (error)
		return message_set(message, error, "cannot wait for programs to end: %s",
				   strerror(-error));
	if (generation_is_kernels(netns, family, number))
		return hand_over_end(netns, netns_fd, family, number, old, old_count, message);
	executions_end(netns, netns_fd, family, number, message);
	return generation_counters(netns, family, number, old, old_count, message);
}

/* Hooks that only the generation before used are left once nothing is judged there any more. */
static bool same_hooks(const struct netns *netns, enum table_family family, uint64_t one,
		       uint64_t other)
{
	for (unsigned i = 0; i < ENTRY_COUNT; i++)
		if (generation_has(netns, family, one, (enum entry_point)i) !=
		    generation_has(netns, family, other, (enum entry_point)i))
			return false;
	return true;
}

void generation_end(struct netns *netns, int netns_fd, enum table_family family, uint64_t number)
{
	bool hooks_moved = !same_hooks(netns, family, number, netns_generation(netns, family));

	generation_clear(netns, family, number);
	if (hooks_moved)
		devices_sync(netns, netns_fd, true, NULL);
	conntrack_settle(netns, netns_fd, NULL);
	rates_settle(netns, family);
}

void generation_retire(struct netns *netns, int netns_fd, enum table_family family, uint64_t number,
		       struct counter *old, uint32_t old_count, struct message *message)
{
	bool kernels = generation_is_kernels(netns, family, number);

	if (old_counters(netns, netns_fd, family, number, old, old_count, message))
		memset(old, 0, old_count * sizeof(*old));
	else if (!kernels)
		spare_keep(netns, family, number);
	generation_end(netns, netns_fd, family, number);
}

int netns_replace(struct netns *netns, int netns_fd, enum table_family family,
		  const struct generation *next, struct counter *old, uint32_t old_count,
		  struct message *message)
{
	uint64_t number, before;
	int error = netns_prepare(netns, netns_fd, message);

	if (!error)
		error = hand_over_settle(netns, netns_fd, family, message);
	if (error)
		return error;
	before = netns_generation(netns, family);
	number = before + 1;
	generation_remove(netns, family, number); /* of a replace that failed half-way */
	error = generation_make(netns, netns_fd, family, number, next, message);
	netns->pending[family] = number;
	if (!error)
		error = devices_sync(netns, netns_fd, true, message);
	if (!error)
		error = executions_begin(netns, netns_fd, family, number, next->object->executions,
					 message);
	if (!error)
		error = generation_commit(netns, family, number, message);
	netns->pending[family] = 0;
	if (error) {
		hand_over_settle(netns, netns_fd, family, NULL);
		generation_clear(netns, family, number);
		conntrack_settle(netns, netns_fd, NULL);
		rates_settle(netns, family);
	} else if (before) {
		/* the new table is in force: an error from here on must not say otherwise */
		generation_retire(netns, netns_fd, family, before, old, old_count, message);
	}
	return error;
}
