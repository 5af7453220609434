/* SPDX-License-Identifier: GPL-2.0-only */
#include "oracle.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

/* Conditions are written as iptables takes them. */
struct text {
	FILE *out;
	struct random *random;
	int family;
};

static const char *maybe_not(struct text *text)
{
	return random_chance(text->random, 25) ? "! " : "";
}

static void put_mask(struct text *text)
{
	static const char *const masks[] = { "/24",	     "/31",	     "/8",	  "/0",
					     "/255.0.0.255", "/255.0.255.0", "/0.0.0.255" };
	static const char *const masks6[] = {
		"/64", "/127", "/10", "/0", "/ffff:0:ffff::", "/::ff"
	};

	if (random_chance(text->random, 50))
		return;
	if (text->family == 4)
		fputs(random_pick(text->random, masks), text->out);
	else
		fputs(random_pick(text->random, masks6), text->out);
}

static void put_address(struct text *text, const char *option)
{
	char address[INET6_ADDRSTRLEN];
	uint8_t bytes[16];

	if (random_chance(text->random, 50))
		random_source(text->random, text->family, bytes);
	else
		random_destination(text->random, text->family,
				   random_chance(text->random, 50) ? HOOK_INPUT : HOOK_FORWARD,
				   bytes);
	inet_ntop(text->family == 4 ? AF_INET : AF_INET6, bytes, address, sizeof(address));
	fprintf(text->out, " %s%s %s", maybe_not(text), option, address);
	put_mask(text);
}

static void put_device(struct text *text, const char *option)
{
	static const char *const names[] = { "gin", "gout", "gi+", "g+", "gin+", "lo", "+" };

	fprintf(text->out, " %s%s %s", maybe_not(text), option, random_pick(text->random, names));
}

/* One port, or a range; iptables refuses those that end before they begin. */
static void put_range(struct text *text, const char *option)
{
	unsigned a = random_pick(text->random, port_values),
		 b = random_pick(text->random, port_values);

	fprintf(text->out, " %s%s %u", maybe_not(text), option, a < b ? a : b);
	if (random_chance(text->random, 50))
		fprintf(text->out, ":%u", a < b ? b : a);
}

static void put_tcp(struct text *text)
{
	static const char *const flags[] = {
		"SYN,ACK SYN", "ALL NONE", "ALL ALL", "FIN FIN", "SYN,RST,ACK,FIN SYN", "ACK NONE"
	};

	fputs(" -p tcp -m tcp", text->out);
	if (random_chance(text->random, 40))
		put_range(text, "--sport");
	if (random_chance(text->random, 40))
		put_range(text, "--dport");
	if (random_chance(text->random, 10))
		fprintf(text->out, " -m ecn %s--ecn-tcp-%s -m tcp", maybe_not(text),
			random_chance(text->random, 50) ? "ece" : "cwr");
	if (random_chance(text->random, 30))
		fprintf(text->out, " %s--tcp-flags %s", maybe_not(text),
			random_pick(text->random, flags));
	if (random_chance(text->random, 30))
		fprintf(text->out, " %s--tcp-option %u", maybe_not(text),
			tcp_option_values[1 + random_below(text->random,
							   ARRAY_SIZE(tcp_option_values) - 1)]);
}

static void put_tcpmss(struct text *text)
{
	unsigned a = random_pick(text->random, mss_values),
		 b = random_pick(text->random, mss_values);

	fprintf(text->out, " -p tcp -m tcpmss %s--mss %u", maybe_not(text), a < b ? a : b);
	if (random_chance(text->random, 50))
		fprintf(text->out, ":%u", a < b ? b : a);
}

static void put_dccp(struct text *text)
{
	static const char *const types[] = { "REQUEST", "DATA,ACK", "REQUEST,RESPONSE,RESET",
					     "SYNC,INVALID" };

	fputs(" -p dccp -m dccp", text->out);
	if (random_chance(text->random, 30))
		put_range(text, "--sport");
	if (random_chance(text->random, 30))
		put_range(text, "--dport");
	if (random_chance(text->random, 70))
		fprintf(text->out, " %s--dccp-types %s", maybe_not(text),
			random_pick(text->random, types));
}

