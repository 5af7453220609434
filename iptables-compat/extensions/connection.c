/* SPDX-License-Identifier: GPL-2.0-only */
#include "connection.h"

#include <linux/netfilter/nf_conntrack_common.h>
#include <stddef.h>

#include "../../bpf/types.h"
#include "../../common/cleanup.h"

struct bit_name {
	unsigned bit;
	const char *name;
};

static const char *print_bits(FILE *out, unsigned bits, const struct bit_name *names, size_t count)
{
	const char *separator = " ";

	for (size_t i = 0; i < count; i++) {
		if (!(bits & names[i].bit))
			continue;
		fprintf(out, "%s%s", separator, names[i].name);
		separator = ",";
	}
	return separator;
}

void print_states(FILE *out, unsigned states)
{
	static const struct bit_name names[] = {
		{ CONNECTION_INVALID, "INVALID" },     { CONNECTION_NEW, "NEW" },
		{ CONNECTION_RELATED, "RELATED" },     { CONNECTION_ESTABLISHED, "ESTABLISHED" },
		{ CONNECTION_UNTRACKED, "UNTRACKED" }, { CONNECTION_SNAT, "SNAT" },
		{ CONNECTION_DNAT, "DNAT" },
	};

	print_bits(out, states, names, ARRAY_SIZE(names));
}

void print_statuses(FILE *out, unsigned statuses)
{
	static const struct bit_name names[] = {
		{ IPS_EXPECTED, "EXPECTED" },
		{ IPS_SEEN_REPLY, "SEEN_REPLY" },
		{ IPS_ASSURED, "ASSURED" },
		{ IPS_CONFIRMED, "CONFIRMED" },
	};
	const char *separator = print_bits(out, statuses, names, ARRAY_SIZE(names));

	if (!statuses)
		fprintf(out, "%sNONE", separator);
}
