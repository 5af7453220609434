# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Stateful matches on an older kernel: its verifier takes them, as code and as data, and they count.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

export UBPFILTER_HOOK=tc

rules() { # FILLERS: rules that no packet of the test meets
	local i
	echo "*filter"
	echo ":INPUT ACCEPT"
	cat <<-'EOF'
		-A INPUT -p icmp --icmp-type 8 -m limit --limit 1/hour --limit-burst 3
		-A INPUT -p icmp --icmp-type 8 -m quota --quota 200
		-A INPUT -p icmp --icmp-type 8 -m statistic --mode nth --every 4 --packet 0
		-A INPUT -p icmp --icmp-type 8 -m statistic --mode random --probability 1
		-A INPUT -p icmp --icmp-type 8 -m time --timestart 12:00 --timestop 11:59:59
		-A INPUT -p icmp --icmp-type 8 -m time --datestop 2000-01-01
	EOF
	for ((i = 0; i < $1; i++)); do
		echo "-A INPUT -p tcp --dport $((1000 + i)) -j DROP"
	done
	echo "COMMIT"
}

namespace a
for fillers in 0 150; do
	rules $fillers >"$scratch/rules"
	succeeds "$fillers more rules are taken" on_bpf a iptables-legacy-restore "$scratch/rules"
	# as data, with so many kinds of matches, they need more stack than 6.1 gives: the kernel's then
	[ $fillers != 0 ] || contains "0 more rules are BPF's" "enforced by BPF" "$("$ubpfilter" status)"
	inside a ping -q -c 8 -i 0.01 127.0.0.1 >/dev/null
	counted=
	for rule in 1 2 3 4 5 6; do
		counted+="$(counter a iptables INPUT $rule) "
	done
	equal "$fillers more rules: packets of each match" "3 2 2 8 8 0 " "$counted"
done
