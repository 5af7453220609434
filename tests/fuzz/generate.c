/* SPDX-License-Identifier: GPL-2.0-only */
#include "blob.h"

#include <linux/netfilter.h>
#include <linux/netfilter/xt_addrtype.h>
#include <linux/netfilter/xt_comment.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_esp.h>
#include <linux/netfilter/xt_iprange.h>
#include <linux/netfilter/xt_length.h>
#include <linux/netfilter/xt_limit.h>
#include <linux/netfilter/xt_multiport.h>
#include <linux/netfilter/xt_quota.h>
#include <linux/netfilter/xt_realm.h>
#include <linux/netfilter/xt_sctp.h>
#include <linux/netfilter/xt_state.h>
#include <linux/netfilter/xt_statistic.h>
#include <linux/limits.h>
#include <linux/netfilter/xt_cgroup.h>
#include <linux/netfilter/xt_connmark.h>
#include <linux/netfilter/xt_helper.h>
#include <linux/netfilter/xt_cpu.h>
#include <linux/netfilter/xt_dccp.h>
#include <linux/netfilter/xt_devgroup.h>
#include <linux/netfilter/xt_dscp.h>
#include <linux/netfilter/xt_ecn.h>
#include <linux/netfilter/xt_mac.h>
#include <linux/netfilter/xt_mark.h>
#include <linux/netfilter/xt_owner.h>
#include <linux/netfilter/xt_pkttype.h>
#include <linux/netfilter/xt_tcpmss.h>
#include <linux/netfilter_ipv4/ipt_ah.h>
#include <linux/netfilter_ipv4/ipt_ttl.h>
#include <linux/netfilter_ipv6/ip6t_ah.h>
#include <linux/netfilter_ipv6/ip6t_frag.h>
#include <linux/netfilter_ipv6/ip6t_hl.h>
#include <linux/netfilter_ipv6/ip6t_mh.h>
#include <linux/netfilter_ipv6/ip6t_opts.h>
#include <linux/netfilter_ipv6/ip6t_rt.h>
#include <linux/netfilter/xt_tcpudp.h>
#include <linux/netfilter/xt_time.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../common/cleanup.h"
#include "../../iptables-compat/layout.h"

#define CHAINS_MAX 160
#define ENTRY_MAX  4096 /* an entry with its matches is smaller */

struct builder {
	enum family family;
	const struct layout *layout;
	struct random *random;
	struct blob blob;
	size_t room;
	uint32_t chains;		   /* user chains */
	uint32_t chain_offset[CHAINS_MAX]; /* first rule of each; known when it is built */
	struct jump {
		size_t at; /* of the verdict in the blob */
		uint32_t chain;
	} * jumps;
	size_t jump_count;
};

void *xcalloc(size_t count, size_t size)
{
	void *memory = calloc(count ? count : 1, size ? size : 1);

	if (!memory) {
		fputs("out of memory\n", stderr);
		exit(2);
	}
	return memory;
}

void blob_free(struct blob *blob)
{
	free(blob->data);
	*blob = (struct blob){ 0 };
}

struct ipt_replace *blob_replace(const struct blob *blob)
{
	return blob->size < sizeof(struct ipt_replace) ? NULL : (struct ipt_replace *)blob->data;
}

static void fill(struct random *random, void *data, size_t size)
{
	unsigned char *bytes = data;

	for (size_t i = 0; i < size; i++)
		bytes[i] = (unsigned char)random_next(random);
}

static uint32_t next_offset(const struct builder *builder)
{
	return (uint32_t)(builder->blob.size - sizeof(struct ipt_replace));
}

/* Make room for @size more bytes, zeroed, and return where they start. */
static unsigned char *extend(struct builder *builder, size_t size)
{
	size_t start = builder->blob.size;

	if (start + size > builder->room) {
		size_t room = (start + size) * 2;
		unsigned char *more = xcalloc(1, room);

		if (start)
			memcpy(more, builder->blob.data, start);
		free(builder->blob.data);
		builder->blob.data = more;
		builder->room = room;
	}
	builder->blob.size += size;
	return builder->blob.data + start;
}

/* Names are written with garbage behind the NUL now and then: nobody may look at it. */
static void set_name(struct builder *builder, char *field, size_t size, const char *name)
{
	if (random_percent(builder->random, 30))
		fill(builder->random, field, size);
	strcpy(field, name);
}

