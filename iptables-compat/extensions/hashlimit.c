/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * -m hashlimit: limits by address and port; as xt_hashlimit.c. Rules of a table share what is
 * remembered by name, and a new table goes on with what there is of a name, its rate included. Of
 * the revisions only the last one, which iptables asks for since 1.6.2.
 */
#include "hashlimit.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "../rates.h"
#include "extensions.h"

#include <linux/netfilter/xt_hashlimit.h> /* behind the C library's network headers */

/* What iptables takes for granted and does not print. */
#define DEFAULT_COLLECT	   1000 /* ms */
#define BYTES_EXPIRE	   15000
#define BYTES_EXPIRE_BURST 60000
#define DEFAULT_INTERVAL   1
#define MILLISECONDS	   1000

/* as xt_check_proc_name() */
static int name_check(const char *name, size_t size)
{
	if (!*name)
		return -EINVAL;
	if (strnlen(name, size) == size)
		return -ENAMETOOLONG;
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strchr(name, '/') ? -EINVAL : 0;
}

static int hashlimit_check(const void *data, const struct match_context *context)
{
	const struct xt_hashlimit_mtinfo3 *info = data;
	int error = name_check(info->name, sizeof(info->name));

	return error ? error : rate_table_check(&info->cfg, context->family);
}

/* as libxt_hashlimit's. Return: the time after which iptables has a rate of that unit expire, ms.
 */
static uint32_t print_rate(FILE *out, uint64_t average)
{
	static const struct {
		const char *name;
		uint64_t length;
	} units[] = {
		{ "day", XT_HASHLIMIT_SCALE_v2 * 24 * 60 * 60 },
		{ "hour", XT_HASHLIMIT_SCALE_v2 * 60 * 60 },
		{ "min", XT_HASHLIMIT_SCALE_v2 * 60 },
		{ "sec", XT_HASHLIMIT_SCALE_v2 },
	};
	size_t unit = 0;

	if (!average) {
		fprintf(out, " %f", (double)INFINITY);
		return 0;
	}
	while (unit + 1 < ARRAY_SIZE(units) && average <= units[unit + 1].length &&
	       units[unit + 1].length / average >= units[unit + 1].length % average)
		unit++;
	fprintf(out, " %" PRIu64 "/%s", units[unit].length / average, units[unit].name);
	return (uint32_t)(units[unit].length / XT_HASHLIMIT_SCALE_v2 * MILLISECONDS);
}

static uint64_t cost_to_bytes(uint32_t cost)
{
	return (uint64_t)((cost ? UINT32_MAX / cost : UINT32_MAX) - 1) << XT_HASHLIMIT_BYTE_SHIFT;
}

static uint32_t bytes_to_cost(uint64_t bytes)
{
	return (uint32_t)(UINT32_MAX / ((bytes >> XT_HASHLIMIT_BYTE_SHIFT) + 1));
}

static const struct {
	const char *name;
	uint32_t size;
} byte_units[] = { { "m", 1024 * 1024 }, { "k", 1024 }, { "", 1 } };

/* The same for bytes. */
static uint32_t print_bytes(FILE *out, const struct hashlimit_cfg3 *config)
{
	uint64_t bytes = cost_to_bytes((uint32_t)config->avg);
	size_t unit = 0;

	while (unit + 1 < ARRAY_SIZE(byte_units) &&
	       (bytes < byte_units[unit].size ||
		bytes_to_cost(bytes & ~((uint64_t)byte_units[unit].size - 1)) != config->avg))
		unit++;
	fprintf(out, " %" PRIu64 "%sb/s", bytes / byte_units[unit].size, byte_units[unit].name);
	if (!config->burst)
		return BYTES_EXPIRE;
	bytes *= config->burst;
	for (unit = 0; unit + 1 < ARRAY_SIZE(byte_units) && bytes < byte_units[unit].size;)
		unit++;
	fprintf(out, " --hashlimit-burst %" PRIu64 "%sb", bytes / byte_units[unit].size,
		byte_units[unit].name);
	return BYTES_EXPIRE_BURST;
}

