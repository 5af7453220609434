/* SPDX-License-Identifier: GPL-2.0-only */
/* The loader's life: open and adopt, follow events, close. */
#include "loader.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>

#include "internal.h"

static int own_namespace(struct loader *loader, struct message *message)
{
	struct netns *own;
	int error;

	loader->own_netns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (loader->own_netns < 0)
		return message_set(message, -errno, "cannot open my network namespace: %m");
	error = netns_open(loader, loader->own_netns, &own, message);
	if (!error)
		loader->own_cookie = netns_cookie(own);
	return error;
}

static bool is_known(const struct loader *loader, uint64_t cookie)
{
	for (size_t i = 0; i < loader->netns_count; i++)
		if (loader->netns[i]->cookie == cookie && loader->netns[i]->loaded)
			return true;
	return false;
}

/* A namespace whose devices cannot all be served stays adopted; the rest must not suffer. */
static int adopt_all(struct loader *loader, struct message *message)
{
	char path[STATE_PATH_SIZE];
	struct dirent *entry;
	DIR *folder;

	snprintf(path, sizeof(path), "%s/bpf", loader->rundir);
	folder = opendir(path);
	if (!folder)
		return message_set(message, -errno, "cannot read %s: %m", path);
	while ((entry = readdir(folder))) {
		char *end;
		uint64_t cookie = strtoull(entry->d_name, &end, 16);

		if (*end || end == entry->d_name || is_known(loader, cookie))
			continue;
		netns_adopt(loader, cookie, message);
	}
	closedir(folder);
	return 0;
}

static int poll_open(struct loader *loader)
{
	const int sources[] = { loader->events, loader->rulesets, loader->lifetime.timer,
				loader->lifetime.names };
	struct epoll_event event = { .events = EPOLLIN };

	loader->poll = epoll_create1(EPOLL_CLOEXEC);
	if (loader->poll < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++)
		if (sources[i] >= 0 && epoll_ctl(loader->poll, EPOLL_CTL_ADD, sources[i], &event))
			return -errno;
	return 0;
}

/* Everything that tells of changes, in one descriptor. */
static int sources_open(struct loader *loader, struct message *message)
{
	int error = events_open(loader, message);

	if (error)
		return error;
	error = lifetime_open(&loader->lifetime);
	if (!error)
		error = poll_open(loader);
	if (error)
		return message_set(message, error, "cannot wait for events: %s", strerror(-error));
	return 0;
}

static int open_all(struct loader *loader, const char *config, int hook, struct message *message)
{
	int error = config_read(&loader->config, config, message);

	if (error)
		return error;
	if (hook >= 0)
		loader->config.hook = (enum hook_choice)hook;
	error = state_open(loader->rundir, message);
	if (!error)
		error = own_namespace(loader, message);
	if (!error)
		error = sources_open(loader, message);
	return error ? error : adopt_all(loader, message);
}

int loader_open(struct loader **loader, const char *rundir, const char *config, int hook,
		struct message *message)
{
	struct loader *new = calloc(1, sizeof(*new));
	int error;

	if (!new)
		return -ENOMEM;
	new->own_netns = new->events = new->rulesets = new->poll = -1;
	lifetime_init(&new->lifetime);
	libbpf_say_nothing();
	if (snprintf(new->rundir, sizeof(new->rundir), "%s", rundir) >= (int)sizeof(new->rundir))
		error = message_set(message, -ENAMETOOLONG,
				    "the runtime folder's name is too long");
	else
		error = open_all(new, config, hook, message);
	if (error) {
		loader_close(new);
		return error;
	}
	*loader = new;
	return 0;
}

const struct config *loader_config(const struct loader *loader)
{
	return &loader->config;
}

void loader_close(struct loader *loader)
{
	if (!loader)
		return;
	while (loader->netns_count)
		netns_release(loader->netns[0]);
	free(loader->netns);
	cleanup_close(&loader->own_netns);
	cleanup_close(&loader->poll);
	cleanup_close(&loader->events);
	cleanup_close(&loader->rulesets);
	lifetime_close(&loader->lifetime);
	free(loader);
}

int loader_stages(struct loader *loader, unsigned *stages, struct message *message)
{
	enum hook_choice hook = loader->config.hook;
	bool netfilter = netfilter_is_available(loader);

	if (hook == HOOK_NETFILTER && !netfilter)
		return message_set(
			message, -EOPNOTSUPP,
			"hook = netfilter needs BPF links at netfilter hooks, which came "
			"with Linux 6.4");
	*stages = hook == HOOK_NETFILTER ? 0 : STAGE_BIT(STAGE_XDP) | STAGE_BIT(STAGE_TC);
	if (netfilter && (hook == HOOK_NETFILTER || hook == HOOK_AUTO))
		*stages |= STAGE_BIT(STAGE_NF);
	return 0;
}

int loader_event_fd(const struct loader *loader)
{
	return loader->poll;
}

static int sync_addresses(struct netns *netns, int netns_fd, struct message *message)
{
	int error = netns_enter(netns->loader, netns_fd, message);

	if (error)
		return error;
	error = addresses_sync(netns, message);
	netns_leave(netns->loader);
	return error;
}

/* A namespace that can no longer be found has ended, or will be an event again when used. */
static int sync_dirty(struct netns *netns, struct message *message)
{
	bool links = netns->dirty, addresses = netns->addresses_dirty;
	bool ruleset = netns->ruleset_dirty && conntrack_is_awake(netns);
	_cleanup_close_ int netns_fd = -1;
	int error = 0, failed = 0;

	netns->dirty = netns->addresses_dirty = netns->ruleset_dirty = false;
	if (!netns->loaded || !(links || addresses || ruleset))
		return 0;
	netns_fd = netns_find(netns->loader, netns->cookie);
	if (netns_fd < 0)
		return 0;
	if (ruleset)
		failed = conntrack_settle(netns, netns_fd, message);
	if (links)
		error = devices_sync(netns, netns_fd, true, message);
	else if (addresses)
		error = sync_addresses(netns, netns_fd, message);
	return error ? error : failed;
}

int loader_event(struct loader *loader, struct message *message)
{
	int error = events_read(loader);

	if (error)
		return message_set(message, error, "cannot read device events: %s",
				   strerror(-error));
	error = lifetime_look(loader);
	if (error)
		message_set(message, error, "cannot look for namespaces that ended: %s",
			    strerror(-error));
	for (size_t i = 0; i < loader->netns_count; i++) {
		int failed = sync_dirty(loader->netns[i], message);

		error = error ? error : failed;
	}
	return error;
}
