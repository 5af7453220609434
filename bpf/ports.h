/* SPDX-License-Identifier: GPL-2.0-only */
/* Protocols whose headers begin with a source and a destination port. */
#ifndef UBPFILTER_PORTS_H
#define UBPFILTER_PORTS_H

#include <linux/in.h>
#include <stdbool.h>

static __always_inline bool has_ports(__u8 protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE ||
	       protocol == IPPROTO_SCTP || protocol == IPPROTO_DCCP;
}

#endif