/* Numbers that the kernel checks, brought near to what it takes. */
static void tame_multiport(struct random *random, unsigned char *data)
{
	data[0] = (unsigned char)random_below(random, 4);  /* flags */
	data[1] = (unsigned char)random_below(random, 17); /* count */
	for (size_t i = 0; i < XT_MULTI_PORTS; i++)
		if (random_percent(random, 70))
			data[offsetof(struct xt_multiport_v1, pflags) + i] = 0;
}

static void tame_sctp(struct random *random, unsigned char *data)
{
	struct xt_sctp_info info;

	memcpy(&info, data, sizeof(info));
	info.flags = random_below(random, 9);
	info.invflags = info.flags & random_below(random, 17);
	info.flag_count = (int)random_below(random, 6);
	info.chunk_match_type = random_below(random, 9);
	memcpy(data, &info, sizeof(info));
}

/* Rates and bursts about where the kernel's arithmetic overflows; what is behind is its own. */
static void make_limit(struct random *random, unsigned char *data)
{
	struct xt_rateinfo info = { .avg = (uint32_t)random_next(random) >>
					   random_below(random, 32),
				    .burst = random_below(random, 20) };

	if (random_percent(random, 10))
		info.burst = (uint32_t)random_next(random);
	memcpy(data, &info, sizeof(info));
}

static void tame_quota(struct random *random, unsigned char *data)
{
	data[0] = (unsigned char)random_below(random, 3); /* flags */
	memset(data + 1, 0, 3);
}

static void tame_statistic(struct random *random, unsigned char *data)
{
	struct xt_statistic_info info;

	memcpy(&info, data, sizeof(info));
	info.mode = (uint16_t)random_below(random, 3);
	info.flags = (uint16_t)random_below(random, 3);
	memcpy(data, &info, sizeof(info));
}

/* Without the kernel's time zone, which is not done in BPF. */
static void make_time(struct random *random, unsigned char *data)
{
	struct xt_time_info info;

	memcpy(&info, data, sizeof(info));
	info.daytime_start = random_below(random, XT_TIME_MAX_DAYTIME + 100);
	info.daytime_stop = random_below(random, XT_TIME_MAX_DAYTIME + 100);
	info.flags = (uint8_t)(random_below(random, 3) << 1);
	memcpy(data, &info, sizeof(info));
}

static void tame_dscp(struct random *random, unsigned char *data)
{
	data[0] &= random_percent(random, 95) ? XT_DSCP_MAX : 0xff;
}

static void tame_ecn(struct random *random, unsigned char *data)
{
	data[0] &= random_percent(random, 50) ? XT_ECN_OP_MATCH_IP : 0x31;
	data[1] &= 0x31;
}

static void tame_owner(struct random *random, unsigned char *data)
{
	struct xt_owner_match_info info = { .uid_min = random_below(random, 5),
					    .gid_min = random_below(random, 5),
					    .match = (uint8_t)random_below(random, 17),
					    .invert = (uint8_t)random_below(random, 16) };

	info.uid_max = random_percent(random, 5) ? UINT32_MAX : random_below(random, 20);
	info.gid_max = random_percent(random, 5) ? UINT32_MAX : random_below(random, 20);
	memcpy(data, &info, sizeof(info));
}

static void tame_addrtype(struct random *random, unsigned char *data)
{
	struct xt_addrtype_info_v1 info = { .source = (uint16_t)random_below(random, 64),
					    .dest = (uint16_t)random_below(random, 64),
					    .flags = random_below(random, 16) };

	memcpy(data, &info, sizeof(info));
}

static void tame_devgroup(struct random *random, unsigned char *data)
{
	uint32_t flags = random_below(random, 17);

	memcpy(data + offsetof(struct xt_devgroup_info, flags), &flags, sizeof(flags));
}

static void tame_cpu(struct random *random, unsigned char *data)
{
	uint32_t invert = random_below(random, 3);

	memcpy(data + offsetof(struct xt_cpu_info, invert), &invert, sizeof(invert));
}

