/* SPDX-License-Identifier: GPL-2.0-only */
/* The listing, from lines as bpftool 7.1 prints them. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "../../../common/cleanup.h"
#include "../../../translator/listing.h"

static const char bpftool_output[] =
	"int tc_ingress(struct __sk_buff * skb):\n"
	"; int tc_ingress(struct __sk_buff *skb) [file:/a/bpf/tc.bpf.c line_num:92 line_col:0]\n"
	"   0: (bf) r7 = r1\n"
	"   1: (79) r1 = *(u64 *)(r7 +16)\n"
	"int tc_input(struct packet * packet):\n"
	"; -A INPUT -i lo -j ACCEPT [file:filter line_num:1 line_col:0]\n"
	" 617: (55) if r1 != 0x0 goto pc+2\n"
	"; -A INPUT -i lo -j ACCEPT [file:filter line_num:1 line_col:0]\n"
	" 620: (bf) r6 = r1\n"
	"; -A INPUT -m comment --comment \"a [file:x line_num:9] b\" -j DROP [file:filter "
	"line_num:12 line_col:0]\n"
	" 621: (95) exit\n"
	"int table_count(unsigned int rule, struct packet * packet):\n"
	"; count a rule [file:filter line_num:0 line_col:0]\n"
	" 622: (95) exit\n";

static char *listing(const char *input, enum listing_scope scope)
{
	char *text = NULL;
	size_t size = 0;
	FILE *in = fmemopen((void *)input, strlen(input), "r");
	FILE *out = open_memstream(&text, &size);

	cr_assert_eq(listing_write(in, out, scope), 0);
	fclose(in);
	fclose(out);
	return text;
}

Test(listing, shows_each_rule_once_by_number_above_its_instructions)
{
	_cleanup_free_ char *text = listing(bpftool_output, LISTING_RULES);

	cr_assert_str_eq(text, "\nint tc_input(struct packet * packet):\n"
			       "\n  [1] -A INPUT -i lo -j ACCEPT\n"
			       "     617: (55) if r1 != 0x0 goto pc+2\n"
			       "     620: (bf) r6 = r1\n"
			       "\n  [12] -A INPUT -m comment --comment \"a [file:x line_num:9] b\" "
			       "-j DROP\n"
			       "     621: (95) exit\n"
			       "\n  (3 instructions that parse and count are left out; --all shows "
			       "them)\n");
}

Test(listing, shows_all_functions_where_asked)
{
	_cleanup_free_ char *text = listing(bpftool_output, LISTING_ALL);

	cr_assert(strstr(text, "    ; int tc_ingress(struct __sk_buff *skb)\n"
			       "       0: (bf) r7 = r1\n"));
	cr_assert(strstr(text, "    ; count a rule\n     622: (95) exit\n"));
	cr_assert_not(strstr(text, "left out"));
}

Test(listing, takes_lines_without_a_place_and_without_an_end)
{
	_cleanup_free_ char *text = listing("int f(void):\n; odd\n 1: (95) exit", LISTING_ALL);

	cr_assert_str_eq(text, "\nint f(void):\n    ; odd\n     1: (95) exit\n");
}
