/* SPDX-License-Identifier: GPL-2.0-only */
#include "ruleset.h"

#include <stdlib.h>
#include <string.h>

#define USER_CHAINS_MAX 6

/* Of rules, where some have targets that the kernel executes: a packet may get few of them. */
#define EXECUTING_PERCENT 45

static const char *const sources4[] = {
	"10.91.1.1",	"10.91.1.2",	     "10.91.1.0/24",	     "10.91.0.0/16",
	"10.91.1.0/30", "0.0.0.2/0.0.0.255", "10.0.1.0/255.0.255.0", "172.16.0.0/12",
	"10.91.1.254",	"10.91.2.7",	     "127.0.0.0/8",
};
static const char *const targets4[] = {
	"10.91.1.254",	     "10.91.2.7",    "10.91.2.0/24", "10.91.2.8",   "10.0.2.0/255.0.255.0",
	"0.0.0.7/0.0.0.255", "10.91.0.0/17", "10.91.1.1",    "224.0.0.0/4", "127.0.0.1",
};
static const char *const sources6[] = {
	"fd91:1::1", "fd91:1::2",  "fd91:1::/64",   "fd91::/16", "fd91:1::/126",
	"::2/::ff",  "fd91:1::fe", "2001:db8::/32", "fd91:2::7", "::1",
};
static const char *const targets6[] = {
	"fd91:1::fe", "fd91:2::7",   "fd91:2::/64", "fd91:2::8", "::7/::ff",
	"fd91:1::1",  "fd91:2::/31", "ff02::/16",   "::1",
};
static const char *const in_names[] = { "eth0", "eth+", "eth1", "lo", "e+", "dummy9" };
static const char *const out_names[] = { "eth1", "eth+", "eth0", "lo", "e+" };
static const char *const ports[] = { "53",	   "80",  "1000:2000", "0:1023",
				     "1024:65535", "443", ":80",       "81:" };
static const char *const tcp_flags[] = { "SYN,RST,ACK,FIN SYN", "ALL NONE",
					 "ALL SYN,ACK",		"SYN SYN",
					 "ACK,PSH PSH",		"FIN,URG FIN,URG" };
static const char *const icmp4_types[] = { "echo-request", "echo-reply",      "3/1", "3", "any",
					   "8/0",	   "port-unreachable" };
static const char *const icmp6_types[] = { "echo-request", "echo-reply",    "1/4", "1",
					   "128/0",	   "packet-too-big" };

static void put_ports(FILE *out, struct random *random)
{
	if (random_chance(random, 40))
		fprintf(out, " %s--sport %s", inversion(random), PICK(random, ports));
	if (random_chance(random, 60))
		fprintf(out, " %s--dport %s", inversion(random), PICK(random, ports));
}

static void put_tcp(FILE *out, struct random *random)
{
	fputs(" -p tcp -m tcp", out);
	put_ports(out, random);
	if (random_chance(random, 40))
		fprintf(out, " %s--tcp-flags %s", inversion(random), PICK(random, tcp_flags));
	if (random_chance(random, 20))
		fprintf(out, " %s--tcp-option %u", inversion(random), 1 + random_below(random, 8));
}

static void put_icmp(FILE *out, int family, struct random *random)
{
	if (family == 4)
		fprintf(out, " -p icmp -m icmp %s--icmp-type %s", inversion(random),
			PICK(random, icmp4_types));
	else
		fprintf(out, " -p ipv6-icmp -m icmp6 %s--icmpv6-type %s", inversion(random),
			PICK(random, icmp6_types));
}

static void put_protocol(FILE *out, const struct scope *scope, struct random *random)
{
	static const char *const plain4[] = { "udp", "tcp", "icmp", "47", "esp", "ah", "132" };
	static const char *const plain6[] = { "udp", "tcp", "ipv6-icmp", "47", "esp", "59" };

	int family = scope->family;

	switch (random_below(random, 7)) {
	case 0:
		put_tcp(out, random);
		break;
	case 1:
		fputs(" -p udp -m udp", out);
		put_ports(out, random);
		break;
	case 2:
		put_icmp(out, family, random);
		break;
	case 3:
		fprintf(out, " %s-p %s", inversion(random),
			family == 4 ? PICK(random, plain4) : PICK(random, plain6));
		break;
	case 4:
		put_protocol_match(out, scope, random);
		break;
	default:
		break;
	}
}

static void put_addresses(FILE *out, int family, struct random *random)
{
	if (random_chance(random, 35))
		fprintf(out, " %s-s %s", inversion(random),
			family == 4 ? PICK(random, sources4) : PICK(random, sources6));
	if (random_chance(random, 35))
		fprintf(out, " %s-d %s", inversion(random),
			family == 4 ? PICK(random, targets4) : PICK(random, targets6));
}

/* In user chains both devices may be asked for: what a hook does not have compares as "". */
static void put_devices(FILE *out, const char *chain, struct random *random)
{
	if (strcmp(chain, "OUTPUT") && random_chance(random, 25))
		fprintf(out, " %s-i %s", inversion(random), PICK(random, in_names));
	if (strcmp(chain, "INPUT") && random_chance(random, 25))
		fprintf(out, " %s-o %s", inversion(random), PICK(random, out_names));
}

