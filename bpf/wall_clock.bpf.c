/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What time it is, for tables that ask: programs are told atomic time (TAI, Linux 6.1), and nobody
 * tells them how far that is from UTC. Each CPU's timers know: they keep the distance of both from
 * the time since boot. And each process has a timer, which leads to those of a CPU, whichever.
 */
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

#define NANOSECONDS 1000000000u

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct hrtimer_cpu_base;

struct hrtimer_clock_base {
	struct hrtimer_cpu_base *cpu_base;
	__s64 offset; /* nanoseconds ahead of the time since boot */
};

struct hrtimer_cpu_base {
	struct hrtimer_clock_base clock_base[4];
};

struct hrtimer {
	struct hrtimer_clock_base *base;
};

struct signal_struct {
	struct hrtimer real_timer;
};

struct task_struct;

struct pid_namespace {
	struct task_struct *child_reaper;
};

struct nsproxy {
	struct pid_namespace *pid_ns_for_children;
};

struct task_struct {
	struct nsproxy *nsproxy;
	struct signal_struct *signal;
};

#pragma clang attribute pop

/* Places in clock_base, the same since Linux 3.10. */
enum hrtimer_base_type {
	HRTIMER_BASE_REALTIME = 1,
	HRTIMER_BASE_TAI = 3,
};

/* Nanoseconds that UTC is behind TAI: leap seconds, or 0 where nobody has set that up. */
static __always_inline __u64 utc_behind_tai(void)
{
	const struct task_struct *task = bpf_get_current_task_btf();
	const struct hrtimer_clock_base *base = task->signal->real_timer.base;
	const struct hrtimer_cpu_base *timers;

	if (!base) /* the first CPU's idle task has none: then the first process's */
		base = task->nsproxy->pid_ns_for_children->child_reaper->signal->real_timer.base;
	timers = base->cpu_base;
	/* where the clock has just been set, both are old by as much */
	return (__u64)(timers->clock_base[HRTIMER_BASE_TAI].offset -
		       timers->clock_base[HRTIMER_BASE_REALTIME].offset);
}

/*
 * wall_clock() - seconds since 1970, UTC. A second begins up to a tick earlier than in the kernel's
 * own match, which takes the time of the last tick.
 */
int wall_clock(void)
{
	return (int)((bpf_ktime_get_tai_ns() - utc_behind_tai()) / NANOSECONDS);
}
