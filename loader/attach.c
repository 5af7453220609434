/* SPDX-License-Identifier: GPL-2.0-only */
/* The dispatcher on a device's hooks: XDP links, tcx links, or cls_bpf filters before 6.6. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/if_link.h>
#include <string.h>

#include "internal.h"

/* enum bpf_attach_type of Linux 6.6; the headers of older systems do not have them. */
#define ATTACH_TCX_INGRESS 46
#define ATTACH_TCX_EGRESS  47

/* Our filter's place on a clsact qdisc: first, so that nothing before it lets a packet through. */
#define FILTER_PRIORITY 1
#define FILTER_HANDLE	0x75627066 /* "ubpf" */

static const char *const link_names[ENTRY_NETFILTER] = {
	[ENTRY_XDP] = "xdp",
	[ENTRY_INGRESS] = "ingress",
	[ENTRY_EGRESS] = "egress",
};

static void link_path(const struct netns *netns, char *path, uint32_t ifindex,
		      enum entry_point entry)
{
	state_pin_path(netns, path, "links/%" PRIu32 "-%s", ifindex, link_names[entry]);
}

/* --- links ----------------------------------------------------------------------------------- */

/* A link whose device is gone stays pinned but holds nothing: its ifindex reads 0. */
static bool link_is_alive(const char *path, uint32_t ifindex)
{
	_cleanup_close_ int fd = bpf_obj_get(path);
	struct bpf_link_info info = {};
	__u32 size = sizeof(info);

	/* tcx.ifindex of newer kernels lies where xdp.ifindex does */
	return fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &size) && info.xdp.ifindex == ifindex;
}

static int pin_link(int fd, const char *path)
{
	if (bpf_obj_pin(fd, path))
		return -errno;
	return 0;
}

static int link_make(const struct netns *netns, uint32_t ifindex, enum entry_point entry,
		     enum bpf_attach_type type, uint32_t flags)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = flags);
	char path[STATE_PATH_SIZE];
	_cleanup_close_ int fd = -1;

	link_path(netns, path, ifindex, entry);
	if (link_is_alive(path, ifindex))
		return 0;
	unlink(path);
	fd = bpf_link_create(netns->dispatcher[entry], (int)ifindex, type, &options);
	return fd < 0 ? -errno : pin_link(fd, path);
}

static void link_remove(const struct netns *netns, uint32_t ifindex, enum entry_point entry)
{
	char path[STATE_PATH_SIZE];

	link_path(netns, path, ifindex, entry);
	unlink(path);
}

/* --- cls_bpf --------------------------------------------------------------------------------- */

static enum bpf_tc_attach_point tc_point(enum entry_point entry)
{
	return entry == ENTRY_INGRESS ? BPF_TC_INGRESS : BPF_TC_EGRESS;
}

static uint32_t program_id(int fd)
{
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &size) ? 0 : info.id;
}

static bool filter_is_ours(const struct netns *netns, const struct bpf_tc_hook *hook,
			   enum entry_point entry)
{
	LIBBPF_OPTS(bpf_tc_opts, query, .handle = FILTER_HANDLE, .priority = FILTER_PRIORITY);

	return !bpf_tc_query(hook, &query) && query.prog_id &&
	       query.prog_id == program_id(netns->dispatcher[entry]);
}

static int filter_make(const struct netns *netns, uint32_t ifindex, enum entry_point entry)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = tc_point(entry));
	LIBBPF_OPTS(bpf_tc_opts, options, .handle = FILTER_HANDLE, .priority = FILTER_PRIORITY,
		    .prog_fd = netns->dispatcher[entry], .flags = BPF_TC_F_REPLACE);
	int error = bpf_tc_hook_create(&hook);

	if (error && error != -EEXIST)
		return error;
	if (filter_is_ours(netns, &hook, entry))
		return 0;
	return bpf_tc_attach(&hook, &options);
}

static void filter_remove(const struct netns *netns, uint32_t ifindex, enum entry_point entry)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = tc_point(entry));
	LIBBPF_OPTS(bpf_tc_opts, options, .handle = FILTER_HANDLE, .priority = FILTER_PRIORITY);

	if (filter_is_ours(netns, &hook, entry))
		bpf_tc_detach(&hook, &options);
}

/* --- choosing -------------------------------------------------------------------------------- */

static int tc_make(struct netns *netns, uint32_t ifindex, enum entry_point entry)
{
	enum bpf_attach_type type = entry == ENTRY_INGRESS ? ATTACH_TCX_INGRESS : ATTACH_TCX_EGRESS;
	struct loader *loader = netns->loader;
	int error;

	if (loader->tc != TC_CLSACT) {
		error = link_make(netns, ifindex, entry, type, 0);
		if (!error)
			loader->tc = TC_LINKS;
		if (error != -EINVAL || loader->tc == TC_LINKS)
			return error;
		loader->tc = TC_CLSACT; /* a kernel before 6.6 */
	}
	return filter_make(netns, ifindex, entry);
}

static void tc_remove(struct netns *netns, uint32_t ifindex, enum entry_point entry)
{
	if (netns->loader->tc == TC_CLSACT)
		filter_remove(netns, ifindex, entry);
	else
		link_remove(netns, ifindex, entry);
}

