/* SPDX-License-Identifier: GPL-2.0-only */
/* Tables: the initial one, large ones, and what becomes of them in a file. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../../common/checksum.h"
#include "../../../common/cleanup.h"
#include "../../../iptables-compat/text.h"
#include "../../support/kernel.h"

static const enum family families[] = { FAMILY_IPV4, FAMILY_IPV6 };

Test(table, the_initial_table_is_the_kernels)
{
	int error = kernel_enter();

	if (error && !kernel_required())
		cr_skip_test("no network namespace or no legacy iptables: %s", strerror(-error));
	cr_assert_eq(error, 0);
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		_cleanup_free_ void *blob = NULL;
		struct table *ours = NULL;
		const struct ipt_replace *theirs;
		size_t size;

		cr_assert_eq(kernel_table(families[i], &blob, &size), 0);
		cr_assert_eq(table_initial(families[i], &ours), 0);
		theirs = blob;
		cr_expect_eq(ours->size, theirs->size);
		cr_expect_eq(ours->entry_count, theirs->num_entries);
		cr_expect_eq(ours->valid_hooks, theirs->valid_hooks);
		cr_expect_arr_eq(ours->hook_entry, theirs->hook_entry, sizeof(ours->hook_entry));
		cr_expect_arr_eq(ours->underflow, theirs->underflow, sizeof(ours->underflow));
		cr_expect_arr_eq(ours->entries, theirs->entries, ours->size);
		table_free(ours);
	}
}

Test(table, an_entry_is_found_by_its_offset_only)
{
	struct table *table;

	cr_assert_eq(table_initial(FAMILY_IPV4, &table), 0);
	for (uint32_t i = 0; i < table->entry_count; i++) {
		cr_expect_eq(table_index(table, table->offsets[i]), i);
		cr_expect_eq(table_index(table, table->offsets[i] + 8), UINT32_MAX);
	}
	cr_expect_eq(table_index(table, table->size), UINT32_MAX);
	table_free(table);
}

Test(table, every_damaged_byte_of_a_file_is_noticed)
{
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		_cleanup_free_ unsigned char *file = NULL;
		struct table *table, *copy;
		void *data;
		size_t size;

		cr_assert_eq(table_initial(families[i], &table), 0);
		cr_assert_eq(table_write(table, &data, &size), 0);
		file = data;
		cr_assert_eq(table_read(file, size, &copy), 0);
		cr_expect_eq(copy->family, families[i]);
		cr_expect_eq(copy->size, table->size);
		cr_expect_arr_eq(copy->entries, table->entries, table->size);
		table_free(copy);
		for (size_t at = 0; at < size; at++) {
			file[at] ^= 0x10;
			cr_expect_eq(table_read(file, size, &copy), -EINVAL, "byte %zu", at);
			file[at] ^= 0x10;
			cr_expect_eq(table_read(file, at, &copy), -EINVAL, "cut at %zu", at);
		}
		table_free(table);
	}
}

/* A driver that is new after an upgrade reads what the one before has kept. */
Test(table, a_file_of_the_first_version_is_read)
{
	const size_t header = 24, checksum_offset = 16;
	_cleanup_free_ unsigned char *file = NULL;
	struct table *table, *copy;
	uint64_t sum;
	void *data;
	size_t size;

	cr_assert_eq(table_initial(FAMILY_IPV4, &table), 0);
	cr_assert_eq(table_write(table, &data, &size), 0);
	file = data;
	file[7] = '1';
	sum = checksum((uint64_t)FAMILY_IPV4 << 32 | (size - header), file + header, size - header);
	memcpy(file + checksum_offset, &sum, sizeof(sum));
	cr_assert_eq(table_read(file, size, &copy), 0);
	cr_expect_arr_eq(copy->entries, table->entries, table->size);
	table_free(copy);
	table_free(table);
}

#define CHAINS	   10000u
#define CHAIN_SIZE 10u /* rules in each, the last of them jumps to the next chain */

struct plan {
	unsigned char *data;
	size_t size;
};

static struct xt_entry_target *plan_add(struct plan *plan, uint16_t target_size)
{
	struct ipt_replace *replace = (struct ipt_replace *)plan->data;
	struct ipt_entry *entry = (struct ipt_entry *)(plan->data + plan->size);
	struct xt_entry_target *target = (struct xt_entry_target *)(entry + 1);

