/* SPDX-License-Identifier: GPL-2.0-only */
/* Rules with targets that the kernel executes. */
#include "ruleset.h"

static const char *const answers4[] = {
	"icmp-net-unreachable",	  "icmp-host-unreachable", "icmp-port-unreachable",
	"icmp-proto-unreachable", "icmp-net-prohibited",   "icmp-host-prohibited",
	"icmp-admin-prohibited",
};
static const char *const answers6[] = {
	"icmp6-no-route",	  "icmp6-adm-prohibited", "icmp6-addr-unreachable",
	"icmp6-port-unreachable", "icmp6-policy-fail",	  "icmp6-reject-route",
};

static void put_reject(FILE *out, const struct scope *scope, struct random *random)
{
	fprintf(out, " -j REJECT --reject-with %s",
		scope->family == 4 ? PICK(random, answers4) : PICK(random, answers6));
}

static void put_log(FILE *out, const struct scope *scope, struct random *random)
{
	static const char *const options[] = { " --log-ip-options", " --log-tcp-options",
					       " --log-tcp-sequence", " --log-uid",
					       " --log-level 7" };

	(void)scope;
	fprintf(out, " -j LOG --log-prefix \"p%u \"%s", random_below(random, 3),
		PICK(random, options));
}

static void put_nflog(FILE *out, const struct scope *scope, struct random *random)
{
	(void)scope;
	fprintf(out, " -j NFLOG --nflog-group %d --nflog-prefix p%u",
		HEARD_GROUP + random_chance(random, 20), random_below(random, 3));
	if (random_chance(random, 20))
		fprintf(out, " --nflog-size %u", 20 + random_below(random, 40));
}

/* What later tables see, as the other marks: put_security() counts it. Connections are tracked. */
static void put_connection_mark(FILE *out, const struct scope *scope, struct random *random)
{
	static const char *const kinds[] = { "--set-mark 1",   "--or-mark 2",  "--save-mark",
					     "--restore-mark", "--xor-mark 3", "--set-xmark 2/3" };

	(void)scope;
	fprintf(out, " -j CONNMARK %s", PICK(random, kinds));
}

static void put_hash_mark(FILE *out, const struct scope *scope, struct random *random)
{
	(void)scope;
	fprintf(out, " -j HMARK --hmark-tuple %s --hmark-mod 3 --hmark-offset 1 --hmark-rnd 7",
		random_chance(random, 50) ? "src,dst" : "src");
}

static void put_mark(FILE *out, const struct scope *scope, struct random *random)
{
	static const char *const kinds[] = { "set-mark", "set-xmark", "and-mark", "or-mark",
					     "xor-mark" };

	if (scope->marks && scope->variant != VARIANT_PLAIN && random_chance(random, 40))
		put_connection_mark(out, scope, random);
	else if (scope->marks && random_chance(random, 20))
		put_hash_mark(out, scope, random);
	else if (scope->marks)
		fprintf(out, " -j MARK --%s %u", PICK(random, kinds), random_below(random, 4));
	else
		put_nflog(out, scope, random);
}

void put_execution(FILE *out, const struct scope *scope, struct random *random)
{
	static void (*const kinds[])(FILE *, const struct scope *, struct random *) = {
		put_reject, put_reject, put_log, put_nflog, put_mark,
	};

	PICK(random, kinds)(out, scope, random);
}
