# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Stateful matches beside the kernel's: the same packets, at the same time and pace, to a namespace
# with the kernel's own tables and to one with BPF. Limits may differ by one packet; where a second
# begins, by those of a tick.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

export UBPFILTER_STRICT=yes

# Seconds from now on, as a time of day.
at() { date -u -d "@$(($(date +%s) + $1))" +%H:%M:%S; }

# Of matches that the netfilter stage alone does.
hook_rules() {
	cat <<-'EOF'
		-A INPUT -m connbytes --connbytes 20:100 --connbytes-mode packets --connbytes-dir original
		-A INPUT -m connbytes ! --connbytes 20:100 --connbytes-mode packets --connbytes-dir both
		-A INPUT -m connbytes --connbytes 1000: --connbytes-mode bytes --connbytes-dir original
		-A INPUT -m connbytes --connbytes 300:500 --connbytes-mode bytes --connbytes-dir reply
		-A INPUT -m connbytes --connbytes 30:84 --connbytes-mode avgpkt --connbytes-dir both
		-A INPUT -m connbytes --connbytes 0 --connbytes-mode avgpkt --connbytes-dir reply
		-A INPUT -m connbytes ! --connbytes 3: --connbytes-mode packets --connbytes-dir reply
		-A OUTPUT -m connbytes --connbytes 3 --connbytes-mode packets --connbytes-dir reply
		-A INPUT -p udp -m hashlimit --hashlimit-upto 50/s --hashlimit-burst 1 --hashlimit-mode srcip --hashlimit-name a -m comment --comment limit
		-A INPUT -p udp -m hashlimit --hashlimit-above 37/s --hashlimit-burst 20 --hashlimit-mode srcport --hashlimit-name b -m comment --comment limit
		-A INPUT -p udp -m hashlimit --hashlimit-upto 600/min --hashlimit-mode srcip,dstport --hashlimit-name c -m comment --comment limit
		-A INPUT -p udp -m hashlimit --hashlimit-upto 1/hour --hashlimit-burst 7 --hashlimit-name d
		-A INPUT -p udp -m hashlimit --hashlimit-upto 1/hour --hashlimit-burst 7 --hashlimit-mode dstport --hashlimit-srcmask 8 --hashlimit-name d
		-A INPUT -p udp -m hashlimit --hashlimit-upto 20kb/s --hashlimit-mode srcip --hashlimit-name e -m comment --comment bytes
		-A INPUT -p udp -m hashlimit --hashlimit-above 3kb/s --hashlimit-burst 9kb --hashlimit-mode dstip --hashlimit-name f -m comment --comment bytes
		-A INPUT -p udp -m hashlimit --hashlimit-upto 90/s --hashlimit-burst 10 --hashlimit-rate-match --hashlimit-mode srcip --hashlimit-name g -m comment --comment limit
		-A INPUT -p udp -m hashlimit --hashlimit-above 2kb/s --hashlimit-rate-match --hashlimit-rate-interval 2 --hashlimit-name h -m comment --comment bytes
		-A INPUT -m hashlimit --hashlimit-upto 1/hour --hashlimit-burst 3 --hashlimit-mode srcip,srcport,dstip,dstport --hashlimit-name j
	EOF
}

# A time around a midnight: today's, which has begun, or yesterday's, which goes on.
around_midnight() {
	if [ "$(date -u +%H)" -ge 12 ]; then
		echo "--timestart $(at -3600) --timestop 01:00:00"
	else
		echo "--timestart 20:00:00 --timestop $(at 3600)"
	fi
}

