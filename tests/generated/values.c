/* SPDX-License-Identifier: GPL-2.0-only */
/* The values are few, so that a rule and a packet that are drawn apart often meet. */
#include "generated.h"

#include <arpa/inet.h>
#include <string.h>

const uint16_t port_values[6] = { 53, 80, 443, 1023, 1024, 65535 };
const uint8_t protocol_values[15] = { IPPROTO_TCP,	IPPROTO_TCP,  IPPROTO_UDP,
				      IPPROTO_UDP,	IPPROTO_ICMP, IPPROTO_ICMPV6,
				      IPPROTO_ESP,	IPPROTO_NONE, 0,
				      IPPROTO_FRAGMENT, IPPROTO_SCTP, IPPROTO_DCCP,
				      IPPROTO_UDPLITE,	IPPROTO_AH,   IPPROTO_MH };
const uint8_t packet_mac[6] = { 2, 0, 4, 0, 1, 0 };
const uint16_t mss_values[4] = { 0, 536, 1460, 65535 };
const uint8_t tcp_option_values[8] = { 0, 1, 2, 3, 4, 8, 77, 254 };

/* Addresses of ground.c's devices are local; 10.9.2/24 and fd09:2::/64 lie behind the second. */
static const char *const sources[] = { "10.9.1.1", "10.9.1.2", "10.9.7.1", "192.0.2.1" };
static const char *const sources6[] = { "fd09:1::1", "fd09:1::2", "fd09:7::1", "2001:db8::1" };
static const char *const local[] = { "10.9.1.254", "10.9.2.254", "224.0.0.251", "255.255.255.255" };
static const char *const local6[] = { "fd09:1::fe", "fd09:2::fe", "ff02::fb" };
static const char *const remote[] = { "10.9.2.1", "10.9.2.2", "10.9.2.129" };
static const char *const remote6[] = { "fd09:2::1", "fd09:2::2", "fd09:2::8001" };

#define PICK(random, family, four, six) \
	((family) == 4 ? random_pick(random, four) : random_pick(random, six))

static void parse(const char *text, int family, uint8_t address[16])
{
	memset(address, 0, 16);
	inet_pton(family == 4 ? AF_INET : AF_INET6, text, address);
}

void random_source(struct random *random, int family, uint8_t address[16])
{
	parse(PICK(random, family, sources, sources6), family, address);
}

void random_destination(struct random *random, int family, enum hook hook, uint8_t address[16])
{
	if (hook == HOOK_INPUT)
		parse(PICK(random, family, local, local6), family, address);
	else
		parse(PICK(random, family, remote, remote6), family, address);
}
