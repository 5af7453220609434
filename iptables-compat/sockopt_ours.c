/* SPDX-License-Identifier: GPL-2.0-only */
/* The shim's question, in a file of its own: it is linked into every program that preloads us. */
#include "sockopt.h"

#include <limits.h>
#include <netinet/in.h>
#include <string.h>

#include "layout.h"

/* All arguments that name a table start with the name. */
static bool names_filter(const void *input, size_t input_len)
{
	return input && input_len >= XT_TABLE_MAXNAMELEN &&
	       memcmp(input, FILTER_NAME, sizeof(FILTER_NAME)) == 0;
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

struct heading {
	size_t size;	/* of the structure in front */
	size_t counted; /* offset of the u32 that counts what follows; 0: nothing follows */
	size_t unit;	/* bytes of each */
};

static uint32_t counted(const struct heading *heading, const unsigned char *head)
{
	uint32_t count = 0;

	if (heading->counted)
		memcpy(&count, head + heading->counted, sizeof(count));
	return count;
}

static const struct heading *heading_of(int option, bool is_set)
{
	static const struct heading info = { .size = sizeof(struct ipt_getinfo) };
	static const struct heading revision = { .size = sizeof(struct xt_get_revision) };
	static const struct heading entries = { sizeof(struct ipt_get_entries),
						offsetof(struct ipt_get_entries, size), 1 };
	static const struct heading replace = { sizeof(struct ipt_replace),
						offsetof(struct ipt_replace, size), 1 };
	static const struct heading counters = { sizeof(struct xt_counters_info),
						 offsetof(struct xt_counters_info, num_counters),
						 sizeof(struct xt_counters) };

	if (is_set)
		return option == IPT_SO_SET_REPLACE ? &replace : &counters;
	if (option == IPT_SO_GET_INFO)
		return &info;
	return option == IPT_SO_GET_ENTRIES ? &entries : &revision;
}

bool sockopt_extent(int option, bool is_set, const void *head, size_t head_len, size_t len,
		    size_t *extent)
{
	const struct heading *heading = heading_of(option, is_set);
	bool is_replace = is_set && option == IPT_SO_SET_REPLACE;
	uint64_t whole;

	if (len > INT_MAX || len < heading->size ||
	    (heading->counted && head_len < heading->counted + sizeof(uint32_t)))
		return false;
	whole = heading->size + (uint64_t)counted(heading, head) * heading->unit;
	/* only REPLACE may be longer than what it holds */
	if (is_replace ? len < whole || whole >= KERNEL_TABLE_SIZE_MAX - KERNEL_TABLE_HEADER +
							 heading->size
		       : len != whole)
		return false;
	*extent = (size_t)whole;
	return true;
}
