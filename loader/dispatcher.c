/* SPDX-License-Identifier: GPL-2.0-only */
/* The dispatcher of a namespace: loaded and pinned once, opened by whoever comes after. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#include "internal.h"
#include "objects.h"

static const char *const dispatcher_names[ENTRY_COUNT] = {
	[ENTRY_XDP] = "dispatch_xdp",
	[ENTRY_INGRESS] = "dispatch_ingress",
	[ENTRY_EGRESS] = "dispatch_egress",
	[ENTRY_NETFILTER] = "dispatch_netfilter",
};

static const char *const slot_names[ENTRY_COUNT] = {
	[ENTRY_XDP] = "xdp_slots",
	[ENTRY_INGRESS] = "ingress_slots",
	[ENTRY_EGRESS] = "egress_slots",
	[ENTRY_NETFILTER] = "netfilter_slots",
};

const char *const shared_map_names[SHARED_MAPS] = {
	[MAP_DEVICES] = "devices",
	[MAP_DEVICES_FAR] = "devices_far",
	[MAP_LOCAL_ADDRESSES] = "local_addresses",
};

static int pin_in_netns(const struct netns *netns, int fd, const char *name,
			struct message *message)
{
	char path[STATE_PATH_SIZE];

	state_pin_path(netns, path, "%s", name);
	return object_pin(fd, path, message);
}

static int entry_pin(struct netns *netns, const struct bpf_object *object, unsigned entry,
		     struct message *message)
{
	int error = pin_in_netns(netns,
				 bpf_program__fd(object_program(object, dispatcher_names[entry])),
				 dispatcher_names[entry], message);

	return error ? error
		     : pin_in_netns(netns, object_map(object, slot_names[entry]), slot_names[entry],
				    message);
}

static struct bpf_object *dispatcher_object(const void *data, size_t size, struct message *message)
{
	struct bpf_object *object = bpf_object__open_mem(data, size, NULL);

	if (!object)
		message_set(message, -errno, "cannot read the dispatcher: %m");
	return object;
}

static int report_dispatcher(int error, struct message *message)
{
	return message_set(message, error, "cannot load the dispatcher: %s", strerror(-error));
}

static int load_on_devices(struct netns *netns, struct bpf_object *object, struct message *message)
{
	int error = bpf_object__load(object);

	if (error)
		return report_dispatcher(error, message);
	for (unsigned i = 0; i < SHARED_MAPS && !error; i++)
		error = pin_in_netns(netns, object_map(object, shared_map_names[i]),
				     shared_map_names[i], message);
	for (unsigned i = 0; i < ENTRY_NETFILTER && !error; i++)
		error = entry_pin(netns, object, i, message);
	return error;
}

static int load_at_netfilter(struct netns *netns, int generation, struct message *message)
{
	struct bpf_object *object = dispatcher_object(object_dispatch_netfilter,
						      object_dispatch_netfilter_size, message);
	int error;

	if (!object)
		return -EINVAL;
	netfilter_program_set(object_program(object, dispatcher_names[ENTRY_NETFILTER]));
	error = bpf_map__reuse_fd(bpf_object__find_map_by_name(object, "generation"), generation);
	if (!error)
		error = bpf_object__load(object);
	if (error)
		report_dispatcher(error, message);
	else
		error = entry_pin(netns, object, ENTRY_NETFILTER, message);
	bpf_object__close(object);
	return error;
}

int dispatcher_load(struct netns *netns, struct message *message)
{
	struct bpf_object *object =
		dispatcher_object(object_dispatch, object_dispatch_size, message);
	int error;

	if (!object)
		return -EINVAL;
	error = load_on_devices(netns, object, message);
	if (!error && netfilter_is_available(netns->loader))
		error = load_at_netfilter(netns, object_map(object, "generation"), message);
	/* last: where `generation` is pinned, everything is */
	if (!error)
		error = pin_in_netns(netns, object_map(object, "generation"), "generation",
				     message);
	bpf_object__close(object);
	return error ? error : dispatcher_open(netns, message);
}

static int open_pin(const struct netns *netns, const char *name, int *fd, struct message *message)
{
	char path[STATE_PATH_SIZE];

	state_pin_path(netns, path, "%s", name);
	*fd = bpf_obj_get(path);
	if (*fd >= 0)
		return 0;
	return message_set(message, -errno, "cannot open %s: %m", path);
}

int dispatcher_open(struct netns *netns, struct message *message)
{
	unsigned entries = netfilter_is_available(netns->loader) ? ENTRY_COUNT : ENTRY_NETFILTER;
	int error = 0;

	for (unsigned i = 0; i < SHARED_MAPS && !error; i++)
		error = open_pin(netns, shared_map_names[i], &netns->maps[i], message);
	if (!error)
		error = open_pin(netns, "generation", &netns->generation, message);
	for (unsigned i = 0; i < entries && !error; i++) {
		error = open_pin(netns, dispatcher_names[i], &netns->dispatcher[i], message);
		if (!error)
			error = open_pin(netns, slot_names[i], &netns->slots[i], message);
	}
	netns->loaded = !error;
	return error;
}
