# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Conntrack works where rules need it, even if nothing else in the namespace asks for it.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

namespace a peer
join a peer
pings() { # FROM ADDRESS
	inside "$1" ping -q -c 2 -i 0.01 -W 0.3 "$2" >/dev/null
}
ours() { # FAMILY: whether our nf_tables table is there
	grep -q "ct state" <<<"$(inside a nft list table "$1" ubpfilter 2>/dev/null)"
}
not() { ! "$@"; }
is_so() { # NAME COMMAND...
	if "${@:2}"; then pass "$1"; else failed "$1"; fi
}

on_bpf a iptables-legacy -A INPUT -p 99 -j DROP
equal "nothing is awake without need" "" "$(inside a nft list ruleset)"

for family in ip ip6; do
	case $family in
	ip) iptables=iptables-legacy here=10.77.1.1 there=10.77.1.2 ;;
	ip6) iptables=ip6tables-legacy here=fd77:1::1 there=fd77:1::2 ;;
	esac
	on_bpf a $iptables -A INPUT -m state --state ESTABLISHED -j ACCEPT
	on_bpf a $iptables -P INPUT DROP
	is_so "$family: awake with a rule" ours $family
	is_so "$family: replies come in" pings a "$there"
	is_so "$family: nothing else does" not pings peer "$here"

	inside a nft flush ruleset
	succeeds "$family: awake again after others flushed everything" until_true ours $family
	is_so "$family: replies come in again" pings a "$there"

	# While no driver looks: by the rules that are in force, not by what is there.
	driver=$(pgrep -x bpfilter_umh -P "$(supervisors)")
	kill -9 "$driver"
	inside a nft flush ruleset
	on_bpf a $iptables -L -n >/dev/null
	is_so "$family: awake again with the next driver" ours $family
	on_bpf a $iptables -F INPUT
	is_so "$family: asleep without the rule" not ours $family
	# as one that died before its rules were in force
	inside a nft -f - <<<"table $family ubpfilter { chain conntrack { ct state new
		}
	}"
	kill -9 "$(pgrep -x bpfilter_umh -P "$(supervisors)")"
	on_bpf a $iptables -L -n >/dev/null
	is_so "$family: the next driver removes what nobody needs" not ours $family
	on_bpf a $iptables -A INPUT -m state --state ESTABLISHED -j ACCEPT
done
is_so "each family has its own" ours ip
contains "status says so" "^    conntrack: kept awake by .* \(IPv4, IPv6\)$" "$("$ubpfilter" status)"
inside a "$ubpfilter" stop --flush >/dev/null
equal "nothing is left when all is taken down" "" "$(inside a nft list ruleset)"
