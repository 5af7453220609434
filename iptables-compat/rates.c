/* SPDX-License-Identifier: GPL-2.0-only */
#include "rates.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>

#include "../common/checksum.h"
#include "../common/cleanup.h"
#include "../common/ticks.h"
#include "extensions/hashlimit.h"
#include "text.h"

#include <linux/netfilter/xt_hashlimit.h> /* behind the C library's network headers */

#define DAY	   (24 * 60 * 60)
#define KINDS	   (RATE_BYTES | RATE_WINDOW)
#define TABLE_SIZE 1048576u /* the kernel's HASHLIMIT_MAX_SIZE */

uint32_t rate_table_id(const char *name)
{
	uint64_t hash = checksum(0, name, strlen(name));

	return (uint32_t)(hash ^ hash >> 32);
}

/* --- credits, reckoned as there -------------------------------------------------------------- */

static uint64_t power_of_two_below(uint64_t most)
{
	uint64_t power = 1;

	while (power <= most / 2)
		power *= 2;
	return power;
}

static uint64_t credits_per_tick(uint32_t ticks)
{
	return power_of_two_below(UINT64_MAX / ((uint64_t)ticks * DAY));
}

static uint64_t byte_credits_per_tick(uint32_t ticks)
{
	return power_of_two_below(UINT32_MAX / ticks);
}

/* as user2credits() */
static uint64_t credits_of(uint64_t time, uint32_t ticks)
{
	return time * (ticks * credits_per_tick(ticks) / XT_HASHLIMIT_SCALE_v2);
}

/* as user2credits_byte() */
static uint32_t byte_credits_of(uint64_t cost, uint32_t ticks)
{
	return (uint32_t)((uint64_t)(uint32_t)cost * (ticks * byte_credits_per_tick(ticks)) >> 32);
}

/* as user2rate_bytes() */
static uint64_t bytes_of(uint32_t cost)
{
	return (uint64_t)((cost ? UINT32_MAX / cost : UINT32_MAX) - 1) << RATE_CHUNK_SHIFT;
}

/* as msecs_to_jiffies() */
static uint64_t ticks_of(uint32_t milliseconds, uint32_t ticks)
{
	if (milliseconds > INT32_MAX)
		return (INT64_MAX >> 1) - 1;
	return ((uint64_t)milliseconds * ticks + 999) / 1000;
}

int rate_table_check(const struct hashlimit_cfg3 *config, enum family family)
{
	uint32_t ticks = ticks_per_second();
	unsigned longest = family == FAMILY_IPV4 ? 32 : 128;

	if (config->gc_interval == 0 || config->expire == 0 || config->srcmask > longest ||
	    config->dstmask > longest ||
	    config->mode & ~(uint32_t)(XT_HASHLIMIT_RATE_MATCH * 2 - 1))
		return -EINVAL;
	if (!ticks)
		return -EOPNOTSUPP;
	if (config->mode & XT_HASHLIMIT_RATE_MATCH) {
		if (config->avg == 0 || config->avg > UINT32_MAX)
			return -ERANGE;
		return config->interval ? 0 : -EINVAL;
	}
	if (config->mode & XT_HASHLIMIT_BYTES)
		return byte_credits_of(config->avg, ticks) ? 0 : -EINVAL;
	if (config->burst == 0 ||
	    credits_of(config->avg * config->burst, ticks) < credits_of(config->avg, ticks))
		return -ERANGE;
	return 0;
}

/* --- what the programs go by ----------------------------------------------------------------- */

/* as htable_create(): by the machine's memory, where nobody says */
static uint32_t default_size(void)
{
	struct sysinfo info;
	uint64_t bytes;

	if (sysinfo(&info))
		return 16;
	bytes = (uint64_t)info.totalram * info.mem_unit;
	if (bytes > 1u << 30)
		return 8192;
	return bytes / 16384 / sizeof(void *) < 16 ? 16
						   : (uint32_t)(bytes / 16384 / sizeof(void *));
}

static uint32_t smaller(uint32_t one, uint32_t other)
{
	return one < other ? one : other;
}

static uint32_t table_max(const struct hashlimit_cfg3 *config)
{
	uint32_t size = config->size ? smaller(config->size, TABLE_SIZE) : default_size();

	if (!config->max)
		return 8 * size;
	return config->max < size ? size : smaller(config->max, TABLE_SIZE);
}

static void mask_make(__be32 mask[4], unsigned length)
{
	unsigned char *bytes = (unsigned char *)mask;

	for (unsigned i = 0; i < length; i++)
		bytes[i / 8] |= (unsigned char)(0x80u >> i % 8);
}

static void key_masks(struct rate_table *table, const struct hashlimit_cfg3 *config)
{
	if (config->mode & XT_HASHLIMIT_HASH_SIP)
		mask_make(table->source_mask, config->srcmask);
	if (config->mode & XT_HASHLIMIT_HASH_DIP)
		mask_make(table->destination_mask, config->dstmask);
	if (config->mode & XT_HASHLIMIT_HASH_SPT)
		table->source_port_mask = UINT16_MAX;
	if (config->mode & XT_HASHLIMIT_HASH_DPT)
		table->destination_port_mask = UINT16_MAX;
	if (config->mode & (XT_HASHLIMIT_HASH_SPT | XT_HASHLIMIT_HASH_DPT))
		table->flags |= RATE_PORTS;
}