/* Never met: a tun device has no frames. */
static void put_eui64(struct text *text)
{
	if (text->family == 6)
		fprintf(text->out, " -p %u -m eui64",
			random_chance(text->random, 50) ? IPPROTO_TCP : IPPROTO_UDP);
}

static void put_udp(struct text *text)
{
	fputs(" -p udp -m udp", text->out);
	if (random_chance(text->random, 50))
		put_range(text, "--sport");
	if (random_chance(text->random, 50))
		put_range(text, "--dport");
}

static void put_icmp(struct text *text)
{
	static const char *const types[] = { "8", "8/0", "8/1", "3", "any" };
	static const char *const types6[] = { "128", "128/0", "128/1", "1/3" };

	if (text->family == 4)
		fprintf(text->out, " -p icmp -m icmp %s--icmp-type %s", maybe_not(text),
			random_pick(text->random, types));
	else
		fprintf(text->out, " -p ipv6-icmp -m icmp6 %s--icmpv6-type %s", maybe_not(text),
			random_pick(text->random, types6));
}

/* A protocol without a match; 0 stands for all, and cannot be inverted. */
static void put_protocol(struct text *text)
{
	unsigned protocol = random_pick(text->random, protocol_values);

	fprintf(text->out, " %s-p %u", protocol ? maybe_not(text) : "", protocol);
}

static void put_multiport(struct text *text)
{
	static const char *const protocols[] = { "tcp", "tcp", "udp", "sctp", "dccp", "udplite" };
	static const char *const options[] = { "--sports", "--dports", "--ports" };
	static const char *const lists[] = { "80",	    "53,443",
					     "0:1023,1024", "443,1024:65535,53",
					     "1:2,3:4,5,6", "80,53:443" };

	fprintf(text->out, " -p %s -m multiport %s%s %s", random_pick(text->random, protocols),
		maybe_not(text), random_pick(text->random, options),
		random_pick(text->random, lists));
}

static void put_sctp(struct text *text)
{
	fputs(" -p sctp -m sctp", text->out);
	if (random_chance(text->random, 50))
		put_range(text, "--sport");
	if (random_chance(text->random, 50))
		put_range(text, "--dport");
}

static void put_spi(struct text *text)
{
	static const char *const spis[] = { "0", "1:5", "0:4294967295", "2:4000000000" };
	bool is_ah = text->family == 4 && random_chance(text->random, 50);

	fprintf(text->out, " -p %s -m %s", is_ah ? "ah" : "esp", is_ah ? "ah" : "esp");
	if (random_chance(text->random, 80))
		fprintf(text->out, " %s%s %s", maybe_not(text), is_ah ? "--ahspi" : "--espspi",
			random_pick(text->random, spis));
}

static void put_mobility(struct text *text)
{
	static const char *const types[] = { "0", "1", "1:3", "2:200" };

	fputs(" -p 135 -m mh", text->out);
	if (random_chance(text->random, 80))
		fprintf(text->out, " %s--mh-type %s", maybe_not(text),
			random_pick(text->random, types));
}

static void put_security(struct text *text)
{
	if (text->family == 6 && random_chance(text->random, 50))
		put_mobility(text);
	else
		put_spi(text);
}

static void put_transport(struct text *text)
{
	static void (*const kinds[])(struct text *) = { put_tcp,       put_tcp,	      put_udp,
							put_icmp,      put_protocol,  put_protocol,
							put_multiport, put_multiport, put_sctp,
							put_security,  put_tcpmss,    put_dccp,
							put_eui64 };

	random_pick(text->random, kinds)(text);
}

