# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Rulesets as real tools write them (tests/rulesets), restored by the stock commands on the kernel's
# own tables and through ubpfilter: the same rules back, the same verdicts, the same counters, and a
# word on who enforces them.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

make_side() { # NAME
	namespace "$1" "peer-$1"
	ip -n "$tag-$1" link add eth0 address 02:00:00:00:0b:01 type veth \
		peer name eth0 address 02:00:00:00:0b:02 netns "$tag-peer-$1"
	# what answers errors must not depend on how fast they come
	inside "$1" sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv4.icmp_msgs_per_sec=100000 \
		net.ipv6.icmp.ratelimit=0
	side_link "$1" 1 2
	side_link "peer-$1" 2 1
	ip -n "$tag-$1" link set eth0 up
	ip -n "$tag-peer-$1" link set eth0 up
}

side_link() { # NAME HOST PEER
	ip -n "$tag-$1" address add "10.77.1.$2/24" dev eth0
	ip -n "$tag-$1" address add "fd77:1::$2/64" dev eth0 nodad
	ip -n "$tag-$1" neighbour replace "10.77.1.$3" lladdr "02:00:00:00:0b:0$3" dev eth0 nud permanent
	ip -n "$tag-$1" neighbour replace "fd77:1::$3" lladdr "02:00:00:00:0b:0$3" dev eth0 nud permanent
}

# What comes and goes, and what became of it. No connection is accepted: how many segments one
# takes is a matter of time.
send_all() { # SIDE OWN PEER LOOPBACK
	local port
	inside "peer-$1" ping -q -c 5 -i 0.01 -W 0.2 "$2" | sed -n 's/.* \([0-9]* received\).*/\1/p' || true
	for port in 53 111 137 500 1900 51820; do
		inside "peer-$1" "$traffic" udp "$2" $port 3
	done
	for port in 22 80 111 443 445 8080; do
		echo "from outside to $port: $(inside "peer-$1" "$traffic" tcp "$2" $port 150)"
	done
	for port in 25 53 443; do
		echo "from inside to $port: $(inside "$1" "$traffic" tcp "$3" $port 150)"
	done
	inside "$1" "$traffic" udp "$3" 137 3
	inside "$1" ping -q -c 2 -i 0.01 -W 0.2 "$3" | sed -n 's/.* \([0-9]* received\).*/\1/p' || true
	inside "$1" ping -q -c 2 -i 0.01 -W 0.2 "$4" | sed -n 's/.* \([0-9]* received\).*/\1/p' || true
}

# Table by table: which of them comes first depends on when it was first asked for.
save_all() { # SIDE FILE COMMAND-LINE...
	local side=$1 file=$2 table
	shift 2
	for table in $(sed -n 's/^\*//p' "$file"); do
		inside "$side" "$@" -t "$table" | sed 's/ on .*//'
	done
}

run_side() { # SIDE FILE COMMAND PREFIX...
	local side=$1 file=$2 tables=$3
	shift 3
	inside "$side" "$@" "$tables-legacy-restore" <"$file" 2>&1 || echo "restore failed"
	save_all "$side" "$file" "$@" "$tables-legacy-save"
	if [ "$tables" = iptables ]; then
		send_all "$side" 10.77.1.1 10.77.1.2 127.0.0.1
	else
		send_all "$side" fd77:1::1 fd77:1::2 ::1
	fi
	save_all "$side" "$file" "$@" "$tables-legacy-save" -c
}

# The rule that a reason names has what the reason says.
reason_holds() { # REASON RULES
	local chain number extension
	read -r chain number extension < <(sed -n 's/.*: filter\/\(.*\) rule \([0-9]*\): [a-z]* "\([^"]*\)".*/\1 \2 \3/p' <<<"$1")
	[ "$extension" ] && sed -n '/^\*filter/,/^COMMIT/p' <<<"$2" | grep -- "-A $chain " | sed -n "${number}p" |
		grep -qE -- "-(m|j) $extension( |$)"
}

check_ruleset() { # FILE
	local name=${1##*/} tables=iptables family=IPv4 who kernels rules
	[[ $name != *.v6 ]] || { tables=ip6tables family=IPv6; }
	make_side kernel
	make_side bpf
	XTABLES_LOCKFILE=$scratch/lock-kernel run_side kernel "$1" $tables >"$scratch/kernel" &
	XTABLES_LOCKFILE=$scratch/lock-bpf run_side bpf "$1" $tables "$ubpfilter" exec -- >"$scratch/bpf" &
	wait -n
	wait -n
	who=$(enforcers | sed -n "s/^($family) //p")
	rules=$(grep -c '^-A' "$1")
	equal "$name: 0 differences ($rules rules; $who)" "" "$(diff "$scratch/kernel" "$scratch/bpf" | head -n 20)"
	kernels=$(inside bpf $tables-legacy-save -t filter | grep '^-A' || true)
	if [[ $who == "BPF, targets of "* ]]; then
		equal "$name: the kernel has the targets of its rules, and none of its rules" "" \
			"$(grep -v '^-A [A-Z]* -m bpf \|^-A run-\|^-A targets-\|^-A target-' <<<"$kernels" || true)"
	elif [ "$who" = BPF ]; then
		equal "$name: none of its rules is the kernel's" "" "$kernels"
	else
		succeeds "$name: the rule that is named is why" reason_holds "$who" "$(cat "$1")"
		equal "$name: the kernel has its rules" "$(inside kernel $tables-legacy-save -t filter | grep '^-A')" "$kernels"
	fi
	inside bpf "$ubpfilter" stop --flush >/dev/null
	for name in kernel bpf peer-kernel peer-bpf; do
		ip netns del "$tag-$name"
	done
}

for file in "$top"/tests/rulesets/*.v[46]; do
	check_ruleset "$file"
done
