/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parsers work on: a packet's bytes, and how parsing ends. */
#ifndef UBPFILTER_VIEW_H
#define UBPFILTER_VIEW_H

#include <linux/types.h>
#include <stdbool.h>

#include "types.h"

/* enum table_needs of the table; the generated object defines it. Known to the verifier, so code
   for what the table does not need costs nothing. */
extern const volatile __u32 table_needs;

enum parse_result {
	PARSE_OK,
	PARSE_DISCARDED, /* the IP layer drops it before any hook: not ours to judge */
	PARSE_SHORT,	 /* the linear data end too early, the packet may go on */
	PARSE_REFUSED,	 /* more headers than we follow: cannot be judged, must not pass */
};

/* A packet before it is parsed. */
struct view {
	struct bytes bytes;
	__u32 available; /* bytes of the packet from the IP header on, readable or not */
	bool segments;	 /* GSO: the packet stands for several, its length field may hold 0 */
	bool from_here; /* sent by this host: OUTPUT sees it unchecked, whatever is in its header */
};

/* Offsets behind this one are not followed: it keeps the verifier's ranges small. */
#define OFFSET_MASK 0x3fff

#endif