static void put_address_range(struct text *text, const char *option)
{
	char first[INET6_ADDRSTRLEN], last[INET6_ADDRSTRLEN];
	int domain = text->family == 4 ? AF_INET : AF_INET6;
	uint8_t bytes[2][16];

	random_source(text->random, text->family, bytes[0]);
	random_destination(text->random, text->family, HOOK_INPUT, bytes[1]);
	if (random_chance(text->random, 30))
		memcpy(bytes[1], bytes[0], sizeof(bytes[1]));
	inet_ntop(domain, bytes[0], first, sizeof(first));
	inet_ntop(domain, bytes[1], last, sizeof(last));
	fprintf(text->out, " %s%s %s-%s", maybe_not(text), option, first, last);
}

static void put_iprange(struct text *text)
{
	bool both = random_chance(text->random, 30), source = random_chance(text->random, 50);

	fputs(" -m iprange", text->out);
	if (both || source)
		put_address_range(text, "--src-range");
	if (both || !source)
		put_address_range(text, "--dst-range");
}

static void put_length(struct text *text)
{
	unsigned least = random_below(text->random, 100);

	fprintf(text->out, " -m length %s--length %u", maybe_not(text), least);
	if (random_chance(text->random, 80))
		fprintf(text->out, ":%u", least + random_below(text->random, 100));
}

static void put_hops(struct text *text)
{
	static const char *const comparisons[] = { "eq", "lt", "gt" };
	const char *name = text->family == 4 ? "ttl" : "hl";
	unsigned which = random_below(text->random, ARRAY_SIZE(comparisons));

	fprintf(text->out, " -m %s %s--%s-%s %u", name, which ? "" : maybe_not(text), name,
		comparisons[which], random_below(text->random, 5));
}

static void put_tos(struct text *text)
{
	if (random_chance(text->random, 50))
		fprintf(text->out, " -m tos %s--tos %u/%u", maybe_not(text),
			random_below(text->random, SMALL), random_below(text->random, 8));
	else if (random_chance(text->random, 50))
		fprintf(text->out, " -m dscp %s--dscp %u", maybe_not(text),
			random_below(text->random, 3));
	else
		fprintf(text->out, " -m ecn %s--ecn-ip-ect %u", maybe_not(text),
			random_below(text->random, 4));
}

/* What is the same for all packets that come from a tun device: it has no Ethernet. */
static void put_arrival(struct text *text)
{
	static const char *const matches[] = { "mac", "pkttype", "mark", "mark" };
	static const char *const options[] = { "--mac-source 2:0:4:0:1:0", "--pkt-type unicast",
					       "--mark 0", "--mark 0/1" };
	unsigned which = random_below(text->random, ARRAY_SIZE(matches));

	fprintf(text->out, " -m %s %s%s", matches[which], maybe_not(text), options[which]);
}

/* Matches that any packet may meet. */
static void put_other(struct text *text)
{
	static void (*const kinds[])(struct text *) = { put_iprange, put_length, put_hops,
							put_tos,     put_tos,	 put_arrival };

	random_pick(text->random, kinds)(text);
}

static const char *const numbers[] = { "0", "1", "1:3", "2:5", "0:4294967295" };

static void put_authentication(struct text *text)
{
	static const char *const sizes[] = { "8", "12", "16", "14" };

	fputs(" -m ah", text->out);
	if (random_chance(text->random, 50))
		fprintf(text->out, " %s--ahspi %s", maybe_not(text),
			random_pick(text->random, numbers));
	if (random_chance(text->random, 40))
		fprintf(text->out, " %s--ahlen %s", maybe_not(text),
			random_pick(text->random, sizes));
	if (random_chance(text->random, 30))
		fputs(" --ahres", text->out);
}

static void put_fragment(struct text *text)
{
	static const char *const options[] = { "",
					       "",
					       " --fragfirst",
					       " --fragmore",
					       " --fraglast",
					       " --fragfirst --fragmore",
					       " --fragres",
					       " --fraglen 8" };

	fputs(" -m frag", text->out);
	if (random_chance(text->random, 40))
		fprintf(text->out, " %s--fragid %s", maybe_not(text),
			random_pick(text->random, numbers));
	fputs(random_pick(text->random, options), text->out);
}

