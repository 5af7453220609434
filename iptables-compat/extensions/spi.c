/* SPDX-License-Identifier: GPL-2.0-only */
/* -m esp and IPv4's -m ah: the security parameter index; as xt_esp.c and ipt_ah.c. */
#include "extensions.h"

#include <errno.h>
#include <linux/netfilter/xt_esp.h>
#include <linux/netfilter_ipv4/ipt_ah.h>
#include <netinet/in.h>

_Static_assert(sizeof(struct xt_esp) == sizeof(struct ipt_ah) &&
		       offsetof(struct xt_esp, invflags) == offsetof(struct ipt_ah, invflags) &&
		       XT_ESP_INV_MASK == IPT_AH_INV_MASK && XT_ESP_INV_SPI == IPT_AH_INV_SPI,
	       "both are laid out alike");

static int spi_check(const void *data, const struct match_context *context)
{
	const struct xt_esp *info = data;

	(void)context;
	return info->invflags & ~XT_ESP_INV_MASK ? -EINVAL : 0;
}

static int print_spis(FILE *out, const char *match, const char *option, const struct xt_esp *info)
{
	fprintf(out, " -m %s", match);
	if (info->spis[0] == 0 && info->spis[1] == UINT32_MAX)
		return ferror(out) ? -ENOMEM : 0; /* the inverse is not printed either */
	print_inverted(out, inversion(info->invflags, XT_ESP_INV_SPI));
	fprintf(out, " %s", option);
	return print_number_range(out, info->spis[0], info->spis[1]);
}

static int esp_print(const void *data, const struct match_context *context, FILE *out)
{
	(void)context;
	return print_spis(out, "esp", "--espspi", data);
}

static int ah_print(const void *data, const struct match_context *context, FILE *out)
{
	(void)context;
	return print_spis(out, "ah", "--ahspi", data);
}

static int spi_lower(const void *data, const struct match_context *context, struct rule *rule)
{
	const struct xt_esp *info = data;

	(void)context;
	if (lower_transport(rule, false))
		return -ENOMEM;
	return lower_range(rule, FIELD_SPI, info->spis[0], info->spis[1], UINT32_MAX,
			   inversion(info->invflags, XT_ESP_INV_SPI));
}

const struct match_extension match_esp = {
	.name = "esp",
	.families = FAMILIES_ALL,
	.protocol = IPPROTO_ESP,
	.options = "--espspi",
	.size = sizeof(struct xt_esp),
	.check = spi_check,
	.print = esp_print,
	.lower = spi_lower,
};

const struct match_extension match_ah = {
	.name = "ah",
	.families = FAMILY_BIT(FAMILY_IPV4),
	.protocol = IPPROTO_AH,
	.options = "--ahspi",
	.size = sizeof(struct ipt_ah),
	.check = spi_check,
	.print = ah_print,
	.lower = spi_lower,
};
