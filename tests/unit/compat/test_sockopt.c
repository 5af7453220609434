/* SPDX-License-Identifier: GPL-2.0-only */
/* The options over a home in memory: what the fuzzer, which knows no expectation, does not say. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../../common/cleanup.h"
#include "../../fuzz/memory_home.h"
#include "../../support/kernel.h"

static struct memory_home memory;

static void prepare(void)
{
	cr_assert_eq(memory_home_open(&memory, FAMILY_IPV4), 0);
}

static void finish(void)
{
	memory_home_close(&memory);
}

TestSuite(sockopt, .init = prepare, .fini = finish);

/* The table in force as an argument that replaces it. */
static struct ipt_replace *same_again(size_t *size)
{
	const struct table *table = memory.table;
	struct ipt_replace *replace = calloc(1, sizeof(*replace) + table->size);

	cr_assert_neq(replace, NULL);
	strcpy(replace->name, "filter");
	replace->valid_hooks = table->valid_hooks;
	replace->num_entries = table->entry_count;
	replace->num_counters = table->entry_count;
	replace->size = table->size;
	memcpy(replace->hook_entry, table->hook_entry, sizeof(replace->hook_entry));
	memcpy(replace->underflow, table->underflow, sizeof(replace->underflow));
	memcpy(replace->entries, table->entries, table->size);
	*size = sizeof(*replace) + table->size;
	return replace;
}

static int set(int option, const void *data, size_t size, struct message *message)
{
	_cleanup_free_ void *output = NULL;
	size_t output_len;

	return sockopt_set(&memory.home, FAMILY_IPV4, option, data, size, &output, &output_len,
			   message);
}

Test(sockopt, replace_hands_back_the_old_counters_and_starts_at_zero)
{
	_cleanup_free_ struct ipt_replace *replace = NULL;
	_cleanup_free_ struct xt_counters *old = NULL;
	size_t size, old_size;
	void *output;

	memory.counters[2] = (struct xt_counters){ .pcnt = 7, .bcnt = 700 };
	replace = same_again(&size);
	cr_assert_eq(sockopt_set(&memory.home, FAMILY_IPV4, IPT_SO_SET_REPLACE, replace, size,
				 &output, &old_size, NULL),
		     0);
	old = output;
	cr_assert_eq(old_size, 4 * sizeof(*old));
	cr_expect_eq(old[2].pcnt, 7);
	cr_expect_eq(old[2].bcnt, 700);
	cr_expect_eq(memory.counters[2].pcnt, 0);
}

Test(sockopt, replace_of_a_table_that_changed_in_between_is_tried_again)
{
	_cleanup_free_ struct ipt_replace *replace = NULL;
	const struct table *before = memory.table;
	size_t size;

	replace = same_again(&size);
	replace->num_counters++;
	cr_expect_eq(set(IPT_SO_SET_REPLACE, replace, size, NULL), -EAGAIN);
	cr_expect_eq(memory.table, before);
}

Test(sockopt, counters_are_added)
{
	const size_t size = sizeof(struct xt_counters_info) + 4 * sizeof(struct xt_counters);
	_cleanup_free_ struct xt_counters_info *info = calloc(1, size);

	cr_assert_neq(info, NULL);
	strcpy(info->name, "filter");
	info->num_counters = 4;
	info->counters[1].pcnt = 5;
	cr_expect_eq(set(IPT_SO_SET_ADD_COUNTERS, info, size, NULL), 0);
	cr_expect_eq(set(IPT_SO_SET_ADD_COUNTERS, info, size, NULL), 0);
	cr_expect_eq(memory.counters[1].pcnt, 10);
	info->num_counters = 3;
	cr_expect_eq(set(IPT_SO_SET_ADD_COUNTERS, info, size - sizeof(struct xt_counters), NULL),
		     -EINVAL);
}

Test(sockopt, a_table_of_half_a_gigabyte_is_refused_before_it_is_read)
{
	struct ipt_replace replace = { .name = "filter",
				       .num_counters = 4,
				       .size = (512u << 20) - 64 };

	cr_expect_eq(set(IPT_SO_SET_REPLACE, &replace, sizeof(replace) + replace.size, NULL),
		     -ENOMEM);
}

