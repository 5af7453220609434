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
#include "../loader/config.h"
#include "../loader/features.h"
#include "commands.h"
#include "exactness.h"
#include "field.h"
#include "offline_restore.h"

/* Something is not as iptables has it. */
#define EXIT_INEXACT 3

static const char usage[] =
	"usage: ubpfilter check [-4 | -6] [--hook auto|netfilter|xdp|tc] RULES\n"
	"\n"
	"Says of each rule of the table \"filter\" in an iptables-save file (- is standard input)\n"
	"where it is enforced on this kernel, whether that is exactly what iptables does, and\n"
	"why not. Nothing is loaded or changed, and root is not needed.\n"
	"\n"
	"  -4, -6           iptables rules (the default) or ip6tables rules\n"
	"  --hook HOOK      as configured in /etc/ubpfilter.conf; default: auto\n"
	"  -h, --help       show this\n"
	"\n"
	"Ends with status 0 if all rules are exact, 3 if some are not, 1 if the rules cannot be\n"
	"read.\n";

struct arguments {
	enum family family;
	enum hook_choice hook;
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
	int option;

	*arguments = (struct arguments){ .family = FAMILY_IPV4 };
	while ((option = getopt_long(argc, argv, "46h", options, NULL)) != -1) {
		switch (option) {
		case '4':
			arguments->family = FAMILY_IPV4;
			break;
		case '6':
			arguments->family = FAMILY_IPV6;
			break;
		case 'k':
			if (!hook_parse(optarg, &arguments->hook))
				break;
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

/* --- what is found out ----------------------------------------------------------------------- */

struct findings {
	struct table *table;	  /* owned */
	struct ir *ir;		  /* owned */
	uint8_t *hooks;		  /* owned: rules_hooks() */
	struct message *refusals; /* owned: for each rule why BPF does not do it; mostly empty */
	struct message kernel;	  /* why the kernel enforces the table; empty: BPF does */
	struct surroundings surroundings;
	unsigned stages;   /* STAGE_BIT()s that decide */
	const char *place; /* of what comes in, for people */
};

static void findings_free(struct findings *findings)
{
	table_free(findings->table);
	ir_free(findings->ir);
	free(findings->hooks);
	free(findings->refusals);
}

/* The file's other tables are the kernel's: nothing to say of them. */
static void ignore(const char *table)
{
	(void)table;
}

static int choose_stages(struct findings *findings, enum hook_choice hook,
			 const struct features *features, struct message *message)
{
	static const char *const places[] = {
		[HOOK_AUTO] = "xdp/tc", [HOOK_XDP] = "xdp", [HOOK_TC] = "tc"
	};

	if (hook == HOOK_NETFILTER && !features->netfilter_links)
		return message_set(message, -EOPNOTSUPP,
				   "this kernel has no BPF programs at netfilter hooks (they came "
				   "with Linux 6.4)");
	if (features->netfilter_links && (hook == HOOK_NETFILTER || hook == HOOK_AUTO)) {
		findings->stages = STAGE_BIT(STAGE_NF);
		findings->place = "netfilter";
		return 0;
	}
	findings->stages = STAGE_BIT(STAGE_TC);
	if (hook != HOOK_TC)
		findings->stages |= STAGE_BIT(STAGE_XDP);
	findings->place = places[hook];
	findings->surroundings.alone = true;
	findings->surroundings.xdp = hook != HOOK_TC;
	return 0;
}

/* A rule that BPF could do elsewhere: the first field that a deciding stage does not know. */
static void note_unknown(struct findings *findings, uint32_t index)
{
	struct message *refusal = &findings->refusals[index];

	if (findings->surroundings.alone && rule_code(&findings->ir->rules[index]))
		message_set(refusal, 0,
			    "its target is not done in BPF where there are no netfilter "
			    "hooks for it");

	for (unsigned stage = 0; stage < STAGE_COUNT; stage++) {
		const struct predicate *unknown;

		if (!(findings->stages & STAGE_BIT(stage)))
			continue;
		unknown = rule_unknown(&findings->ir->rules[index], (enum stage)stage);
		if (unknown)
			message_set(refusal, 0,
				    "match \"%s\" reads the %s, which hook %s does not know",
				    unknown->match ? unknown->match : "",
				    field_info((enum field)unknown->field)->name,
				    stage_name((enum stage)stage));
	}
}

static void look_at_rules(struct findings *findings, const struct features *features)
{
	for (uint32_t i = 0; i < findings->ir->rule_count; i++) {
		const struct rule *rule = &findings->ir->rules[i];

		note_unknown(findings, i);
		if (findings->refusals[i].text[0])
			message_set(&findings->kernel, 0, "BPF does not do all of its rules here");
		for (uint32_t j = 0; j < rule->predicate_count; j++)
			if (field_info((enum field)rule->predicates[j].field)->needs &
			    NEED_CONNECTION)
				findings->surroundings.connections = true;
	}
	if (findings->surroundings.connections && findings->surroundings.alone &&
	    !features->connection_lookups)
		message_set(&findings->kernel, 0,
			    "this kernel has no functions that let XDP and TC look up connections "
			    "(they came with Linux 5.18)");
}

/* What only the whole table shows: that it is too large. */
static int try_compiling(struct findings *findings, struct message *message)
{
	const struct compile_options options = { .stages = findings->stages,
						 .executing = EXECUTING_TARGETS };
	struct message reason = {};
	struct object object = {};
	int error = compile(findings->table, &options, &object, &reason);

	object_free(&object);
	if (error == -E2BIG || (error == -EOPNOTSUPP && !findings->kernel.text[0]))
		message_set(&findings->kernel, 0, "%s", reason.text);
	else if (error && error != -EOPNOTSUPP)
		return message_set(message, error, "%s", reason.text);
	return 0;
}

static int find_out(struct findings *findings, const struct arguments *arguments,
		    struct message *message)
{
	struct features features;
	int error = features_read(&features, message);

	if (!error)
		error = choose_stages(findings, arguments->hook, &features, message);
	if (!error)
		error = rules_table(arguments->family, DEMAND_SOUND, arguments->rules, ignore,
				    &findings->table, &findings->surroundings.nat, message);
	if (error)
		return error;
	findings->hooks = calloc(findings->table->entry_count, sizeof(*findings->hooks));
	findings->refusals = calloc(findings->table->entry_count, sizeof(*findings->refusals));
	if (!findings->hooks || !findings->refusals)
		return -ENOMEM;
	error = lower_each(findings->table, &findings->ir, findings->refusals);
	if (!error)
		error = rules_hooks(findings->ir, findings->hooks);
	if (error)
		return error;
	look_at_rules(findings, &features);
	return try_compiling(findings, message);
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

static const char *rule_place_name(const struct findings *findings, uint32_t index)
{
	if (!findings->hooks[index])
		return "nowhere";
	if (findings->kernel.text[0])
		return "kernel";
	/* what is sent leaves by TC, wherever what comes is judged */
	if (findings->surroundings.alone && findings->hooks[index] == OUTPUT_ONLY)
		return "tc";
	return findings->place;
}

static void print_rule(const struct findings *findings, uint32_t index, reasons_t reasons)
{
	static const char *const words[] = {
		[EFFECT_NONE] = "exact", [EFFECT_COUNTS] = "counts", [EFFECT_VERDICT] = "differs"
	};
	const char *separator = "";

	printf("%-10s %-8s %s\n", rule_place_name(findings, index), words[reasons_effect(reasons)],
	       findings->ir->rules[index].text);
	if (findings->refusals[index].text[0])
		printf("%20s%s\n", "", findings->refusals[index].text);
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
	unsigned rules = 0, exact = 0;
	reasons_t all = 0;

	if (findings->kernel.text[0])
		printf("the kernel's own iptables enforces this table: %s\n\n",
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
		exact += !reasons;
	}
	print_reasons(all);
	printf("\n%u rules and policies, %u exact, %u not\n", rules, exact, rules - exact);
	return exact == rules ? EXIT_SUCCESS : EXIT_INEXACT;
}

int command_check(int argc, char **argv)
{
	struct findings findings = {};
	struct arguments arguments;
	struct message message = {};
	int status = parse_arguments(&arguments, argc, argv);
	int error;

	if (status)
		return status - 1;
	error = find_out(&findings, &arguments, &message);
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