static enum hook_choice device_hook(const struct loader *loader, const struct device_info *info)
{
	char name[IFACE_NAME_SIZE + 1] = "";

	memcpy(name, info->device.name, IFACE_NAME_SIZE);
	return config_hook(&loader->config, name);
}

bool device_wants_xdp(const struct loader *loader, const struct device_info *info)
{
	if (!info->is_ethernet || info->is_upper ||
	    info->device.flags & (DEVICE_LOOPBACK | DEVICE_KEEPS_TAGS))
		return false;
	switch (device_hook(loader, info)) {
	case HOOK_XDP:
		return true;
	case HOOK_AUTO: /* on virtual devices native XDP costs more than it saves */
		return !info->has_kind;
	default:
		return false;
	}
}

static bool xdp_is_forced(const struct loader *loader, const struct device_info *info)
{
	return device_hook(loader, info) == HOOK_XDP;
}

static int xdp_make(struct netns *netns, const struct device_info *info)
{
	int error = link_make(netns, info->ifindex, ENTRY_XDP, BPF_XDP, XDP_FLAGS_DRV_MODE);

	if (!error || error == -EBUSY || !xdp_is_forced(netns->loader, info))
		return error;
	return link_make(netns, info->ifindex, ENTRY_XDP, BPF_XDP, XDP_FLAGS_SKB_MODE);
}

static int report(int error, const struct device_info *info, const char *hook,
		  struct message *message)
{
	return message_set(message, error, "cannot attach to %s of %.*s: %s", hook, IFACE_NAME_SIZE,
			   (const char *)info->device.name, strerror(-error));
}

/* The new hook first, then the other one away: to judge twice for a moment is safe, a gap is not.
 */
static int ingress_attach(struct netns *netns, const struct device_info *info,
			  const struct wanted *wanted, struct message *message)
{
	int error = -EOPNOTSUPP;

	if (wanted->xdp && device_wants_xdp(netns->loader, info)) {
		error = xdp_make(netns, info);
		if (!error) {
			tc_remove(netns, info->ifindex, ENTRY_INGRESS);
			return 0;
		}
		/* EEXIST: a device above has an XDP program; it may have come before this one */
		if (xdp_is_forced(netns->loader, info) && error != -EEXIST)
			return report(error, info, "XDP", message);
	}
	error = tc_make(netns, info->ifindex, ENTRY_INGRESS);
	if (error)
		return report(error, info, "TC ingress", message);
	link_remove(netns, info->ifindex, ENTRY_XDP);
	return 0;
}

/* Elsewhere than on Ethernet devices of their own nothing is certain before the IP layer. */
static bool has_early_stage(const struct netns *netns, const struct device_info *info)
{
	return info->is_ethernet && !info->device.vrf &&
	       !(info->device.flags & (DEVICE_LOOPBACK | DEVICE_HAS_MASTER | DEVICE_KEEPS_TAGS)) &&
	       device_hook(netns->loader, info) != HOOK_NETFILTER;
}

int device_attach(struct netns *netns, const struct device_info *info, const struct wanted *wanted,
		  struct message *message)
{
	bool ingress = wanted->ingress && (!wanted->early || has_early_stage(netns, info));
	int error = 0;

	if (ingress) {
		error = ingress_attach(netns, info, wanted, message);
	} else {
		link_remove(netns, info->ifindex, ENTRY_XDP);
		tc_remove(netns, info->ifindex, ENTRY_INGRESS);
	}
	if (error)
		return error;
	if (!wanted->egress) {
		tc_remove(netns, info->ifindex, ENTRY_EGRESS);
		return 0;
	}
	error = tc_make(netns, info->ifindex, ENTRY_EGRESS);
	return error ? report(error, info, "TC egress", message) : 0;
}

void device_detach_all(struct netns *netns, uint32_t ifindex)
{
	link_remove(netns, ifindex, ENTRY_XDP);
	for (unsigned entry = ENTRY_INGRESS; entry <= ENTRY_EGRESS; entry++) {
		link_remove(netns, ifindex, (enum entry_point)entry);
		filter_remove(netns, ifindex, (enum entry_point)entry);
	}
}

void links_collect(const struct netns *netns, bool (*exists)(const void *list, uint32_t ifindex),
		   const void *list)
{
	char path[STATE_PATH_SIZE];
	struct dirent *entry;
	DIR *links;

	state_pin_path(netns, path, "links");
	links = opendir(path);
	while (links && (entry = readdir(links))) {
		uint32_t ifindex = (uint32_t)strtoul(entry->d_name, NULL, 10);

		if (ifindex && !exists(list, ifindex))
			unlinkat(dirfd(links), entry->d_name, 0);
	}
	if (links)
		closedir(links);
}

int loopback_look(const struct netns *netns)
{
	char path[STATE_PATH_SIZE];
	int found = -ENOENT;

	for (unsigned entry = ENTRY_INGRESS; entry <= ENTRY_EGRESS; entry++) {
		link_path(netns, path, LOOPBACK_IFINDEX, (enum entry_point)entry);
		if (link_is_alive(path, LOOPBACK_IFINDEX))
			return 0;
		if (!access(path, F_OK))
			found = -ENODEV;
	}
	return found;
}