/* No option that is not done in BPF, mostly. */
static void tame_dccp(struct random *random, unsigned char *data)
{
	uint16_t flags = (uint16_t)random_below(random, random_percent(random, 5) ? 32 : 8);
	uint16_t inverted =
		(uint16_t)random_next(random) & (random_percent(random, 5) ? 15 : flags);

	memcpy(data + offsetof(struct xt_dccp_info, flags), &flags, sizeof(flags));
	memcpy(data + offsetof(struct xt_dccp_info, invflags), &inverted, sizeof(inverted));
}

static void tame_cgroup(struct random *random, unsigned char *data)
{
	uint32_t invert = random_below(random, 3);

	memcpy(data + offsetof(struct xt_cgroup_info_v0, invert), &invert, sizeof(invert));
}

static void tame_cgroup_2(struct random *random, unsigned char *data)
{
	memset(data, 0, 4);
	data[offsetof(struct xt_cgroup_info_v2, has_classid)] = random_percent(random, 95);
	data[offsetof(struct xt_cgroup_info_v2, invert_classid)] =
		(unsigned char)random_below(random, 3);
}

static void tame_tcpmss(struct random *random, unsigned char *data)
{
	data[offsetof(struct xt_tcpmss_match_info, invert)] =
		(unsigned char)random_below(random, 3);
}

/* No option that is not done in BPF, mostly, and those of type 0 with it. */
static void tame_rt(struct random *random, unsigned char *data)
{
	struct ip6t_rt info;

	memcpy(&info, data, sizeof(info));
	info.rt_type = random_below(random, 3);
	info.flags &= random_percent(random, 90) ? (uint8_t)~IP6T_RT_FST : UINT8_MAX;
	info.flags |= info.rt_type || random_percent(random, 20) ? 0 : IP6T_RT_TYP;
	info.invflags &= random_percent(random, 5) ? UINT8_MAX : IP6T_RT_INV_MASK;
	if (random_percent(random, 80))
		info.flags &= (uint8_t) ~(IP6T_RT_RES | IP6T_RT_FST_NSTRICT);
	info.addrnr = (uint8_t)random_below(random, 19);
	memcpy(data, &info, sizeof(info));
}

static void tame_opts(struct random *random, unsigned char *data)
{
	struct ip6t_opts info;

	memcpy(&info, data, sizeof(info));
	info.flags = (uint8_t)random_below(random, random_percent(random, 5) ? 8 : 2);
	info.optsnr = (uint8_t)random_below(random, 19);
	memcpy(data, &info, sizeof(info));
}

struct made_match {
	const char *name;
	uint16_t protocol;
	size_t size;
	size_t inverted; /* offset of its inversion flags; 0: none */
	uint8_t inverted_mask;
	uint8_t revision;
	void (*tame)(struct random *random, unsigned char *data);
	bool always_tame; /* random data would be something else: not done in BPF */
};

