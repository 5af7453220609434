/* SPDX-License-Identifier: GPL-2.0-only */
/* -m ecn: explicit congestion notification in the IP and TCP headers; as xt_ecn.c. */
#include "extensions.h"

#include <errno.h>
#include <linux/netfilter/xt_ecn.h>
#include <netinet/in.h>

#define ON_TCP (XT_ECN_OP_MATCH_ECE | XT_ECN_OP_MATCH_CWR)

/* Of byte 13 of the TCP header. */
#define FLAG_ECE 0x40
#define FLAG_CWR 0x80

static int ecn_check(const void *data, const struct match_context *context)
{
	const struct xt_ecn_info *info = data;
	bool is_tcp = context->protocol == IPPROTO_TCP && !context->protocol_inverted;

	if ((info->operation | info->invert) & XT_ECN_OP_MATCH_MASK ||
	    (info->operation & ON_TCP && !is_tcp))
		return -EINVAL;
	return 0;
}

static int ecn_print(const void *data, const struct match_context *context, FILE *out)
{
	const struct xt_ecn_info *info = data;

	(void)context;
	fputs(" -m ecn", out);
	if (info->operation & XT_ECN_OP_MATCH_ECE) {
		print_inverted(out, inversion(info->invert, XT_ECN_OP_MATCH_ECE));
		fputs(" --ecn-tcp-ece", out);
	}
	if (info->operation & XT_ECN_OP_MATCH_CWR) {
		print_inverted(out, inversion(info->invert, XT_ECN_OP_MATCH_CWR));
		fputs(" --ecn-tcp-cwr", out);
	}
	if (info->operation & XT_ECN_OP_MATCH_IP) {
		print_inverted(out, inversion(info->invert, XT_ECN_OP_MATCH_IP));
		fprintf(out, " --ecn-ip-ect %u", info->ip_ect);
	}
	return ferror(out) ? -ENOMEM : 0;
}

static int lower_bits(struct rule *rule, enum field field, uint8_t value, uint8_t mask, bool invert)
{
	return rule_add(rule, &(struct predicate){
				      .field = (uint8_t)field,
				      .invert = invert,
				      .masked = { .value = { value }, .mask = { mask } },
			      });
}

static int ecn_lower(const void *data, const struct match_context *context, struct rule *rule)
{
	const struct xt_ecn_info *info = data;
	int error = 0;

	(void)context;
	if (info->operation & XT_ECN_OP_MATCH_IP)
		error = lower_bits(rule, FIELD_TOS, info->ip_ect, XT_ECN_IP_MASK & UINT8_MAX,
				   info->invert & XT_ECN_OP_MATCH_IP);
	if (!error && info->operation & ON_TCP)
		error = lower_range(rule, FIELD_TRANSPORT_STATE, TRANSPORT_OK, TRANSPORT_OK,
				    UINT8_MAX, PLAIN);
	if (!error && info->operation & XT_ECN_OP_MATCH_ECE)
		error = lower_bits(rule, FIELD_TCP_FLAGS, FLAG_ECE, FLAG_ECE,
				   info->invert & XT_ECN_OP_MATCH_ECE);
	if (!error && info->operation & XT_ECN_OP_MATCH_CWR)
		error = lower_bits(rule, FIELD_TCP_FLAGS, FLAG_CWR, FLAG_CWR,
				   info->invert & XT_ECN_OP_MATCH_CWR);
	return error;
}

const struct match_extension match_ecn = {
	.name = "ecn",
	.families = FAMILIES_ALL,
	.transport = true,
	.options = "--ecn-ip-ect, --ecn-tcp-ece, --ecn-tcp-cwr",
	.limits = "TCP flags match no later fragment, where the kernel takes data for a header",
	.size = sizeof(struct xt_ecn_info),
	.check = ecn_check,
	.print = ecn_print,
	.lower = ecn_lower,
};