	entry->target_offset = sizeof(*entry);
	entry->next_offset = (uint16_t)(sizeof(*entry) + target_size);
	target->u.target_size = target_size;
	plan->size += entry->next_offset;
	replace->size += entry->next_offset;
	replace->num_entries++;
	return target;
}

static void plan_verdict(struct plan *plan, int32_t verdict)
{
	struct xt_entry_target *target = plan_add(plan, sizeof(struct xt_standard_target));

	((struct xt_standard_target *)target)->verdict = verdict;
}

static void plan_error(struct plan *plan, const char *name)
{
	struct xt_entry_target *target = plan_add(plan, sizeof(struct xt_error_target));

	strcpy(target->u.user.name, XT_ERROR_TARGET);
	strcpy(((struct xt_error_target *)target)->errorname, name);
}

/* INPUT jumps to every chain, and every chain to the next: one path through all, and many into it.
 */
static struct plan plan_chains(void)
{
	const uint32_t verdict = sizeof(struct ipt_entry) + sizeof(struct xt_standard_target);
	const uint32_t head = sizeof(struct ipt_entry) + sizeof(struct xt_error_target);
	const uint32_t first = (CHAINS + 3) * verdict + head;
	const uint32_t chain = (CHAIN_SIZE + 1) * verdict + head;
	struct plan plan = { calloc(1, sizeof(struct ipt_replace) + first + CHAINS * chain + head),
			     sizeof(struct ipt_replace) };
	struct ipt_replace *replace = (struct ipt_replace *)plan.data;

	cr_assert_neq(plan.data, NULL);
	strcpy(replace->name, "filter");
	replace->valid_hooks = 0xe;
	replace->num_counters = 4;
	replace->hook_entry[NF_INET_LOCAL_IN] = 0;
	for (uint32_t i = 0; i < CHAINS; i++)
		plan_verdict(&plan, (int32_t)(first + i * chain));
	for (int hook = NF_INET_LOCAL_IN; hook <= NF_INET_LOCAL_OUT; hook++) {
		if (hook != NF_INET_LOCAL_IN)
			replace->hook_entry[hook] = replace->size;
		replace->underflow[hook] = replace->size;
		plan_verdict(&plan, -NF_ACCEPT - 1);
	}
	for (uint32_t i = 0; i < CHAINS; i++) {
		plan_error(&plan, "chain");
		cr_assert_eq(replace->size, first + i * chain);
		for (uint32_t k = 1; k < CHAIN_SIZE; k++)
			plan_verdict(&plan, (int32_t)(replace->size + verdict));
		plan_verdict(&plan, (int32_t)(i + 1 < CHAINS ? first + (i + 1) * chain
							     : replace->size + verdict));
		plan_verdict(&plan, XT_RETURN);
	}
	plan_error(&plan, XT_ERROR_TARGET);
	return plan;
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

Test(table, a_hundred_thousand_rules_are_checked_in_well_under_a_second)
{
	struct plan plan = plan_chains();
	struct table *table = NULL;
	uint32_t num_counters;
	double start = now();

	cr_assert_eq(table_decode(FAMILY_IPV4, plan.data, plan.size, &table, &num_counters, NULL),
		     0);

	fprintf(stderr, "%u rules in %u chains, %zu bytes: %.1f ms\n", table->entry_count, CHAINS,
		plan.size, (now() - start) * 1e3);
	table_free(table);
	free(plan.data);
}

Test(table, the_text_of_every_rule_of_a_large_table_is_made_in_linear_time)
{
	struct plan plan = plan_chains();
	struct table *table = NULL;
	uint32_t num_counters;
	double start;

	cr_assert_eq(table_decode(FAMILY_IPV4, plan.data, plan.size, &table, &num_counters, NULL),
		     0);
	start = now();
	for (uint32_t i = 0; i < table->entry_count; i++) {
		char *text = NULL;

		cr_assert_eq(rule_text(table, i, &text), 0);
		free(text);
	}
	fprintf(stderr, "text of %u rules: %.1f ms\n", table->entry_count, (now() - start) * 1e3);
	table_free(table);
	free(plan.data);
}
