/* SPDX-License-Identifier: GPL-2.0-only */
/* -m tcp: ports, flags, options; as xt_tcpudp.c: tcp_mt(). */
#include "extensions.h"

#include <errno.h>
#include <linux/netfilter/xt_tcpudp.h>
#include <netinet/in.h>

static int tcp_check(const void *data, const struct match_context *context)
{
	const struct xt_tcp *tcp = data;

	(void)context;
	return tcp->invflags & ~XT_TCP_INV_MASK ? -EINVAL : 0;
}

static int print_flag_names(FILE *out, uint8_t flags)
{
	static const char *const names[] = {
		"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"
	};
	const char *separator = " ";

	if (!flags)
		return fputs(" NONE", out) < 0 ? -ENOMEM : 0;
	for (size_t bit = 0; bit < ARRAY_SIZE(names); bit++) {
		if (!(flags & 1u << bit))
			continue;
		if (fprintf(out, "%s%s", separator, names[bit]) < 0)
			return -ENOMEM;
		separator = ",";
	}
	return 0;
}

static int print_flags(FILE *out, const struct xt_tcp *tcp)
{
	if (!tcp->flg_mask && !(tcp->invflags & XT_TCP_INV_FLAGS))
		return 0;
	if (print_inverted(out, inversion(tcp->invflags, XT_TCP_INV_FLAGS)) ||
	    fputs(" --tcp-flags", out) < 0 || print_flag_names(out, tcp->flg_mask))
		return -ENOMEM;
	return print_flag_names(out, tcp->flg_cmp);
}

static int print_option(FILE *out, const struct xt_tcp *tcp)
{
	if (!tcp->option && !(tcp->invflags & XT_TCP_INV_OPTION))
		return 0;
	if (print_inverted(out, inversion(tcp->invflags, XT_TCP_INV_OPTION)) ||
	    fprintf(out, " --tcp-option %u", tcp->option) < 0)
		return -ENOMEM;
	return 0;
}

static int tcp_print(const void *data, const struct match_context *context, FILE *out)
{
	const struct xt_tcp *tcp = data;

	(void)context;
	if (fputs(" -m tcp", out) < 0 ||
	    print_ports(out, "--sport", tcp->spts, inversion(tcp->invflags, XT_TCP_INV_SRCPT)) ||
	    print_ports(out, "--dport", tcp->dpts, inversion(tcp->invflags, XT_TCP_INV_DSTPT)) ||
	    print_option(out, tcp))
		return -ENOMEM;
	return print_flags(out, tcp);
}

/* (flags & mask) == value, where a mask of 0 or a value outside of it leaves nothing to read. */
static int lower_flags(struct rule *rule, const struct xt_tcp *tcp)
{
	bool invert = tcp->invflags & XT_TCP_INV_FLAGS;
	bool always = !tcp->flg_mask && !tcp->flg_cmp;
	bool never = tcp->flg_cmp & ~tcp->flg_mask;

	if (always || never)
		return always == invert ? lower_never(rule) : 0;
	return rule_add(rule,
			&(struct predicate){
				.field = FIELD_TCP_FLAGS,
				.invert = invert,
				.masked = { .value = { tcp->flg_cmp }, .mask = { tcp->flg_mask } },
			});
}

/* Option 0 stands for none asked for, whatever its inversion. */
static int lower_option(struct rule *rule, const struct xt_tcp *tcp)
{
	if (!tcp->option)
		return 0;
	return rule_add(rule, &(struct predicate){
				      .field = FIELD_TCP_OPTION,
				      .invert = tcp->invflags & XT_TCP_INV_OPTION,
				      .range = { .min = tcp->option, .max = tcp->option },
			      });
}

static int tcp_lower(const void *data, const struct match_context *context, struct rule *rule)
{
	const struct xt_tcp *tcp = data;

	(void)context;
	if (lower_transport(rule, true) ||
	    lower_range(rule, FIELD_SOURCE_PORT, tcp->spts[0], tcp->spts[1], UINT16_MAX,
			inversion(tcp->invflags, XT_TCP_INV_SRCPT)) ||
	    lower_range(rule, FIELD_DESTINATION_PORT, tcp->dpts[0], tcp->dpts[1], UINT16_MAX,
			inversion(tcp->invflags, XT_TCP_INV_DSTPT)) ||
	    lower_flags(rule, tcp))
		return -ENOMEM;
	return lower_option(rule, tcp);
}

const struct match_extension match_tcp = {
	.name = "tcp",
	.families = FAMILIES_ALL,
	.protocol = IPPROTO_TCP,
	.options = "--sport, --dport, --tcp-flags, --syn, --tcp-option",
	.size = sizeof(struct xt_tcp),
	.check = tcp_check,
	.print = tcp_print,
	.lower = tcp_lower,
};
