/* SPDX-License-Identifier: GPL-2.0-only */
#include "extensions.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

/* A stream in memory fails for one reason only. */
static int printed(int result)
{
	return result < 0 ? -ENOMEM : 0;
}

/* What iptables-save leaves unquoted. */
static bool is_plain(const char *text, size_t length)
{
	static const char plain[] = "_-0123456789"
				    "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

	return length && strspn(text, plain) == length;
}

static int print_quoted(FILE *out, const char *text, size_t length)
{
	if (fputs(" \"", out) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < length; i++) {
		if (strchr("\"\\'", text[i]) && fputc('\\', out) == EOF)
			return -ENOMEM;
		if (fputc(text[i], out) == EOF)
			return -ENOMEM;
	}
	return fputc('"', out) == EOF ? -ENOMEM : 0;
}

int print_text(FILE *out, const char *text)
{
	size_t length = strlen(text);

	return is_plain(text, length) ? printed(fprintf(out, " %s", text))
				      : print_quoted(out, text, length);
}

int print_inverted(FILE *out, enum inversion inverted)
{
	return inverted == INVERTED ? printed(fputs(" !", out)) : 0;
}

int print_ports(FILE *out, const char *option, const uint16_t ports[2], enum inversion inverted)
{
	/* as libxt_tcp: the inverse of the full range is not printed either */
	if (ports[0] == 0 && ports[1] == UINT16_MAX)
		return 0;
	if (print_inverted(out, inverted))
		return -ENOMEM;
	if (ports[0] == ports[1])
		return printed(fprintf(out, " %s %u", option, ports[0]));
	return printed(fprintf(out, " %s %u:%u", option, ports[0], ports[1]));
}

int print_number_range(FILE *out, uint32_t min, uint32_t max)
{
	return printed(min == max ? fprintf(out, " %u", min) : fprintf(out, " %u:%u", min, max));
}

bool protocol_has_ports(uint16_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE ||
	       protocol == IPPROTO_SCTP || protocol == IPPROTO_DCCP;
}

int print_host_mask(FILE *out, enum family family, const uint8_t *address, const uint8_t *mask)
{
	int domain = family == FAMILY_IPV4 ? AF_INET : AF_INET6;
	int size = family == FAMILY_IPV4 ? 4 : 16;
	int length = mask_length(mask, (size_t)size);
	char text[INET6_ADDRSTRLEN];

	if (fprintf(out, " %s", inet_ntop(domain, address, text, sizeof(text))) < 0)
		return -ENOMEM;
	if (length < 0)
		return printed(fprintf(out, "/%s", inet_ntop(domain, mask, text, sizeof(text))));
	return length == size * 8 ? 0 : printed(fprintf(out, "/%d", length));
}

int print_value_mask(FILE *out, uint32_t value, uint32_t mask)
{
	return printed(mask == UINT32_MAX ? fprintf(out, " 0x%x", value)
					  : fprintf(out, " 0x%x/0x%x", value, mask));
}

int lower_masked(struct rule *rule, enum field field, uint32_t value, uint32_t mask,
		 enum inversion inverted)
{
	struct predicate predicate = { .field = (uint8_t)field, .invert = inverted == INVERTED };

	memcpy(predicate.masked.value, &value, sizeof(value));
	memcpy(predicate.masked.mask, &mask, sizeof(mask));
	return rule_add(rule, &predicate);
}

int lower_never(struct rule *rule)
{
	return rule_add(rule, &(struct predicate){ .field = FIELD_NEVER });
}

int lower_transport(struct rule *rule, bool fragment_one_drops)
{
	return rule_add(rule, &(struct predicate){ .field = FIELD_TRANSPORT,
						   .fragment_one_drops = fragment_one_drops });
}

int lower_range(struct rule *rule, enum field field, uint32_t min, uint32_t max, uint32_t limit,
		enum inversion inverted)
{
	bool all = min == 0 && max == limit;
	bool none = min > max;

	if (all || none) /* the same answer for every packet */
		return all == (inverted == INVERTED) ? lower_never(rule) : 0;
	return rule_add(rule, &(struct predicate){ .field = (uint8_t)field,
						   .invert = inverted == INVERTED,
						   .range = { .min = min, .max = max } });
}
