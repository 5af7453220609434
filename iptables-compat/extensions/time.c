/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * -m time: at certain times of day, weekdays, days of the month; as xt_time.c. The kernel's time
 * zone (--kerneltz) is not told to programs.
 */
#include "extensions.h"

#include <errno.h>
#include <linux/netfilter/xt_time.h>
#include <time.h>

static int time_check(const void *data, const struct match_context *context)
{
	const struct xt_time_info *info = data;

	(void)context;
	if (info->daytime_start > XT_TIME_MAX_DAYTIME || info->daytime_stop > XT_TIME_MAX_DAYTIME)
		return -EDOM;
	if (info->flags & ~XT_TIME_ALL_FLAGS)
		return -EINVAL;
	if (info->flags & XT_TIME_CONTIGUOUS && info->daytime_start < info->daytime_stop)
		return -EINVAL;
	return info->flags & XT_TIME_LOCAL_TZ ? -EOPNOTSUPP : 0;
}

/* as libxt_time: the last date is printed even where there is none */
static void print_date(FILE *out, const char *option, uint32_t date)
{
	time_t stamp = date;
	char text[32];
	struct tm tm;

	if (!date)
		return;
	strftime(text, sizeof(text), "%FT%T", gmtime_r(&stamp, &tm));
	fprintf(out, " %s %s", option, text);
}

static void print_second(FILE *out, const char *option, uint32_t second)
{
	fprintf(out, " %s %02u:%02u:%02u", option, second / 3600, second / 60 % 60, second % 60);
}

static void print_weekdays(FILE *out, unsigned days)
{
	static const char *const names[] = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" };
	const char *separator = " --weekdays ";

	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		if (!(days >> (i + 1) & 1))
			continue;
		fprintf(out, "%s%s", separator, names[i]);
		separator = ",";
	}
}

static void print_monthdays(FILE *out, uint32_t days)
{
	const char *separator = " --monthdays ";

	for (unsigned i = 1; i <= 31; i++) {
		if (!(days >> i & 1))
			continue;
		fprintf(out, "%s%u", separator, i);
		separator = ",";
	}
}

static int time_print(const void *data, const struct match_context *context, FILE *out)
{
	const struct xt_time_info *info = data;

	(void)context;
	fputs(" -m time", out);
	if (info->daytime_start != XT_TIME_MIN_DAYTIME ||
	    info->daytime_stop != XT_TIME_MAX_DAYTIME) {
		print_second(out, "--timestart", info->daytime_start);
		print_second(out, "--timestop", info->daytime_stop);
	}
	if (info->monthdays_match != XT_TIME_ALL_MONTHDAYS)
		print_monthdays(out, info->monthdays_match);
	if (info->weekdays_match != XT_TIME_ALL_WEEKDAYS)
		print_weekdays(out, info->weekdays_match);
	print_date(out, "--datestart", info->date_start);
	print_date(out, "--datestop", info->date_stop);
	if (info->flags & XT_TIME_CONTIGUOUS)
		fputs(" --contiguous", out);
	return ferror(out) ? -ENOMEM : 0;
}

static int time_lower(const void *data, const struct match_context *context, struct rule *rule)
{
	const struct xt_time_info *info = data;

	(void)context;
	return rule_add(rule, &(struct predicate){
				      .field = FIELD_STATE,
				      .state = {
					      .kind = STATE_TIME,
					      .weekdays = info->weekdays_match,
					      .contiguous = !!(info->flags & XT_TIME_CONTIGUOUS),
					      .time = { info->date_start, info->date_stop,
							info->daytime_start, info->daytime_stop,
							info->monthdays_match },
				      },
			      });
}

const struct match_extension match_time = {
	.name = "time",
	.families = FAMILIES_ALL,
	.options = "--timestart, --timestop, --datestart, --datestop, --monthdays, --weekdays, "
		   "--contiguous, --kerneltz",
	.limits = "--kerneltz is not done",
	.size = sizeof(struct xt_time_info),
	.check = time_check,
	.print = time_print,
	.lower = time_lower,
};
