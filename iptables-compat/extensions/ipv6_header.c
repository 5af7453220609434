/* SPDX-License-Identifier: GPL-2.0-only */
#include "ipv6_header.h"

#include <errno.h>

const struct header_unit unit_extension = { .unit = 8, .more = 1 };
const struct header_unit unit_authentication = { .unit = 4, .more = 2 };

int lower_header(struct rule *rule, enum ipv6_header header)
{
	struct predicate sound = { .field = FIELD_HEADERS_SOUND, .range = { .min = header } };

	if (rule_add(rule, &sound))
		return -ENOMEM;
	return lower_masked(rule, FIELD_HEADERS, header, header, PLAIN);
}

int print_number(FILE *out, const char *option, uint32_t number, enum inversion inverted)
{
	if (print_inverted(out, inverted))
		return -ENOMEM;
	return fprintf(out, " %s %u", option, number) < 0 ? -ENOMEM : 0;
}

int print_some_range(FILE *out, const char *option, const uint32_t range[2],
		     enum inversion inverted)
{
	if (range[0] == 0 && range[1] == UINT32_MAX)
		return 0; /* the inverse is not printed either */
	if (print_inverted(out, inverted) || fprintf(out, " %s", option) < 0)
		return -ENOMEM;
	return print_number_range(out, range[0], range[1]);
}

int lower_size(struct rule *rule, enum field field, const struct header_unit *unit, uint32_t bytes,
	       enum inversion inverted)
{
	uint32_t units = bytes / unit->unit;

	if (bytes % unit->unit || units < unit->more || units - unit->more > UINT8_MAX)
		return inverted == INVERTED ? 0 : lower_never(rule);
	return lower_range(rule, field, units - unit->more, units - unit->more, UINT8_MAX,
			   inverted);
}
