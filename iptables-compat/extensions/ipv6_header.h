/* SPDX-License-Identifier: GPL-2.0-only */
/* What the matches on IPv6 extension headers share. */
#ifndef UBPFILTER_IPV6_HEADER_H
#define UBPFILTER_IPV6_HEADER_H

#include "extensions.h"

/**
 * lower_header() - append that the packet has such a header, which is looked for as
 * ipv6_find_hdr() does: it is a hotdrop where the packet ends before that is known.
 */
int lower_header(struct rule *rule, enum ipv6_header header);

/** print_number() - append " [!] OPTION NUMBER". Return: 0 or -ENOMEM. */
int print_number(FILE *out, const char *option, uint32_t number, enum inversion inverted);

/** print_some_range() - append " [!] OPTION MIN[:MAX]", nothing for the full range of 32 bits. */
int print_some_range(FILE *out, const char *option, const uint32_t range[2],
		     enum inversion inverted);

/* How a header's length stands in its second byte: bytes = (byte + more) * unit. */
struct header_unit {
	uint32_t unit;
	uint32_t more;
};

extern const struct header_unit unit_extension;
extern const struct header_unit unit_authentication;

/** lower_size() - append that the header of that @field has @bytes, or its inverse. */
int lower_size(struct rule *rule, enum field field, const struct header_unit *unit, uint32_t bytes,
	       enum inversion inverted);

#endif
