/* SPDX-License-Identifier: GPL-2.0-only */
/* Matches and targets: known, of the right size, and with data that they accept. */
#include "check.h"

#include <errno.h>

#include "extension.h"
#include "layout.h"
#include "text.h"
#include "unsupported.h"

/* Whether the kernel knows it, only the kernel can say. */
static int refuse(const struct table *table, uint32_t index, const char *kind, const char *name,
		  struct message *message)
{
	const char *reason = unsupported_reason(name);
	char place[MESSAGE_SIZE / 2];

	rule_place(table, index, place, sizeof(place));
	return message_set(message, -EOPNOTSUPP, "%s: %s \"%s\" is not done in BPF%s%s", place,
			   kind, name, reason ? ": " : "", reason ? reason : "");
}

static bool name_terminated(const char *name)
{
	return strnlen(name, XT_EXTENSION_MAXNAMELEN) < XT_EXTENSION_MAXNAMELEN;
}

/*
 * The kernel hands out zeros behind the data of a match or target, and where it keeps data of its
 * own there, whatever the client sent.
 */
static void clear_behind(struct table *table, const unsigned char *data, size_t kept, size_t size)
{
	memset(table->entries + (data - table->entries) + kept, 0, XT_ALIGN(size) - kept);
}

/* A match that reads a protocol's header must only see packets of that protocol. */
static bool protocol_fits(const struct match_extension *extension,
			  const struct match_context *context)
{
	return !extension->protocol ||
	       (extension->protocol == context->protocol && !context->protocol_inverted);
}

static struct match_context context_of(const struct table *table, uint32_t index)
{
	const struct layout *layout = layout_get(table->family);
	const unsigned char *base = table->entries + table->offsets[index];

	return (struct match_context){
		.family = table->family,
		.protocol = field_u16(base, layout->protocol),
		.protocol_inverted = field_u8(base, layout->inverted) & XT_INV_PROTO,
		.hooks = field_u32(base, layout->comefrom),
		.protocol_wanted = table->family == FAMILY_IPV4 ||
				   field_u8(base, layout->flags) & IP6T_F_PROTO,
	};
}

/* Whether the kernel has it in that revision, the kernel is to say. */
static int match_unknown(const struct table *table, uint32_t index,
			 const struct xt_entry_match *match, struct message *message)
{
	const char *name = match->u.user.name;

	return refuse(table, index,
		      match_named(table->family, name) ? "another revision of match" : "match",
		      name, message);
}

static int check_match(struct table *table, uint32_t index, const struct xt_entry_match *match,
		       struct message *message)
{
	const char *name = match->u.user.name;
	struct match_context context = context_of(table, index);
	const struct match_extension *extension;
	int error;

	if (!name_terminated(name))
		return -EINVAL;
	extension = match_find(table->family, name, match->u.user.revision);
	if (!extension)
		return match_unknown(table, index, match, message);
	if (match->u.match_size != sizeof(*match) + XT_ALIGN(extension->size) ||
	    !protocol_fits(extension, &context) ||
	    (extension->hooks && context.hooks & ~extension->hooks))
		return -EINVAL;
	error = extension->check ? extension->check(match->data, &context) : 0;
	if (error == -EOPNOTSUPP)
		return refuse(table, index, "these options of match", name, message);
	clear_behind(table, match->data,
		     extension->user_size ? extension->user_size : extension->size,
		     extension->size);
	if (extension->terminator)
		table->entries[match->data - table->entries + extension->terminator] = 0;
	return error;
}

/* Bytes of data of the targets that are part of the table's structure: verdict and chain name. */
static size_t target_data_size(const void *target)
{
	return target_is(target, XT_STANDARD_TARGET) ? sizeof(int32_t) : XT_FUNCTION_MAXNAMELEN;
}

/* Another revision than ours is the kernel's to judge. */
static int check_target_extension(struct table *table, uint32_t index, const unsigned char *target,
				  struct message *message)
{
	const unsigned char *data = target + sizeof(struct xt_entry_target);
	struct match_context context = context_of(table, index);
	const struct target_extension *extension =
		target_find(table->family, target_name(target),
			    target[offsetof(struct xt_entry_target, u.user.revision)]);

	if (!extension)
		return refuse(table, index, "target", target_name(target), message);
	if (field_u16(target, 0) != sizeof(struct xt_entry_target) + XT_ALIGN(extension->size) ||
	    (extension->check && extension->check(data, &context)))
		return -EINVAL;
	clear_behind(table, data, extension->user_size ? extension->user_size : extension->size,
		     extension->size);
	return 0;
}

static int check_target(struct table *table, uint32_t index, const unsigned char *target,
			struct message *message)
{
	size_t size;

	if (!name_terminated(target_name(target)))
		return -EINVAL;
	if (!target_is(target, XT_STANDARD_TARGET) && !target_is(target, XT_ERROR_TARGET))
		return check_target_extension(table, index, target, message);
	if (target[offsetof(struct xt_entry_target, u.user.revision)] != 0)
		return -ENOENT;
	size = target_data_size(target);
	if (field_u16(target, 0) != sizeof(struct xt_entry_target) + XT_ALIGN(size))
		return -EINVAL;
	clear_behind(table, target + sizeof(struct xt_entry_target), size, size);
	return 0;
}

int check_extensions(struct table *table, enum table_demand demand, struct message *message)
{
	for (uint32_t i = 0; i < table->entry_count; i++) {
		struct entry entry = table_entry(table, i);
		const unsigned char *next = entry.match_begin;
		int error = 0;

		while (!error && next < entry.match_end) {
			const struct xt_entry_match *match = (const struct xt_entry_match *)next;

			error = check_match(table, i, match, message);
			next += match->u.match_size;
		}
		if (!error)
			error = check_target(table, i, entry.match_end, message);
		if (error && !(error == -EOPNOTSUPP && demand == DEMAND_SOUND))
			return error;
	}
	return 0;
}

/*
 * Without IP6T_F_PROTO the kernel does not look for the transport header, and a match that needs it
 * reads the IPv6 header instead. No client sends that, and nobody should rely on it.
 */
static bool reads_transport_blindly(const struct entry *entry)
{
	const struct xt_entry_match *match = (const struct xt_entry_match *)entry->match_begin;

	if (!entry->ipv6 || entry->ipv6->flags & IP6T_F_PROTO)
		return false;
	while ((const unsigned char *)match < entry->match_end) {
		const struct match_extension *extension =
			match_find(FAMILY_IPV6, match->u.user.name, match->u.user.revision);

		if (extension->protocol || (extension->transport && entry->ipv6->proto))
			return true;
		match = (const struct xt_entry_match *)((const unsigned char *)match +
							match->u.match_size);
	}
	return false;
}

int check_supported(const struct table *table, struct message *message)
{
	for (uint32_t i = 0; i < table->entry_count; i++) {
		struct entry entry = table_entry(table, i);

		if (target_is(entry.target, XT_STANDARD_TARGET) &&
		    target_verdict(entry.target) == -NF_QUEUE - 1)
			return refuse(table, i, "target", "QUEUE", message);
		if (reads_transport_blindly(&entry))
			return refuse(table, i, "protocol match", "without IP6T_F_PROTO", message);
	}
	return 0;
}
