# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# REJECT, LOG, NFLOG, MARK: BPF decides, the kernel executes. Everything is held against the same
# rules in the kernel's own table: answers, errors, lines of the log, counters.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

namespace plain bpf peer
join peer plain 1
join peer bpf 2
on_bpf bpf iptables-legacy -A INPUT -p udp --dport 7 -j REJECT
need_executions "targets"
equal "who does what" "(IPv4) BPF, targets of 1 rule executed by the kernel's ip_tables" "$(enforcers)"
on_bpf bpf iptables-legacy -F
equal "no more once no rule has any" "(IPv4) BPF" "$(enforcers)"
equal "and the kernel's table is empty" "" "$(inside bpf iptables-legacy-save -t filter | grep '^-A\|^:[a-z]' || true)"

in_peer_of() { # NAME: the address of it that the peer knows, of $family
	local network=1
	[ "$1" = plain ] || network=2
	[ $family = 4 ] && echo "10.77.$network.2" || echo "fd77:$network::2"
}

table() { # TABLE-TEXT: the same rules in both
	printf '*filter\n%s\nCOMMIT\n' "$1" >"$scratch/rules"
	inside plain $ip-legacy-restore <"$scratch/rules"
	on_bpf bpf $ip-legacy-restore <"$scratch/rules"
}

rules_of() { # NAME: with their counters, as iptables tells them
	if [ "$1" = plain ]; then
		inside plain $ip-legacy-save -c -t filter | grep -v '^#'
	else
		on_bpf bpf $ip-legacy-save -c -t filter | grep -v '^#'
	fi
}

# Answers as the peer gets them, counted by its own kernel: type/code, or a reset.
count_answers() {
	local name from code
	inside peer $ip-legacy -t raw -F
	for name in plain bpf; do
		from=$(in_peer_of $name)
		for code in 0 1 2 3 4 5 6 9 10 13; do
			if [ $family = 4 ]; then
				echo "-A PREROUTING -s $from -p icmp -m icmp --icmp-type 3/$code"
			else
				echo "-A PREROUTING -s $from -p icmpv6 -m icmp6 --icmpv6-type 1/$code"
			fi
		done
		echo "-A PREROUTING -s $from -p tcp --tcp-flags RST RST"
	done | { echo '*raw'; cat; echo COMMIT; } | inside peer $ip-legacy-restore -n
}

answers_of() { # NAME
	inside peer $ip-legacy-save -c -t raw | grep -F -- "-s $(in_peer_of "$1")/" | sed -n "s/^\[\([1-9][0-9]*\):.*type \([^ ]*\).*/\1 times \2/p; s/^\[\([1-9][0-9]*\):.*RST.*/\1 resets/p"
}

knock() { # NAME FROM-NAME ADDRESS
	inside "$2" "$traffic" udp "$3" 7 1 2>&1 || true
	inside "$2" "$traffic" tcp "$3" 7 300 2>&1 || true
}

for name in plain bpf; do
	inside $name sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
done
for family in 4 6; do
	ip=iptables
	variants="icmp-net-unreachable icmp-host-unreachable icmp-port-unreachable icmp-proto-unreachable
		icmp-net-prohibited icmp-host-prohibited icmp-admin-prohibited"
	if [ $family = 6 ]; then
		ip=ip6tables
		variants="icmp6-no-route icmp6-adm-prohibited icmp6-addr-unreachable icmp6-port-unreachable
			icmp6-policy-fail icmp6-reject-route"
	fi
	for variant in $variants tcp-reset; do
		protocol="-p udp"
		[ $variant != tcp-reset ] || protocol="-p tcp"
		table ":other - [0:0]
-A INPUT -i peer -p udp --dport 9 -j ACCEPT
-A INPUT -i peer -p tcp -j other
-A INPUT -i peer $protocol -j other
-A OUTPUT $protocol --dport 7 -j REJECT --reject-with $variant
-A other $protocol --dport 7 -j REJECT --reject-with $variant"
		count_answers
		for name in plain bpf; do
			knock $name peer "$(in_peer_of $name)" >"$scratch/remote-$name"
			knock $name $name "$(in_peer_of $name)" >"$scratch/local-$name"
		done
		equal "IPv$family $variant: the answers" "$(answers_of plain)" "$(answers_of bpf)"
		succeeds "IPv$family $variant: there are some" test -n "$(answers_of bpf)"
		equal "IPv$family $variant: what the peer's program hears" "$(cat "$scratch/remote-plain")" "$(cat "$scratch/remote-bpf")"
		equal "IPv$family $variant: what a local sender hears" "$(cat "$scratch/local-plain")" "$(cat "$scratch/local-bpf")"
		equal "IPv$family $variant: rules and counters" "$(rules_of plain)" "$(rules_of bpf)"
	done
done

# --- targets that go on ----------------------------------------------------------------------