# The rules of a table; what depends on the moment has a comment that says so.
rules() { # FILLERS
	local i
	echo "*filter"
	echo ":INPUT ACCEPT"
	echo ":user - [0:0]"
	echo ":other - [0:0]"
	echo ":limited - [0:0]"
	# such that the trains meet the borders
	cat <<-EOF
		-A INPUT -p udp -m time --timestart $(at 1) --timestop $(at 1) -m comment --comment second
		-A INPUT -p udp -m time --timestart $(at 2) --timestop $(at 600) -m comment --comment second
		-A INPUT -p udp -m time --datestart $(date -u -d "@$(($(date +%s) + 2))" +%FT%T) -m comment --comment second
		-A INPUT -p udp -m time --weekdays $(date -u +%a),$(date -u -d tomorrow +%a) --monthdays $(date -u +%d),$(date -u -d tomorrow +%d)
		-A INPUT -p udp -m time ! --weekdays $(date -u +%a),$(date -u -d tomorrow +%a)
		-A INPUT -p udp -m time $(around_midnight) --contiguous --weekdays $(date -u +%a)
		-A INPUT -p udp -m time --timestart $(at -36000) --timestop $(at -3600) -m quota --quota 3000
	EOF
	[ $UBPFILTER_HOOK != auto ] || hook_rules
	for ((i = 0; i < $1; i++)); do
		echo "-A INPUT -p tcp --dport $((1000 + i)) -j DROP"
	done
	cat <<-'EOF'
		-A INPUT -p udp -m limit --limit 50/s --limit-burst 1 -m comment --comment limit
		-A INPUT -p udp -m limit --limit 37/s --limit-burst 20 -m comment --comment limit
		-A INPUT -p udp -m limit --limit 600/min -m comment --comment limit
		-A INPUT -p udp -m limit --limit 1/hour --limit-burst 7
		-A INPUT -p udp -m statistic --mode nth --every 3 --packet 1
		-A INPUT -p udp -m statistic --mode nth --every 4 --packet 0 -m quota --quota 3000
		-A INPUT -p udp -m statistic --mode nth ! --every 4 --packet 2
		-A INPUT -p udp -m quota --quota 7777
		-A INPUT -p udp -m quota ! --quota 5000
		-A INPUT -p udp -m quota --quota 9000 -m udp --dport 9
		-A INPUT -p udp -m quota --quota 9000 -m statistic --mode random --probability 0
		-A INPUT -p udp -m statistic --mode random --probability 1 -m statistic --mode nth --every 2 --packet 0
		-A INPUT -p udp -m statistic --mode nth --every 5 --packet 0 -j user
		-A INPUT -p udp -m limit --limit 100/s -j limited -m comment --comment limit
		-A INPUT -p udp -m statistic --mode nth --every 6 --packet 0 -g other
		-A INPUT -p udp -m statistic --mode nth --every 2 --packet 0 -j ACCEPT
		-A INPUT -p udp -m statistic --mode nth --every 3 --packet 0 -j DROP
		-A user -m statistic --mode nth --every 2 --packet 1 -j RETURN
		-A user -m quota --quota 2000
		-A limited -m statistic --mode nth --every 2 --packet 1 -m comment --comment limit
		-A other -m statistic --mode nth --every 2 --packet 1 -j RETURN
		-A other -m quota --quota 4000 -j ACCEPT
		COMMIT
	EOF
}

both() { # COMMAND...: of the tables' tools
	XTABLES_LOCKFILE=$scratch/lock-kernel inside kernel "$@"
	on_bpf bpf "$@"
}

# One line a rule: packets, and what is not the counters.
counted() { # NAME TABLES
	if [ "$1" = bpf ]; then
		on_bpf bpf "$2-legacy-save" -c
	else
		inside "$1" "$2-legacy-save" -c
	fi | sed -n 's/^\[\([0-9]*\):[0-9]*\] /\1 /p'
}

# The counters of the two sides; of rules with a limit they may differ by @allowed, where bytes are
# limited by the small packets that fit in place of a large one, and where a second begins by a tick
# of 10 ms, in packets.
differences() { # TABLES ALLOWED
	paste -d '\n' <(counted kernel "$1") <(counted bpf "$1") | awk -v allowed="$2" '
		NR % 2 { theirs = $1; next }
		{
			difference = $1 - theirs
			if (difference < 0) difference = -difference
			if (difference > (/comment limit/ ? allowed : /comment bytes/ ? 5 * allowed : /comment second/ ? 20 : 0))
				print "kernel " theirs ", BPF: " $0
			packets += theirs
		}
		END { if (NR < 2 * 29 || !packets) print "nothing was counted" }'
}

train() { # nothing may come in between two packets that are meant to be sent at once
	inside sender chrt -f 10 "$traffic" train "$@"
}

trains() { # in two families to both sides: a burst, some paces, a pause
	local ends=(10.77.1.1 10.77.2.1 fd77:1::1 fd77:2::1)
	train 60 0 5000 "${ends[@]}"
	train 300 1000 5000 "${ends[@]}"
	train 60 7000 5000 "${ends[@]}"
	train 4 150000 5000 "${ends[@]}"
	train 40 100 5000 "${ends[@]}"
	answered
}

answered() { # connections of two directions
	local address
	for address in 10.77.1.1 10.77.2.1 fd77:1::1 fd77:2::1; do
		inside sender ping -q -c 6 -i 0.002 "$address" >/dev/null
	done
}

namespace kernel bpf sender
join kernel sender 1
ip -n "$tag-bpf" link add sender type veth peer name bpf netns "$tag-sender"
for end in bpf:sender:1 sender:bpf:2; do
	IFS=: read -r name device host <<<"$end"
	ip -n "$tag-$name" address add "10.77.2.$host/24" dev "$device"
	ip -n "$tag-$name" address add "fd77:2::$host/64" dev "$device" nodad
	ip -n "$tag-$name" link set dev "$device" up
