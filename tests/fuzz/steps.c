/* SPDX-License-Identifier: GPL-2.0-only */
#include "steps.h"

#include <stdlib.h>
#include <string.h>

#include "blob.h"

void step_free(struct step *step)
{
	free(step->data);
}

void steps_add(struct steps *steps, const struct step *step)
{
	struct step *more = xcalloc(steps->count + 1, sizeof(*more));

	if (steps->count)
		memcpy(more, steps->list, steps->count * sizeof(*more));
	more[steps->count++] = *step;
	free(steps->list);
	steps->list = more;
}

void steps_free(struct steps *steps)
{
	for (size_t i = 0; i < steps->count; i++)
		step_free(&steps->list[i]);
	free(steps->list);
	*steps = (struct steps){ 0 };
}

/* The length that the client says, off by little now and then; the buffer follows. */
static void mutate_length(struct step *step, struct random *random)
{
	size_t len = step->len;
	unsigned char *data;

	switch (random_below(random, 4)) {
	case 0:
		len = random_below(random, 256);
		break;
	case 1:
		len += 1 + random_below(random, 64);
		break;
	case 2:
		len -= len ? 1 : 0;
		break;
	default:
		len = random_below(random, (uint32_t)len + 1);
	}
	data = xcalloc(1, len);
	memcpy(data, step->data, len < step->len ? len : step->len);
	free(step->data);
	step->data = data;
	step->len = len;
}

static void make_buffer(struct step *step, size_t len)
{
	step->data = xcalloc(1, len);
	step->len = len;
	memset(step->data, 0xa5, len);
}

static void make_replace(struct step *step, struct pair *pair, struct random *random)
{
	struct blob blob = blob_generate(step->family, random);
	uint32_t mutations = random_percent(random, 30) ? 0 : 1 + random_below(random, 3);

	step->is_set = true;
	step->option = IPT_SO_SET_REPLACE;
	blob_replace(&blob)->num_counters = pair_home(pair, step->family)->table->entry_count;
	while (mutations--)
		blob_mutate(&blob, step->family, random);
	step->data = blob.data;
	step->len = blob.size;
	step->bad_pointer = random_percent(random, 3);
}

static void make_add_counters(struct step *step, struct pair *pair, struct random *random)
{
	uint32_t count = pair_home(pair, step->family)->table->entry_count;
	struct xt_counters_info *info;

	if (random_percent(random, 10))
		count += random_below(random, 3) - 1;
	step->is_set = true;
	step->option = IPT_SO_SET_ADD_COUNTERS;
	make_buffer(step, sizeof(*info) + count * sizeof(struct xt_counters));
	info = (struct xt_counters_info *)step->data;
	strcpy(info->name, "filter");
	info->num_counters = random_percent(random, 5) ? random_below(random, 10) : count;
	for (uint32_t i = 0; i < count; i++) {
		info->counters[i].pcnt = random_next(random) >> random_below(random, 64);
		info->counters[i].bcnt = random_next(random) >> random_below(random, 64);
	}
}

static void make_info(struct step *step)
{
	step->option = IPT_SO_GET_INFO;
	make_buffer(step, sizeof(struct ipt_getinfo));
	strcpy((char *)step->data, "filter");
}

static void make_entries(struct step *step, struct pair *pair, struct random *random)
{
	uint32_t size = pair_home(pair, step->family)->table->size;
	struct ipt_get_entries *entries;

	if (random_percent(random, 15))
		size += 8 * (random_below(random, 3) - 1);
	step->option = IPT_SO_GET_ENTRIES;
	make_buffer(step, sizeof(*entries) + size);
	entries = (struct ipt_get_entries *)step->data;
	strcpy(entries->name, "filter");
	entries->size = random_percent(random, 5) ? (uint32_t)random_next(random) : size;
}

static void make_revision(struct step *step, struct random *random)
{
	static const char *const names[] = { "tcp",   "udp", "icmp",  "icmp6",	  "comment",
					     "ERROR", "",    "limit", "nonesuch", "standard" };
	struct xt_get_revision *asked;
	bool is_match = random_percent(random, 60);

	if (step->family == FAMILY_IPV4)
		step->option = is_match ? IPT_SO_GET_REVISION_MATCH : IPT_SO_GET_REVISION_TARGET;
	else
		step->option = is_match ? IP6T_SO_GET_REVISION_MATCH : IP6T_SO_GET_REVISION_TARGET;
	make_buffer(step, sizeof(*asked));
	asked = (struct xt_get_revision *)step->data;
	strcpy(asked->name, RANDOM_OF(random, names));
	asked->revision = (uint8_t)random_below(random, 3);
}

/* Numbers next to ours, which on IPv6 are taken by others. */
static void make_unknown(struct step *step, struct random *random)
{
	step->family = FAMILY_IPV4;
	step->is_set = random_percent(random, 50);
	step->option = (int)(step->is_set ? 66 : 68) + (int)random_below(random, 10);
	make_buffer(step, 64);
	strcpy((char *)step->data, "filter");
}

struct step step_generate(struct pair *pair, struct random *random)
{
	struct step step = { .family = random_percent(random, 50) ? FAMILY_IPV4 : FAMILY_IPV6 };
	uint32_t kind = random_below(random, 100);

	if (kind < 65)
		make_replace(&step, pair, random);
	else if (kind < 77)
		make_add_counters(&step, pair, random);
	else if (kind < 82)
		make_info(&step);
	else if (kind < 92)
		make_entries(&step, pair, random);
	else if (kind < 99)
		make_revision(&step, random);
	else
		make_unknown(&step, random);
	if (random_percent(random, 4))
		mutate_length(&step, random);
	if (step.option != IPT_SO_SET_REPLACE && random_percent(random, 4))
		blob_fuzz_bytes(step.data, step.len < 48 ? step.len : 48, random);
	return step;
}
