/* SPDX-License-Identifier: GPL-2.0-only */
/* -j REJECT: the packet is dropped, and its sender told; as ipt_REJECT.c and ip6t_REJECT.c. */
#include "extensions.h"

#include <errno.h>
#include <linux/netfilter_ipv4/ipt_REJECT.h>
#include <linux/netfilter_ipv6/ip6t_REJECT.h>
#include <string.h>

/* By enum ipt_reject_with; NULL: no answer that iptables knows. */
static const char *const answers_ipv4[] = {
	[IPT_ICMP_NET_UNREACHABLE] = "icmp-net-unreachable",
	[IPT_ICMP_HOST_UNREACHABLE] = "icmp-host-unreachable",
	[IPT_ICMP_PROT_UNREACHABLE] = "icmp-proto-unreachable",
	[IPT_ICMP_PORT_UNREACHABLE] = "icmp-port-unreachable",
	[IPT_ICMP_NET_PROHIBITED] = "icmp-net-prohibited",
	[IPT_ICMP_HOST_PROHIBITED] = "icmp-host-prohibited",
	[IPT_TCP_RESET] = "tcp-reset",
	[IPT_ICMP_ADMIN_PROHIBITED] = "icmp-admin-prohibited",
};

/* By enum ip6t_reject_with. */
static const char *const answers_ipv6[] = {
	[IP6T_ICMP6_NO_ROUTE] = "icmp6-no-route",
	[IP6T_ICMP6_ADM_PROHIBITED] = "icmp6-adm-prohibited",
	[IP6T_ICMP6_ADDR_UNREACH] = "icmp6-addr-unreachable",
	[IP6T_ICMP6_PORT_UNREACH] = "icmp6-port-unreachable",
	[IP6T_TCP_RESET] = "tcp-reset",
	[IP6T_ICMP6_POLICY_FAIL] = "icmp6-policy-fail",
	[IP6T_ICMP6_REJECT_ROUTE] = "icmp6-reject-route",
};

/* Both families' data are one number. */
static uint32_t answer_of(const void *data)
{
	uint32_t answer;

	memcpy(&answer, data, sizeof(answer));
	return answer;
}

_Static_assert(sizeof(struct ipt_reject_info) == 4 && sizeof(struct ip6t_reject_info) == 4,
	       "one number");

/* A reset answers TCP only. */
static int check_reset(const struct match_context *context)
{
	return context->protocol_wanted && context->protocol == IPPROTO_TCP &&
			       !context->protocol_inverted
		       ? 0
		       : -EINVAL;
}

static int reject_check_ipv4(const void *data, const struct match_context *context)
{
	if (answer_of(data) == IPT_ICMP_ECHOREPLY)
		return -EINVAL;
	return answer_of(data) == IPT_TCP_RESET ? check_reset(context) : 0;
}

static int reject_check_ipv6(const void *data, const struct match_context *context)
{
	if (answer_of(data) == IP6T_ICMP6_ECHOREPLY)
		return -EINVAL;
	return answer_of(data) == IP6T_TCP_RESET ? check_reset(context) : 0;
}

static int print_answer(FILE *out, const char *const *answers, size_t count, uint32_t answer)
{
	if (fputs(" --reject-with", out) < 0)
		return -ENOMEM;
	if (answer < count && answers[answer])
		return fprintf(out, " %s", answers[answer]) < 0 ? -ENOMEM : 0;
	return fprintf(out, " %u", answer) < 0 ? -ENOMEM : 0;
}

static int reject_print_ipv4(const void *data, FILE *out)
{
	return print_answer(out, answers_ipv4, ARRAY_SIZE(answers_ipv4), answer_of(data));
}

static int reject_print_ipv6(const void *data, FILE *out)
{
	return print_answer(out, answers_ipv6, ARRAY_SIZE(answers_ipv6), answer_of(data));
}

const struct target_extension target_reject_ipv4 = {
	.name = "REJECT",
	.families = FAMILY_BIT(FAMILY_IPV4),
	.end = TARGET_DROPS,
	.reads_protocol = true,
	.options = "--reject-with",
	.size = sizeof(struct ipt_reject_info),
	.check = reject_check_ipv4,
	.print = reject_print_ipv4,
};

const struct target_extension target_reject_ipv6 = {
	.name = "REJECT",
	.families = FAMILY_BIT(FAMILY_IPV6),
	.end = TARGET_DROPS,
	.reads_protocol = true,
	.options = "--reject-with",
	.size = sizeof(struct ip6t_reject_info),
	.check = reject_check_ipv6,
	.print = reject_print_ipv6,
};
