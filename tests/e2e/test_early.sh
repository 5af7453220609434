# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Early stages in front of the netfilter hooks: what is certain ends before the IP layer, counted;
# what is not goes on, uncounted, and is judged there.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

namespace left right
join left right
if ! grep -q 'netfilter_hooks' <<<"$(on_bpf right iptables-legacy -L -n >/dev/null; "$ubpfilter" status)"; then
	skip "early stages" "this kernel has no netfilter hooks for BPF"
	exit
fi

# Packets that the IP layer of NAMESPACE got, of both families.
received() {
	inside "$1" awk '$1 == "Ip:" && !names++ { next } $1 == "Ip:" { print $4 }' /proc/net/snmp
}
received6() { inside "$1" awk '$1 == "Ip6InReceives" { print $2 }' /proc/net/snmp6; }
counted() { # PROGRAM CHAIN RULE
	on_bpf right "$1" -nvxL "$2" | awk -v rule="$3" 'NR == rule + 2 { print $1, $2 }'
}
send() { # ADDRESS: ten datagrams of 60 bytes
	inside left "$traffic" udp "$1" 9 10 >/dev/null 2>&1 || true
}

drops() { # NAME IPTABLES ADDRESS RECEIVED EXPECTED-AT-IP: rule 2 of INPUT drops ten datagrams
	local before after
	on_bpf right "$2" -Z
	before=$("$4" right)
	send "$3"
	after=$("$4" right)
	equal "$1: packets that got to the IP layer" "$5" $((after - before))
	equal "$1: the rule on the way counts" "10 $6" "$(counted "$2" INPUT 1)"
	equal "$1: the rule that drops counts" "10 $6" "$(counted "$2" INPUT 2)"
}

for hook in tc xdp; do
	inside right "$ubpfilter" stop --flush >/dev/null
	printf 'hook.left = %s\n' "$hook" >"$scratch/conf"
	export UBPFILTER_CONF=$scratch/conf
	for iptables in iptables-legacy ip6tables-legacy; do
		on_bpf right $iptables -A INPUT -p udp
		on_bpf right $iptables -A INPUT -i left -p udp --dport 9 -j DROP
	done
	contains "$hook: it is attached" "device left: $hook" "$("$ubpfilter" status)"
	drops "$hook" iptables-legacy 10.77.1.2 received 0 600
	drops "$hook, IPv6" ip6tables-legacy fd77:1::2 received6 0 800
done

# A table as data, with something that is not known early: all programs load, and still drop.
large() { # SOURCES
	echo "*filter"
	for i in $(seq 150); do
		echo "-A INPUT -s $1$i -p udp -m multiport --dports 1,$i -j DROP"
	done
	echo "-A INPUT -p udp -m conntrack --ctstate NEW -j ACCEPT"
	echo COMMIT
}
large 198.18.0. | on_bpf right iptables-legacy-restore
large fd99::1: | on_bpf right ip6tables-legacy-restore
on_bpf right iptables-legacy -I INPUT -p udp --dport 9 -j DROP
on_bpf right ip6tables-legacy -I INPUT -p udp --dport 9 -j DROP
equal "large tables are judged early, too" 2 \
	"$("$ubpfilter" status | grep -c 'programs: xdp_ingress tc_ingress netfilter_hooks')"
before=$(received right) before6=$(received6 right)
send 10.77.1.2
send fd77:1::2
equal "and drop there" "0 0" "$(($(received right) - before)) $(($(received6 right) - before6))"

uncertain() { # NAME: ten datagrams get to the IP layer, where the same rules count and drop them
	drops "$1" iptables-legacy 10.77.1.2 received 10 600
}
on_bpf right iptables-legacy -F
on_bpf right ip6tables-legacy -F
on_bpf right iptables-legacy -A INPUT -p udp
on_bpf right iptables-legacy -A INPUT -p udp --dport 9 -j DROP
inside right iptables-legacy -t raw -A PREROUTING -p tcp
uncertain "with rules ahead of the filter table"
inside right iptables-legacy -t raw -F
inside right nft flush ruleset
