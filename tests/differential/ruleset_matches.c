/* SPDX-License-Identifier: GPL-2.0-only */
/* Matches beside those of the protocols that every ruleset has. */
#include "ruleset.h"

static const char *const ports[] = {
	"53", "53,80", "1000:2000", "80,443,1500,65535", "0:1023,2000,2001", "81,1024:65535",
};
static const char *const ranges4[] = {
	"10.91.1.1-10.91.1.2",
	"10.91.0.0-10.91.2.7",
	"10.91.2.8-255.255.255.255",
	"172.16.5.6-172.16.5.6",
};
static const char *const ranges6[] = {
	"fd91:1::1-fd91:1::2",
	"::-fd91:2::7",
	"fd91:2::8-ffff::",
	"2001:db8::5-2001:db8::5",
};
static const char *const lengths[] = { "40", "0:60", "61:100", "28:48", "1000:65535" };
static const char *const spis[] = { "0", "1", "0:1", "2:4294967295" };
static void put_multiport(FILE *out, const struct scope *scope, struct random *random)
{
	static const char *const protocols[] = { "tcp", "udp", "sctp" };
	static const char *const kinds[] = { "sports", "dports", "ports" };

	(void)scope;
	fprintf(out, " -p %s -m multiport %s--%s %s", PICK(random, protocols), inversion(random),
		PICK(random, kinds), PICK(random, ports));
}

static void put_range(FILE *out, const struct scope *scope, struct random *random)
{
	fprintf(out, " -m iprange %s--%s-range %s", inversion(random),
		random_chance(random, 50) ? "src" : "dst",
		scope->family == 4 ? PICK(random, ranges4) : PICK(random, ranges6));
}

static void put_length(FILE *out, const struct scope *scope, struct random *random)
{
	(void)scope;
	fprintf(out, " -m length %s--length %s", inversion(random), PICK(random, lengths));
}

static void put_esp(FILE *out, const struct scope *scope, struct random *random)
{
	(void)scope;
	fprintf(out, " -p esp -m esp %s--espspi %s", inversion(random), PICK(random, spis));
}

static void put_ah(FILE *out, const struct scope *scope, struct random *random)
{
	if (scope->family == 4)
		fprintf(out, " -p ah -m ah %s--ahspi %s", inversion(random), PICK(random, spis));
	else
		put_esp(out, scope, random);
}

static void put_mobility(FILE *out, const struct scope *scope, struct random *random)
{
	static const char *const types[] = { "0", "1", "1:3", "2:200" };

	if (scope->family == 6)
		fprintf(out, " -p 135 -m mh %s--mh-type %s", inversion(random),
			PICK(random, types));
	else
		put_ah(out, scope, random);
}

static void put_sctp(FILE *out, const struct scope *scope, struct random *random)
{
	(void)scope;
	fputs(" -p sctp -m sctp", out);
	if (random_chance(random, 50))
		fprintf(out, " %s--sport 53:80", inversion(random));
	if (random_chance(random, 50))
		fprintf(out, " %s--dport 1000:2000", inversion(random));
}

static void put_tcpmss(FILE *out, const struct scope *scope, struct random *random)
{
	static const char *const sizes[] = { "1460", "1400:1460", "0:536", "1220:65495" };

	(void)scope;
	fprintf(out, " -p tcp -m tcpmss %s--mss %s", inversion(random), PICK(random, sizes));
}

static void put_dccp(FILE *out, const struct scope *scope, struct random *random)
{
	(void)scope;
	fprintf(out, " -p dccp -m dccp %s--dccp-types %s", inversion(random),
		random_chance(random, 50) ? "REQUEST,DATA" : "RESPONSE,ACK,RESET");
}

/* Extension headers of IPv6. */
static void put_header(FILE *out, const struct scope *scope, struct random *random)
{
	static const char *const fragments[] = {
		"",	     " --fragfirst", " --fragmore", " --fraglast", " --fragid 0:2147483647",
		" --fragres"
	};

	if (scope->family == 4) {
		put_esp(out, scope, random);
		return;
	}
	switch (random_below(random, 4)) {
	case 0:
		fprintf(out, " -m frag%s", PICK(random, fragments));
		break;
	case 1:
		fprintf(out, " -m ah %s--ahlen 16 --ahres", inversion(random));
		break;
	case 2:
		fprintf(out, " -m rt %s--rt-type %u %s--rt-segsleft 0", inversion(random),
			random_below(random, 5), inversion(random));
		break;
	default:
		fprintf(out,
			random_chance(random, 50) ? " -m hbh %s--hbh-len %u"
						  : " -m dst %s--dst-len %u",
			inversion(random), 8 + 8 * random_below(random, 3));
		break;
	}
}

void put_protocol_match(FILE *out, const struct scope *scope, struct random *random)
{
	static void (*const kinds[])(FILE *, const struct scope *, struct random *) = {
		put_multiport, put_multiport, put_esp,	put_ah,	    put_sctp,
		put_mobility,  put_tcpmss,    put_dccp, put_header, put_header,
	};

	PICK(random, kinds)(out, scope, random);
}

