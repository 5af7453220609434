/* SPDX-License-Identifier: GPL-2.0-only */
#include "loop.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

int loop_open(struct loop *loop)
{
	int fd = epoll_create1(EPOLL_CLOEXEC);

	if (fd < 0)
		return -errno;
	*loop = (struct loop){ .epoll_fd = fd };
	return 0;
}

void loop_close(struct loop *loop)
{
	close(loop->epoll_fd);
	loop->epoll_fd = -1;
}

int loop_watch(struct loop *loop, struct watch *watch, int fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = watch };

	if (epoll_ctl(loop->epoll_fd, watch->fd == fd ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) <
	    0)
		return -errno;
	watch->fd = fd;
	return 0;
}

void loop_unwatch(struct loop *loop, struct watch *watch)
{
	if (watch->fd >= 0)
		epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
	watch->fd = -1;
}

void loop_arm(struct loop *loop, struct timer *timer, uint64_t delay)
{
	timer->deadline = loop_now() + delay;
	if (timer->armed)
		return;
	timer->armed = true;
	timer->next = loop->timers;
	loop->timers = timer;
}

void loop_disarm(struct loop *loop, struct timer *timer)
{
	struct timer **link;

	if (!timer->armed)
		return;
	for (link = &loop->timers; *link != timer; link = &(*link)->next)
		;
	*link = timer->next;
	timer->armed = false;
}

uint64_t loop_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static struct timer *first_timer(const struct loop *loop)
{
	struct timer *first = loop->timers;

	for (struct timer *timer = first; timer; timer = timer->next)
		if (timer->deadline < first->deadline)
			first = timer;
	return first;
}

static int wait_milliseconds(const struct timer *timer)
{
	uint64_t now = loop_now();

	if (!timer)
		return -1;
	if (timer->deadline <= now)
		return 0;
	return timer->deadline - now > INT_MAX ? INT_MAX : (int)(timer->deadline - now);
}

static int loop_step(struct loop *loop)
{
	struct timer *timer = first_timer(loop);
	struct epoll_event event;
	int count = epoll_wait(loop->epoll_fd, &event, 1, wait_milliseconds(timer));

	if (count < 0)
		return errno == EINTR ? 0 : -errno;
	if (count) {
		struct watch *watch = event.data.ptr;

		watch->ready(watch->owner, event.events);
	}
	/* Events do not starve the clock: look at it after each. */
	timer = first_timer(loop);
	if (timer && timer->deadline <= loop_now()) {
		loop_disarm(loop, timer);
		timer->expired(timer->owner);
	}
	return 0;
}

int loop_run(struct loop *loop)
{
	int error = 0;

	while (!loop->ended && !error)
		error = loop_step(loop);
	return error;
}