/* as rateinfo_init() */
static void window_make(struct rate_table *table, const struct hashlimit_cfg3 *config,
			uint32_t ticks)
{
	table->flags |= RATE_WINDOW;
	table->interval = config->interval * ticks;
	if (config->mode & XT_HASHLIMIT_BYTES) {
		table->rate = bytes_of((uint32_t)config->avg);
		table->burst = config->burst ? config->burst * table->rate : table->rate;
	} else {
		table->rate = XT_HASHLIMIT_SCALE_v2 / config->avg;
		table->burst = config->burst + table->rate;
	}
}

/* the same */
static void credits_make(struct rate_table *table, const struct hashlimit_cfg3 *config,
			 uint32_t ticks)
{
	if (config->mode & XT_HASHLIMIT_BYTES) {
		table->per_tick = byte_credits_per_tick(ticks);
		table->first = table->per_tick * ticks;
		table->cost = byte_credits_of(config->avg, ticks);
		table->refills = config->burst;
	} else {
		table->per_tick = credits_per_tick(ticks);
		table->first = credits_of(config->avg * config->burst, ticks);
		table->cost = credits_of(config->avg, ticks);
	}
}

void rate_table_make(struct rate_table *table, const struct hashlimit_cfg3 *config)
{
	uint32_t ticks = ticks_per_second();

	*table = (struct rate_table){
		.flags = config->mode & XT_HASHLIMIT_BYTES ? RATE_BYTES : 0,
		.max = table_max(config),
		.expire = ticks_of(config->expire, ticks),
		.collect = ticks_of(config->gc_interval, ticks),
	};
	key_masks(table, config);
	if (config->mode & XT_HASHLIMIT_RATE_MATCH)
		window_make(table, config, ticks);
	else
		credits_make(table, config, ticks);
}

/* --- those of a table ------------------------------------------------------------------------ */

struct listing {
	const struct table *table;
	struct rate_list *list; /* owned; room for @room */
	uint32_t room;
	struct message *message;
};

static int refuse(const struct listing *listing, uint32_t index, const char *why)
{
	char place[MESSAGE_SIZE / 2];

	rule_place(listing->table, index, place, sizeof(place));
	return message_set(listing->message, -EOPNOTSUPP, "%s: match \"hashlimit\" %s", place, why);
}

static struct named_rates *find(struct rate_list *list, uint32_t id)
{
	for (uint32_t i = 0; list && i < list->count; i++)
		if (list->tables[i].id == id)
			return &list->tables[i];
	return NULL;
}

static int append(struct listing *listing, const struct named_rates *named)
{
	uint32_t count = listing->list ? listing->list->count : 0;

	if (count == listing->room) {
		uint32_t room = count ? count * 2 : 4;
		struct rate_list *more =
			realloc(listing->list, sizeof(*more) + room * sizeof(more->tables[0]));

		if (!more)
			return -ENOMEM;
		more->count = count;
		listing->list = more;
		listing->room = room;
	}
	listing->list->tables[listing->list->count++] = *named;
	return 0;
}

/* The first rule of a name decides what its table is, as in the kernel. */
static int add_match(struct listing *listing, uint32_t index, const struct xt_entry_match *match)
{
	const struct xt_hashlimit_mtinfo3 *info = (const void *)match->data;
	struct named_rates named = { .id = rate_table_id(info->name) };
	const struct named_rates *first = find(listing->list, named.id);

	rate_table_make(&named.table, &info->cfg);
	named.name = info->name;
	if (first && strcmp(first->name, named.name) != 0)
		return refuse(listing, index, "has a --hashlimit-name whose hash another one has");
	if (first && (first->table.flags ^ named.table.flags) & KINDS)
		return refuse(listing, index,
			      "limits otherwise than another rule of that --hashlimit-name");
	if (first)
		return 0;
	if (named.table.max > RATES_MAX ||
	    (listing->list && listing->list->count == RATE_TABLES_MAX))
		return refuse(listing, index, "is to remember more than BPF has room for");
	return append(listing, &named);
}

int rate_list_make(const struct table *table, struct rate_list **list, struct message *message)
{
	struct listing listing = { .table = table, .message = message };
	int error = 0;

	for (uint32_t i = 0; i < table->entry_count && !error; i++) {
		struct entry entry = table_entry(table, i);
		const unsigned char *next = entry.match_begin;

		while (next < entry.match_end && !error) {
			const struct xt_entry_match *match = (const struct xt_entry_match *)next;

			if (strcmp(match->u.user.name, HASHLIMIT_NAME) == 0 &&
			    match->u.user.revision == HASHLIMIT_REVISION)
				error = add_match(&listing, i, match);
			next += match->u.match_size;
		}
	}
	if (error)
		free(listing.list);
	else
		*list = listing.list;
	return error;
}