# Lines of the kernel's log with a prefix, less what no two packets have in common.
logged() { # PREFIX
	dmesg | grep -F -- "$1" | sed 's/^[^]]*\] //; s/ ID=[0-9]*//; s/ SPT=[0-9]*//; s/ FLOWLBL=[0-9]*//' || true
}

log_of() { # NAME TEXT: of three datagrams from the namespace to itself, with its own prefix
	local prefix=$tag-$1
	printf '*filter\n%s\nCOMMIT\n' "${2//PREFIX/$prefix}" >"$scratch/rules"
	if [ "$1" = plain ]; then
		inside plain $ip-legacy-restore <"$scratch/rules"
	else
		on_bpf bpf $ip-legacy-restore <"$scratch/rules"
	fi
	inside "$1" "$traffic" udp $loopback 7 3 >/dev/null 2>&1 || true
}

marked() { # NAME: packets that leave with mark 5
	inside "$1" $ip-legacy -t mangle -L POSTROUTING 1 -v -n -x | awk '{ print $1 }'
}

# What the programs of the family's generation in force have in their map.
left_for_packets() { # FAMILY
	local map
	for map in $(bpftool prog show pinned "$UBPFILTER_RUNDIR"/bpf/*/ipv"$1"-*/execute_next |
		sed -n 's/.*map_ids \([0-9,]*\).*/\1/p' | tr , ' '); do
		if bpftool map show id "$map" | grep 'name executions ' >/dev/null; then
			bpftool -j map dump id "$map"
		fi
	done
}

# Setting of the whole machine: whether other namespaces than the host's may log. Put back at the end.
logs=/proc/sys/net/netfilter/nf_log_all_netns
before=$(cat $logs)
trap 'echo $before >$logs; take_down' EXIT
echo 1 >$logs
for family in 4 6; do
	ip=iptables loopback=127.0.0.1
	[ $family = 4 ] || ip=ip6tables loopback=::1
	for name in plain bpf; do
		inside $name $ip-legacy -t mangle -A POSTROUTING -m mark --mark 5
		log_of $name ":note - [0:0]
:drop - [0:0]
-A OUTPUT -p udp -m udp --dport 7 -m comment --comment both -j note
-A OUTPUT -p udp -m udp --dport 7 -j MARK --set-xmark 0x5/0xff
-A OUTPUT -p udp -m udp --dport 7 -j note
-A INPUT -p udp -m udp --dport 7 -j drop
-A INPUT -j LOG --log-prefix \"PREFIX never \"
-A note -j LOG --log-prefix \"PREFIX a \" --log-level 5 --log-uid
-A note -j NFLOG --nflog-group 7 --nflog-prefix x
-A drop -j LOG --log-prefix \"PREFIX d \" --log-ip-options
-A drop -j DROP"
	done
	equal "IPv$family: lines of the log" "$(logged "$tag-plain" | sed "s/$tag-plain//")" "$(logged "$tag-bpf" | sed "s/$tag-bpf//")"
	equal "IPv$family: their number: two for each sent, one for each received" $((9 * (family / 2 - 1))) "$(logged "$tag-bpf" | wc -l)"
	equal "IPv$family: marked packets" "$(marked plain) of 3" "$(marked bpf) of 3"
	equal "IPv$family: rules and counters" "$(rules_of plain | sed "s/$tag-plain//")" "$(rules_of bpf | sed "s/$tag-bpf//")"
	equal "IPv$family: a stock -C finds it" yes \
		"$(on_bpf bpf $ip-legacy -C drop -j LOG --log-prefix "$tag-bpf d " --log-ip-options && echo yes)"
	equal "IPv$family: nothing is left for packets that are through" "[]" "$(left_for_packets $family)"
done
echo "$before" >$logs

# --- who enforces ----------------------------------------------------------------------------

executed="BPF, targets of 1 rule executed by the kernel's ip_tables"

restore_bpf() { # TEXT
	printf '*filter\n%s\nCOMMIT\n' "$1" | on_bpf bpf iptables-legacy-restore
}

says() { # NAME WHO TEXT
	restore_bpf "$3"
	equal "$1" "(IPv4) $2" "$(enforcers | grep IPv4)"
}

refused() { # NAMESPACE: what a tcp port of it answers the peer
	inside peer "$traffic" tcp "$(family=4 in_peer_of "$1")" 7001 5000
}

reject="-A INPUT -p tcp --dport 7001 -j REJECT --reject-with tcp-reset"
says "one target" "$executed" "$reject"
equal "is executed" refused "$(refused bpf)"
says "the table goes to the kernel" "the kernel's ip_tables: filter/FORWARD rule 1: $beyond_why" \
	"$reject
-A FORWARD $beyond_bpf -j DROP"
equal "where the target is itself" refused "$(refused bpf)"
says "and comes back" "$executed" "$reject"
equal "and is executed again" refused "$(refused bpf)"
equal "the kernel's table has nothing of the client's rules" "" "$(inside bpf iptables-legacy-save -t filter | grep string || true)"
says "more than a packet can get" "the kernel's ip_tables: a packet may get 16 targets that the kernel executes, more than the 15 that BPF leaves for it" \
	"$(for i in {1..16}; do echo "-A FORWARD -p $i -j NFLOG"; done)"
