/* SPDX-License-Identifier: GPL-2.0-only */
/* Network namespaces: entering, knowing, finding and forgetting them. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <bpf/bpf.h>

#include "../common/io.h"
#include "internal.h"
#include "spare.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

int netns_enter(const struct loader *loader, int netns_fd, struct message *message)
{
	(void)loader;
	if (setns(netns_fd, CLONE_NEWNET))
		return message_set(message, -errno, "cannot enter the network namespace: %m");
	return 0;
}

/* Staying in a client's namespace would judge the next request by the wrong one: better to end. */
void netns_leave(const struct loader *loader)
{
	if (setns(loader->own_netns, CLONE_NEWNET))
		abort();
}

/* Cookie of the namespace that the thread is in. */
static int own_cookie(uint64_t *cookie)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t size = sizeof(*cookie);

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, cookie, &size))
		return -errno;
	return 0;
}

static int cookie_of(const struct loader *loader, int netns_fd, uint64_t *cookie)
{
	int error = netns_enter(loader, netns_fd, NULL);

	if (error)
		return error;
	error = own_cookie(cookie);
	netns_leave(loader);
	return error;
}

static struct netns *known(const struct loader *loader, uint64_t cookie)
{
	for (size_t i = 0; i < loader->netns_count; i++)
		if (loader->netns[i]->cookie == cookie)
			return loader->netns[i];
	return NULL;
}

static int remember(struct loader *loader, uint64_t cookie, struct netns **netns)
{
	struct netns **more = reallocarray(loader->netns, loader->netns_count + 1, sizeof(*more));
	struct netns *new;

	if (!more)
		return -ENOMEM;
	loader->netns = more;
	new = calloc(1, sizeof(*new));
	if (!new)
		return -ENOMEM;
	*new = (struct netns){ .loader = loader,
			       .cookie = cookie,
			       .nsid = -1,
			       .maps = { -1, -1, -1 },
			       .generation = -1 };
	for (unsigned i = 0; i < ENTRY_COUNT; i++)
		new->slots[i] = new->dispatcher[i] = -1;
	loader->netns[loader->netns_count++] = new;
	*netns = new;
	return 0;
}

static void unload(struct netns *netns)
{
	for (unsigned i = 0; i < SHARED_MAPS; i++) {
		cleanup_close(&netns->maps[i]);
		netns->maps[i] = -1;
	}
	cleanup_close(&netns->generation);
	netns->generation = -1;
	for (unsigned i = 0; i < ENTRY_COUNT; i++) {
		cleanup_close(&netns->slots[i]);
		cleanup_close(&netns->dispatcher[i]);
		netns->slots[i] = netns->dispatcher[i] = -1;
	}
	spares_free(netns);
	netns->nsid = -1;
	netns->loaded = false;
}

int netns_open(struct loader *loader, int netns_fd, struct netns **netns, struct message *message)
{
	uint64_t cookie;
	int error = cookie_of(loader, netns_fd, &cookie);

	if (error)
		return message_set(message, error, "cannot identify the network namespace: %s",
				   strerror(-error));
	*netns = known(loader, cookie);
	return *netns ? 0 : remember(loader, cookie, netns);
}

uint64_t netns_cookie(const struct netns *netns)
{
	return netns->cookie;
}

uint64_t netns_generation(const struct netns *netns, enum table_family family)
{
	uint32_t key = family;
	uint64_t number = 0;

	if (!netns->loaded)
		return 0;
	/* Cannot fail. Should it, 0 would say that no table is in force, and lose the one that is:
	   then better a driver that dies, and is restarted, than an open firewall. */
	if (bpf_map_lookup_elem(netns->generation, &key, &number))
		abort();
	return number;
}

int netns_programs(const struct netns *netns, FILE *out)
{
	char path[STATE_PATH_SIZE];

	for (unsigned family = 0; family < TABLE_FAMILIES; family++) {
		uint64_t number = netns_generation(netns, (enum table_family)family);

		for (unsigned i = 0; number && i < ENTRY_COUNT; i++) {
			if (!generation_has(netns, (enum table_family)family, number,
					    (enum entry_point)i))
				continue;
			state_pin_path(netns, path, "%s-%" PRIu64 "/%s",
				       family_name((enum table_family)family), number,
				       entry_program_names[i]);
			if (fprintf(out, "%s\n", path) < 0)
				return -EIO;
		}
	}
	return 0;
}

/* --- finding a namespace without a client ----------------------------------------------------- */

/* Whether @path is the namespace; a descriptor for it in *@found then. */
static bool is_namespace(const struct loader *loader, int folder, const char *path, uint64_t cookie,
			 int *found)
{
	_cleanup_close_ int fd = openat(folder, path, O_RDONLY | O_CLOEXEC);
	uint64_t candidate;

	if (fd < 0 || cookie_of(loader, fd, &candidate) || candidate != cookie)
		return false;
	*found = TAKE_FD(fd);
	return true;
}

/* @suffix: what follows an entry's name to make it a namespace file. */
static int find_in(const struct loader *loader, const char *folder, const char *suffix,
		   uint64_t cookie)
{
	DIR *entries = opendir(folder);
	struct dirent *entry;
	char path[300];
	int found = -ENOENT;

	while (entries && found < 0 && (entry = readdir(entries))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s%s", entry->d_name, suffix);
		is_namespace(loader, dirfd(entries), path, cookie, &found);
	}
	if (entries)
		closedir(entries);
	return found;
}

int netns_find(const struct loader *loader, uint64_t cookie)
{
	int found;

	if (cookie == loader->own_cookie) {
		found = fcntl(loader->own_netns, F_DUPFD_CLOEXEC, 3);
		return found < 0 ? -errno : found;
	}
	found = find_in(loader, "/run/netns", "", cookie);
	return found >= 0 ? found : find_in(loader, "/proc", "/ns/net", cookie);
}

