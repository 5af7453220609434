/* SPDX-License-Identifier: GPL-2.0-only */
/* `ubpfilter check`: where each rule of an iptables-save file is enforced on this kernel, how
 * exactly, and why not. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"
#include "../iptables-compat/text.h"
#include "../supervisor/client.h"
#include "commands.h"
#include "field.h"
#include "findings.h"
#include "place.h"

/* Something is not as iptables has it. */
#define EXIT_INEXACT 3

static const char usage[] =
	"usage: ubpfilter check [-4 | -6] [--hook auto|netfilter|xdp|tc] RULES\n"
	"\n"
	"Says of each rule of the table \"filter\" in an iptables-save file (- is standard input)\n"
	"where it is enforced on this kernel, whether that is exactly what iptables does, and\n"
	"why not; and of rules that drop, whether they do so early, and why not. Nothing is\n"
	"loaded or changed, and root is not needed.\n"
	"\n"
	"  -4, -6           iptables rules (the default) or ip6tables rules\n"
	"  --hook HOOK      instead of the one in /etc/ubpfilter.conf\n"
	"  -h, --help       show this\n"
	"\n"
	"Ends with status 0 if all rules are exact, 3 if some are not, 1 if the rules cannot be\n"
	"read.\n";

struct arguments {
	enum family family;
	int hook; /* enum hook_choice, or -1: as configured */
	const char *rules;
};

