/* SPDX-License-Identifier: GPL-2.0-only */
/* -m time in a program: as time_mt() of xt_time.c, in UTC. */
#ifndef UBPFILTER_BPF_STATE_TIME_H
#define UBPFILTER_BPF_STATE_TIME_H

#include "state.h"

#define SECONDS_A_DAY 86400u

/* 1 to 7, from Monday on; 1970 began with a Thursday. */
static __always_inline __u32 day_of_week(__u32 days)
{
	return (days + 3) % 7 + 1;
}

/* 1 to 31. Years that begin in March have their leap day at the end, and months a pattern. */
static __always_inline __u32 day_of_month(__u32 days)
{
	__u32 day = (days + 719468) % 146097; /* of 400 years, the first of them from 0-03-01 on */
	__u32 year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	__u32 of_year = day - (365 * year + year / 4 - year / 100);
	__u32 month = (5 * of_year + 2) / 153;

	return of_year - (153 * month + 2) / 5 + 1;
}

static __always_inline int time_matches(const struct state *state, __u32 now)
{
	__u32 first = state->time.second_first, last = state->time.second_last;
	__u32 second = now % SECONDS_A_DAY, days = now / SECONDS_A_DAY;

	if (now < state->time.date_first || now > state->time.date_last)
		return 0;
	if (first < last) {
		if (second < first || second > last)
			return 0;
	} else {
		if (second < first && second > last)
			return 0;
		if (state->contiguous && second <= last) /* the night of the day before */
			days--;
	}
	return (state->weekdays >> day_of_week(days) & 1) &&
	       (state->time.monthdays >> day_of_month(days) & 1);
}

#endif
