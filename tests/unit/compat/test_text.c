/* SPDX-License-Identifier: GPL-2.0-only */
/* rule_text() against what the stock iptables-save prints of the same table. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "../../../iptables-compat/text.h"
#include "../../../common/cleanup.h"
#include "../../support/kernel.h"

static const char *const rules_ipv4[] = {
	"",
	"-f",
	"! -f",
	"-s 10.0.0.0/8",
	"! -s 0.0.0.0/0",
	"-s 0.0.0.0/8",
	"-d 1.2.3.4",
	"! -d 10.0.0.1/255.0.255.0 -s 10.0.0.1/0.255.0.255",
	"-s 128.0.0.0/1 ! -d 192.168.0.0/31",
	"-p icmp -m icmp --icmp-type any",
	"-p icmp -m icmp ! --icmp-type any",
	"-p icmp -m icmp --icmp-type 3",
	"-p icmp -m icmp --icmp-type 3/4",
	"-p icmp -m icmp ! --icmp-type 3/0",
	"-p icmp -m icmp ! --icmp-type echo-request",
	"-p icmp -f -i lo",
	"! -p gre ! -f -s 1.1.1.1",
	"-m iprange --src-range 10.0.0.1-10.0.0.9",
	"-m iprange --src-range 10.0.0.1",
	"-m iprange ! --src-range 10.0.0.1-10.0.0.9 ! --dst-range 1.1.1.1-2.2.2.2",
	"-m ttl --ttl-eq 5",
	"-m ttl ! --ttl-eq 5",
	"-m ttl --ttl-lt 5",
	"-m ttl --ttl-gt 255",
	"-p ah -m ah --ahspi 5",
	"-p ah -m ah ! --ahspi 5:10",
	"-p ah -m ah",
	"-m conntrack --ctproto tcp --ctorigsrc 10.0.0.0/8 --ctorigdst 1.2.3.4",
	"-m conntrack ! --ctreplsrc 10.0.0.0/255.128.0.0 --ctrepldst 0.0.0.0/0",
	"-m addrtype --src-type BLACKHOLE,UNREACHABLE,PROHIBIT,BROADCAST",
	"-m addrtype --dst-type LOCAL --limit-iface-in",
	"-m realm --realm 7",
	"-m realm ! --realm 0x17/0xf0",
};

/* Targets with options: rules of their own. */
static const char *const targets_ipv4[] = {
	"-j REJECT",
	"-p tcp -j REJECT --reject-with tcp-reset",
	"-j REJECT --reject-with icmp-net-unreachable",
	"-j REJECT --reject-with icmp-host-unreachable",
	"-j REJECT --reject-with icmp-proto-unreachable",
	"-j REJECT --reject-with icmp-net-prohibited",
	"-j REJECT --reject-with icmp-host-prohibited",
	"-j REJECT --reject-with icmp-admin-prohibited",
};

static const char *const targets_ipv6[] = {
	"-j REJECT",
	"-p tcp -j REJECT --reject-with tcp-reset",
	"-j REJECT --reject-with icmp6-no-route",
	"-j REJECT --reject-with icmp6-adm-prohibited",
	"-j REJECT --reject-with icmp6-addr-unreachable",
	"-j REJECT --reject-with icmp6-policy-fail",
	"-j REJECT --reject-with icmp6-reject-route",
};

static const char *const targets_both[] = {
	"-p udp -j LOG",
	"-j LOG --log-prefix plain --log-level 0",
	"-j LOG --log-prefix \"with 'words': \" --log-level debug --log-tcp-sequence",
	"-j LOG --log-tcp-options --log-ip-options --log-uid --log-macdecode",
	"-j NFLOG",
	"-j NFLOG --nflog-group 5 --nflog-prefix \"a b\" --nflog-threshold 3",
	"-j NFLOG --nflog-size 0",
	"-j NFLOG --nflog-size 99 --nflog-threshold 1",
	"-j NFLOG --nflog-range 7",
	"-j MARK --set-mark 5",
	"-j MARK --set-xmark 0x10/0xff",
	"-j MARK --or-mark 0x80000000",
	"-j MARK --and-mark 0xff",
};

