/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "../../iptables-compat/layout.h"
#include "blob.h"
#include "steps.h"

#define TRIALS_MAX 2000 /* each needs a network namespace of its own */

struct shrinker {
	struct steps *steps;
	unsigned trials;
};

/* Whether the steps, from the start, still end in a difference. */
static bool still_different(struct shrinker *shrinker)
{
	const struct steps *steps = shrinker->steps;
	struct pair pair;
	enum outcome outcome = OUTCOME_EQUAL;

	if (shrinker->trials++ >= TRIALS_MAX || pair_open(&pair))
		return false;
	for (size_t i = 0; i < steps->count && outcome != OUTCOME_DIFFERENT; i++)
		outcome = pair_step(&pair, &steps->list[i]);
	pair_close(&pair);
	return outcome == OUTCOME_DIFFERENT;
}

/* Try without the @count steps from @first on. */
static bool drop_steps(struct shrinker *shrinker, size_t first, size_t count)
{
	struct steps *steps = shrinker->steps;
	struct steps before = *steps;
	struct steps fewer = { .list = xcalloc(before.count, sizeof(*fewer.list)) };

	for (size_t i = 0; i < before.count; i++)
		if (i < first || i >= first + count)
			fewer.list[fewer.count++] = before.list[i];
	*steps = fewer;
	if (!still_different(shrinker)) {
		free(fewer.list);
		*steps = before;
		return false;
	}
	for (size_t i = first; i < first + count; i++)
		step_free(&before.list[i]);
	free(before.list);
	return true;
}

static void drop_all_steps(struct shrinker *shrinker)
{
	for (size_t chunk = shrinker->steps->count; chunk; chunk /= 2)
		for (size_t first = 0; first + chunk < shrinker->steps->count;)
			if (!drop_steps(shrinker, first, chunk))
				first += chunk;
}

/* Run with other data in the last step; back to what it was when that makes no difference. */
static bool try_data(struct shrinker *shrinker, unsigned char *data, size_t len)
{
	struct step *last = &shrinker->steps->list[shrinker->steps->count - 1];
	struct step before = *last;

	last->data = data;
	last->len = len;
	if (still_different(shrinker)) {
		free(before.data);
		return true;
	}
	free(data);
	*last = before;
	return false;
}

static void move_offset(uint32_t *offset, uint32_t behind, uint32_t size)
{
	if (*offset > behind)
		*offset -= size;
}

/* The table of the last step without the entry at @at, everything else in place. */
static unsigned char *without_entry(const struct step *step, uint32_t at, uint32_t size)
{
	const struct layout *layout = layout_get(step->family);
	unsigned char *data = xcalloc(1, step->len);
	struct ipt_replace *replace = (struct ipt_replace *)data;
	uint32_t offset = 0;

	memcpy(data, step->data, sizeof(*replace) + at);
	memcpy(data + sizeof(*replace) + at, step->data + sizeof(*replace) + at + size,
	       step->len - sizeof(*replace) - at - size);
	replace->size -= size;
	replace->num_entries--;
	for (int hook = 0; hook < TABLE_HOOKS; hook++) {
		move_offset(&replace->hook_entry[hook], at, size);
		move_offset(&replace->underflow[hook], at, size);
	}
	while (offset + layout->entry_size <= step->len - size - sizeof(*replace)) {
		unsigned char *base = replace->entries[0].elems - sizeof(struct ipt_entry) + offset;
		uint16_t next = field_u16(base, layout->next_offset);
		uint32_t target = field_u16(base, layout->target_offset);

		if (next < layout->entry_size || next > step->len - sizeof(*replace) - offset ||
		    target + sizeof(struct xt_standard_target) > next)
			break;
		if (base[target + 2] == '\0') {
			uint32_t verdict = field_u32(base, target + 32);

			if ((int32_t)verdict > 0)
				move_offset(&verdict, at, size);
			memcpy(base + target + 32, &verdict, sizeof(verdict));
		}
		offset += next;
	}
	return data;
}

