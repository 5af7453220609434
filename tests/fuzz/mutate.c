/* SPDX-License-Identifier: GPL-2.0-only */
#include "blob.h"

#include <linux/netfilter/xt_tcpudp.h>
#include <stdlib.h>
#include <string.h>

#include "../../common/cleanup.h"
#include "../../iptables-compat/layout.h"

/* Numbers at which code that counts, adds and compares goes wrong. */
static const uint32_t edges[] = {
	0,	    1,		2,	    7,		8,	    16,		31,
	32,	    33,		40,	    48,		64,	    80,		96,
	112,	    128,	144,	    152,	168,	    200,	208,
	255,	    256,	0x7fff,	    0x8000,	0xffff,	    0x7ffffff0, 0x7ffffff8,
	0x7fffffff, 0x80000000, 0xfffffff8, 0xfffffffe, 0xffffffff,
};

/* A number near the one that was there, or an edge. */
static uint32_t spoil(struct random *random, uint32_t value)
{
	switch (random_below(random, 6)) {
	case 0:
		return value + 8;
	case 1:
		return value - 8;
	case 2:
		return value + 1;
	case 3:
		return value ^ 1u << random_below(random, 32);
	case 4:
		return (uint32_t)random_next(random);
	default:
		return RANDOM_OF(random, edges);
	}
}

static void spoil_u32(struct random *random, unsigned char *at)
{
	uint32_t value = spoil(random, field_u32(at, 0));

	memcpy(at, &value, sizeof(value));
}

static void spoil_u16(struct random *random, unsigned char *at)
{
	uint16_t value = (uint16_t)spoil(random, field_u16(at, 0));

	memcpy(at, &value, sizeof(value));
}

static void spoil_u8(struct random *random, unsigned char *at)
{
	*at = random_percent(random, 50) ? (unsigned char)(*at ^ 1u << random_below(random, 8))
					 : (unsigned char)spoil(random, *at);
}

void blob_fuzz_bytes(unsigned char *data, size_t size, struct random *random)
{
	uint32_t count = 1 + random_below(random, 4);

	while (count-- && size)
		spoil_u8(random, data + random_below(random, (uint32_t)size));
}

/*
 * The kernel really allocates what these count, up to half a gigabyte: numbers in between are left
 * out, those around the bounds are in.
 */
static uint32_t spoil_count(struct random *random, uint32_t count)
{
	static const uint32_t bounds[] = { 0,	      1,	 33554433,   134217726,
					   134217727, 134217729, 0x7fffffff, 0xffffffff };

	if (random_percent(random, 50))
		return RANDOM_OF(random, bounds);
	return count + random_below(random, 9) - 4;
}

static void mutate_header(struct ipt_replace *replace, struct random *random)
{
	static const char *const names[] = { "", "filte", "filterx", "FILTER", "none" };
	int hook = (int)random_below(random, TABLE_HOOKS);

	switch (random_below(random, 7)) {
	case 0:
		replace->valid_hooks ^= 1u << random_below(random, 6);
		break;
	case 1:
		replace->num_entries = spoil_count(random, replace->num_entries);
		break;
	case 2:
		/* a size beyond the argument is refused by its length, before it costs anything */
		replace->size = spoil(random, replace->size);
		break;
	case 3:
		spoil_u32(random, (unsigned char *)&replace->hook_entry[hook]);
		break;
	case 4:
		spoil_u32(random, (unsigned char *)&replace->underflow[hook]);
		break;
	case 5:
		replace->num_counters = spoil_count(random, replace->num_counters);
		break;
	default:
		strcpy(replace->name, RANDOM_OF(random, names));
	}
}

/* Offsets of the entries, as far as they can be walked. */
static uint32_t walk(const struct blob *blob, const struct layout *layout, uint32_t *offsets,
		     uint32_t limit)
{
	size_t offset = sizeof(struct ipt_replace);
	uint32_t count = 0;

	while (count < limit && offset + layout->entry_size <= blob->size) {
		uint16_t next = field_u16(blob->data + offset, layout->next_offset);

		offsets[count++] = (uint32_t)offset;
		if (!next)
			break;
		offset += next;
	}
	return count;
}

#define WALK_MAX 4096

/* Some entry's offset in the table, or near it. */
static uint32_t some_offset(struct random *random, const uint32_t *offsets, uint32_t count)
{
	uint32_t offset = offsets[random_below(random, count)] - sizeof(struct ipt_replace);

	return random_percent(random, 25) ? spoil(random, offset) : offset;
}

static void mutate_hooks(struct ipt_replace *replace, struct random *random,
			 const uint32_t *offsets, uint32_t count)
{
	int hook = (int)random_below(random, TABLE_HOOKS);

	if (random_percent(random, 50))
		replace->hook_entry[hook] = some_offset(random, offsets, count);
	else
		replace->underflow[hook] = some_offset(random, offsets, count);
}