static const struct made_match matches[] = {
	{ "tcp", IPPROTO_TCP, sizeof(struct xt_tcp), offsetof(struct xt_tcp, invflags),
	  XT_TCP_INV_MASK, 0, NULL, false },
	{ "udp", IPPROTO_UDP, sizeof(struct xt_udp), offsetof(struct xt_udp, invflags),
	  XT_UDP_INV_MASK, 0, NULL, false },
	{ "icmp", IPPROTO_ICMP, sizeof(struct ipt_icmp), offsetof(struct ipt_icmp, invflags),
	  IPT_ICMP_INV, 0, NULL, false },
	{ "icmp6", IPPROTO_ICMPV6, sizeof(struct ip6t_icmp), offsetof(struct ip6t_icmp, invflags),
	  IP6T_ICMP_INV, 0, NULL, false },
	{ "mh", IPPROTO_MH, sizeof(struct ip6t_mh), offsetof(struct ip6t_mh, invflags),
	  IP6T_MH_INV_MASK, 0, NULL, false },
	{ "comment", 0, sizeof(struct xt_comment_info), 0, 0, 0, NULL, false },
	{ "conntrack", 0, sizeof(struct xt_conntrack_mtinfo1), 0, 0, 1, NULL, false },
	{ "conntrack", 0, sizeof(struct xt_conntrack_mtinfo2), 0, 0, 2, NULL, false },
	{ "conntrack", 0, sizeof(struct xt_conntrack_mtinfo3), 0, 0, 3, NULL, false },
	{ "state", 0, sizeof(struct xt_state_info), 0, 0, 0, NULL, false },
	{ "multiport", IPPROTO_TCP, sizeof(struct xt_multiport_v1), 0, 0, 1, tame_multiport,
	  false },
	{ "multiport", 0, sizeof(struct xt_multiport_v1), 0, 0, 1, tame_multiport, false },
	{ "iprange", 0, sizeof(struct xt_iprange_mtinfo), 0, 0, 1, NULL, false },
	{ "esp", IPPROTO_ESP, sizeof(struct xt_esp), offsetof(struct xt_esp, invflags),
	  XT_ESP_INV_MASK, 0, NULL, false },
	{ "ah", IPPROTO_AH, sizeof(struct ipt_ah), offsetof(struct ipt_ah, invflags),
	  IPT_AH_INV_MASK, 0, NULL, false },
	{ "length", 0, sizeof(struct xt_length_info), 0, 0, 0, NULL, false },
	{ "sctp", IPPROTO_SCTP, sizeof(struct xt_sctp_info), 0, 0, 0, tame_sctp, false },
	{ "limit", 0, sizeof(struct xt_rateinfo), 0, 0, 0, make_limit, true },
	{ "quota", 0, sizeof(struct xt_quota_info), 0, 0, 0, tame_quota, false },
	{ "statistic", 0, sizeof(struct xt_statistic_info), 0, 0, 0, tame_statistic, false },
	{ "time", 0, sizeof(struct xt_time_info), 0, 0, 0, make_time, true },
	{ "mac", 0, sizeof(struct xt_mac_info), 0, 0, 0, NULL, false },
	{ "ttl", 0, sizeof(struct ipt_ttl_info), 0, 0, 0, NULL, false },
	{ "hl", 0, sizeof(struct ip6t_hl_info), 0, 0, 0, NULL, false },
	{ "tos", 0, sizeof(struct xt_tos_match_info), 0, 0, 1, NULL, false },
	{ "dscp", 0, sizeof(struct xt_dscp_info), 0, 0, 0, tame_dscp, false },
	{ "ecn", 0, sizeof(struct xt_ecn_info), 0, 0, 0, tame_ecn, false },
	{ "ecn", IPPROTO_TCP, sizeof(struct xt_ecn_info), 0, 0, 0, tame_ecn, false },
	{ "mark", 0, sizeof(struct xt_mark_mtinfo1), 0, 0, 1, NULL, false },
	{ "connmark", 0, sizeof(struct xt_connmark_mtinfo1), 0, 0, 1, NULL, false },
	{ "pkttype", 0, sizeof(struct xt_pkttype_info), 0, 0, 0, NULL, false },
	{ "owner", 0, sizeof(struct xt_owner_match_info), 0, 0, 1, tame_owner, false },
	{ "addrtype", 0, sizeof(struct xt_addrtype_info_v1), 0, 0, 1, tame_addrtype, false },
	{ "devgroup", 0, sizeof(struct xt_devgroup_info), 0, 0, 0, tame_devgroup, false },
	{ "realm", 0, sizeof(struct xt_realm_info), 0, 0, 0, NULL, false },
	{ "cpu", 0, sizeof(struct xt_cpu_info), 0, 0, 0, tame_cpu, false },
	{ "dccp", IPPROTO_DCCP, sizeof(struct xt_dccp_info), 0, 0, 0, tame_dccp, false },
	{ "tcpmss", IPPROTO_TCP, sizeof(struct xt_tcpmss_match_info), 0, 0, 0, tame_tcpmss, false },
	{ "helper", 0, sizeof(struct xt_helper_info), 0, 0, 0, NULL, false },
	{ "cgroup", 0, sizeof(struct xt_cgroup_info_v0), 0, 0, 0, tame_cgroup, false },
	{ "cgroup", 0, sizeof(struct xt_cgroup_info_v2), 0, 0, 2, tame_cgroup_2, false },
	{ "eui64", 0, sizeof(int), 0, 0, 0, NULL, false },
	{ "ah", 0, sizeof(struct ip6t_ah), offsetof(struct ip6t_ah, invflags), IP6T_AH_INV_MASK, 0,
	  NULL, false },
	{ "frag", 0, sizeof(struct ip6t_frag), offsetof(struct ip6t_frag, invflags),
	  IP6T_FRAG_INV_MASK, 0, NULL, false },
	{ "rt", 0, sizeof(struct ip6t_rt), 0, 0, 0, tame_rt, false },
	{ "hbh", 0, sizeof(struct ip6t_opts), offsetof(struct ip6t_opts, invflags),
	  IP6T_OPTS_INV_MASK, 0, tame_opts, false },
	{ "dst", 0, sizeof(struct ip6t_opts), offsetof(struct ip6t_opts, invflags),
	  IP6T_OPTS_INV_MASK, 0, tame_opts, false },
	{ "nonesuch", 0, 0, 0, 0, 0, NULL, false }, /* rarely, and of any size: nobody knows it */
};