static void put_matches(FILE *out, const struct scope *scope, const char *chain,
			struct random *random)
{
	put_addresses(out, scope->family, random);
	put_devices(out, chain, random);
	if (scope->family == 4 && random_chance(random, 8))
		fprintf(out, " %s-f", inversion(random));
	put_protocol(out, scope, random);
	if (random_chance(random, 10))
		put_other_match(out, scope, random);
	if (random_chance(random, 5))
		put_match_of_chain(out, chain, scope, random);
	if (scope->variant != VARIANT_PLAIN && random_chance(random, 40))
		put_connection(out, scope, random);
	if (random_chance(random, 5))
		fputs(" -m comment --comment \"a \\\"quoted\\\" remark\"", out);
}

static void put_target(FILE *out, unsigned first_chain, unsigned chains, bool user,
		       const struct scope *scope, struct random *random)
{
	unsigned kind = random_below(random, 10);

	/* conntrack has not seen what is dropped ahead of it, and has seen what is behind it */
	if (kind >= 3 && kind < 6 && scope_predicts(scope))
		return;
	if (scope->executes && random_chance(random, EXECUTING_PERCENT))
		put_execution(out, scope, random);
	else if (kind < 3)
		fputs(" -j ACCEPT", out);
	else if (kind < 6)
		fputs(" -j DROP", out);
	else if (kind < 7)
		return;
	else if (kind < 8 && (user || random_chance(random, 30)))
		fputs(" -j RETURN", out);
	else if (first_chain < chains)
		fprintf(out, " -%c c%u", random_chance(random, 20) ? 'g' : 'j',
			first_chain + random_below(random, chains - first_chain));
}

/* It asks for the protocol. */
static void put_reset(FILE *out, const struct scope *scope, const char *chain,
		      struct random *random)
{
	put_addresses(out, scope->family, random);
	put_devices(out, chain, random);
	put_tcp(out, random);
	fputs(" -j REJECT --reject-with tcp-reset", out);
}

/* Chains lead only to later ones: no loops. */
static char *rule_make(const char *chain, unsigned first_chain, unsigned chains,
		       const struct scope *scope, struct random *random)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		abort();
	fprintf(out, "-A %s", chain);
	if (scope->executes && random_chance(random, EXECUTING_PERCENT / 5)) {
		put_reset(out, scope, chain, random);
	} else {
		put_matches(out, scope, chain, random);
		put_target(out, first_chain, chains, chain[0] == 'c', scope, random);
	}
	fclose(out);
	return text;
}

static const char *const hooks[] = { "INPUT", "FORWARD", "OUTPUT" };

static void heading_make(struct ruleset *ruleset, unsigned chains, struct random *random)
{
	size_t size;
	FILE *out = open_memstream(&ruleset->heading, &size);

	if (!out)
		abort();
	fputs("*filter\n", out);
	for (unsigned i = 0; i < 3; i++)
		fprintf(out, ":%s %s [0:0]\n", hooks[i],
			scope_predicts(&ruleset->scope) || random_chance(random, 70) ? "ACCEPT"
										     : "DROP");
	for (unsigned i = 0; i < chains; i++)
		fprintf(out, ":c%u - [0:0]\n", i);
	fclose(out);
}

static void others_make(struct ruleset *ruleset, struct random *random)
{
	size_t size;
	FILE *out = open_memstream(&ruleset->others, &size);

	if (!out)
		abort();
	put_other_tables(out, &ruleset->scope, random);
	fclose(out);
}

/* With what the ruleset by itself has or has not. */
static struct scope scope_choose(const struct scope *scope, struct random *random)
{
	struct scope chosen = *scope;

	chosen.executes = scope_is_exact(scope) && random_chance(random, 50);
	chosen.marks = chosen.executes && random_chance(random, 50);
	return chosen;
}

void ruleset_make(struct ruleset *ruleset, const struct scope *of_twins, struct random *random)
{
	struct scope chosen = scope_choose(of_twins, random);
	const struct scope *scope = &chosen;
	unsigned chains = random_below(random, USER_CHAINS_MAX + 1);
	unsigned larger = random_chance(random, 5) ? 12 : 1; /* so many that trees are made */
	char chain[16];

	*ruleset = (struct ruleset){ .scope = chosen };
	heading_make(ruleset, chains, random);
	for (unsigned i = 0; i < 3 + chains; i++) {
		unsigned rules = random_below(random, (i < 3 ? 9 : 5)) * (i < 3 ? larger : 1);

		if (i < 3)
			snprintf(chain, sizeof(chain), "%s", hooks[i]);
		else
			snprintf(chain, sizeof(chain), "c%u", i - 3);
		while (rules-- && ruleset->rule_count < RULES_MAX - 1)
			ruleset->rules[ruleset->rule_count++] =
				rule_make(chain, i < 3 ? 0 : i - 2, chains, scope, random);
	}
	if (scope_predicts(scope)) /* so that NAT is undone for all rules */
		ruleset->rules[ruleset->rule_count++] = strdup("-A FORWARD -m state --state NEW");
	others_make(ruleset, random);
}

void ruleset_free(struct ruleset *ruleset)
{
	free(ruleset->heading);
	free(ruleset->others);
	for (unsigned i = 0; i < ruleset->rule_count; i++)
		free(ruleset->rules[i]);
}

char *ruleset_text(const struct ruleset *ruleset, const bool without[RULES_MAX])
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		abort();
	fputs(ruleset->heading, out);
	for (unsigned i = 0; i < ruleset->rule_count; i++)
		if (!without[i])
			fprintf(out, "%s\n", ruleset->rules[i]);
	fprintf(out, "COMMIT\n%s", ruleset->others);
	fclose(out);
	return text;
}
