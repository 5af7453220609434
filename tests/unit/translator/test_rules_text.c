/* SPDX-License-Identifier: GPL-2.0-only */
/* What `ubpfilter translate` takes of an iptables-save file. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../../translator/offline_restore.h"

static char ignored_tables[64];

static void note_ignored(const char *table)
{
	strcat(ignored_tables, table);
	strcat(ignored_tables, " ");
}

static int read_text(const char *input, struct rules_text *rules, struct message *message)
{
	FILE *in = fmemopen((void *)input, strlen(input), "r");
	int error;

	ignored_tables[0] = '\0';
	error = rules_text_read(in, note_ignored, rules, message);
	fclose(in);
	return error;
}

Test(rules_text, keeps_filter_and_the_numbers_of_its_lines)
{
	struct rules_text rules = {};
	struct message message = {};

	cr_assert_eq(read_text("# head\n*nat\n-A PREROUTING\nCOMMIT\n*filter\n-A INPUT\nCOMMIT\n"
			       "*raw\n*mangle\nCOMMIT\n",
			       &rules, &message),
		     0);
	cr_assert_str_eq(rules.data, "# head\n\n\n\n*filter\n-A INPUT\nCOMMIT\n\n\n\n");
	cr_assert_eq(rules.size, strlen(rules.data));
	cr_assert_str_eq(ignored_tables, "nat raw mangle ");
	free(rules.data);
}

Test(rules_text, wants_one_table_filter)
{
	static const char *const inputs[] = { "", "*nat\nCOMMIT\n", "*filter\nCOMMIT\n*filter\n",
					      "*filters\nCOMMIT\n" };

	for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++) {
		struct rules_text rules = {};
		struct message message = {};

		cr_expect_eq(read_text(*inputs[i] ? inputs[i] : "\n", &rules, &message), -EINVAL);
		cr_expect_neq(message.text[0], '\0');
		cr_expect_null(rules.data);
	}
}

Test(rules_text, takes_a_last_line_without_an_end_and_carriage_returns)
{
	struct rules_text rules = {};
	struct message message = {};

	cr_assert_eq(read_text("*filter\r\nCOMMIT", &rules, &message), 0);
	cr_assert_str_eq(rules.data, "*filter\nCOMMIT");
	free(rules.data);
}