static const struct made_match *choose_match(struct random *random)
{
	if (random_percent(random, 1) && random_percent(random, 20))
		return &matches[ARRAY_SIZE(matches) - 1];
	return &matches[random_below(random, ARRAY_SIZE(matches) - 1)];
}

/* Header of a match or target, at any alignment; the two are alike. Returns where its data is. */
static unsigned char *put_header(struct builder *builder, unsigned char *to, const char *name,
				 uint16_t size)
{
	memcpy(to, &size, sizeof(size));
	set_name(builder, (char *)to + offsetof(struct xt_entry_match, u.user.name),
		 XT_EXTENSION_MAXNAMELEN, name);
	to[offsetof(struct xt_entry_match, u.user.revision)] = 0;
	return to + sizeof(struct xt_entry_match);
}

/* One match behind the entry header; padding behind the data is garbage. Returns its size. */
static size_t add_match(struct builder *builder, unsigned char *to, const struct made_match *made)
{
	size_t size = sizeof(struct xt_entry_match) + XT_ALIGN(made->size);
	unsigned char *data;

	if (!made->size)
		size += random_below(builder->random, 33);
	data = put_header(builder, to, made->name, (uint16_t)size);
	to[offsetof(struct xt_entry_match, u.user.revision)] = made->revision;
	fill(builder->random, data, XT_ALIGN(made->size));
	if (made->inverted)
		data[made->inverted] &= made->inverted_mask;
	if (made->tame && (made->always_tame || random_percent(builder->random, 90)))
		made->tame(builder->random, data);
	return size;
}

