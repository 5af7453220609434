/* SPDX-License-Identifier: GPL-2.0-only */
/* -m sctp: ports; as xt_sctp.c. Chunk types are the kernel's to look for. */
#include "extensions.h"

#include <errno.h>
#include <linux/netfilter/xt_sctp.h>
#include <netinet/in.h>
#include <string.h>

static int sctp_check(const void *data, const struct match_context *context)
{
	const struct xt_sctp_info *info = data;
	uint32_t types = SCTP_CHUNK_MATCH_ALL | SCTP_CHUNK_MATCH_ANY | SCTP_CHUNK_MATCH_ONLY;

	(void)context;
	if (info->flags & ~XT_SCTP_VALID_FLAGS || info->invflags & ~XT_SCTP_VALID_FLAGS ||
	    info->invflags & ~info->flags || (uint32_t)info->flag_count > XT_NUM_SCTP_FLAGS)
		return -EINVAL;
	if (info->flags & XT_SCTP_CHUNK_TYPES && !(info->chunk_match_type & types))
		return -EINVAL;
	return 0;
}

static void print_port_range(FILE *out, const struct xt_sctp_info *info, uint32_t flag,
			     const char *option, const uint16_t ports[2])
{
	if (!(info->flags & flag))
		return;
	print_inverted(out, inversion(info->invflags, flag));
	fprintf(out, " %s", option);
	print_number_range(out, ports[0], ports[1]);
}

static int sctp_print(const void *data, const struct match_context *context, FILE *out)
{
	const struct xt_sctp_info *info = data;

	(void)context;
	fputs(" -m sctp", out);
	print_port_range(out, info, XT_SCTP_SRC_PORTS, "--sport", info->spts);
	print_port_range(out, info, XT_SCTP_DEST_PORTS, "--dport", info->dpts);
	return ferror(out) ? -ENOMEM : 0;
}

static int sctp_lower(const void *data, const struct match_context *context, struct rule *rule)
{
	const struct xt_sctp_info *info = data;

	(void)context;
	if (info->flags & XT_SCTP_CHUNK_TYPES)
		return -ENOENT;
	if (lower_transport(rule, false))
		return -ENOMEM;
	if (info->flags & XT_SCTP_SRC_PORTS &&
	    lower_range(rule, FIELD_SOURCE_PORT, info->spts[0], info->spts[1], UINT16_MAX,
			inversion(info->invflags, XT_SCTP_SRC_PORTS)))
		return -ENOMEM;
	if (!(info->flags & XT_SCTP_DEST_PORTS))
		return 0;
	return lower_range(rule, FIELD_DESTINATION_PORT, info->dpts[0], info->dpts[1], UINT16_MAX,
			   inversion(info->invflags, XT_SCTP_DEST_PORTS));
}

const struct match_extension match_sctp = {
	.name = "sctp",
	.families = FAMILIES_ALL,
	.protocol = IPPROTO_SCTP,
	.options = "--sport, --dport, --chunk-types",
	.limits = "--chunk-types is not done: a packet has any number of chunks",
	.size = sizeof(struct xt_sctp_info),
	.check = sctp_check,
	.print = sctp_print,
	.lower = sctp_lower,
};