/* --- life ------------------------------------------------------------------------------------ */

/* The namespace that had the same number before has ended, even if its end was not heard of yet. */
static void forget_namesakes(const struct netns *netns)
{
	struct loader *loader = netns->loader;

	for (size_t i = loader->netns_count; i-- > 0;)
		if (loader->netns[i] != netns && loader->netns[i]->nsid == netns->nsid)
			netns_forget(loader->netns[i]);
}

/* Hear of its devices and its end. Its number is kept: it stays the same while the namespace is. */
static int follow(struct netns *netns, int netns_fd, struct message *message)
{
	int error;

	if (netns->nsid >= 0 || netns->cookie == netns->loader->own_cookie)
		return 0;
	error = nsid_assign(netns->loader, netns_fd, &netns->nsid, message);
	if (error)
		return error;
	forget_namesakes(netns);
	error = state_write_blob(netns, "nsid", &netns->nsid, sizeof(netns->nsid));
	if (error)
		return message_set(message, error, "cannot keep the namespace's number: %s",
				   strerror(-error));
	return 0;
}

int netns_prepare(struct netns *netns, int netns_fd, struct message *message)
{
	int error;

	if (netns->loaded)
		return follow(netns, netns_fd, message);
	/* what a killed process left half-made is worth nothing without `generation` */
	error = state_remove(netns);
	if (error)
		return message_set(message, error, "cannot remove old state: %s", strerror(-error));
	error = state_make_folders(netns, message);
	if (!error)
		error = dispatcher_load(netns, message);
	if (!error)
		error = follow(netns, netns_fd, message);
	if (!error)
		error = devices_sync(netns, netns_fd, false, message);
	if (error) {
		unload(netns);
		state_remove(netns);
	}
	return error;
}

/* Its number here, as it was when it was last found; -1: not known. */
static int nsid_read(const struct netns *netns)
{
	_cleanup_close_ int fd = -1;
	char path[STATE_PATH_SIZE];
	int nsid;

	state_blob_path(netns, path, "nsid");
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 || io_read(fd, &nsid, sizeof(nsid)) ? -1 : nsid;
}

/* @netns_fd: negative when the namespace is there, and nobody can tell where. */
static int adopt(struct netns *netns, int netns_fd, struct message *message)
{
	int error = dispatcher_open(netns, NULL);
	int asleep;

	if (error) { /* its making was interrupted: nothing of it is in force */
		unload(netns);
		return state_remove(netns);
	}
	for (unsigned family = 0; family < TABLE_FAMILIES; family++) {
		/* until it is settled, what is about to be in force may be so already */
		if (hand_over_settle(netns, netns_fd, (enum table_family)family, message))
			continue;
		state_collect(netns, (enum table_family)family,
			      netns_generation(netns, (enum table_family)family));
	}
	if (netns->cookie != netns->loader->own_cookie)
		lifetime_watch(netns->loader);
	if (netns_fd < 0) {
		netns->nsid = nsid_read(netns);
		return 0;
	}
	netns->awake[TABLE_IPV4] = netns->awake[TABLE_IPV6] = true;
	asleep = conntrack_settle(netns, netns_fd, message);
	error = follow(netns, netns_fd, message);
	if (!error)
		error = devices_sync(netns, netns_fd, true, message);
	return error ? error : asleep;
}

/*
 * A namespace may live on where we do not look: by a mount in another mount namespace, a
 * descriptor, a socket. Our links know; without any, its number may tell, or be another's by now:
 * then it is kept for too long, which does no harm.
 */
static bool is_alive(const struct netns *netns)
{
	int found;

	if (netfilter_is_attached(netns))
		return netns_is_held(netns);
	found = loopback_look(netns);
	if (found == -ENOENT) {
		int nsid = nsid_read(netns);

		return nsid >= 0 && nsid_is_in_use(nsid);
	}
	return !found;
}

int netns_adopt(struct loader *loader, uint64_t cookie, struct message *message)
{
	_cleanup_close_ int netns_fd = netns_find(loader, cookie);
	struct netns *netns;
	int error = 0;

	netns = known(loader, cookie);
	if (!netns)
		error = remember(loader, cookie, &netns);
	if (error)
		return error;
	if (netns_fd >= 0 || is_alive(netns))
		return adopt(netns, netns_fd, message);
	netns_forget(netns);
	return 0;
}

void netns_release(struct netns *netns)
{
	struct loader *loader = netns->loader;

	unload(netns);
	for (size_t i = 0; i < loader->netns_count; i++)
		if (loader->netns[i] == netns)
			loader->netns[i] = loader->netns[--loader->netns_count];
	free(netns);
}

void netns_forget(struct netns *netns)
{
	state_remove(netns);
	netns_release(netns);
}

int netns_flush(struct netns *netns, struct message *message)
{
	_cleanup_close_ int netns_fd = netns_find(netns->loader, netns->cookie);
	struct device_list list = {};
	int error = 0;

	if (!netns->loaded)
		return 0;
	if (netns_fd >= 0)
		error = hand_over_flush(netns, netns_fd, message);
	if (error)
		return error;
	if (netns_fd >= 0 && !netns_enter(netns->loader, netns_fd, message)) {
		error = devices_list(&list, message);
		for (size_t i = 0; i < list.count; i++)
			device_detach_all(netns, list.devices[i].ifindex);
		netns_leave(netns->loader);
		device_list_free(&list);
		if (error)
			return error;
	}
	unload(netns);
	error = state_remove(netns);
	if (error)
		return message_set(message, error, "cannot remove the namespace's state: %s",
				   strerror(-error));
	return netns_fd < 0 ? 0 : conntrack_settle(netns, netns_fd, message);
}