done
neighbour bpf sender sender bpf 2 2
neighbour sender bpf bpf sender 2 1
# answers to closed ports would count, too
for name in kernel bpf; do
	inside $name "$traffic" sink 5000 >"$scratch/sink-$name" &
	until_true grep -qs ready "$scratch/sink-$name"
done

for hook in auto tc xdp; do
	export UBPFILTER_HOOK=$hook
	for fillers in 0 150; do
		rules $fillers >"$scratch/rules"
		inside bpf sysctl -q net.netfilter.nf_conntrack_acct=0
		both iptables-legacy-restore "$scratch/rules"
		[ $hook != auto ] || equal "$hook, $fillers more rules: connbytes has conntrack count" 1 \
			"$(inside bpf sysctl -n net.netfilter.nf_conntrack_acct)"
		both ip6tables-legacy-restore "$scratch/rules"
		trains
		for tables in iptables ip6tables; do
			equal "$hook, $fillers more rules: $tables counts as the kernel" "" \
				"$(differences $tables 1)"
			# a new table makes all of them begin anew, also where the rule stays
			both $tables-legacy -A FORWARD -p 99
		done
		trains
		for tables in iptables ip6tables; do
			equal "$hook, $fillers more rules: $tables counts as the kernel in the next table" "" \
				"$(differences $tables 2)"
		done
	done
	"$ubpfilter" stop >/dev/null
done

# Two CPUs at one match: no packet is missed or taken twice.
send_from_two_cpus() { # COUNT, from each
	local cpu senders=()
	for cpu in 0 1; do
		inside sender taskset -c $cpu "$traffic" udp 10.77.2.1 5000 "$1" >/dev/null &
		senders+=($!)
	done
	wait "${senders[@]}"
}

unset UBPFILTER_HOOK
on_bpf bpf iptables-legacy-restore <<-'EOF'
	*filter
	:INPUT ACCEPT
	-A INPUT -p udp -m quota --quota 600000
	-A INPUT -p udp -m statistic --mode nth --every 4 --packet 0
	COMMIT
EOF
send_from_two_cpus 20000
equal "a quota of 10,000 packets, from two CPUs" 10000 "$(counter bpf iptables INPUT 1)"
equal "each fourth of 40,000 packets, from two CPUs" 10000 "$(counter bpf iptables INPUT 2)"

# Tables of rates: by their name from one table to the next, rates that changed included, until no
# rule names them; what a full one has no place for is dropped, and not counted.
rates() { # SETTINGS-OF-THE-RULE
	printf '*filter\n:INPUT ACCEPT\n%s\n-A INPUT -p udp\nCOMMIT\n' \
		"${1:+-A INPUT -p udp -m hashlimit --hashlimit-name n $1}"
}

restore() { # NAME SETTINGS
	rates "$2" >"$scratch/rules"
	if [ "$1" = bpf ]; then
		on_bpf bpf iptables-legacy-restore "$scratch/rules"
	else
		XTABLES_LOCKFILE=$scratch/lock-kernel inside kernel iptables-legacy-restore "$scratch/rules"
	fi
}

from_ports() { # NAME COUNT: from each of three ports
	local port address=10.77.1.1
	[ "$1" = kernel ] || address=10.77.2.1
	for port in 4001 4002 4003; do
		inside sender "$traffic" udp "$address" 5000 "$2" $port >/dev/null
	done
}

hour="--hashlimit-upto 1/hour --hashlimit-mode srcport"
for name in kernel bpf; do
	counts() { counted $name iptables | sed 's/ .*//' | xargs; }
	restore $name "$hour --hashlimit-burst 3 --hashlimit-htable-size 2 --hashlimit-htable-max 2"
	from_ports $name 5
	equal "$name: two ports have a place, the third is dropped" "6 10" "$(counts)"
	restore $name "$hour --hashlimit-burst 7"
	from_ports $name 5
	equal "$name: the next table goes on with the name, as it was" "0 10" "$(counts)"
	restore $name ""
	restore $name "$hour --hashlimit-burst 7"
	from_ports $name 10
	equal "$name: a name that was gone begins anew" "21 30" "$(counts)"
done

on_bpf bpf iptables-legacy-restore <<-'EOF'
	*filter
	:INPUT ACCEPT
	-A INPUT -p udp -m hashlimit --hashlimit-upto 1/min --hashlimit-burst 1000 --hashlimit-mode srcip --hashlimit-name cpus
	COMMIT
EOF
send_from_two_cpus 5000
equal "a burst of 1,000 packets of one address, from two CPUs" 1000 "$(counter bpf iptables INPUT 1)"
