/* SPDX-License-Identifier: GPL-2.0-only */
/* The shim's question, in a file of its own: it is linked into every program that preloads us. */
#include "sockopt.h"

#include <netinet/in.h>
#include <string.h>

/* All arguments that name a table start with the name. */
static bool names_filter(const void *input, size_t input_len)
{
	static const char filter[] = "filter";

	return input && input_len >= XT_TABLE_MAXNAMELEN &&
	       memcmp(input, filter, sizeof(filter)) == 0;
}

static bool is_revision(enum family family, int option)
{
	if (family == FAMILY_IPV4)
		return option == IPT_SO_GET_REVISION_MATCH || option == IPT_SO_GET_REVISION_TARGET;
	return option == IP6T_SO_GET_REVISION_MATCH || option == IP6T_SO_GET_REVISION_TARGET;
}

_Static_assert(IPT_SO_GET_INFO == IP6T_SO_GET_INFO && IPT_SO_GET_ENTRIES == IP6T_SO_GET_ENTRIES &&
		       IPT_SO_SET_REPLACE == IP6T_SO_SET_REPLACE &&
		       IPT_SO_SET_ADD_COUNTERS == IP6T_SO_SET_ADD_COUNTERS,
	       "the options that name a table have the same numbers in both families");

bool sockopt_is_ours(int level, int option, bool is_set, const void *input, size_t input_len,
		     enum family *family)
{
	enum family asked = level == SOL_IPV6 ? FAMILY_IPV6 : FAMILY_IPV4;
	bool ours;

	if (level != SOL_IP && level != SOL_IPV6)
		return false;
	if (is_set)
		ours = (option == IPT_SO_SET_REPLACE || option == IPT_SO_SET_ADD_COUNTERS) &&
		       names_filter(input, input_len);
	else
		ours = ((option == IPT_SO_GET_INFO || option == IPT_SO_GET_ENTRIES) &&
			names_filter(input, input_len)) ||
		       is_revision(asked, option);
	if (ours)
		*family = asked;
	return ours;
}
