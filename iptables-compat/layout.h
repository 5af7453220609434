/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where an entry's fields lie in each family. ipt_entry and ip6t_entry differ in nothing but the
 * size of what they match on, so code that goes by these numbers is written once for both.
 */
#ifndef UBPFILTER_LAYOUT_H
#define UBPFILTER_LAYOUT_H

#include <string.h>

#include "table.h"

struct layout {
	uint32_t entry_size;   /* sizeof(struct ipt_entry): where the matches start */
	uint32_t address_size; /* sizeof(struct ipt_ip), at offset 0; all zero: unconditional */
	uint32_t protocol;     /* offsets from here on */
	uint32_t flags;
	uint32_t inverted;
	uint32_t target_offset;
	uint32_t next_offset;
	uint32_t comefrom;
	uint32_t counters;
	uint8_t flags_mask;    /* IPT_F_MASK: bits that the kernel knows */
	uint8_t inverted_mask; /* IPT_INV_MASK */
	uint8_t goto_flag;     /* IPT_F_GOTO */
};

/* Bits of comefrom: one a hook, set for the entries that a packet at this hook can reach. */
#define HOOK_BIT(hook)	 (1u << (hook))
#define HOOK_NONE_OFFSET UINT32_MAX /* hook_entry and underflow of a hook that is not there */
#define FILTER_NAME	 "filter"
#define FILTER_HOOKS \
	(HOOK_BIT(NF_INET_LOCAL_IN) | HOOK_BIT(NF_INET_FORWARD) | HOOK_BIT(NF_INET_LOCAL_OUT))

/* The kernel takes no table whose bookkeeping and entries reach this size. */
#define KERNEL_TABLE_SIZE_MAX (512u << 20)
#define KERNEL_TABLE_HEADER   64u /* sizeof(struct xt_table_info) */

_Static_assert(sizeof(struct ipt_replace) == 96, "ipt_replace");
_Static_assert(offsetof(struct ipt_replace, valid_hooks) == 32, "ipt_replace::valid_hooks");
_Static_assert(offsetof(struct ipt_replace, hook_entry) == 44, "ipt_replace::hook_entry");
_Static_assert(offsetof(struct ipt_replace, underflow) == 64, "ipt_replace::underflow");
_Static_assert(offsetof(struct ipt_replace, num_counters) == 84, "ipt_replace::num_counters");
_Static_assert(offsetof(struct ipt_replace, entries) == 96, "ipt_replace::entries");
_Static_assert(sizeof(struct ip6t_replace) == sizeof(struct ipt_replace) &&
		       offsetof(struct ip6t_replace, entries) ==
			       offsetof(struct ipt_replace, entries),
	       "one ipt_replace serves both families");
_Static_assert(sizeof(struct ipt_entry) == 112 && sizeof(struct ipt_ip) == 84, "ipt_entry");
_Static_assert(offsetof(struct ipt_entry, target_offset) == 88, "ipt_entry::target_offset");
_Static_assert(offsetof(struct ipt_entry, comefrom) == 92, "ipt_entry::comefrom");
_Static_assert(offsetof(struct ipt_entry, counters) == 96, "ipt_entry::counters");
_Static_assert(sizeof(struct ip6t_entry) == 168 && sizeof(struct ip6t_ip6) == 136, "ip6t_entry");
_Static_assert(offsetof(struct ip6t_entry, target_offset) == 140, "ip6t_entry::target_offset");
_Static_assert(offsetof(struct ip6t_entry, comefrom) == 144, "ip6t_entry::comefrom");
_Static_assert(offsetof(struct ip6t_entry, counters) == 152, "ip6t_entry::counters");
_Static_assert(sizeof(struct xt_entry_match) == 32, "xt_entry_match");
_Static_assert(sizeof(struct xt_entry_target) == 32, "xt_entry_target");
_Static_assert(sizeof(struct xt_standard_target) == 40, "xt_standard_target");
_Static_assert(sizeof(struct xt_error_target) == 64, "xt_error_target");
_Static_assert(sizeof(struct ipt_getinfo) == 84 && sizeof(struct ip6t_getinfo) == 84, "getinfo");
_Static_assert(sizeof(struct ipt_get_entries) == 40 && sizeof(struct ip6t_get_entries) == 40,
	       "get_entries");
