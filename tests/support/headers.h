/* SPDX-License-Identifier: GPL-2.0-only */
/* Packets on which kernels of one version line do not agree among themselves. */
#ifndef UBPFILTER_TEST_HEADERS_H
#define UBPFILTER_TEST_HEADERS_H

#include <stdbool.h>
#include <stddef.h>

/**
 * ipv6_headers_overrun() - whether an IPv6 extension header is longer than the rest of the packet.
 * Since 6.1.190 and its like in other lines ("ipv6: do not let ipv6_find_hdr() return an offset
 * past the packet end") a rule that asks for the protocol drops such a packet, as ubpfilter always
 * does; before, the kernel believed the header. Tests that ask the running kernel leave them out.
 * @ip: @size bytes from the IPv6 header on. A first fragment overruns, too, if it ends before the
 * headers do.
 */
bool ipv6_headers_overrun(const unsigned char *ip, size_t size);

#endif
