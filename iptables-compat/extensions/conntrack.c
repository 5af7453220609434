/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * -m conntrack, revisions 1 to 3: what conntrack knows of the packet's connection; as
 * xt_conntrack.c: conntrack_mt(). All revisions are brought to the form of the third.
 *
 * A packet without a connection is asked for its state only: then every other condition holds, and
 * without a condition on the state the match as a whole does not.
 */
#include "extensions.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/xt_conntrack.h>
#include <string.h>

#include "connection.h"

typedef struct xt_conntrack_mtinfo3 info_t;

/* The revisions are laid out alike up to the masks. */
#define COMMON_SIZE offsetof(info_t, state_mask)
_Static_assert(COMMON_SIZE == offsetof(struct xt_conntrack_mtinfo1, state_mask) &&
		       COMMON_SIZE == offsetof(struct xt_conntrack_mtinfo2, state_mask),
	       "revisions of xt_conntrack");

/* Before the third revision ports are single ones, in network order. */
static void widen_ports(info_t *info)
{
	info->origsrc_port_high = info->origsrc_port = ntohs(info->origsrc_port);
	info->origdst_port_high = info->origdst_port = ntohs(info->origdst_port);
	info->replsrc_port_high = info->replsrc_port = ntohs(info->replsrc_port);
	info->repldst_port_high = info->repldst_port = ntohs(info->repldst_port);
}

static info_t info_1(const void *data)
{
	const struct xt_conntrack_mtinfo1 *old = data;
	info_t info = { 0 };

	memcpy(&info, old, COMMON_SIZE);
	info.state_mask = old->state_mask;
	info.status_mask = old->status_mask;
	widen_ports(&info);
	return info;
}

static info_t info_2(const void *data)
{
	const struct xt_conntrack_mtinfo2 *old = data;
	info_t info = { 0 };

	memcpy(&info, old, COMMON_SIZE);
	info.state_mask = old->state_mask;
	info.status_mask = old->status_mask;
	widen_ports(&info);
	return info;
}

static info_t info_3(const void *data)
{
	info_t info;

	memcpy(&info, data, sizeof(info));
	return info;
}

/* --- conditions on addresses and ports ------------------------------------------------------- */

static const struct address_option {
	uint16_t flag;
	const char *name;
	enum field field;
	size_t address, mask; /* in info_t */
} address_options[] = {
	{ XT_CONNTRACK_ORIGSRC, "--ctorigsrc", FIELD_ORIGINAL_SOURCE,
	  offsetof(info_t, origsrc_addr), offsetof(info_t, origsrc_mask) },
	{ XT_CONNTRACK_ORIGDST, "--ctorigdst", FIELD_ORIGINAL_DESTINATION,
	  offsetof(info_t, origdst_addr), offsetof(info_t, origdst_mask) },
	{ XT_CONNTRACK_REPLSRC, "--ctreplsrc", FIELD_REPLY_SOURCE, offsetof(info_t, replsrc_addr),
	  offsetof(info_t, replsrc_mask) },
	{ XT_CONNTRACK_REPLDST, "--ctrepldst", FIELD_REPLY_DESTINATION,
	  offsetof(info_t, repldst_addr), offsetof(info_t, repldst_mask) },
};

static const struct port_option {
	uint16_t flag;
	const char *name;
	enum field field;
	size_t low, high; /* in info_t */
} port_options[] = {
	{ XT_CONNTRACK_ORIGSRC_PORT, "--ctorigsrcport", FIELD_ORIGINAL_SOURCE_PORT,
	  offsetof(info_t, origsrc_port), offsetof(info_t, origsrc_port_high) },
	{ XT_CONNTRACK_ORIGDST_PORT, "--ctorigdstport", FIELD_ORIGINAL_DESTINATION_PORT,
	  offsetof(info_t, origdst_port), offsetof(info_t, origdst_port_high) },
	{ XT_CONNTRACK_REPLSRC_PORT, "--ctreplsrcport", FIELD_REPLY_SOURCE_PORT,
	  offsetof(info_t, replsrc_port), offsetof(info_t, replsrc_port_high) },
	{ XT_CONNTRACK_REPLDST_PORT, "--ctrepldstport", FIELD_REPLY_DESTINATION_PORT,
	  offsetof(info_t, repldst_port), offsetof(info_t, repldst_port_high) },
};

