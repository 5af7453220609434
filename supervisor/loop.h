/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The supervisor's event loop: descriptors and deadlines in, calls of their owners out. One event
 * is taken at a time, so an owner may release any other from its callback.
 */
#ifndef UBPFILTER_LOOP_H
#define UBPFILTER_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct watch {
	int fd; /* -1: not watched */
	void (*ready)(void *owner, uint32_t events);
	void *owner;
};

struct timer {
	uint64_t deadline; /* loop_now() milliseconds */
	void (*expired)(void *owner);
	void *owner;
	struct timer *next;
	bool armed;
};

struct loop {
	int epoll_fd;
	struct timer *timers;
	bool ended;
};

/** loop_open() - 0 or -errno. */
int loop_open(struct loop *loop);
void loop_close(struct loop *loop);

/**
 * loop_watch() - call @watch->ready when @fd has @events (EPOLLIN, EPOLLOUT; 0: errors and hang-up
 * only). Again with other events: changes them. The descriptor stays the caller's.
 */
int loop_watch(struct loop *loop, struct watch *watch, int fd, uint32_t events);
void loop_unwatch(struct loop *loop, struct watch *watch);

/** loop_arm() - call @timer->expired once, @delay milliseconds from now; replaces an earlier one.
 */
void loop_arm(struct loop *loop, struct timer *timer, uint64_t delay);
void loop_disarm(struct loop *loop, struct timer *timer);

/** loop_now() - CLOCK_MONOTONIC in milliseconds. */
uint64_t loop_now(void);

/** loop_run() - until loop->ended; 0 or -errno of epoll_wait(2). */
int loop_run(struct loop *loop);

#endif