static const char *const rules_ipv6[] = {
	"-m eui64",
	"-m hl --hl-eq 5",
	"-m hl ! --hl-eq 5",
	"-m hl --hl-lt 0",
	"-m hl --hl-gt 5",
	"-m iprange --src-range fe80::1-fe80::ffff ! --dst-range ::-::1",
	"-m conntrack --ctorigsrc fe80::/10 ! --ctorigdst ::1 --ctreplsrc ::1/0 --ctrepldst ::",
	"-s ::/0",
	"! -s ::/0",
	"-s fe80::/10 ! -d ff00::/8",
	"-s ::ffff:1.2.3.4",
	"-d ::1/::ff",
	"-s ::1.2.3.4/ffff::",
	"! -d 2001:db8::/ffff:0:ffff::",
	"-s 2001:db8::1",
	"-p ipv6-icmp -m icmp6 --icmpv6-type 128",
	"-p ipv6-icmp -m icmp6 ! --icmpv6-type 1/4",
	"-p ipv6-icmp -m icmp6 --icmpv6-type 255/255",
	"-p ipv6-icmp -m icmp6 --icmpv6-type 0/0",
	"-p mobility-header -m mh",
	"-p mobility-header -m mh --mh-type 5",
	"-p mobility-header -m mh ! --mh-type 1:5",
	"-m ah",
	"-m ah --ahspi 5 --ahlen 16 --ahres",
	"-m ah ! --ahspi 1:5 ! --ahlen 16",
	"-m frag",
	"-m frag --fragid 1:5 --fraglen 8 --fragres --fragfirst --fragmore",
	"-m frag ! --fragid 7 ! --fraglen 8 --fraglast",
	"-m rt",
	"-m rt --rt-type 0 --rt-segsleft 1:4 --rt-len 24 --rt-0-res",
	"-m rt ! --rt-type 2 ! --rt-segsleft 1 ! --rt-len 24",
	"-m hbh",
	"-m hbh --hbh-len 8",
	"-m dst ! --dst-len 24",
};