static const uint8_t *bytes_at(const info_t *info, size_t offset)
{
	return (const uint8_t *)info + offset;
}

static uint16_t port_at(const info_t *info, size_t offset)
{
	uint16_t port;

	memcpy(&port, bytes_at(info, offset), sizeof(port));
	return port;
}

/* --- printing -------------------------------------------------------------------------------- */

/* " [!] OPTION"; nothing, and false, where the option is not used. */
static bool print_option(FILE *out, const info_t *info, uint16_t flag, const char *name)
{
	if (!(info->match_flags & flag))
		return false;
	fprintf(out, "%s %s", info->invert_flags & flag ? " !" : "", name);
	return true;
}

static void print_addresses(FILE *out, const info_t *info, enum family family)
{
	for (size_t i = 0; i < ARRAY_SIZE(address_options); i++) {
		const struct address_option *option = &address_options[i];

		if (print_option(out, info, option->flag, option->name))
			print_host_mask(out, family, bytes_at(info, option->address),
					bytes_at(info, option->mask));
	}
}

static void print_port_options(FILE *out, const info_t *info)
{
	for (size_t i = 0; i < ARRAY_SIZE(port_options); i++) {
		const struct port_option *option = &port_options[i];

		if (print_option(out, info, option->flag, option->name))
			print_number_range(out, port_at(info, option->low),
					   port_at(info, option->high));
	}
}

static int print_info(FILE *out, const info_t *info, enum family family)
{
	bool alias = info->match_flags & XT_CONNTRACK_STATE_ALIAS;

	fprintf(out, " -m %s", alias ? "state" : "conntrack");
	if (print_option(out, info, XT_CONNTRACK_STATE, alias ? "--state" : "--ctstate"))
		print_states(out, info->state_mask);
	if (print_option(out, info, XT_CONNTRACK_PROTO, "--ctproto"))
		fprintf(out, " %u", info->l4proto);
	print_addresses(out, info, family);
	print_port_options(out, info);
	if (print_option(out, info, XT_CONNTRACK_STATUS, "--ctstatus"))
		print_statuses(out, info->status_mask);
	if (print_option(out, info, XT_CONNTRACK_EXPIRES, "--ctexpire"))
		print_number_range(out, info->expires_min, info->expires_max);
	if (info->match_flags & XT_CONNTRACK_DIRECTION)
		fprintf(out, " --ctdir %s",
			info->invert_flags & XT_CONNTRACK_DIRECTION ? "REPLY" : "ORIGINAL");
	return ferror(out) ? -ENOMEM : 0;
}

/* --- lowering -------------------------------------------------------------------------------- */

static struct predicate bits_predicate(enum field field, uint32_t value, uint32_t mask)
{
	struct predicate predicate = { .field = (uint8_t)field };

	memcpy(predicate.masked.value, &value, sizeof(value));
	memcpy(predicate.masked.mask, &mask, sizeof(mask));
	return predicate;
}

/* Any of the bits: not all of them 0. */
static struct predicate any_predicate(enum field field, uint32_t bits)
{
	struct predicate predicate = bits_predicate(field, 0, bits);

	predicate.invert = true;
	return predicate;
}

static struct predicate range_predicate(enum field field, uint32_t min, uint32_t max)
{
	return (struct predicate){ .field = (uint8_t)field, .range = { min, max } };
}

static struct predicate address_predicate(const info_t *info, const struct address_option *option,
					  enum family family)
{
	struct predicate predicate = { .field = (uint8_t)option->field };
	size_t size = family == FAMILY_IPV4 ? 4 : 16;

	memcpy(predicate.masked.mask, bytes_at(info, option->mask), size);
	for (size_t i = 0; i < size; i++)
		predicate.masked.value[i] =
			bytes_at(info, option->address)[i] & predicate.masked.mask[i];
	return predicate;
}

