# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Stateful matches on an older kernel: its verifier takes them, as code and as data, and they count.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

export UBPFILTER_HOOK=tc
# without acceleration, a verifier may take half a minute
export COMMAND_SECONDS=120

rules() { # FILLERS CHAIN: as many rules that no packet of the test meets, and where all stand
	local i
	echo "*filter"
	echo ":INPUT ACCEPT"
	echo ":user -"
	cat <<-EOF
		-A $2 -p icmp --icmp-type 8 -m limit --limit 1/hour --limit-burst 3
		-A $2 -p icmp --icmp-type 8 -m quota --quota 200
		-A $2 -p icmp --icmp-type 8 -m statistic --mode nth --every 4 --packet 0
		-A $2 -p icmp --icmp-type 8 -m statistic --mode random --probability 1
		-A $2 -p icmp --icmp-type 8 -m time --timestart 12:00 --timestop 11:59:59
		-A $2 -p icmp --icmp-type 8 -m time --datestop 2000-01-01
	EOF
	for ((i = 0; i < $1; i++)); do
		echo "-A $2 -p tcp --dport $((1000 + i)) -j DROP"
		[ "$2" = INPUT ] || echo "-A INPUT -p tcp --sport $((1000 + i)) -j $2"
	done
	[ "$2" = INPUT ] || echo "-A INPUT -p icmp -j $2"
	echo "COMMIT"
}

namespace a
# as code, as data, and in a chain that is called from many places
for table in "0 INPUT" "120 INPUT" "40 user"; do
	read -r fillers chain <<<"$table"
	rules "$fillers" "$chain" >"$scratch/rules"
	succeeds "$table: its rules are taken" on_bpf a iptables-legacy-restore "$scratch/rules"
	contains "$table: they are BPF's" "enforced by BPF" "$("$ubpfilter" status)"
	inside a ping -q -c 8 -i 0.01 127.0.0.1 >/dev/null
	counted=
	for rule in 1 2 3 4 5 6; do
		counted+="$(counter a iptables "$chain" $rule) "
	done
	equal "$table: packets of each match" "3 2 2 8 8 0 " "$counted"
done