static void put_routing(struct text *text)
{
	bool is_zero = random_chance(text->random, 30);

	fputs(" -m rt", text->out);
	if (is_zero)
		fputs(" --rt-type 0", text->out);
	else if (random_chance(text->random, 50))
		fprintf(text->out, " %s--rt-type %u", maybe_not(text),
			random_below(text->random, SMALL));
	if (random_chance(text->random, 40))
		fprintf(text->out, " %s--rt-segsleft %s", maybe_not(text),
			random_pick(text->random, numbers));
	if (random_chance(text->random, 40))
		fprintf(text->out, " %s--rt-len %u", maybe_not(text),
			random_below(text->random, 4) * 8);
	if (is_zero && random_chance(text->random, 50))
		fputs(" --rt-0-res", text->out);
}

static void put_options(struct text *text)
{
	const char *name = random_chance(text->random, 50) ? "hbh" : "dst";

	fprintf(text->out, " -m %s", name);
	if (random_chance(text->random, 70))
		fprintf(text->out, " %s--%s-len %u", maybe_not(text), name,
			random_below(text->random, 4) * 8);
}

/* Extension headers of IPv6. */
static void put_header(struct text *text)
{
	static void (*const kinds[])(struct text *) = { put_authentication, put_fragment,
							put_routing, put_options };

	random_pick(text->random, kinds)(text);
}

/* iptables takes no -o in INPUT. */
static void put_conditions(struct text *text, bool with_output)
{
	if (random_chance(text->random, 30))
		put_address(text, "-s");
	if (random_chance(text->random, 30))
		put_address(text, "-d");
	if (random_chance(text->random, 20))
		put_device(text, "-i");
	if (with_output && random_chance(text->random, 20))
		put_device(text, "-o");
	if (random_chance(text->random, 70))
		put_transport(text);
	if (random_chance(text->random, 20))
		put_other(text);
	if (text->family == 4 && random_chance(text->random, 15))
		fprintf(text->out, " %s-f", maybe_not(text));
	if (text->family == 6 && random_chance(text->random, 25))
		put_header(text);
}

#define CHAINS 4

static const char *const chains[CHAINS] = { "FORWARD", "INPUT", "one", "two" };

/* Most rules only count, so that the ones behind are tried too; jumps lead to later chains. */
static void put_rule(struct text *text, unsigned chain)
{
	static const char *const targets[] = { "",	     "",	 "",	      "",
					       " -j ACCEPT", " -j DROP", " -j RETURN" };
	bool jumps = chain < 3 && random_chance(text->random, 20);

	fprintf(text->out, "-A %s", chains[chain]);
	put_conditions(text, chain != 1);
	if (jumps)
		fprintf(text->out, " -%c %s\n", random_chance(text->random, 60) ? 'j' : 'g',
			chains[chain == 2 || random_chance(text->random, 50) ? 3 : 2]);
	else
		fprintf(text->out, "%s\n", random_pick(text->random, targets));
}

char *rules_make(struct random *random, int family)
{
	char *rules = NULL;
	size_t size;
	struct text text = { open_memstream(&rules, &size), random, family };

	if (!text.out)
		return NULL;
	fprintf(text.out,
		"*filter\n:INPUT %s [0:0]\n:FORWARD %s [0:0]\n:OUTPUT ACCEPT [0:0]\n"
		":one - [0:0]\n:two - [0:0]\n",
		random_chance(random, 50) ? "ACCEPT" : "DROP",
		random_chance(random, 50) ? "ACCEPT" : "DROP");
	for (unsigned chain = 0; chain < CHAINS; chain++)
		for (uint32_t count = random_below(random, 12); count; count--)
			put_rule(&text, chain);
	fputs("COMMIT\n", text.out);
	if (fclose(text.out)) {
		free(rules);
		return NULL;
	}
	return rules;
}
