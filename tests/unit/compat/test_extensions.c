/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * docs/extensions.md is what the code says of its extensions. The stages of one are those that know
 * all fields of the predicates that it lowers to, whatever its data.
 */
#include "../../../iptables-compat/extension.h"
#include "../../../iptables-compat/unsupported.h"
#include "../../../common/cleanup.h"
#include "../../../translator/field.h"

#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define DOCUMENT "docs/extensions.md"
#define DRAWS	 50000
#define DATA_MAX 1024

static const char heading[] =
	"# Extensions\n"
	"\n"
	"Made from the code by `make extensions-document`; a unit test holds it to that.\n"
	"\n"
	"Matches that BPF does, with each option and inversion unless it says otherwise, as the "
	"kernel\n"
	"does them: errors of the check, text of iptables-save, packets and counters. A table "
	"with\n"
	"another match or target, or with a match at a stage that does not know what it reads, is\n"
	"handed to the kernel's own ip_tables or refused (`--strict`).\n"
	"\n"
	"Stages: `nf` is the netfilter stage, which decides alone what XDP and TC do not know. "
	"What\n"
	"differs at XDP and TC whatever the match is in [semantics.md](semantics.md).\n"
	"\n"
	"| match | revision | families | options | stages | not done, or otherwise |\n"
	"|---|---|---|---|---|---|\n";

static uint32_t next_random(void)
{
	static uint64_t state = 88172645463325252u;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 33);
}

/* From mostly zeros to anything. */
static void draw(uint8_t *data, size_t size)
{
	uint32_t percent = 1 + next_random() % 60;

	for (size_t i = 0; i < size; i++)
		data[i] = next_random() % 100 < percent ? (uint8_t)(next_random() % 256) : 0;
}

/* The stages that know all of @rule's fields. */
static unsigned rule_stages(const struct rule *rule)
{
	unsigned stages = 0;

	for (unsigned stage = 0; stage < STAGE_COUNT; stage++)
		if (!rule_unknown(rule, (enum stage)stage))
			stages |= STAGE_BIT(stage);
	return stages;
}

static unsigned extension_stages(const struct match_extension *extension)
{
	static const uint8_t protocols[] = { IPPROTO_TCP, IPPROTO_UDP };
	_Alignas(8) uint8_t data[DATA_MAX];
	unsigned stages = ~0u, lowered = 0;

	cr_assert_leq(extension->size, sizeof(data));
	for (unsigned i = 0; i < DRAWS; i++) {
		struct match_context context = { .family = extension->families &
									   FAMILY_BIT(FAMILY_IPV4)
								   ? FAMILY_IPV4
								   : FAMILY_IPV6,
						 .protocol = extension->protocol };
		struct rule rule = { 0 };

		if (!context.protocol)
			context.protocol = protocols[i % 2];
		draw(data, extension->size);
		if (extension->check && extension->check(data, &context))
			continue;
		if (!extension->lower(data, &context, &rule)) {
			stages &= rule_stages(&rule);
			lowered++;
		}
		free(rule.predicates);
	}
	cr_assert_gt(lowered, 0, "%s: no data that it accepts", extension->name);
	return stages;
}

static const char *families_text(unsigned families)
{
	bool ipv4 = families & FAMILY_BIT(FAMILY_IPV4), ipv6 = families & FAMILY_BIT(FAMILY_IPV6);

	return ipv4 && ipv6 ? "IPv4, IPv6" : ipv4 ? "IPv4" : "IPv6";
}

static void write_row(FILE *out, const struct match_extension *extension)
{
	unsigned stages = extension_stages(extension);

	cr_assert_neq(extension->options, NULL, "%s has no options", extension->name);
	fprintf(out, "| %s | %u | %s | `%s` |", extension->name, extension->revision,
		families_text(extension->families), extension->options);
	for (unsigned stage = 0; stage < STAGE_COUNT; stage++)
		if (stages & STAGE_BIT(stage))
			fprintf(out, " %s", stage_name((enum stage)stage));
	fprintf(out, " | %s |\n", extension->limits ? extension->limits : "");
}

static const char targets_heading[] =
	"\n## Targets\n"
	"\n"
	"Executed by the kernel for packets that BPF has judged, right behind the netfilter stage\n"
	"(docs/architecture.md, \"Targets\"): their effects are the kernel's own, counters are "
	"BPF's. Where\n"
	"XDP or TC decide alone, and where a match of the same table reads what a target changes, "
	"the\n"
	"table is the kernel's. Early stages leave it packets that a target may mean.\n"
	"\n"
	"| target | revision | families | options | behind it | not with match |\n"
	"|---|---|---|---|---|---|\n";

static void write_target(FILE *out, const struct target_extension *target)
{
	cr_assert_neq(target->options, NULL, "%s has no options", target->name);
	fprintf(out, "| %s | %u | %s | `%s` | %s |", target->name, target->revision,
		families_text(target->families), target->options,
		target->end == TARGET_DROPS ? "dropped" : "the next rule");
	for (int i = 0; i < TARGET_CHANGES && target->changes[i]; i++)
		fprintf(out, " %s", target->changes[i]);
	fputs(" |\n", out);
}

static char *made(void)
{
	const struct match_extension *extension;
	const struct target_extension *target;
	const struct unsupported *unsupported;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	fputs(heading, out);
	for (size_t i = 0; (extension = match_at(i)); i++)
		write_row(out, extension);
	fputs(targets_heading, out);
	for (size_t i = 0; (target = target_at(i)); i++)
		write_target(out, target);
	fputs("\n## Left to the kernel\n\n| match, TARGET | reason |\n|---|---|\n", out);
	for (size_t i = 0; (unsupported = unsupported_at(i)); i++)
		fprintf(out, "| %s | %s |\n", unsupported->name, unsupported->reason);
	fclose(out);
	return text;
}

static char *found(void)
{
	FILE *in = fopen(DOCUMENT, "r");
	char *text = NULL;
	size_t room = 0;

	if (!in)
		return NULL;
	if (getdelim(&text, &room, '\0', in) < 0)
		cr_assert_fail("%s cannot be read", DOCUMENT);
	fclose(in);
	return text;
}

Test(extensions, document_is_what_the_code_says)
{
	_cleanup_free_ char *text = made();
	_cleanup_free_ char *document = NULL;

	if (getenv("UBPFILTER_WRITE_DOCUMENT")) {
		FILE *out = fopen(DOCUMENT, "w");

		cr_assert(out && fputs(text, out) >= 0 && fclose(out) == 0);
	}
	document = found();
	cr_assert_neq(document, NULL, "%s is not there", DOCUMENT);
	cr_assert(strcmp(document, text) == 0,
		  "%s is not what the code says: make extensions-document", DOCUMENT);
}
