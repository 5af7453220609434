/* SPDX-License-Identifier: GPL-2.0-only */
#include "headers.h"

#include <netinet/in.h>

#define IPV6_HEADER_SIZE 40

static bool is_walked(unsigned protocol)
{
	return protocol == IPPROTO_HOPOPTS || protocol == IPPROTO_ROUTING ||
	       protocol == IPPROTO_FRAGMENT || protocol == IPPROTO_AH ||
	       protocol == IPPROTO_DSTOPTS;
}

static size_t header_size(unsigned protocol, const unsigned char *header)
{
	if (protocol == IPPROTO_FRAGMENT)
		return 8;
	return protocol == IPPROTO_AH ? (header[1] + 2) * (size_t)4 : (header[1] + 1) * (size_t)8;
}

/* what the kernel asks for before it looks at the length */
static size_t header_minimum(unsigned protocol)
{
	return protocol == IPPROTO_ROUTING || protocol == IPPROTO_FRAGMENT ? 4 : 2;
}

static bool overrun(const unsigned char *ip, size_t size)
{
	size_t offset = IPV6_HEADER_SIZE, length;
	bool fragment = false;
	unsigned protocol;

	for (protocol = ip[6]; is_walked(protocol); protocol = ip[offset], offset += length) {
		if (offset + header_minimum(protocol) > size)
			return fragment;
		if (protocol == IPPROTO_FRAGMENT && (ip[offset + 2] || ip[offset + 3] & 0xf8))
			return false;
		fragment |= protocol == IPPROTO_FRAGMENT;
		length = header_size(protocol, ip + offset);
	}
	return offset > size;
}

bool ipv6_headers_overrun(const unsigned char *ip, size_t size)
{
	size_t length;

	if (size < IPV6_HEADER_SIZE)
		return false;
	/* what is sent is as long as it is, what is received as long as it says */
	length = IPV6_HEADER_SIZE + (size_t)(ip[4] << 8 | ip[5]);
	return overrun(ip, size) ||
	       (length > IPV6_HEADER_SIZE && length < size && overrun(ip, length));
}
