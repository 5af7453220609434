/* SPDX-License-Identifier: GPL-2.0-only */
#include "text_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "protocols.h"

int mask_length(const unsigned char *mask, size_t size)
{
	size_t bits = 0;

	while (bits < size * 8 && mask[bits / 8] & (0x80 >> bits % 8))
		bits++;
	for (size_t i = bits; i < size * 8; i++)
		if (mask[i / 8] & (0x80 >> i % 8))
			return -1;
	return (int)bits;
}

static bool all_zero(const void *data, size_t size)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i < size; i++)
		if (bytes[i])
			return false;
	return true;
}

static void print_address(FILE *out, char letter, int domain, const void *address, const void *mask,
			  bool invert)
{
	size_t size = domain == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);
	int length = mask_length(mask, size);
	char text[INET6_ADDRSTRLEN];

	if (!invert && length == 0 && all_zero(address, size))
		return;
	inet_ntop(domain, address, text, sizeof(text));
	fprintf(out, "%s -%c %s/", invert ? " !" : "", letter, text);
	if (length >= 0)
		fprintf(out, "%d", length);
	else
		fputs(inet_ntop(domain, mask, text, sizeof(text)), out);
}

/* The mask covers the whole name with its NUL, or a prefix of it: then `+` stands for the rest. */
static void print_interface(FILE *out, char letter, const char *name, const unsigned char *mask,
			    bool invert)
{
	if (!mask[0])
		return;
	fprintf(out, "%s -%c ", invert ? " !" : "", letter);
	for (int i = 0; i < IFNAMSIZ; i++) {
		if (!mask[i]) {
			if (name[i - 1])
				fputc('+', out);
			return;
		}
		if (name[i])
			fputc(name[i], out);
	}
}

static void print_protocol(FILE *out, uint16_t protocol, bool invert)
{
	const char *name = protocol_name(protocol);

	if (!protocol)
		return;
	fprintf(out, "%s -p ", invert ? " !" : "");
	if (name)
		fputs(name, out);
	else
		fprintf(out, "%u", protocol);
}

int print_ipv4(FILE *out, const struct ipt_ip *ip)
{
	print_address(out, 's', AF_INET, &ip->src, &ip->smsk, ip->invflags & IPT_INV_SRCIP);
	print_address(out, 'd', AF_INET, &ip->dst, &ip->dmsk, ip->invflags & IPT_INV_DSTIP);
	print_interface(out, 'i', ip->iniface, ip->iniface_mask, ip->invflags & IPT_INV_VIA_IN);
	print_interface(out, 'o', ip->outiface, ip->outiface_mask, ip->invflags & IPT_INV_VIA_OUT);
	print_protocol(out, ip->proto, ip->invflags & IPT_INV_PROTO);
	if (ip->flags & IPT_F_FRAG)
		fprintf(out, "%s -f", ip->invflags & IPT_INV_FRAG ? " !" : "");
	return ferror(out) ? -ENOMEM : 0;
}

int print_ipv6(FILE *out, const struct ip6t_ip6 *ip)
{
	print_address(out, 's', AF_INET6, &ip->src, &ip->smsk, ip->invflags & IP6T_INV_SRCIP);
	print_address(out, 'd', AF_INET6, &ip->dst, &ip->dmsk, ip->invflags & IP6T_INV_DSTIP);
	print_interface(out, 'i', ip->iniface, ip->iniface_mask, ip->invflags & IP6T_INV_VIA_IN);
	print_interface(out, 'o', ip->outiface, ip->outiface_mask, ip->invflags & IP6T_INV_VIA_OUT);
	print_protocol(out, ip->proto, ip->invflags & IP6T_INV_PROTO);
	return ferror(out) ? -ENOMEM : 0;
}
