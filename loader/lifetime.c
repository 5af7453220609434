/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The end of network namespaces that our own netfilter links keep alive: when links are all that
 * holds one, nobody can ever use it again, and we let go.
 *
 * Not used for the loader's own namespace, nor where no netfilter link is: other links do not hold.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/timerfd.h>

#include "../bpf/namespace_holder.h"
#include "internal.h"
#include "objects.h"

/* How long a namespace that nobody has a name for may outlive its last process. */
#define LOOK_MS 1000

/* When one has lost its name, sockets of processes that ended may still hold it, for so long. */
#define LOOK_AGAIN_MS 50

#define NAMES_FOLDER "/run/netns"

void lifetime_init(struct lifetime *lifetime)
{
	*lifetime = (struct lifetime){ .holders = -1, .timer = -1, .names = -1 };
}

int lifetime_open(struct lifetime *lifetime)
{
	lifetime->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	lifetime->names = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	return lifetime->timer < 0 || lifetime->names < 0 ? -errno : 0;
}

void lifetime_close(struct lifetime *lifetime)
{
	cleanup_close(&lifetime->holders);
	cleanup_close(&lifetime->timer);
	cleanup_close(&lifetime->names);
}

/* --- asking the kernel ----------------------------------------------------------------------- */

static int attach_iterator(const struct bpf_object *object)
{
	struct bpf_program *program = bpf_object__find_program_by_name(object, "namespace_holders");

	return bpf_link_create(bpf_program__fd(program), 0, BPF_TRACE_ITER, NULL);
}

bool lifetime_is_visible(struct loader *loader)
{
	struct lifetime *lifetime = &loader->lifetime;
	struct bpf_object *object;

	if (lifetime->holders >= 0)
		return true;
	object = bpf_object__open_mem(object_surroundings, object_surroundings_size, NULL);
	if (object && !bpf_object__load(object))
		lifetime->holders = attach_iterator(object);
	bpf_object__close(object);
	return lifetime->holders >= 0;
}

/* What holds one of the namespaces that we know. */
struct tally {
	uint32_t links;	     /* netfilter links, whoever made them */
	uint32_t references; /* all; the most that were seen */
};

static void count_holder(const struct loader *loader, const struct namespace_holder *holder,
			 struct tally *tallies)
{
	for (size_t i = 0; i < loader->netns_count; i++) {
		if (loader->netns[i]->cookie != holder->cookie)
			continue;
		tallies[i].links++;
		if (holder->references > tallies[i].references)
			tallies[i].references = holder->references;
	}
}

/* @tallies: one for each namespace in loader->netns, zeroed. */
static int count_holders(const struct loader *loader, struct tally *tallies)
{
	int fd = bpf_iter_create(loader->lifetime.holders);
	_cleanup_fclose_ FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	struct namespace_holder holder;

	if (!file) {
		int error = -errno;

		cleanup_close(&fd);
		return error;
	}
	while (fread(&holder, sizeof(holder), 1, file) == 1)
		count_holder(loader, &holder, tallies);
	return ferror(file) ? -EIO : 0;
}

bool netns_is_held(const struct netns *netns)
{
	struct loader *loader = netns->loader;
	struct tally *tallies;
	bool held = false;

	if (!lifetime_is_visible(loader))
		return false;
	tallies = calloc(loader->netns_count, sizeof(*tallies));
	if (!tallies)
		return true; /* cannot tell: the next look will */
	if (count_holders(loader, tallies))
		held = true;
	for (size_t i = 0; i < loader->netns_count; i++)
		if (loader->netns[i] == netns)
			held |= tallies[i].references > tallies[i].links;
	free(tallies);
	return held;
}

/* --- looking --------------------------------------------------------------------------------- */

/* @first: milliseconds from now; 0: no more. */
static void timer_set(const struct lifetime *lifetime, long first)
{
	const struct itimerspec when = {
		.it_value = { .tv_sec = first / 1000, .tv_nsec = first % 1000 * 1000000 },
		.it_interval = { .tv_sec = LOOK_MS / 1000, .tv_nsec = LOOK_MS % 1000 * 1000000 },
	};

	/* cannot fail: a descriptor of ours, a time that is valid */
	timerfd_settime(lifetime->timer, 0, &when, NULL);
}

void lifetime_watch(struct loader *loader)
{
	if (!lifetime_is_visible(loader))
		return;
	timer_set(&loader->lifetime, LOOK_MS);
	/* only to be quicker than the timer: nobody may have named a namespace yet */
	inotify_add_watch(loader->lifetime.names, NAMES_FOLDER, IN_DELETE);
}

/* Whether anything was there to be read. */
static bool drain(int fd)
{
	char buffer[4096] __attribute__((aligned(8)));
	bool any = false;

	while (read(fd, buffer, sizeof(buffer)) > 0)
		any = true;
	return any;
}

/* From the last to the first: forgetting one moves the last into its place. Return: whether there
 * are others that may end one day. */
static bool forget_unused(struct loader *loader, const struct tally *tallies)
{
	bool watched = false;

	for (size_t i = loader->netns_count; i-- > 0;) {
		if (!tallies[i].links || loader->netns[i]->cookie == loader->own_cookie)
			continue;
		if (tallies[i].links == tallies[i].references)
			netns_forget(loader->netns[i]);
		else
			watched = true;
	}
	return watched;
}

int lifetime_look(struct loader *loader)
{
	bool due = drain(loader->lifetime.timer), named = drain(loader->lifetime.names);
	struct tally *tallies;
	int error;

	if (!(due || named) || loader->lifetime.holders < 0)
		return 0;
	tallies = calloc(loader->netns_count, sizeof(*tallies));
	if (!tallies)
		return -ENOMEM;
	error = count_holders(loader, tallies);
	if (!error && !forget_unused(loader, tallies))
		timer_set(&loader->lifetime, 0);
	else if (named)
		timer_set(&loader->lifetime, LOOK_AGAIN_MS);
	free(tallies);
	return error;
}