_Static_assert(sizeof(struct xt_counters_info) == 40 && sizeof(struct xt_counters) == 16,
	       "counters_info");
_Static_assert(sizeof(struct xt_get_revision) == 30, "get_revision");

static const struct layout layout_ipv4 = {
	.entry_size = sizeof(struct ipt_entry),
	.address_size = sizeof(struct ipt_ip),
	.protocol = offsetof(struct ipt_entry, ip.proto),
	.flags = offsetof(struct ipt_entry, ip.flags),
	.inverted = offsetof(struct ipt_entry, ip.invflags),
	.target_offset = offsetof(struct ipt_entry, target_offset),
	.next_offset = offsetof(struct ipt_entry, next_offset),
	.comefrom = offsetof(struct ipt_entry, comefrom),
	.counters = offsetof(struct ipt_entry, counters),
	.flags_mask = IPT_F_MASK,
	.inverted_mask = IPT_INV_MASK,
	.goto_flag = IPT_F_GOTO,
};

static const struct layout layout_ipv6 = {
	.entry_size = sizeof(struct ip6t_entry),
	.address_size = sizeof(struct ip6t_ip6),
	.protocol = offsetof(struct ip6t_entry, ipv6.proto),
	.flags = offsetof(struct ip6t_entry, ipv6.flags),
	.inverted = offsetof(struct ip6t_entry, ipv6.invflags),
	.target_offset = offsetof(struct ip6t_entry, target_offset),
	.next_offset = offsetof(struct ip6t_entry, next_offset),
	.comefrom = offsetof(struct ip6t_entry, comefrom),
	.counters = offsetof(struct ip6t_entry, counters),
	.flags_mask = IP6T_F_MASK,
	.inverted_mask = IP6T_INV_MASK,
	.goto_flag = IP6T_F_GOTO,
};

static inline const struct layout *layout_get(enum family family)
{
	return family == FAMILY_IPV6 ? &layout_ipv6 : &layout_ipv4;
}

/* Fields at any alignment. */
static inline uint8_t field_u8(const unsigned char *base, size_t offset)
{
	return base[offset];
}

static inline uint16_t field_u16(const unsigned char *base, size_t offset)
{
	uint16_t value;

	memcpy(&value, base + offset, sizeof(value));
	return value;
}

static inline uint32_t field_u32(const unsigned char *base, size_t offset)
{
	uint32_t value;

	memcpy(&value, base + offset, sizeof(value));
	return value;
}

/* Matches every packet: no matches, and nothing asked of addresses, devices and protocol. */
static inline bool entry_unconditional(const unsigned char *base, const struct layout *layout)
{
	static const unsigned char zero[sizeof(struct ip6t_ip6)];

	return field_u16(base, layout->target_offset) == layout->entry_size &&
	       memcmp(base, zero, layout->address_size) == 0;
}

/*
 * A target, before its entry is known to be good at any alignment. The name decides what it is:
 * standard is "", ERROR "ERROR".
 */
static inline const char *target_name(const void *target)
{
	return (const char *)target + offsetof(struct xt_entry_target, u.user.name);
}

static inline bool target_is(const void *target, const char *name)
{
	return strncmp(target_name(target), name, XT_EXTENSION_MAXNAMELEN) == 0;
}

static inline int32_t target_verdict(const void *target)
{
	return (int32_t)field_u32(target, sizeof(struct xt_entry_target));
}

static inline const char *target_errorname(const void *target)
{
	return (const char *)target + offsetof(struct xt_error_target, errorname);
}

#endif