/* Return: 0; the exit status plus one. */
static int parse_arguments(struct arguments *arguments, int argc, char **argv)
{
	static const struct option options[] = {
		{ "ipv4", no_argument, NULL, '4' },
		{ "ipv6", no_argument, NULL, '6' },
		{ "hook", required_argument, NULL, 'k' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	enum hook_choice hook;
	int option;

	*arguments = (struct arguments){ .family = FAMILY_IPV4, .hook = -1 };
	while ((option = getopt_long(argc, argv, "46h", options, NULL)) != -1) {
		switch (option) {
		case '4':
			arguments->family = FAMILY_IPV4;
			break;
		case '6':
			arguments->family = FAMILY_IPV6;
			break;
		case 'k':
			if (!hook_parse(optarg, &hook)) {
				arguments->hook = (int)hook;
				break;
			}
			fprintf(stderr,
				"ubpfilter check: hook \"%s\" is none of auto, netfilter, xdp, "
				"tc\n",
				optarg);
			return EXIT_USAGE + 1;
		case 'h':
			fputs(usage, stdout);
			return EXIT_SUCCESS + 1;
		default:
			return EXIT_USAGE + 1;
		}
	}
	if (argc - optind != 1) {
		fprintf(stderr, "ubpfilter check: %s%s\n",
			optind < argc ? "unexpected argument: " : "no file of rules",
			optind < argc ? argv[optind + 1] : "");
		return EXIT_USAGE + 1;
	}
	arguments->rules = argv[optind];
	return 0;
}

/* As the supervisor reads it. */
static int read_config(struct config *config, const struct arguments *arguments,
		       struct message *message)
{
	const char *hook = getenv("UBPFILTER_HOOK"), *strict = getenv("UBPFILTER_STRICT");
	int error = config_read(config, client_config(), message);

	if (error)
		return error;
	if (hook && *hook && hook_parse(hook, &config->hook))
		return message_set(message, -EINVAL,
				   "UBPFILTER_HOOK is \"%s\", none of auto, netfilter, xdp, tc",
				   hook);
	if (strict && *strict && yes_parse(strict, &config->strict))
		return message_set(message, -EINVAL,
				   "UBPFILTER_STRICT is \"%s\", neither yes nor no", strict);
	if (arguments->hook >= 0)
		config->hook = (enum hook_choice)arguments->hook;
	return 0;
}

/* --- what is said ---------------------------------------------------------------------------- */

#define OUTPUT_ONLY (1u << HOOK_OUTPUT)

/* Heads of chains, the end of the table, and the RETURN that ends a chain are nobody's rules. */
static bool is_written(const struct ir *ir, uint32_t index)
{
	const struct rule *rule = &ir->rules[index];

	if (rule->action == ACTION_NONE)
		return false;
	return !(rule->action == ACTION_RETURN && !rule->predicate_count &&
		 ir->rules[index + 1].action == ACTION_NONE);
}

/* It drops what comes in, and there is somebody who could do that early. */
static bool could_drop_early(const struct findings *findings, uint32_t index)
{
	return findings->earliness && findings->known->rules[index].action == ACTION_DROP &&
	       findings->hooks[index] & ~OUTPUT_ONLY;
}

static bool drops_early(const struct findings *findings, uint32_t index)
{
	return could_drop_early(findings, index) && findings->earliness[index].arrives &&
	       !rule_is_unknown(&findings->known->rules[index]);
}

static const char *rule_place_name(const struct findings *findings, uint32_t index)
{
	if (!findings->hooks[index])
		return "nowhere";
	if (findings->refused)
		return "refused";
	if (drops_early(findings, index))
		return "early";
	if (findings->kernel.text[0])
		return "kernel";
	/* what is sent leaves by TC, wherever what comes is judged */
	if (findings->surroundings.alone && findings->hooks[index] == OUTPUT_ONLY)
		return "tc";
	return findings->place;
}

static void print_why_late(const struct findings *findings, uint32_t index)
{
	const struct rule *rule = &findings->known->rules[index];
	uint32_t stopped_by = findings->earliness[index].stopped_by;
	char place[MESSAGE_SIZE / 2];

	printf("%20snot early: ", "");
	for (uint32_t i = 0; i < rule->predicate_count; i++) {
		enum field field = (enum field)rule->predicates[i].field;

		if (field_is_known_early(field))
			continue;
		printf("it reads the %s\n", field_info(field)->name);
		return;
	}
	rule_place(findings->table, stopped_by, place, sizeof(place));
	printf("behind %s, which any packet may match\n", place);
}

static void print_rule(const struct findings *findings, uint32_t index, reasons_t reasons)
{
	static const char *const words[] = {
		[EFFECT_NONE] = "exact", [EFFECT_COUNTS] = "counts", [EFFECT_VERDICT] = "differs"
	};
	const char *separator = "";
	_cleanup_free_ char *text = NULL;

	if (rule_text(findings->table, index, &text))
		text = NULL; /* no memory for it: the rest of the line is worth having */
	printf("%-10s %-8s %s\n", rule_place_name(findings, index),
	       findings->refused ? "-" : words[reasons_effect(reasons)], text ? text : "?");
	if (findings->refusals[index].text[0])
		printf("%20s%s\n", "", findings->refusals[index].text);
	if (could_drop_early(findings, index) && !drops_early(findings, index))
		print_why_late(findings, index);
	if (!reasons)
		return;
	printf("%20s", "");
	for (unsigned i = 0; reason_name(i); i++) {
		if (!(reasons >> i & 1))
			continue;
		printf("%s%s", separator, reason_name(i));
		separator = ", ";
	}
	putchar('\n');
}

static void print_reasons(reasons_t reasons)
{
	if (!reasons)
		return;
	puts("\nexact: as iptables; counts: the same verdicts, but what is counted, or told to "
	     "the\n"
	     "sender, may differ; differs: some packets get another verdict. Why:");
	for (unsigned i = 0; reason_name(i); i++)
		if (reasons >> i & 1)
			printf("  %s: %s\n", reason_name(i), reason_text(i));
}

/* Return: the exit status. */
static int print_findings(const struct findings *findings)
{
	unsigned rules = 0, exact = 0, early = 0;
	reasons_t all = 0;

	if (findings->kernel.text[0])
		printf("%s: %s\n\n",
		       findings->refused ? "this table is refused (strict = yes)"
					 : "the kernel's own iptables enforces this table",
		       findings->kernel.text);
	for (uint32_t i = 0; i < findings->ir->rule_count; i++) {
		reasons_t reasons = 0;

		if (!is_written(findings->ir, i))
			continue;
		if (!findings->kernel.text[0])
			reasons = rule_reasons(&findings->ir->rules[i], findings->hooks[i],
					       &findings->surroundings);
		print_rule(findings, i, reasons);
		all |= reasons;
		rules++;
		exact += !reasons && !findings->refused;
		early += drops_early(findings, i);
	}
	if (early)
		puts("\nearly: XDP or TC drop what is certain to come to this rule, if nothing "
		     "else "
		     "is on its\nway to the hook; the rest is dropped there");
	print_reasons(all);
	printf("\n%u rules and policies, %u exact, %u not\n", rules, exact, rules - exact);
	return exact == rules ? EXIT_SUCCESS : EXIT_INEXACT;
}

int command_check(int argc, char **argv)
{
	struct findings findings = {};
	struct arguments arguments;
	struct config config;
	struct message message = {};
	int status = parse_arguments(&arguments, argc, argv);
	int error;

	if (status)
		return status - 1;
	error = read_config(&config, &arguments, &message);
	if (!error)
		error = findings_make(&findings, arguments.family, &config, arguments.rules,
				      &message);
	if (!error)
		status = print_findings(&findings);
	findings_free(&findings);
	if (!error)
		return status;
	/* silent where iptables-restore has spoken */
	if (message.text[0] || error != -EINVAL)
		fprintf(stderr, "ubpfilter check: %s\n",
			message.text[0] ? message.text : strerror(-error));
	return EXIT_FAILURE;
}
