/* SPDX-License-Identifier: GPL-2.0-only */
/* What an entry itself matches on, as iptables-save prints it. */
#ifndef UBPFILTER_TEXT_ADDRESS_H
#define UBPFILTER_TEXT_ADDRESS_H

#include <stdio.h>

#include "table.h"

/** print_ipv4() - append " -s ... -d ... -i ... -o ... -p ... -f". Return: 0 or -ENOMEM. */
int print_ipv4(FILE *out, const struct ipt_ip *ip);

/** mask_length() - of the prefix that a mask is, -1 when it is none. @size: 4 or 16 bytes. */
int mask_length(const unsigned char *mask, size_t size);

/** print_ipv6() - the same without -f, which IPv6 does not have. */
int print_ipv6(FILE *out, const struct ip6t_ip6 *ip);

#endif