Test(sockopt, revisions_that_are_not_ours_are_the_kernels_to_answer)
{
	struct xt_get_revision asked = { .name = "tcp" };
	_cleanup_free_ void *output = NULL;
	size_t output_len;

	cr_expect_eq(sockopt_get(&memory.home, FAMILY_IPV4, IPT_SO_GET_REVISION_MATCH, &asked,
				 sizeof(asked), &output, &output_len, NULL),
		     0);
	asked.revision = 1;
	cr_expect_eq(sockopt_get(&memory.home, FAMILY_IPV4, IPT_SO_GET_REVISION_MATCH, &asked,
				 sizeof(asked), &output, &output_len, NULL),
		     -EPROTONOSUPPORT);
	strcpy(asked.name, "nonesuch");
	cr_expect_eq(sockopt_get(&memory.home, FAMILY_IPV4, IPT_SO_GET_REVISION_MATCH, &asked,
				 sizeof(asked), &output, &output_len, NULL),
		     -EOPNOTSUPP);
}

struct routing {
	int level, option;
	bool is_set;
	const char *name;
	bool ours;
};

Test(sockopt, only_the_filter_table_and_revisions_are_taken)
{
	static const struct routing routings[] = {
		{ SOL_IP, IPT_SO_GET_INFO, false, "filter", true },
		{ SOL_IP, IPT_SO_GET_ENTRIES, false, "filter", true },
		{ SOL_IP, IPT_SO_SET_REPLACE, true, "filter", true },
		{ SOL_IP, IPT_SO_SET_ADD_COUNTERS, true, "filter", true },
		{ SOL_IPV6, IP6T_SO_SET_REPLACE, true, "filter", true },
		{ SOL_IP, IPT_SO_GET_INFO, false, "nat", false },
		{ SOL_IP, IPT_SO_GET_INFO, false, "filters", false },
		{ SOL_IPV6, IP6T_SO_SET_REPLACE, true, "mangle", false },
		{ SOL_IP, IPT_SO_GET_REVISION_MATCH, false, "tcp", true },
		{ SOL_IP, IPT_SO_GET_REVISION_TARGET, false, "", true },
		{ SOL_IPV6, IP6T_SO_GET_REVISION_MATCH, false, "tcp", true },
		{ SOL_IPV6, IP6T_SO_GET_REVISION_TARGET, false, "", true },
		{ SOL_IP, 68, false, "filter", false },	  /* IPv6's numbers */
		{ SOL_IPV6, 66, false, "filter", false }, /* IPV6_RECVTCLASS */
		{ SOL_IPV6, 67, false, "filter", false }, /* IPV6_TCLASS */
		{ SOL_IP, 80, false, "filter", false },	  /* SO_ORIGINAL_DST */
		{ SOL_IP, 66, true, "filter", false },
		{ SOL_SOCKET, 64, false, "filter", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(routings); i++) {
		const struct routing *routing = &routings[i];
		char name[XT_TABLE_MAXNAMELEN] = { 0 };
		enum family family;

		strcpy(name, routing->name);
		cr_expect_eq(sockopt_is_ours(routing->level, routing->option, routing->is_set, name,
					     sizeof(name), &family),
			     routing->ours, "case %zu", i);
		cr_expect(!routing->ours ||
			  (family == FAMILY_IPV6) == (routing->level == SOL_IPV6));
	}
}

Test(sockopt, a_name_that_is_cut_short_is_not_taken)
{
	enum family family;

	cr_expect_not(sockopt_is_ours(SOL_IP, IPT_SO_GET_INFO, false, "filter", 7, &family));
	cr_expect_not(sockopt_is_ours(SOL_IP, IPT_SO_GET_INFO, false, NULL, 84, &family));
}

struct extent {
	int option;
	bool is_set;
	uint32_t count;
	size_t len, extent; /* 0: left to the kernel */
};

Test(sockopt, no_more_is_read_than_the_kernel_reads)
{
	static const struct extent extents[] = {
		{ IPT_SO_GET_INFO, false, 0, 84, 84 },
		{ IPT_SO_GET_INFO, false, 0, 85, 0 },
		{ IPT_SO_GET_ENTRIES, false, 632, 672, 672 },
		{ IPT_SO_GET_ENTRIES, false, 632, 671, 0 },
		{ IPT_SO_GET_REVISION_MATCH, false, 0, 30, 30 },
		{ IPT_SO_GET_REVISION_MATCH, false, 0, 29, 0 },
		{ IPT_SO_SET_REPLACE, true, 632, 728, 728 },
		{ IPT_SO_SET_REPLACE, true, 632, 1 << 30, 728 },
		{ IPT_SO_SET_REPLACE, true, 632, 727, 0 },
		{ IPT_SO_SET_REPLACE, true, 632, 0xffffffff, 0 },
		{ IPT_SO_SET_REPLACE, true, 0xffffffff, 1 << 30, 0 },
		{ IPT_SO_SET_ADD_COUNTERS, true, 4, 104, 104 },
		{ IPT_SO_SET_ADD_COUNTERS, true, 0x10000004, 104, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(extents); i++) {
		const struct extent *asked = &extents[i];
		unsigned char head[SOCKOPT_HEAD_SIZE] = { 0 };
		size_t extent = 0;
		size_t at = asked->option == IPT_SO_SET_REPLACE && asked->is_set ? 40 : 32;

		memcpy(head + at, &asked->count, sizeof(asked->count));
		cr_expect_eq(sockopt_extent(asked->option, asked->is_set, head, sizeof(head),
					    asked->len, &extent),
			     asked->extent != 0, "case %zu", i);
		cr_expect_eq(extent, asked->extent, "case %zu", i);
	}
}

struct refusal {
	const char *rules;
	const char *message;
};

static const struct refusal refusals[] = {
	{ "-A INPUT\n-A INPUT -i lo\n-A INPUT -m string --algo bm --string x\n",
	  "filter/INPUT rule 3: match \"string\" is not done in BPF: its text may "
	  "be anywhere in a packet" },
	{ "-A user\n-A user -j NFQUEUE\n",
	  "filter/user rule 2: target \"NFQUEUE\" is not done in BPF: user space "
	  "may have the packet go through the table once more" },
	{ "-A OUTPUT -j QUEUE\n", "filter/OUTPUT rule 1: target \"QUEUE\" is not done in BPF" },
};

/* The number is the one that iptables -L --line-numbers shows. */
Test(sockopt, what_is_not_done_is_named)
{
	static const char *const restore[] = { "iptables-legacy-restore", NULL };
	int error = kernel_enter();

	if (error && !kernel_required())
		cr_skip_test("no network namespace or no legacy iptables: %s", strerror(-error));
	cr_assert_eq(error, 0);
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		_cleanup_free_ void *blob = NULL;
		const struct table *before = memory.table;
		struct message message = { 0 };
		char text[512];
		size_t size;

		snprintf(text, sizeof(text), "*filter\n:user - [0:0]\n%sCOMMIT\n",
			 refusals[i].rules);
		cr_assert_eq(kernel_run(restore, text, NULL), 0);
		cr_assert_eq(kernel_table(FAMILY_IPV4, &blob, &size), 0);
		((struct ipt_replace *)blob)->num_counters = before->entry_count;
		cr_expect_eq(set(IPT_SO_SET_REPLACE, blob, size, &message), -ENOENT);
		cr_expect_str_eq(message.text, refusals[i].message);
		cr_expect_eq(memory.table, before);
	}
}

/* Old clients ask for it, and the kernel has it; what it has not, only it knows how to refuse. */
Test(sockopt, another_revision_of_a_match_is_the_kernels_to_judge)
{
	static const char *const restore[] = { "iptables-legacy-restore", NULL };
	static const char name[] = "addrtype";
	const struct table *before = memory.table;
	_cleanup_free_ void *blob = NULL;
	struct message message = { 0 };
	int error = kernel_enter();
	unsigned char *match;
	size_t size;

	if (error && !kernel_required())
		cr_skip_test("no network namespace or no legacy iptables: %s", strerror(-error));
	cr_assert_eq(error, 0);
	cr_assert_eq(kernel_run(restore, "*filter\n-A INPUT -m addrtype --src-type LOCAL\nCOMMIT\n",
				NULL),
		     0);
	cr_assert_eq(kernel_table(FAMILY_IPV4, &blob, &size), 0);
	match = memmem(blob, size, name, sizeof(name));
	cr_assert_not_null(match);
	match -= offsetof(struct xt_entry_match, u.user.name);
	match[offsetof(struct xt_entry_match, u.user.revision)] = 0;
	((struct ipt_replace *)blob)->num_counters = before->entry_count;
	cr_expect_eq(set(IPT_SO_SET_REPLACE, blob, size, &message), -ENOENT);
	cr_expect_str_eq(message.text, "filter/INPUT rule 1: another revision of match "
				       "\"addrtype\" is not done in BPF");
	cr_expect_eq(memory.table, before);
}

Test(sockopt, last_of_entries_is_found_where_they_are_whole)
{
	for (unsigned i = 0; i < 2; i++) {
		enum family family = i ? FAMILY_IPV6 : FAMILY_IPV4;
		size_t counters = i ? offsetof(struct ip6t_entry, counters)
				    : offsetof(struct ipt_entry, counters);
		struct table *table;
		unsigned char *last;

		cr_assert_eq(table_initial(family, &table), 0);
		last = table->entries + table->offsets[table->entry_count - 1];
		cr_expect_eq((void *)entries_last(family, table->entries, table->size),
			     (void *)(last + counters));
		cr_expect_null(entries_last(family, table->entries, table->size - 1));
		cr_expect_null(entries_last(family, table->entries, 0));
		table_free(table);
	}
}
