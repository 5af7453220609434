/* SPDX-License-Identifier: GPL-2.0-only */
#include "extension.h"

#include <string.h>

#include "extensions/extensions.h"

static const struct match_extension *const extensions[] = {
	&match_tcp,	    &match_udp,		&match_icmp,	    &match_icmp6,  &match_comment,
	&match_conntrack_1, &match_conntrack_2, &match_conntrack_3, &match_state,  &match_multiport,
	&match_iprange,	    &match_esp,		&match_ah,	    &match_length, &match_sctp,
	&match_limit,	    &match_quota,	&match_statistic,   &match_time,   &match_mac,
	&match_ttl,	    &match_hl,		&match_tos,	    &match_dscp,   &match_ecn,
	&match_mark,	    &match_connmark,	&match_pkttype,	    &match_owner,  &match_connbytes,
	&match_addrtype,    &match_devgroup,	&match_realm,	    &match_cpu,	   &match_hashlimit,
	&match_mh,	    &match_dccp,	&match_tcpmss,	    &match_eui64,  &match_cgroup_0,
	&match_cgroup_2,    &match_helper,	&match_ah_ipv6,	    &match_frag,   &match_rt,
	&match_hbh,	    &match_dst,
};

const struct match_extension *match_find(enum family family, const char *name, uint8_t revision)
{
	for (size_t i = 0; i < ARRAY_SIZE(extensions); i++)
		if (extensions[i]->families & FAMILY_BIT(family) &&
		    extensions[i]->revision == revision && strcmp(extensions[i]->name, name) == 0)
			return extensions[i];
	return NULL;
}

const struct match_extension *match_named(enum family family, const char *name)
{
	const struct match_extension *best = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(extensions); i++)
		if (extensions[i]->families & FAMILY_BIT(family) &&
		    strcmp(extensions[i]->name, name) == 0 &&
		    (!best || best->revision < extensions[i]->revision))
			best = extensions[i];
	return best;
}

const struct match_extension *match_at(size_t index)
{
	return index < ARRAY_SIZE(extensions) ? extensions[index] : NULL;
}

static const struct target_extension *const targets[] = {
	&target_reject_ipv4, &target_reject_ipv6, &target_log, &target_nflog, &target_mark,
};

const struct target_extension *target_at(size_t index)
{
	if (index < ARRAY_SIZE(targets))
		return targets[index];
	index -= ARRAY_SIZE(targets);
	return index < CONTINUING_TARGETS ? &targets_continuing[index] : NULL;
}

static bool target_is_named(const struct target_extension *target, enum family family,
			    const char *name)
{
	return target->families & FAMILY_BIT(family) && strcmp(target->name, name) == 0;
}

const struct target_extension *target_find(enum family family, const char *name, uint8_t revision)
{
	const struct target_extension *target;

	for (size_t i = 0; (target = target_at(i)); i++)
		if (target_is_named(target, family, name) && target->revision == revision)
			return target;
	return NULL;
}

const struct target_extension *target_named(enum family family, const char *name)
{
	const struct target_extension *target;

	for (size_t i = 0; (target = target_at(i)); i++)
		if (target_is_named(target, family, name))
			return target;
	return NULL;
}
