/* SPDX-License-Identifier: GPL-2.0-only */
/* Which sockets talk to which. */
#include "step.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

/* [0] IPv4, [1] IPv6; the router's last ones are for itself. */
static const char *const addresses[PLACE_COUNT][2][3] = {
	[PLACE_CLIENT] = { { "10.91.1.1", "10.91.1.2", "10.91.1.3" },
			   { "fd91:1::1", "fd91:1::2", "fd91:1::3" } },
	[PLACE_ROUTER] = { { "10.91.1.254", "10.91.2.254", "127.0.0.1" },
			   { "fd91:1::fe", "fd91:2::fe", "::1" } },
	[PLACE_SERVER] = { { "10.91.2.7", "10.91.2.8", "10.91.2.7" },
			   { "fd91:2::7", "fd91:2::8", "fd91:2::7" } },
};

static socklen_t address_set(struct sockaddr_storage *to, int family, const char *address,
			     uint16_t port)
{
	struct sockaddr_in *ipv4 = (struct sockaddr_in *)to;
	struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)to;

	memset(to, 0, sizeof(*to));
	if (family == 4) {
		ipv4->sin_family = AF_INET;
		ipv4->sin_port = htons(port);
		inet_pton(AF_INET, address, &ipv4->sin_addr);
		return sizeof(*ipv4);
	}
	ipv6->sin6_family = AF_INET6;
	ipv6->sin6_port = htons(port);
	inet_pton(AF_INET6, address, &ipv6->sin6_addr);
	return sizeof(*ipv6);
}

void exchange_make(struct exchange *exchange, const struct step *step, const struct scope *scope)
{
	/* early stages do not know windows, so no connection is to take another one's place the
	   other way round: the last two are spoken to, too */
	static const uint16_t own_ports[] = { 1000, 2000, 40001, 1023, 1500, 53 };
	static const uint16_t ports[] = { 53, 80, 443, 1500, 2001 };
	/* early stages count each fragment of what this host sends (docs/semantics.md) */
	static const unsigned sizes[] = { 0, 10, 100, 1400, 3000, 8000 };
	struct random random = { step->seed };
	unsigned version = scope->family == 4 ? 0 : 1;
	enum place to = (enum place)random_below(&random, PLACE_COUNT);
	unsigned which;

	exchange->from = (enum place)random_below(&random, PLACE_COUNT);
	if (exchange->from != PLACE_ROUTER && exchange->from == to)
		exchange->from = PLACE_ROUTER;
	which = random_below(&random, to == PLACE_ROUTER && exchange->from != to ? 2 : 3);
	exchange->length = address_set(&exchange->to, scope->family, addresses[to][version][which],
				       PICK(&random, ports));
	/* from the address of the side that the packet leaves by */
	if (exchange->from == PLACE_ROUTER && to != PLACE_ROUTER)
		which = to == PLACE_SERVER;
	else if (exchange->from != PLACE_ROUTER)
		which = random_below(&random, 3);
	address_set(&exchange->source, scope->family, addresses[exchange->from][version][which],
		    own_ports[random_below(&random, scope_predicts(scope) ? 4 : 6)]);
	exchange->listened = random_chance(&random, 70);
	exchange->answered = random_chance(&random, 70);
	exchange->size = sizes[random_below(&random, scope_is_exact(scope) ? 6 : 3)];
}

static void address_print(const struct sockaddr_storage *address)
{
	const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)address;
	char text[INET6_ADDRSTRLEN] = "";

	if (address->ss_family == AF_INET)
		inet_ntop(AF_INET, &ipv4->sin_addr, text, sizeof(text));
	else
		inet_ntop(AF_INET6, &ipv6->sin6_addr, text, sizeof(text));
	printf("%s port %u", text, ntohs(ipv4->sin_port));
}

void exchange_print(const struct exchange *exchange)
{
	static const char *const names[] = { "client", "router", "server" };

	printf("by the %s, from ", names[exchange->from]);
	address_print(&exchange->source);
	printf(" to ");
	address_print(&exchange->to);
	printf(", %u bytes%s%s\n", exchange->size, exchange->listened ? ", listened" : "",
	       exchange->answered ? ", answered" : "");
}