static const char *const rules_both[] = {
	"-i lo",
	"! -i eth+",
	"-i +",
	"! -i +",
	"-i abcdefghijklmno",
	"-i abcdefghijklmn+",
	"-p tcp",
	"! -p udp",
	"-p 255",
	"-p 200",
	"! -p 143",
	"-p esp",
	"-p sctp",
	"-p all",
	"-p tcp -m tcp",
	"-p tcp --sport 0",
	"-p tcp --sport 1:2 ! --dport 0:65535",
	"-p tcp --sport :1 --dport 5:",
	"-p tcp ! --sport 65535 ! --dport 80:81",
	"-p tcp --syn",
	"-p tcp ! --syn",
	"-p tcp --tcp-flags ALL NONE",
	"-p tcp --tcp-flags NONE NONE",
	"-p tcp ! --tcp-flags NONE NONE",
	"-p tcp ! --tcp-flags FIN,URG,PSH URG",
	"-p tcp --tcp-option 255",
	"-p tcp ! --tcp-option 5 --dport 3 --syn",
	"-p tcp --tcp-option 1 -m tcp --sport 9",
	"-p udp -m udp",
	"-p udp --sport 5",
	"-p udp ! --sport 5:6 --dport 7",
	"-p udp --sport 0:65535 ! --dport 0:1",
	"-m comment --comment plain-text_1",
	"-m comment --comment \"two words\"",
	"-m comment --comment \"\"",
	"-m comment --comment \"q\\\"b\\\\s\\'\"",
	"-m comment --comment a;b",
	"-m comment --comment a:b",
	"-m comment --comment \xc3\xa4",
	"-m state --state NEW,ESTABLISHED",
	"-m state ! --state UNTRACKED,INVALID",
	"-m conntrack --ctstate NEW,ESTABLISHED,RELATED,INVALID,UNTRACKED,SNAT,DNAT",
	"-m conntrack ! --ctstate SNAT",
	"-m conntrack --ctstatus NONE",
	"-m conntrack --ctstatus EXPECTED,SEEN_REPLY,ASSURED,CONFIRMED",
	"-m conntrack ! --ctstatus ASSURED,NONE",
	"-m conntrack --ctproto 200 --ctorigsrcport 5 --ctorigdstport 5:7",
	"-m conntrack --ctproto 6 ! --ctreplsrcport 0:65535 --ctrepldstport 9",
	"-m conntrack --ctexpire 5",
	"-m conntrack ! --ctexpire 5: --ctdir ORIGINAL",
	"-m conntrack --ctdir REPLY",
	"-m conntrack ! --ctproto 6 ! --ctstate NEW --ctdir REPLY --ctstatus ASSURED --ctexpire "
	"1:2",
	"-m mac --mac-source 00:11:22:33:44:ff",
	"-m mac ! --mac-source 0:1:2:3:4:5",
	"-m tos --tos 0x10",
	"-m tos ! --tos 0x10/0x3f",
	"-m dscp --dscp 0x10",
	"-m dscp ! --dscp-class EF",
	"-m ecn --ecn-ip-ect 2",
	"-p tcp -m ecn ! --ecn-tcp-cwr --ecn-tcp-ece",
	"-p tcp -m ecn ! --ecn-tcp-cwr ! --ecn-tcp-ece ! --ecn-ip-ect 0",
	"-m mark --mark 1",
	"-m mark ! --mark 0x10/0xff",
	"-m mark --mark 0/0",
	"-m connmark --mark 0xabc",
	"-m connmark ! --mark 0x10/0xff",
	"-m pkttype --pkt-type unicast",
	"-m pkttype ! --pkt-type broadcast",
	"-m pkttype --pkt-type multicast",
	"-m addrtype --src-type UNICAST,MULTICAST,UNSPEC",
	"-m addrtype ! --src-type LOCAL ! --dst-type UNSPEC,UNICAST,ANYCAST,UNREACHABLE",
	"-m devgroup --src-group 1",
	"-m devgroup ! --src-group 0x3/0xf",
	"-m cpu --cpu 5",
	"-m cpu ! --cpu 0",
	"-p tcp -m multiport --dports 80",
	"-p tcp -m multiport ! --sports 80,443,1000:2000,0:65535",
	"-p udp -m multiport --ports 53,5353,1:2",
	"-p sctp -m multiport --ports 5:6,6",
	"-p udplite -m multiport --dports 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15",
	"-p esp -m esp --espspi 5",
	"-p esp -m esp",
	"-p esp -m esp ! --espspi 5:10",
	"-p esp -m esp ! --espspi 0:4294967295",
	"-m length --length 5",
	"-m length ! --length 5:",
	"-m length --length :5",
	"-p sctp -m sctp --sport 5 ! --dport 6:7",
	"-p sctp -m sctp",
	"-p dccp -m dccp",
	"-p dccp -m dccp --dport 5 ! --dccp-types REQUEST,RESPONSE,DATA,ACK,DATAACK",
	"-p dccp -m dccp ! --sport 5:6 --dccp-types CLOSEREQ,CLOSE,RESET,SYNC,SYNCACK,INVALID",
	"-p dccp -m dccp --dccp-types RESET ! --dccp-option 7",
	"-p tcp -m tcpmss --mss 5",
	"-m helper --helper ftp",
	"-m helper ! --helper sip-5060",
	"-p tcp -m tcpmss ! --mss 0:1400",
	"-p sctp -m sctp --sport 0:65535",
	"-p tcp -m comment --comment x -m tcp --dport 1 -m comment --comment y",
	"-m limit",
	"-m time",
	"-m time --timestart 08:00 --timestop 17:30:15",
	"-m time --timestart 0:00 --timestop 23:59:58 --weekdays Mon,Fri,Sun",
	"-m time ! --weekdays Sat,Sun --monthdays 1,15,31",
	"-m time --datestart 2007-01-01T12:34:56 --datestop 2037-12-31",
	"-m time --datestart 1970 --datestop 2038-01-19T03:14:07 ! --monthdays 2,3",
	"-m time --timestart 22:00 --timestop 06:00 --contiguous --weekdays Mon",
	"-m time --timestart 1:00 --timestop 1:00",
	"-m limit --limit 1/second",
	"-m limit --limit 10000/second",
	"-m limit --limit 3000/second --limit-burst 10000",
	"-m limit --limit 7/minute --limit-burst 4",
	"-m limit --limit 100/minute",
	"-m limit --limit 61/hour",
	"-m limit --limit 5/day --limit-burst 1",
	"-m limit --limit 1/day --limit-burst 1",
	"-m connbytes --connbytes 10:20 --connbytes-mode packets --connbytes-dir both",
	"-m connbytes ! --connbytes 10:20 --connbytes-mode bytes --connbytes-dir original",
	"-m connbytes --connbytes 100: --connbytes-mode avgpkt --connbytes-dir reply",
	"-m connbytes ! --connbytes 7: --connbytes-mode bytes --connbytes-dir reply",
	"-m connbytes --connbytes 0:0 --connbytes-mode packets --connbytes-dir original",
	"-m connbytes --connbytes 0:18446744073709551614 --connbytes-mode bytes "
	"--connbytes-dir both",
	"-m hashlimit --hashlimit-upto 30/sec --hashlimit-burst 60 --hashlimit-mode srcip "
	"--hashlimit-name web",
	"-m hashlimit --hashlimit-above 512kb/s --hashlimit-name b --hashlimit-mode srcip,dstport",
	"-m hashlimit --hashlimit-above 512kb/s --hashlimit-burst 1mb --hashlimit-name c "
	"--hashlimit-mode dstip,srcport --hashlimit-srcmask 24 --hashlimit-dstmask 16 "
	"--hashlimit-htable-size 100 --hashlimit-htable-max 200 "
	"--hashlimit-htable-gcinterval 500 --hashlimit-htable-expire 2000",
	"-m hashlimit --hashlimit-upto 5/day --hashlimit-name d",
	"-m hashlimit --hashlimit-above 100/min --hashlimit-name e --hashlimit-rate-match "
	"--hashlimit-rate-interval 2",
	"-m hashlimit --hashlimit 7/hour --hashlimit-name f --hashlimit-mode srcip",
	"-m hashlimit --hashlimit-upto 100kb/s --hashlimit-name g --hashlimit-rate-match",
	"-m hashlimit --hashlimit-upto 1000000/s --hashlimit-name h --hashlimit-srcmask 0",
	"-m hashlimit --hashlimit-upto 61/min --hashlimit-name i --hashlimit-burst 10000",
	"-m hashlimit --hashlimit-upto 123456b/s --hashlimit-burst 3000000b --hashlimit-name j",
	"-m quota --quota 0",
	"-m quota ! --quota 18446744073709551615",
	"-m statistic --mode random --probability 0",
	"-m statistic --mode random --probability 1",
	"-m statistic --mode random ! --probability 0.3333",
	"-m statistic --mode nth --every 1 --packet 0",
	"-m statistic --mode nth ! --every 5 --packet 4",
	"-m statistic --mode nth --every 4294967295 --packet 7 -m limit -m quota --quota 1",
};

