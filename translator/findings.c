/* SPDX-License-Identifier: GPL-2.0-only */
#include "findings.h"

#include <errno.h>
#include <stdlib.h>

#include "../common/cleanup.h"
#include "../loader/features.h"
#include "field.h"
#include "offline_restore.h"
#include "place.h"

void findings_free(struct findings *findings)
{
	table_free(findings->table);
	ir_free(findings->ir);
	free(findings->hooks);
	free(findings->refusals);
	ir_free(findings->known);
	free(findings->earliness);
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
			refuse_unknown("", unknown, (enum stage)stage, refusal);
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

static int look_at_table(struct findings *findings, const struct features *features,
			 struct message *message)
{
	int error;

	findings->hooks = calloc(findings->table->entry_count, sizeof(*findings->hooks));
	findings->refusals = calloc(findings->table->entry_count, sizeof(*findings->refusals));
	if (!findings->hooks || !findings->refusals)
		return -ENOMEM;
	error = lower_each(findings->table, &findings->ir, findings->refusals);
	if (!error)
		error = rules_hooks(findings->ir, findings->hooks);
	if (error)
		return error;
	look_at_rules(findings, features);
	return try_compiling(findings, message);
}

/* XDP and TC in front of who decides: they drop what is certain. */
static int look_at_early_stages(struct findings *findings)
{
	const unsigned early = STAGE_BIT(STAGE_XDP) | STAGE_BIT(STAGE_TC);
	_cleanup_free_ struct earliness *earliness = NULL;
	struct object object = {};
	int error = lower_known(findings->table, &findings->known);

	if (error)
		return error;
	if (findings->kernel.text[0]) {
		error = compile_early(findings->table, early, &object, NULL);
		object_free(&object);
		if (error) /* nothing to drop, or too large */
			return error == -ENOMEM ? error : 0;
	}
	earliness = calloc(findings->table->entry_count, sizeof(*earliness));
	if (!earliness)
		return -ENOMEM;
	error = rules_earliness(findings->known, earliness);
	if (!error)
		findings->earliness = TAKE_PTR(earliness);
	return error;
}

int findings_make(struct findings *findings, enum family family, const struct config *config,
		  const char *rules, struct message *message)
{
	struct features features;
	int error = features_read(&features, message);

	*findings = (struct findings){};
	if (!error)
		error = choose_stages(findings, config->hook, &features, message);
	if (!error)
		error = rules_table(family, DEMAND_SOUND, rules, ignore, &findings->table,
				    &findings->surroundings.nat, message);
	if (!error)
		error = look_at_table(findings, &features, message);
	if (error)
		return error;
	findings->refused = config->strict && findings->kernel.text[0];
	if (config->hook != HOOK_AUTO || !features.netfilter_links || findings->refused)
		return 0;
	return look_at_early_stages(findings);
}