/* The condition of one option; with one on the state, packets without a connection meet it. */
static int add_option(struct rule *rule, const info_t *info, uint16_t flag,
		      struct predicate predicate)
{
	struct predicate untracked = bits_predicate(FIELD_CONNECTION_FLAGS, 0, CONNECTION_TRACKED);

	if (!(info->match_flags & flag))
		return 0;
	if (info->invert_flags & flag)
		predicate.invert = !predicate.invert;
	untracked.or_next = true;
	if (info->match_flags & XT_CONNTRACK_STATE && rule_add(rule, &untracked))
		return -ENOMEM;
	return rule_add(rule, &predicate);
}

static int lower_state(struct rule *rule, const info_t *info)
{
	struct predicate tracked =
		bits_predicate(FIELD_CONNECTION_FLAGS, CONNECTION_TRACKED, CONNECTION_TRACKED);
	struct predicate state = any_predicate(FIELD_CONNECTION_STATE, info->state_mask);

	if (!(info->match_flags & XT_CONNTRACK_STATE))
		return rule_add(rule, &tracked);
	if (info->invert_flags & XT_CONNTRACK_STATE)
		state.invert = !state.invert;
	return rule_add(rule, &state);
}

static int lower_tuples(struct rule *rule, const info_t *info, enum family family)
{
	int error = 0;

	for (size_t i = 0; i < ARRAY_SIZE(address_options) && !error; i++)
		error = add_option(rule, info, address_options[i].flag,
				   address_predicate(info, &address_options[i], family));
	for (size_t i = 0; i < ARRAY_SIZE(port_options) && !error; i++) {
		const struct port_option *option = &port_options[i];

		error = add_option(rule, info, option->flag,
				   range_predicate(option->field, port_at(info, option->low),
						   port_at(info, option->high)));
	}
	return error;
}

static int lower_info(struct rule *rule, const info_t *info, enum family family)
{
	int error = lower_state(rule, info);

	if (!error)
		error = add_option(rule, info, XT_CONNTRACK_DIRECTION,
				   bits_predicate(FIELD_CONNECTION_FLAGS, 0, CONNECTION_REPLY));
	if (!error)
		error = add_option(
			rule, info, XT_CONNTRACK_PROTO,
			range_predicate(FIELD_CONNECTION_PROTOCOL, info->l4proto, info->l4proto));
	if (!error)
		error = lower_tuples(rule, info, family);
	if (!error)
		error = add_option(rule, info, XT_CONNTRACK_STATUS,
				   any_predicate(FIELD_CONNECTION_STATUS, info->status_mask));
	if (!error)
		error = add_option(rule, info, XT_CONNTRACK_EXPIRES,
				   range_predicate(FIELD_CONNECTION_EXPIRES, info->expires_min,
						   info->expires_max));
	return error;
}

/* --- the revisions --------------------------------------------------------------------------- */

#define OPTIONS                                                                            \
	"--ctstate, --ctproto, --ctorigsrc, --ctorigdst, --ctreplsrc, --ctrepldst, "       \
	"--ctorigsrcport, --ctorigdstport, --ctreplsrcport, --ctrepldstport, --ctstatus, " \
	"--ctexpire, --ctdir"

#define REVISION(number)                                                                 \
	static int print_##number(const void *data, const struct match_context *context, \
				  FILE *out)                                             \
	{                                                                                \
		info_t info = info_##number(data);                                       \
                                                                                         \
		return print_info(out, &info, context->family);                          \
	}                                                                                \
                                                                                         \
	static int lower_##number(const void *data, const struct match_context *context, \
				  struct rule *rule)                                     \
	{                                                                                \
		info_t info = info_##number(data);                                       \
                                                                                         \
		return lower_info(rule, &info, context->family);                         \
	}                                                                                \
                                                                                         \
	const struct match_extension match_conntrack_##number = {                        \
		.name = "conntrack",                                                     \
		.revision = number,                                                      \
		.families = FAMILIES_ALL,                                                \
		.options = OPTIONS,                                                      \
		.size = sizeof(struct xt_conntrack_mtinfo##number),                      \
		.print = print_##number,                                                 \
		.lower = lower_##number,                                                 \
	};

REVISION(1)
REVISION(2)
REVISION(3)