static bool is_among(const char *name, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

static bool is_of_other_family(const struct made_match *made, enum family family)
{
	static const char *const ipv4[] = { "icmp", "ttl", "realm" };
	static const char *const ipv6[] = {
		"icmp6", "hl", "mh", "eui64", "frag", "rt", "hbh", "dst"
	};

	if (!strcmp(made->name, "ah")) /* both have one, by the protocol or not */
		return made->protocol ? family == FAMILY_IPV6 : family == FAMILY_IPV4;
	return family == FAMILY_IPV4 ? is_among(made->name, ipv6, ARRAY_SIZE(ipv6))
				     : is_among(made->name, ipv4, ARRAY_SIZE(ipv4));
}

/* Matches that fit the protocol which the first of them asks for. Returns their size. */
static size_t add_matches(struct builder *builder, unsigned char *base)
{
	const struct layout *layout = builder->layout;
	uint16_t protocol = 0;
	size_t size = 0;
	uint32_t count = random_percent(builder->random, 3) ? random_below(builder->random, 9)
							    : random_below(builder->random, 3);

	for (uint32_t i = 0; i < count; i++) {
		const struct made_match *made = choose_match(builder->random);

		if (is_of_other_family(made, builder->family) ||
		    (made->protocol && protocol && made->protocol != protocol))
			continue;
		if (made->protocol) {
			protocol = made->protocol;
			memcpy(base + layout->protocol, &protocol, sizeof(protocol));
			base[layout->inverted] &= (unsigned char)~XT_INV_PROTO;
			if (builder->family == FAMILY_IPV6)
				base[layout->flags] |= IP6T_F_PROTO;
		}
		size += add_match(builder, base + layout->entry_size + size, made);
	}
	return size;
}

/* What an entry itself matches on: sometimes nothing, sometimes anything at all. */
static void add_addresses(struct builder *builder, unsigned char *base)
{
	const struct layout *layout = builder->layout;

	if (random_percent(builder->random, 40))
		return;
	if (random_percent(builder->random, 20)) {
		fill(builder->random, base, layout->address_size);
		base[layout->flags] &= layout->flags_mask;
		base[layout->inverted] &= layout->inverted_mask;
		return;
	}
	base[random_below(builder->random, layout->protocol)] =
		(unsigned char)random_next(builder->random);
	if (random_percent(builder->random, 20))
		base[layout->inverted] =
			(unsigned char)random_next(builder->random) & layout->inverted_mask;
}

/* Start an entry: header and matches. Returns its offset in the blob; sizes come with the target.
 */
static size_t entry_begin(struct builder *builder)
{
	size_t start = builder->blob.size;
	unsigned char *base = extend(builder, ENTRY_MAX);
	size_t match_size;
	uint16_t target_offset;

	add_addresses(builder, base);
	match_size = add_matches(builder, base);
	target_offset = (uint16_t)(builder->layout->entry_size + match_size);
	memcpy(base + builder->layout->target_offset, &target_offset, sizeof(target_offset));
	if (random_percent(builder->random, 30)) {
		fill(builder->random, base + builder->layout->comefrom, sizeof(uint32_t));
		fill(builder->random, base + builder->layout->counters, sizeof(struct xt_counters));
	}
	return start;
}

/* An entry that every packet matches. */
static size_t entry_begin_plain(struct builder *builder)
{
	size_t start = builder->blob.size;
	unsigned char *base = extend(builder, ENTRY_MAX);
	uint16_t target_offset = (uint16_t)builder->layout->entry_size;

	memcpy(base + builder->layout->target_offset, &target_offset, sizeof(target_offset));
	return start;
}

static void entry_end(struct builder *builder, size_t start, size_t target_size)
{
	unsigned char *base = builder->blob.data + start;
	uint16_t size = (uint16_t)(field_u16(base, builder->layout->target_offset) + target_size);

	memcpy(base + builder->layout->next_offset, &size, sizeof(size));
	memset(base + size, 0, builder->blob.data + builder->blob.size - (base + size));
	builder->blob.size = start + size;
	blob_replace(&builder->blob)->num_entries++;
}

/* Bytes behind a target that belong to nothing, in one of @rarity cases: rarely of odd length. */
static size_t gap(struct builder *builder, uint32_t rarity)
{
	if (random_below(builder->random, rarity))
		return 0;
	return random_percent(builder->random, 90) ? 8u * random_below(builder->random, 5)
						   : random_below(builder->random, 40);
}

static unsigned char *entry_target(struct builder *builder, size_t start)
{
	unsigned char *base = builder->blob.data + start;

	return base + field_u16(base, builder->layout->target_offset);
}

static void add_verdict(struct builder *builder, size_t start, int32_t verdict)
{
	unsigned char *data = put_header(builder, entry_target(builder, start), XT_STANDARD_TARGET,
					 sizeof(struct xt_standard_target));

	memcpy(data, &verdict, sizeof(verdict));
	if (random_percent(builder->random, 20)) /* padding */
		fill(builder->random, data + sizeof(verdict), sizeof(verdict));
	entry_end(builder, start, sizeof(struct xt_standard_target) + gap(builder, 999));
}

static void add_error(struct builder *builder, const char *name)
{
	size_t start = entry_begin_plain(builder);
	unsigned char *data = put_header(builder, entry_target(builder, start), XT_ERROR_TARGET,
					 sizeof(struct xt_error_target));

	set_name(builder, (char *)data, XT_FUNCTION_MAXNAMELEN, name);
	if (random_percent(builder->random, 20))
		fill(builder->random, data + XT_FUNCTION_MAXNAMELEN, 2);
	entry_end(builder, start, sizeof(struct xt_error_target) + gap(builder, 40));
}

/* A rule of chain @chain (user chains count from 0, built-in ones are -1). */
static void add_rule(struct builder *builder, int64_t chain)
{
	static const int32_t verdicts[] = { -NF_ACCEPT - 1, -NF_DROP - 1, XT_RETURN };
	struct random *random = builder->random;
	size_t start = entry_begin(builder);
	uint32_t first = (uint32_t)(chain + 1), target, next;

	if (random_percent(random, 15)) { /* no target: a jump to the next rule */
		add_verdict(builder, start, 1);
		next = next_offset(builder);
		memcpy(entry_target(builder, start) + sizeof(struct xt_entry_target), &next,
		       sizeof(next));
		return;
	}
	if (first >= builder->chains || random_percent(random, 50)) {
		add_verdict(builder, start, RANDOM_OF(random, verdicts));
		return;
	}
	/* mostly to a later chain, which cannot make a loop; to the next makes deep stacks */
	target = random_percent(random, 40) ? first
					    : first + random_below(random, builder->chains - first);
	if (random_percent(random, 2))
		target = random_below(random, builder->chains);
	if (random_percent(random, 20))
		builder->blob.data[start + builder->layout->flags] |= builder->layout->goto_flag;
	add_verdict(builder, start, 1);
	builder->jumps[builder->jump_count++] = (struct jump){
		.at = (size_t)(entry_target(builder, start) + sizeof(struct xt_entry_target) -
			       builder->blob.data),
		.chain = target,
	};
}

static void add_policy(struct builder *builder, int32_t verdict)
{
	add_verdict(builder, entry_begin_plain(builder), verdict);
}

static uint32_t rules_of_chain(struct random *random)
{
	if (random_percent(random, 1))
		return 300;
	return random_percent(random, 10) ? random_below(random, 30) : random_below(random, 4);
}

#define RULES_MAX ((CHAINS_MAX + 3) * 301)

static void add_builtin(struct builder *builder, int hook)
{
	uint32_t rules = rules_of_chain(builder->random);

	blob_replace(&builder->blob)->hook_entry[hook] = next_offset(builder);
	for (uint32_t i = 0; i < rules; i++)
		add_rule(builder, -1);
	blob_replace(&builder->blob)->underflow[hook] = next_offset(builder);
	add_policy(builder, random_percent(builder->random, 50) ? -NF_ACCEPT - 1 : -NF_DROP - 1);
}

static void add_chain(struct builder *builder, uint32_t chain)
{
	uint32_t rules = rules_of_chain(builder->random);
	char name[XT_FUNCTION_MAXNAMELEN];

	snprintf(name, sizeof(name), "chain-%u", chain);
	add_error(builder, name);
	builder->chain_offset[chain] = next_offset(builder);
	for (uint32_t i = 0; i < rules; i++)
		add_rule(builder, chain);
	add_policy(builder, XT_RETURN);
}

static void resolve_jumps(struct builder *builder)
{
	for (size_t i = 0; i < builder->jump_count; i++)
		memcpy(builder->blob.data + builder->jumps[i].at,
		       &builder->chain_offset[builder->jumps[i].chain], sizeof(uint32_t));
}

static uint32_t chain_count(struct random *random)
{
	if (random_percent(random, 2))
		return CHAINS_MAX;
	return random_percent(random, 20) ? random_below(random, 20) : random_below(random, 5);
}

struct blob blob_generate(enum family family, struct random *random)
{
	struct builder builder = {
		.family = family,
		.layout = layout_get(family),
		.random = random,
		.chains = chain_count(random),
		.jumps = xcalloc(RULES_MAX, sizeof(struct jump)),
	};
	struct ipt_replace *replace = (struct ipt_replace *)extend(&builder, sizeof(*replace));

	set_name(&builder, replace->name, sizeof(replace->name), FILTER_NAME);
	replace->valid_hooks = FILTER_HOOKS;
	for (int hook = 0; hook < TABLE_HOOKS; hook++)
		replace->hook_entry[hook] = replace->underflow[hook] =
			(uint32_t)random_next(random); /* of hooks that are not there: ignored */
	for (int hook = NF_INET_LOCAL_IN; hook <= NF_INET_LOCAL_OUT; hook++)
		add_builtin(&builder, hook);
	for (uint32_t chain = 0; chain < builder.chains; chain++)
		add_chain(&builder, chain);
	if (!random_percent(random, 2))
		add_error(&builder, XT_ERROR_TARGET);
	resolve_jumps(&builder);
	free(builder.jumps);
	replace = blob_replace(&builder.blob);
	replace->size = next_offset(&builder);
	replace->num_counters = 4;
	return builder.blob;
}