static void mutate_verdict(unsigned char *target, struct random *random, const uint32_t *offsets,
			   uint32_t count)
{
	static const int32_t verdicts[] = { 0, -1, -2, -3, -4, -5, -6, -7, INT32_MIN, INT32_MAX };
	uint32_t verdict = random_percent(random, 60) ? some_offset(random, offsets, count)
						      : (uint32_t)RANDOM_OF(random, verdicts);

	memcpy(target + sizeof(struct xt_entry_target), &verdict, sizeof(verdict));
}

static void mutate_name(char *name, struct random *random)
{
	static const char *const names[] = { "tcp",	"udp", "icmp",	"icmp6",
					     "comment", "",    "ERROR", "nonesuch" };
	if (random_percent(random, 20))
		memset(name, 'x', XT_EXTENSION_MAXNAMELEN); /* no NUL */
	else if (random_percent(random, 20))
		spoil_u8(random, (unsigned char *)name + random_below(random, 8));
	else
		strcpy(name, RANDOM_OF(random, names));
}

/* Size, name or revision, or a byte of data, of a match or target. */
static void mutate_extension(unsigned char *at, size_t left, struct random *random)
{
	switch (random_below(random, 4)) {
	case 0:
		spoil_u16(random, at);
		break;
	case 1:
		mutate_name((char *)at + offsetof(struct xt_entry_match, u.user.name), random);
		break;
	case 2:
		at[offsetof(struct xt_entry_match, u.user.revision)] =
			(unsigned char)random_below(random, 4);
		break;
	default:
		blob_fuzz_bytes(at + sizeof(struct xt_entry_match),
				left - sizeof(struct xt_entry_match), random);
	}
}

static void mutate_entry(struct blob *blob, const struct layout *layout, struct random *random,
			 const uint32_t *offsets, uint32_t count)
{
	uint32_t offset = offsets[random_below(random, count)];
	unsigned char *base = blob->data + offset;
	size_t left = blob->size - offset;
	uint16_t target_offset = field_u16(base, layout->target_offset);
	bool has_target = target_offset + sizeof(struct xt_standard_target) <= left;

	switch (random_below(random, 8)) {
	case 0:
		spoil_u16(random, base + layout->target_offset);
		break;
	case 1:
		spoil_u16(random, base + layout->next_offset);
		break;
	case 2:
		spoil_u8(random, base + layout->flags);
		break;
	case 3:
		spoil_u8(random, base + layout->inverted);
		break;
	case 4:
		spoil_u8(random, base + random_below(random, layout->entry_size));
		break;
	case 5:
		if (has_target)
			mutate_verdict(base + target_offset, random, offsets, count);
		break;
	case 6:
		if (has_target)
			mutate_extension(base + target_offset, left - target_offset, random);
		break;
	default:
		if (layout->entry_size + sizeof(struct xt_standard_target) <= left)
			mutate_extension(base + layout->entry_size, left - layout->entry_size,
					 random);
	}
}

/* Cut out or double a few bytes, so that all that follows shifts. */
static void shift(struct blob *blob, struct random *random)
{
	size_t at = random_below(random, (uint32_t)blob->size);
	size_t length = random_percent(random, 70) ? 8u : random_below(random, 64);
	unsigned char *more;

	if (random_percent(random, 50)) {
		if (length > blob->size - at)
			length = blob->size - at;
		memmove(blob->data + at, blob->data + at + length, blob->size - at - length);
		blob->size -= length;
		return;
	}
	more = xcalloc(1, blob->size + length);
	memcpy(more, blob->data, at);
	memcpy(more + at + length, blob->data + at, blob->size - at);
	free(blob->data);
	blob->data = more;
	blob->size += length;
}

/* Shift, and make the header say so: what is checked next is what the shift has broken. */
static void shift_consistently(struct blob *blob, struct random *random)
{
	shift(blob, random);
	if (blob_replace(blob))
		blob_replace(blob)->size = (uint32_t)(blob->size - sizeof(struct ipt_replace));
}

void blob_mutate(struct blob *blob, enum family family, struct random *random)
{
	const struct layout *layout = layout_get(family);
	_cleanup_free_ uint32_t *offsets = xcalloc(WALK_MAX, sizeof(*offsets));
	uint32_t count = walk(blob, layout, offsets, WALK_MAX);
	uint32_t kind = random_below(random, 100);

	if (kind < 15 && blob_replace(blob))
		mutate_header(blob_replace(blob), random);
	else if (kind < 25 && count)
		mutate_hooks(blob_replace(blob), random, offsets, count);
	else if (kind < 80 && count)
		mutate_entry(blob, layout, random, offsets, count);
	else if (kind < 92)
		blob_fuzz_bytes(blob->data, blob->size, random);
	else if (kind < 94)
		blob->size = random_below(random, (uint32_t)blob->size + 1);
	else if (kind < 97)
		shift(blob, random);
	else
		shift_consistently(blob, random);
}