static void print_mode(FILE *out, uint32_t mode)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} names[] = {
		{ XT_HASHLIMIT_HASH_SIP, "srcip" },
		{ XT_HASHLIMIT_HASH_SPT, "srcport" },
		{ XT_HASHLIMIT_HASH_DIP, "dstip" },
		{ XT_HASHLIMIT_HASH_DPT, "dstport" },
	};
	const char *separator = " --hashlimit-mode ";

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!(mode & names[i].bit))
			continue;
		fprintf(out, "%s%s", separator, names[i].name);
		separator = ",";
	}
}

static void print_unless(FILE *out, const char *option, uint32_t value, uint32_t usual)
{
	if (value != usual)
		fprintf(out, " --hashlimit-%s %u", option, value);
}

static int hashlimit_print(const void *data, const struct match_context *context, FILE *out)
{
	const struct xt_hashlimit_mtinfo3 *info = data;
	const struct hashlimit_cfg3 *config = &info->cfg;
	uint32_t expire, longest = context->family == FAMILY_IPV4 ? 32 : 128;

	fprintf(out, " -m hashlimit --hashlimit-%s",
		config->mode & XT_HASHLIMIT_INVERT ? "above" : "upto");
	if (config->mode & XT_HASHLIMIT_BYTES) {
		expire = print_bytes(out, config);
	} else {
		expire = print_rate(out, config->avg);
		fprintf(out, " --hashlimit-burst %" PRIu64, (uint64_t)config->burst);
	}
	print_mode(out, config->mode);
	fprintf(out, " --hashlimit-name %s", info->name);
	print_unless(out, "htable-size", config->size, 0);
	print_unless(out, "htable-max", config->max, 0);
	print_unless(out, "htable-gcinterval", config->gc_interval, DEFAULT_COLLECT);
	print_unless(out, "htable-expire", config->expire, expire);
	print_unless(out, "srcmask", config->srcmask, longest);
	print_unless(out, "dstmask", config->dstmask, longest);
	if (config->mode & XT_HASHLIMIT_RATE_MATCH) {
		fputs(" --hashlimit-rate-match", out);
		print_unless(out, "rate-interval", config->interval, DEFAULT_INTERVAL);
	}
	return ferror(out) ? -ENOMEM : 0;
}

static int hashlimit_lower(const void *data, const struct match_context *context, struct rule *rule)
{
	const struct xt_hashlimit_mtinfo3 *info = data;
	struct predicate predicate = {
		.field = FIELD_HOOK_STATE,
		.invert = info->cfg.mode & XT_HASHLIMIT_INVERT,
		.state = { .kind = STATE_RATE },
	};

	(void)context;
	predicate.state.rate.table = rate_table_id(info->name);
	return rule_add(rule, &predicate);
}

const struct match_extension match_hashlimit = {
	.name = HASHLIMIT_NAME,
	.revision = HASHLIMIT_REVISION,
	.families = FAMILIES_ALL,
	.options = "--hashlimit-upto, --hashlimit-above, --hashlimit-burst, --hashlimit-mode, "
		   "--hashlimit-name, --hashlimit-srcmask, --hashlimit-dstmask, "
		   "--hashlimit-htable-size, --hashlimit-htable-max, --hashlimit-htable-expire, "
		   "--hashlimit-htable-gcinterval, --hashlimit-rate-match, "
		   "--hashlimit-rate-interval",
	.limits = "rates are not in /proc/net/ipt_hashlimit, and not shared with rules of other "
		  "tables; later fragments have no ports, where the kernel takes data for them",
	.size = sizeof(struct xt_hashlimit_mtinfo3),
	.user_size = offsetof(struct xt_hashlimit_mtinfo3, hinfo),
	.check = hashlimit_check,
	.print = hashlimit_print,
	.lower = hashlimit_lower,
};
