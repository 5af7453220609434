/* SPDX-License-Identifier: GPL-2.0-only */
/* Rules about connections, and the tables around the filter. */
#include "ruleset.h"

#include <string.h>

static const char *const states[] = {
	"NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED", "SNAT", "DNAT",
};
static const char *const statuses[] = { "EXPECTED", "SEEN_REPLY", "ASSURED", "CONFIRMED", "NONE" };
static const char *const protocols[] = { "tcp", "udp", "icmp", "ipv6-icmp", "47" };
static const char *const addresses4[] = {
	"10.91.1.1",	"10.91.1.0/24", "10.91.2.7",
	"10.91.2.0/24", "10.91.1.254",	"0.0.0.2/0.0.0.255",
};
static const char *const addresses6[] = {
	"fd91:1::1", "fd91:1::/64", "fd91:2::7", "fd91:2::/64", "fd91:1::fe", "::2/::ff",
};
static const char *const ports[] = { "53", "80", "443", "1000:2000", "0:1023", "1024:65535" };
/* far from any remaining lifetime that a run can meet exactly: it changes each second */
static const char *const lifetimes[] = { "0:15", "15:100", "15:1000000", "0:1000000", "60:100" };

/* "A,B,..." of a list's members */
static void put_some(FILE *out, const char *const *list, unsigned count, struct random *random)
{
	unsigned chosen = 1 + random_below(random, (1u << count) - 1);
	const char *comma = "";

	for (unsigned i = 0; i < count; i++) {
		if (!(chosen >> i & 1))
			continue;
		fprintf(out, "%s%s", comma, list[i]);
		comma = ",";
	}
}

static void put_address(FILE *out, const struct scope *scope, struct random *random)
{
	static const char *const options[] = { "orig", "repl" };

	fprintf(out, " %s--ct%s%s %s", inversion(random),
		scope_predicts(scope) && scope_has_nat(scope) ? options[0] : PICK(random, options),
		random_chance(random, 50) ? "src" : "dst",
		scope->family == 4 ? PICK(random, addresses4) : PICK(random, addresses6));
}

static void put_port(FILE *out, const struct scope *scope, struct random *random)
{
	/* the port that source NAT takes for one that is in use is a random one */
	bool reply = random_chance(random, 50) && !scope_has_nat(scope);

	fprintf(out, " %s--ct%s%sport %s", inversion(random), reply ? "repl" : "orig",
		random_chance(random, 50) ? "src" : "dst", PICK(random, ports));
}

static void put_state(FILE *out, const struct scope *scope, struct random *random)
{
	/* NAT of what leaves is found before TC egress, and behind OUTPUT */
	fprintf(out, " %s--ctstate ", inversion(random));
	put_some(out, states, scope_predicts(scope) && scope_has_nat(scope) ? 5 : 7, random);
}

static void put_status(FILE *out, const struct scope *scope, struct random *random)
{
	/* the same of being confirmed */
	fprintf(out, " %s--ctstatus ", inversion(random));
	put_some(out, statuses, scope_predicts(scope) ? 3 : 5, random);
}

static void put_tracked_protocol(FILE *out, const struct scope *scope, struct random *random)
{
	(void)scope;
	fprintf(out, " %s--ctproto %s", inversion(random), PICK(random, protocols));
}

static void put_direction(FILE *out, const struct scope *scope, struct random *random)
{
	(void)scope;
	fprintf(out, " --ctdir %s", random_chance(random, 50) ? "ORIGINAL" : "REPLY");
}

static void put_lifetime(FILE *out, const struct scope *scope, struct random *random)
{
	(void)scope;
	fprintf(out, " %s--ctexpire %s", inversion(random), PICK(random, lifetimes));
}

static const struct {
	void (*put)(FILE *out, const struct scope *scope, struct random *random);
	unsigned percent;
} kinds[] = {
	{ put_state, 60 },   { put_status, 15 },    { put_tracked_protocol, 15 },
	{ put_address, 20 }, { put_direction, 15 }, { put_port, 15 },
	{ put_lifetime, 8 },
};

void put_connection(FILE *out, const struct scope *scope, struct random *random)
{
	/* early stages see the lifetime that was left before the packet, and no ports of the first
	 * one of ICMP */
	unsigned count = sizeof(kinds) / sizeof(kinds[0]) - (scope_predicts(scope) ? 2 : 0);
	unsigned certain = random_below(random, count); /* one option at least */

	if (random_chance(random, 20)) {
		fprintf(out, " -m state %s--state ", inversion(random));
		put_some(out, states, 5, random);
		return;
	}
	fputs(" -m conntrack", out);
	for (unsigned kind = 0; kind < count; kind++)
		if (kind == certain || random_chance(random, kinds[kind].percent))
			kinds[kind].put(out, scope, random);
}