/* For OUTPUT only. */
static const char *const rules_sent[] = {
	"-m owner --uid-owner root",
	"-m owner ! --uid-owner 5-10",
	"-m owner --gid-owner 5-10 --uid-owner 0",
	"-m owner --socket-exists",
	"-m owner ! --socket-exists ! --gid-owner 7",
	"-m owner --gid-owner 7 --suppl-groups",
};

static const char *const targets[] = {
	"", "-j ACCEPT", "-j DROP", "-j RETURN", "-j user", "-g user"
};

static void write_rules(FILE *out, const char *const *rules, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < ARRAY_SIZE(targets); k++)
			fprintf(out, "-A %s %s %s\n", k % 2 ? "INPUT" : "FORWARD", rules[i],
				targets[k]);
}

static void write_targets(FILE *out, const char *const *rules, size_t count)
{
	for (size_t i = 0; i < count; i++)
		fprintf(out, "-A %s %s\n", i % 2 ? "user" : "OUTPUT", rules[i]);
}

static char *ruleset(enum family family)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	fputs("*filter\n:INPUT DROP [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
	      ":user - [0:0]\n:empty - [0:0]\n:z-28-bytes-is-the-longest-na - [0:0]\n",
	      out);
	write_rules(out, rules_both, ARRAY_SIZE(rules_both));
	if (family == FAMILY_IPV4)
		write_rules(out, rules_ipv4, ARRAY_SIZE(rules_ipv4));
	else
		write_rules(out, rules_ipv6, ARRAY_SIZE(rules_ipv6));
	for (size_t i = 0; i < ARRAY_SIZE(rules_sent); i++)
		fprintf(out, "-A OUTPUT %s\n", rules_sent[i]);
	write_targets(out, targets_both, ARRAY_SIZE(targets_both));
	if (family == FAMILY_IPV4)
		write_targets(out, targets_ipv4, ARRAY_SIZE(targets_ipv4));
	else
		write_targets(out, targets_ipv6, ARRAY_SIZE(targets_ipv6));
	for (int protocol = 1; protocol < 256; protocol++)
		fprintf(out, "-A OUTPUT -o lo -p %d\n", protocol);
	fputs("-A OUTPUT ! -o eth0 -g empty\n-A user -j empty\n-A user -i lo\n"
	      "-A z-28-bytes-is-the-longest-na -p tcp -j empty\n-A OUTPUT -j "
	      "z-28-bytes-is-the-longest-na\n"
	      "COMMIT\n",
	      out);
	fclose(out);
	return text;
}

