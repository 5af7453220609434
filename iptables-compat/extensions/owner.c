/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * -m owner: the user and group of who opened the socket that sends, or whether there is one; as
 * xt_owner.c: owner_mt().
 */
#include "extensions.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/xt_owner.h>

static bool range_is_sound(uint32_t min, uint32_t max)
{
	return min != UINT32_MAX && max != UINT32_MAX && min <= max;
}

static int owner_check(const void *data, const struct match_context *context)
{
	const struct xt_owner_match_info *info = data;

	(void)context;
	if (info->match & ~XT_OWNER_MASK ||
	    (info->match & XT_OWNER_UID && !range_is_sound(info->uid_min, info->uid_max)) ||
	    (info->match & XT_OWNER_GID && !range_is_sound(info->gid_min, info->gid_max)))
		return -EINVAL;
	return 0;
}

static bool print_option(FILE *out, const struct xt_owner_match_info *info, uint8_t flag,
			 const char *name)
{
	if (!(info->match & flag))
		return false;
	fprintf(out, "%s %s", info->invert & flag ? " !" : "", name);
	return true;
}

static void print_ids(FILE *out, uint32_t min, uint32_t max)
{
	fprintf(out, min == max ? " %u" : " %u-%u", min, max);
}

static int owner_print(const void *data, const struct match_context *context, FILE *out)
{
	const struct xt_owner_match_info *info = data;

	(void)context;
	fputs(" -m owner", out);
	print_option(out, info, XT_OWNER_SOCKET, "--socket-exists");
	if (print_option(out, info, XT_OWNER_UID, "--uid-owner"))
		print_ids(out, info->uid_min, info->uid_max);
	if (print_option(out, info, XT_OWNER_GID, "--gid-owner"))
		print_ids(out, info->gid_min, info->gid_max);
	print_option(out, info, XT_OWNER_SUPPL_GROUPS, "--suppl-groups");
	return ferror(out) ? -ENOMEM : 0;
}

/* @flags: PACKET_HAS_*; whether the packet has all of them, or not. */
static struct predicate socket_predicate(uint8_t flags, bool has)
{
	struct predicate predicate = { .field = FIELD_SOCKET, .invert = !has };

	predicate.masked.value[0] = predicate.masked.mask[0] = flags;
	return predicate;
}

/* A condition on who owns the socket, where somebody does. */
static int add_ids(struct rule *rule, const struct xt_owner_match_info *info, uint8_t flag,
		   enum field field, uint32_t min, uint32_t max)
{
	struct predicate nobody = socket_predicate(PACKET_HAS_OWNER, false);
	struct predicate ids = { .field = (uint8_t)field,
				 .invert = info->invert & flag,
				 .range = { min, max } };

	if (!(info->match & flag))
		return 0;
	nobody.or_next = true;
	return rule_add(rule, &nobody) || rule_add(rule, &ids) ? -ENOMEM : 0;
}

/* The same of all the owner's groups. Where nobody owns the socket, it is none of these. */
static int add_groups(struct rule *rule, const struct xt_owner_match_info *info)
{
	return rule_add(rule, &(struct predicate){
				      .field = FIELD_HOOK_STATE,
				      .invert = info->invert & XT_OWNER_GID,
				      .state = { .kind = STATE_GROUPS,
						 .groups = { info->gid_min, info->gid_max } } });
}

/*
 * What the kernel answers without a socket, and with one that no process has open, depends on the
 * options alone; PACKET_HAS_OWNER is set only together with PACKET_HAS_SOCKET.
 */
static int lower_sockets(struct rule *rule, const struct xt_owner_match_info *info)
{
	uint8_t differ = info->match ^ info->invert;
	struct predicate socket = socket_predicate(PACKET_HAS_SOCKET, true);
	struct predicate none = socket_predicate(PACKET_HAS_SOCKET, false);
	struct predicate owner = socket_predicate(PACKET_HAS_OWNER, true);
	int error = 0;

	if (differ)
		error = rule_add(rule, &socket);
	if (!error && info->match & info->invert & XT_OWNER_SOCKET)
		error = rule_add(rule, &none);
	if (!error && differ & (XT_OWNER_UID | XT_OWNER_GID)) {
		none.or_next = true;
		error = rule_add(rule, &none) || rule_add(rule, &owner) ? -ENOMEM : 0;
	}
	return error;
}

static int owner_lower(const void *data, const struct match_context *context, struct rule *rule)
{
	const struct xt_owner_match_info *info = data;
	int error;

	(void)context;
	error = lower_sockets(rule, info);
	if (!error)
		error = add_ids(rule, info, XT_OWNER_UID, FIELD_UID, info->uid_min, info->uid_max);
	if (error || !(info->match & XT_OWNER_GID))
		return error;
	if (info->match & XT_OWNER_SUPPL_GROUPS)
		return add_groups(rule, info);
	return add_ids(rule, info, XT_OWNER_GID, FIELD_GID, info->gid_min, info->gid_max);
}

const struct match_extension match_owner = {
	.name = "owner",
	.revision = 1,
	.families = FAMILIES_ALL,
	.hooks = 1u << NF_INET_LOCAL_OUT | 1u << NF_INET_POST_ROUTING,
	.options = "--uid-owner, --gid-owner, --socket-exists, --suppl-groups",
	.limits = "ids are those of the initial user namespace",
	.size = sizeof(struct xt_owner_match_info),
	.check = owner_check,
	.print = owner_print,
	.lower = owner_lower,
};