static void put_security(FILE *out, const struct scope *scope, struct random *random)
{
	static const char *const hooks[] = { "INPUT", "FORWARD", "OUTPUT" };
	static const char *const counted[] = { "tcp", "udp", "1", "58", "47", "132" };
	/* whether connections are tracked then hangs on the filter's rules alone */
	/* TC egress drops behind the other tables' OUTPUT */
	unsigned count = scope_is_exact(scope) ? 3 : 2;
	bool watch = scope->variant != VARIANT_PLAIN && random_chance(random, 50);

	fputs("*security\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n", out);
	for (unsigned i = 0; i < count; i++) {
		for (unsigned p = 0; p < sizeof(counted) / sizeof(counted[0]); p++)
			fprintf(out, "-A %s -p %s\n", hooks[i], counted[p]);
		for (unsigned s = 0; watch && s < sizeof(states) / sizeof(states[0]); s++)
			fprintf(out, "-A %s -m conntrack --ctstate %s\n", hooks[i], states[s]);
		for (unsigned mark = 0; scope->marks && mark < 4; mark++)
			fprintf(out, "-A %s -m mark --mark %u\n", hooks[i], mark);
		for (unsigned mark = 0; scope->marks && watch && mark < 4; mark++)
			fprintf(out, "-A %s -m connmark --mark %u\n", hooks[i], mark);
	}
	fputs("COMMIT\n", out);
}

static void put_mangle(FILE *out, struct random *random)
{
	fputs("*mangle\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n"
	      ":OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n",
	      out);
	fprintf(out, "-A PREROUTING -p udp -j MARK --set-mark %u\n", 1 + random_below(random, 3));
	fprintf(out, "-A OUTPUT -p tcp -j MARK --set-mark %u\n", 1 + random_below(random, 3));
	fputs("COMMIT\n", out);
}

static void put_raw(FILE *out, const struct scope *scope, struct random *random)
{
	unsigned exempting = scope_predicts(scope) ? 0 : 30;

	fputs("*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n", out);
	if (random_chance(random, exempting))
		fprintf(out, "-A PREROUTING -p udp --dport %s -j CT --notrack\n",
			PICK(random, ports));
	if (random_chance(random, exempting))
		fprintf(out, "-A OUTPUT -p %s -j CT --notrack\n",
			random_chance(random, 50) ? "tcp" : "udp");
	fputs("COMMIT\n", out);
}

static const char *const nat4[] = {
	"-A PREROUTING -d 10.91.1.254 -p tcp --dport 80 -j DNAT --to-destination 10.91.2.7:443",
	"-A PREROUTING -d 10.91.1.254 -p udp --dport 53 -j DNAT --to-destination 10.91.2.8",
	"-A PREROUTING -i eth0 -d 10.91.2.7 -j DNAT --to-destination 10.91.2.8",
	"-A PREROUTING -d 10.91.2.9 -p udp -j REDIRECT --to-ports 53",
	"-A PREROUTING -d 10.91.2.8 -p tcp -j DNAT --to-destination 10.91.1.254:80",
	"-A INPUT -s 10.91.1.2 -j SNAT --to-source 10.91.1.3",
	"-A OUTPUT -d 10.91.2.7 -p udp -j DNAT --to-destination 10.91.2.8:53",
	"-A OUTPUT -d 10.91.1.1 -p tcp -j DNAT --to-destination 10.91.1.254",
	"-A OUTPUT -d 127.0.0.1 -p udp --dport 443 -j REDIRECT --to-ports 53",
	"-A POSTROUTING -o eth1 -j MASQUERADE",
	"-A POSTROUTING -s 10.91.1.0/24 -o eth1 -j SNAT --to-source 10.91.2.254",
	"-A POSTROUTING -s 172.16.0.0/12 -j SNAT --to-source 10.91.1.2",
};
static const char *const nat6[] = {
	"-A PREROUTING -d fd91:1::fe -p tcp --dport 80 -j DNAT --to-destination [fd91:2::7]:443",
	"-A PREROUTING -d fd91:1::fe -p udp --dport 53 -j DNAT --to-destination fd91:2::8",
	"-A PREROUTING -i eth0 -d fd91:2::7 -j DNAT --to-destination fd91:2::8",
	"-A PREROUTING -d fd91:2::9 -p udp -j REDIRECT --to-ports 53",
	"-A INPUT -s fd91:1::2 -j SNAT --to-source fd91:1::3",
	"-A OUTPUT -d fd91:2::7 -p udp -j DNAT --to-destination [fd91:2::8]:53",
	"-A OUTPUT -d fd91:1::1 -p tcp -j DNAT --to-destination fd91:1::fe",
	"-A POSTROUTING -o eth1 -j MASQUERADE",
	"-A POSTROUTING -s fd91:1::/64 -o eth1 -j SNAT --to-source fd91:2::fe",
};

static void put_nat(FILE *out, const struct scope *scope, struct random *random)
{
	const char *const *rules = scope->family == 4 ? nat4 : nat6;
	unsigned count = scope->family == 4 ? sizeof(nat4) / sizeof(nat4[0])
					    : sizeof(nat6) / sizeof(nat6[0]);

	fputs("*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
	      ":POSTROUTING ACCEPT [0:0]\n",
	      out);
	for (unsigned i = 0; i < count; i++)
		/* nobody knows ahead where a connection's first packet goes */
		if (random_chance(random, 30) &&
		    !(scope_predicts(scope) && !strstr(rules[i], "POSTROUTING")))
			fprintf(out, "%s\n", rules[i]);
	fputs("COMMIT\n", out);
}

void put_other_tables(FILE *out, const struct scope *scope, struct random *random)
{
	put_security(out, scope, random);
	/* early stages keep back where packets meet other tables first */
	if (scope->variant >= VARIANT_MARKED) {
		put_mangle(out, random);
		put_raw(out, scope, random);
	}
	if (scope->variant == VARIANT_NAT)
		put_nat(out, scope, random);
}