/* What remembers: rates that no run outlasts, so that counting alone decides. */
static void put_stateful(FILE *out, const struct scope *scope, struct random *random)
{
	(void)scope;
	switch (random_below(random, 3)) {
	case 0:
		fprintf(out, " -m limit --limit 1/hour --limit-burst %u",
			1 + random_below(random, 20));
		break;
	case 1:
		fprintf(out, " -m quota %s--quota %u", inversion(random),
			100 + random_below(random, 10000));
		break;
	default:
		fprintf(out, " -m statistic --mode nth %s--every %u --packet 1", inversion(random),
			2 + random_below(random, 5));
		break;
	}
}

/* What IP headers carry beside addresses. */
static void put_field(FILE *out, const struct scope *scope, struct random *random)
{
	static const char *const compared[] = { "eq 64", "lt 64", "gt 2", "eq 1" };

	switch (random_below(random, 4)) {
	case 0:
		fprintf(out, " -m %s --%s-%s", scope->family == 4 ? "ttl" : "hl",
			scope->family == 4 ? "ttl" : "hl", PICK(random, compared));
		break;
	case 1:
		fprintf(out, " -m tos %s--tos 0x%02x/0x%02x", inversion(random),
			random_below(random, 2) * 16, 16 + random_below(random, 2) * 8);
		break;
	case 2:
		fprintf(out, " -m dscp %s--dscp %u", inversion(random), random_below(random, 3));
		break;
	default:
		fprintf(out, " -m ecn %s--ecn-ip-ect %u", inversion(random),
			random_below(random, 4));
		break;
	}
}

/* Groups as wiring.c has them; user chains may be jumped to from where there is no such device. */
static void put_group(FILE *out, const char *chain, struct random *random)
{
	if (chain[0] == 'I' || (chain[0] == 'F' && random_chance(random, 50)))
		fprintf(out, " -m devgroup %s--src-group %u/3", inversion(random),
			random_below(random, 4));
	else if (chain[0] != 'c')
		fprintf(out, " -m devgroup %s--dst-group 3", inversion(random));
}

static void put_address_type(FILE *out, const struct scope *scope, struct random *random)
{
	static const char *const types4[] = { "LOCAL",		 "LOCAL",     "UNICAST",
					      "BROADCAST",	 "MULTICAST", "UNICAST,LOCAL",
					      "LOCAL,MULTICAST", "BLACKHOLE" };
	static const char *const types6[] = { "UNICAST", "MULTICAST", "UNSPEC", "UNICAST" };
	bool both = random_chance(random, 20);

	fputs(" -m addrtype", out);
	if (both || random_chance(random, 40))
		fprintf(out, " %s--src-type %s", inversion(random),
			scope->family == 4 ? PICK(random, types4) : PICK(random, types6));
	else
		both = true;
	if (both)
		fprintf(out, " %s--dst-type %s", inversion(random),
			scope->family == 4 ? PICK(random, types4) : PICK(random, types6));
}

/* What is said of a packet outside of it; see put_mangle() for the marks. */
static void put_circumstance(FILE *out, const struct scope *scope, struct random *random)
{
	static const char *const kinds[] = { "unicast", "broadcast", "multicast" };

	if (random_chance(random, 30))
		put_address_type(out, scope, random);
	else if (!scope->marks && random_chance(random, 50))
		fprintf(out, " -m mark %s--mark %u/3", inversion(random), random_below(random, 4));
	else
		fprintf(out, " -m pkttype %s--pkt-type %s", inversion(random), PICK(random, kinds));
}

void put_match_of_chain(FILE *out, const char *chain, const struct scope *scope,
			struct random *random)
{
	static const char *const owners[] = { "--uid-owner 0", "--gid-owner 1-70000",
					      "--gid-owner 0-9 --suppl-groups", "--socket-exists" };

	if (scope_is_exact(scope) && random_chance(random, 40))
		put_group(out, chain, random);
	else if (chain[0] == 'I' || chain[0] == 'F')
		fprintf(out, " -m mac %s--mac-source 02:00:00:00:00:0%u", inversion(random),
			1 + random_below(random, 2));
	else if (chain[0] == 'O' && scope_is_exact(scope))
		fprintf(out, " -m owner %s%s", inversion(random), PICK(random, owners));
}

void put_other_match(FILE *out, const struct scope *scope, struct random *random)
{
	static void (*const kinds[])(FILE *, const struct scope *, struct random *) = {
		put_range, put_field, put_length, put_circumstance, put_stateful,
	};
	/* early stages alone know the rest not at all or not always, and where connections are not
	   looked at, several packets are on their way, in no certain order */
	unsigned known = !scope_is_exact(scope) ? 2 : scope->variant == VARIANT_PLAIN ? 4 : 5;

	kinds[random_below(random, known)](out, scope, random);
}