/* What iptables-save prints, without what is not a rule or chain, and without counters. */
static void strip(char *saved)
{
	char *to = saved;

	for (char *line = strtok(saved, "\n"); line; line = strtok(NULL, "\n")) {
		char *counters = line[0] == ':' ? strstr(line, " [") : NULL;

		if (line[0] != ':' && line[0] != '-')
			continue;
		if (counters)
			*counters = '\0';
		to += sprintf(to, "%s\n", line);
	}
	*to = '\0';
}

static bool is_hidden(const struct table *table, uint32_t index)
{
	const struct xt_entry_target *next;

	if (index + 1 == table->entry_count)
		return true; /* the end */
	for (int hook = 0; hook < TABLE_HOOKS; hook++)
		if (table->underflow[hook] == table->offsets[index])
			return true; /* printed with the chains */
	next = table_entry(table, index + 1).target;
	return strcmp(table_entry(table, index).target->u.user.name, "ERROR") == 0 ||
	       strcmp(next->u.user.name, "ERROR") == 0; /* a head, a user chain's RETURN */
}

static void append(FILE *out, const struct table *table, uint32_t index)
{
	char *text = NULL;

	cr_assert_eq(rule_text(table, index, &text), 0);
	fprintf(out, "%s\n", text);
	free(text);
}

/* Chains first, in the kernel's order, then the rules: as iptables-save. */
static char *printed(const struct table *table)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	for (int hook = 0; hook < TABLE_HOOKS; hook++)
		if (table->valid_hooks & 1u << hook)
			append(out, table, table_index(table, table->underflow[hook]));
	for (uint32_t i = 0; i + 1 < table->entry_count; i++)
		if (strcmp(table_entry(table, i).target->u.user.name, "ERROR") == 0)
			append(out, table, i);
	for (uint32_t i = 0; i < table->entry_count; i++)
		if (!is_hidden(table, i))
			append(out, table, i);
	fclose(out);
	return text;
}

/* Line by line, so that a difference is readable. */
static void compare_lines(char *ours, char *theirs)
{
	char *our_rest, *their_rest;
	char *our_line = strtok_r(ours, "\n", &our_rest);
	char *their_line = strtok_r(theirs, "\n", &their_rest);
	unsigned lines = 0;

	for (; our_line && their_line; lines++) {
		cr_expect_str_eq(our_line, their_line);
		our_line = strtok_r(NULL, "\n", &our_rest);
		their_line = strtok_r(NULL, "\n", &their_rest);
	}
	cr_assert_eq(our_line, NULL);
	cr_assert_eq(their_line, NULL);
	cr_assert_gt(lines, 400);
}

static void compare(enum family family)
{
	bool is_ipv4 = family == FAMILY_IPV4;
	const char *restore[] = { is_ipv4 ? "iptables-legacy-restore" : "ip6tables-legacy-restore",
				  NULL };
	const char *save[] = { is_ipv4 ? "iptables-legacy-save" : "ip6tables-legacy-save", "-t",
			       "filter", NULL };
	_cleanup_free_ char *rules = ruleset(family);
	_cleanup_free_ char *theirs = NULL, *ours = NULL;
	_cleanup_free_ void *blob = NULL;
	struct table *table = NULL;
	struct message message = { 0 };
	uint32_t num_counters;
	size_t size;
	int error = kernel_enter();

	if (error && !kernel_required())
		cr_skip_test("no network namespace or no legacy iptables: %s", strerror(-error));
	cr_assert_eq(error, 0);
	cr_assert_eq(kernel_run(restore, rules, NULL), 0, "the stock restore refuses the rules");
	cr_assert_eq(kernel_run(save, NULL, &theirs), 0);
	cr_assert_eq(kernel_table(family, &blob, &size), 0);
	error = table_decode(family, blob, size, &table, &num_counters, &message);
	cr_assert_eq(error, 0, "%s", message.text);
	strip(theirs);
	ours = printed(table);
	compare_lines(ours, theirs);
	table_free(table);
}

Test(text, ipv4_rules_read_as_iptables_save_prints_them)
{
	compare(FAMILY_IPV4);
}

Test(text, ipv6_rules_read_as_ip6tables_save_prints_them)
{
	compare(FAMILY_IPV6);
}