static void drop_entries(struct shrinker *shrinker)
{
	const struct step *last = &shrinker->steps->list[shrinker->steps->count - 1];
	const struct layout *layout = layout_get(last->family);
	uint32_t offset = 0;

	while (sizeof(struct ipt_replace) + offset + layout->entry_size < last->len) {
		const unsigned char *base = last->data + sizeof(struct ipt_replace) + offset;
		uint16_t size = field_u16(base, layout->next_offset);

		if (!size || sizeof(struct ipt_replace) + offset + size > last->len)
			return;
		if (!try_data(shrinker, without_entry(last, offset, size), last->len - size))
			offset += size;
	}
}

static void clear_words(struct shrinker *shrinker)
{
	const struct step *last = &shrinker->steps->list[shrinker->steps->count - 1];

	for (size_t at = 0; at + 4 <= last->len; at += 4) {
		unsigned char *data;

		if (!field_u32(last->data, at))
			continue;
		data = xcalloc(1, last->len);
		memcpy(data, last->data, last->len);
		memset(data + at, 0, 4);
		try_data(shrinker, data, last->len);
	}
}

void steps_shrink(struct steps *steps)
{
	struct shrinker shrinker = { .steps = steps };

	if (!still_different(&shrinker))
		return; /* it depends on more than the steps: print them all */
	drop_all_steps(&shrinker);
	if (steps->list[steps->count - 1].option == IPT_SO_SET_REPLACE &&
	    steps->list[steps->count - 1].is_set)
		drop_entries(&shrinker);
	clear_words(&shrinker);
}

static void print_data(const struct step *step, size_t number, FILE *out)
{
	fprintf(out, "static unsigned char step%zu[%zu] __attribute__((aligned(8))) = {\n", number,
		step->len ? step->len : 1);
	for (size_t i = 0; i < step->len; i++)
		if (step->data[i])
			fprintf(out, "[%zu]=%u,%s", i, step->data[i], i % 16 == 15 ? "\n" : "");
	fprintf(out, "};\n");
}

static void print_call(const struct step *step, size_t number, FILE *out)
{
	int level = step->family == FAMILY_IPV6 ? SOL_IPV6 : SOL_IP;

	if (step->is_set && step->option == IPT_SO_SET_REPLACE && step->len >= 96)
		fprintf(out, "\t*(void **)(step%zu + 88) = %s;\n", number,
			step->bad_pointer ? "(void *)8" : "counters");
	if (step->is_set)
		fprintf(out, "\tresult = setsockopt(ipv%d, %d, %d, step%zu, %zu);\n", step->family,
			level, step->option, number, step->len);
	else
		fprintf(out,
			"\tlength = %zu;\n\tresult = getsockopt(ipv%d, %d, %d, step%zu, "
			"&length);\n",
			step->len, step->family, level, step->option, number);
	fprintf(out, "\tprintf(\"step %zu (%s): %%s\\n\", result ? strerror(errno) : \"done\");\n",
		number, step_name(step));
}

void steps_print(const struct steps *steps, FILE *out)
{
	fputs("#define _GNU_SOURCE\n#include <errno.h>\n#include <sched.h>\n#include <stdio.h>\n"
	      "#include <string.h>\n#include <sys/socket.h>\n\n"
	      "static unsigned char counters[1 << 24];\n",
	      out);
	for (size_t i = 0; i < steps->count; i++)
		print_data(&steps->list[i], i, out);
	fputs("\nint main(void)\n{\n\tsocklen_t length;\n\tint result, ipv4, ipv6;\n\n"
	      "\t(void)length;\n\tif (unshare(CLONE_NEWNET))\n\t\treturn 1;\n"
	      "\tipv4 = socket(AF_INET, SOCK_RAW, 255);\n"
	      "\tipv6 = socket(AF_INET6, SOCK_RAW, 255);\n\t(void)ipv4, (void)ipv6;\n",
	      out);
	for (size_t i = 0; i < steps->count; i++)
		print_call(&steps->list[i], i, out);
	fputs("\treturn 0;\n}\n", out);
}
