/* SPDX-License-Identifier: GPL-2.0-only */
/* The extensions there are, for the table in extension.c, and what several of them share. */
#ifndef UBPFILTER_EXTENSIONS_H
#define UBPFILTER_EXTENSIONS_H

#include "../extension.h"
#include "../text_address.h"

extern const struct match_extension match_tcp;
extern const struct match_extension match_udp;
extern const struct match_extension match_icmp;
extern const struct match_extension match_icmp6;
extern const struct match_extension match_mh;
extern const struct match_extension match_comment;
extern const struct match_extension match_conntrack_1;
extern const struct match_extension match_conntrack_2;
extern const struct match_extension match_conntrack_3;
extern const struct match_extension match_state;
extern const struct match_extension match_multiport;
extern const struct match_extension match_iprange;
extern const struct match_extension match_esp;
extern const struct match_extension match_ah;
extern const struct match_extension match_length;
extern const struct match_extension match_sctp;
extern const struct match_extension match_limit;
extern const struct match_extension match_quota;
extern const struct match_extension match_statistic;
extern const struct match_extension match_time;
extern const struct match_extension match_connbytes;
extern const struct match_extension match_hashlimit;
extern const struct match_extension match_mac;
extern const struct match_extension match_ttl;
extern const struct match_extension match_hl;
extern const struct match_extension match_tos;
extern const struct match_extension match_dscp;
extern const struct match_extension match_ecn;
extern const struct match_extension match_mark;
extern const struct match_extension match_connmark;
extern const struct match_extension match_pkttype;
extern const struct match_extension match_owner;
extern const struct match_extension match_addrtype;
extern const struct match_extension match_devgroup;
extern const struct match_extension match_realm;
extern const struct match_extension match_cpu;
extern const struct match_extension match_dccp;
extern const struct match_extension match_tcpmss;
extern const struct match_extension match_eui64;
extern const struct match_extension match_cgroup_0;
extern const struct match_extension match_cgroup_2;
extern const struct match_extension match_helper;
extern const struct match_extension match_ah_ipv6;
extern const struct match_extension match_frag;
extern const struct match_extension match_rt;
extern const struct match_extension match_hbh;
extern const struct match_extension match_dst;

extern const struct target_extension target_reject_ipv4;
extern const struct target_extension target_reject_ipv6;
extern const struct target_extension target_log;
extern const struct target_extension target_nflog;
extern const struct target_extension target_mark;

#define CONTINUING_TARGETS 12
extern const struct target_extension targets_continuing[CONTINUING_TARGETS];

#define FAMILIES_ALL (FAMILY_BIT(FAMILY_IPV4) | FAMILY_BIT(FAMILY_IPV6))

enum inversion {
	PLAIN,
	INVERTED,
};

/** inversion() - whether @flags has @bit set. */
static inline enum inversion inversion(unsigned flags, unsigned bit)
{
	return flags & bit ? INVERTED : PLAIN;
}

/**
 * inversion_is_both() - the kernel ORs a byte of a match into its result where it means to invert
 * it: any value but 0 and 1 makes the result true for every packet.
 */
static inline bool inversion_is_both(uint8_t invert)
{
	return invert > 1;
}

/** protocol_has_ports() - TCP, UDP, UDP-Lite, SCTP or DCCP: two ports begin the header. */
bool protocol_has_ports(uint16_t protocol);

/** print_number_range() - append " MIN" or " MIN:MAX". Return: 0 or -ENOMEM. */
int print_number_range(FILE *out, uint32_t min, uint32_t max);

/** print_text() - append " TEXT" as iptables-save does, quoted where it has to be. */
int print_text(FILE *out, const char *text);

/** print_inverted() - append " !" if @inverted. Return: 0 or -ENOMEM. */
int print_inverted(FILE *out, enum inversion inverted);

/** print_ports() - append " [!] OPTION MIN[:MAX]", nothing for the full range. */
int print_ports(FILE *out, const char *option, const uint16_t ports[2], enum inversion inverted);

/** print_host_mask() - append " ADDRESS", "/LENGTH" or "/MASK" behind it unless it is a host. */
int print_host_mask(FILE *out, enum family family, const uint8_t *address, const uint8_t *mask);

/**
 * print_value_mask() - append " VALUE" in hexadecimal, with "/MASK" behind it unless that is full.
 */
int print_value_mask(FILE *out, uint32_t value, uint32_t mask);

/** lower_masked() - append @field & @mask == @value, or its inverse; of 32 bits, host order. */
int lower_masked(struct rule *rule, enum field field, uint32_t value, uint32_t mask,
		 enum inversion inverted);

/** lower_never() - append a predicate that no packet meets. */
int lower_never(struct rule *rule);

/** lower_transport() - append the guard that the transport header is there. */
int lower_transport(struct rule *rule, bool fragment_one_drops);

/**
 * lower_range() - append min <= @field <= max or its inverse; nothing where that is always true.
 * @limit: the greatest value that the field can have.
 */
int lower_range(struct rule *rule, enum field field, uint32_t min, uint32_t max, uint32_t limit,
		enum inversion inverted);

#endif