restore_bpf "$reject"
contains "what the kernel finds wrong with a target is its own error" "tcp-reset can only be used with|Invalid argument|REJECT" \
	"$(on_bpf bpf iptables-legacy -A INPUT -p udp -j REJECT --reject-with tcp-reset 2>&1)"
equal "and the table stays" "(IPv4) $executed" "$(enforcers | grep IPv4)"
export UBPFILTER_HOOK=tc
"$ubpfilter" stop >/dev/null
says "TC alone does not do it" 'the kernel'"'"'s ip_tables: filter/INPUT rule 1: target "REJECT" is not done in BPF' "$reject"
"$ubpfilter" stop >/dev/null
unset UBPFILTER_HOOK
says "the netfilter hooks do" "$executed" "$reject"
"$ubpfilter" stop >/dev/null
equal "without the processes it is executed" refused "$(refused bpf)"
equal "the next command finds it" "(IPv4) $executed" "$(on_bpf bpf iptables-legacy -S >/dev/null && enforcers | grep IPv4)"

# --- strict, and rules of others -------------------------------------------------------------

"$ubpfilter" stop >/dev/null
export UBPFILTER_STRICT=yes
says "strict: BPF is who enforces" "$executed" "$reject"
"$ubpfilter" stop >/dev/null
unset UBPFILTER_STRICT
on_bpf bpf iptables-legacy -F
inside bpf iptables-legacy -A INPUT -s 192.0.2.9 -j DROP
contains "rules of somebody else's in the kernel are not lost" \
	"the kernel's ip_tables does not execute its targets: .*, and the kernel's own filter table holds rules" \
	"$(on_bpf bpf iptables-legacy -A INPUT -j REJECT 2>&1)"
equal "they are there" "-A INPUT -s 192.0.2.9/32 -j DROP" "$(inside bpf iptables-legacy -S INPUT | tail -n 1)"
inside bpf iptables-legacy -F

# --- under traffic ---------------------------------------------------------------------------

restore_bpf "-A INPUT -p udp -m udp --dport 7000 -j DROP
-A INPUT -p udp -m udp --dport 7001 -j ACCEPT"
declare -A sinks streams
for port in 7000 7001; do
	ip netns exec "$tag-bpf" "$traffic" sink $port >"$scratch/sink$port" &
	sinks[$port]=$!
	until_true grep -qs ready "$scratch/sink$port"
	ip netns exec "$tag-peer" "$traffic" stream 10.77.2.2 $port >"$scratch/stream$port" &
	streams[$port]=$!
done
# Each of the two rules has a target, or has none, or the kernel has it all; one change after the other.
change_often() {
	# shellcheck disable=SC2016
	timeout 100 ip netns exec "$tag-bpf" "$ubpfilter" exec -- bash -c '
		set -e
		for ((i = 0; i < 10; i++)); do
			iptables-legacy -I INPUT -p udp -j NFLOG --nflog-group 9
			iptables-legacy -R INPUT 2 -p udp -m udp --dport 7000 -j REJECT
			iptables-legacy -I FORWARD $1 -j DROP
			iptables-legacy -R INPUT 2 -p udp -m udp --dport 7000 -j DROP
			iptables-legacy -D FORWARD 1
			iptables-legacy -D INPUT 1
		done' bash "$beyond_bpf"
}
succeeds "changes of what the kernel executes under traffic" change_often
for port in 7000 7001; do
	kill "${streams[$port]}"
	wait "${streams[$port]}"
done
sent=$(cat "$scratch/stream7001")
arrived() { [ "$(counter bpf iptables INPUT 2)" -ge "$sent" ]; }
until_true arrived || true
for port in 7000 7001; do
	kill "${sinks[$port]}"
	wait "${sinks[$port]}"
done
no_room=$(inside bpf awk '$1 == "Udp:" && !column { for (i = 2; i <= NF; i++) if ($i == "RcvbufErrors") column = i; next }
	$1 == "Udp:" { print $column }' /proc/net/snmp)
equal "what is dropped or rejected does not get through" 0 "$(tail -n 1 "$scratch/sink7000")"
equal "all that is accepted arrives" "$sent" $(($(tail -n 1 "$scratch/sink7001") + no_room))
succeeds "there was traffic" test "$sent" -gt 1000
equal "the kernel's table is empty in the end" "" "$(inside bpf iptables-legacy-save -t filter | grep '^-A\|^:[a-z]' || true)"

# --- and its end -----------------------------------------------------------------------------

restore_bpf "$reject"
succeeds "stop --flush" inside bpf "$ubpfilter" stop --flush
equal "stop --flush empties the kernel's table" "" "$(inside bpf iptables-legacy-save -t filter | grep '^-A\|^:[a-z]' || true)"
