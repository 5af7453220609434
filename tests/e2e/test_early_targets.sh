# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Early stages of tables with targets that the kernel executes: what a target may mean goes on to
# it, what is certain to be dropped without one ends before the IP layer.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

namespace left right
join left right
on_bpf right iptables-legacy -A INPUT -p udp --dport 7 -j REJECT
need_executions "early stages of tables with targets"
if ! "$ubpfilter" status | grep -q netfilter_hooks; then
	skip "early stages of tables with targets" "no netfilter hooks: $(enforcers | head -n 1)"
	exit
fi

received() { # NAMESPACE: packets that its IP layer got, of $family
	if [ $family = 4 ]; then
		inside "$1" awk '$1 == "Ip:" && !names++ { next } $1 == "Ip:" { print $4 }' /proc/net/snmp
	else
		inside "$1" awk '$1 == "Ip6InReceives" { print $2 }' /proc/net/snmp6
	fi
}

# Ten datagrams to each port. How many of each got to the IP layer, and answers to the last ones.
arrivals() { # PORT...
	local port before
	for port in "$@"; do
		before=$(received right)
		inside left "$traffic" udp $address "$port" 10 >/dev/null 2>&1 || true
		echo "$port:$(($(received right) - before))"
	done | xargs
}

table() { # FILLING TEXT: as code, or with as many rules as make it a tree
	local i
	{
		echo '*filter'
		[ "$1" = code ] || for ((i = 1; i < 150; i++)); do echo "-A INPUT -s $other$i -p tcp -m multiport --dports 1,$i -j DROP"; done
		printf '%s\nCOMMIT\n' "$2"
	} | on_bpf right $ip-legacy-restore
}

counted() { # CHAIN NUMBER: packets of its last rules
	on_bpf right $ip-legacy -nvxL "$1" | awk 'NR > 2 { print $1 }' | tail -n "$2" | xargs
}

each() { # NAME FILLING
	table "$2" ':note - [0:0]
-A INPUT -p udp --dport 7 -j REJECT
-A INPUT -p udp --dport 8 -j LOG
-A INPUT -p udp --dport 6:8 -j DROP
-A INPUT -p udp --dport 10 -m limit --limit 1/hour -j LOG
-A INPUT -p udp --dport 10:11 -j DROP
-A INPUT -p udp --dport 12 -g note
-A INPUT -p udp --dport 13:15 -j note
-A INPUT -p udp --dport 12:16 -j DROP
-A note -p udp --sport 1 -j NFLOG
-A note -p udp --dport 14 -j NFLOG
-A note -p udp --dport 12:14 -j DROP'
	contains "$1: it is attached" "device left: $hook" "$("$ubpfilter" status)"
	equal "$1: what no target can mean ends early" "6:0 7:10 8:10" "$(arrivals 6 7 8)"
	equal "$1: what one may mean does not" "10:10 11:0" "$(arrivals 10 11)"
	equal "$1: in a chain" "12:0 13:0 14:10 15:0 16:0" "$(arrivals 12 13 14 15 16)"
	equal "$1: each rule counts" "10 10 20 5 20 10 30 20" "$(counted INPUT 8)"
	equal "$1: and those of the chain" "0 10 30" "$(counted note 3)"
}

for hook in tc xdp; do
	inside right "$ubpfilter" stop --flush >/dev/null
	printf 'hook.left = %s\n' $hook >"$scratch/conf"
	export UBPFILTER_CONF=$scratch/conf
	for family in 4 6; do
		ip=iptables address=10.77.1.2 other=198.18.0.
		[ $family = 4 ] || ip=ip6tables address=fd77:1::2 other=fd99::1:
		each "$hook, IPv$family, code" code
		each "$hook, IPv$family, tree" tree
	done
done
