# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Tables are replaced while packets come: none sees half a table, none is lost or counted twice.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

# of each hook: 1,000 in all
replacements=${REPLACEMENTS:-250}

# Rules for nobody: with these, a table is data, and the next takes programs to spare.
others() {
	local i
	case $hook in
	auto | tc) for i in {1..120}; do echo "-A INPUT -s 198.51.100.$i -p tcp -j ACCEPT"; done ;;
	esac
}

# Two tables in turn, both with $1 in the first or the last of their many rules.
write_tables() { # RULE
	local i
	for i in 0 1; do
		{
			echo "*filter"
			echo ":INPUT ACCEPT [0:0]"
			[ $i = 1 ] || echo "-A INPUT $1"
			echo "-A INPUT -p udp --dport 1:$((100 + i)) -j ACCEPT"
			echo "-A INPUT -p tcp -s 192.0.2.$i -j ACCEPT"
			[ $i = 0 ] || echo "-A INPUT $1"
			others
			echo COMMIT
		} >"$scratch/table$i"
	done
}

# Under one `exec`, in one namespace: as fast as it goes.
replace_often() {
	# shellcheck disable=SC2016
	on_bpf_for 150 server bash -c 'for ((i = 0; i < $1; i++)); do
		iptables-legacy-restore $3 <"$2/table$((i % 2))" || exit 1
	done' bash "$replacements" "$scratch" "${1:-}"
}

on_bpf_for() { # SECONDS NAME COMMAND...
	local seconds=$1 name=$2
	shift 2
	timeout "$seconds" ip netns exec "$tag-$name" "$ubpfilter" exec -- "$@"
}

start_sink() {
	rm -f "$scratch/sink" # or the one of before is seen to be ready
	ip netns exec "$tag-server" "$traffic" sink 7000 >"$scratch/sink" &
	sink=$!
	until_true grep -qs ready "$scratch/sink"
}

start_stream() {
	ip netns exec "$tag-client" "$traffic" stream 10.77.1.2 7000 >"$scratch/stream" &
	stream=$!
}

# A busy machine takes its time with what is on the wire.
all_counted() { [ "$(counter server iptables INPUT "$1")" -ge "$sent" ]; }

udp_count() { # NAME: as the kernel counts datagrams
	inside server awk -v name="$1" '$1 == "Udp:" && !column { for (i = 2; i <= NF; i++) if ($i == name) column = i; next }
		$1 == "Udp:" { print $column }' /proc/net/snmp
}

no_room() { udp_count RcvbufErrors; } # that the sink's socket had none for

# A rule counts a packet before the sink has it: with XDP, long before on a busy machine.
all_delivered() { [ $(($(udp_count InDatagrams) + $(no_room))) -ge "$sent" ]; }

stop_stream() { # [RULE]: that counts all since it is there
	kill "$stream"
	wait "$stream"
	sent=$(cat "$scratch/stream")
	[ $# -eq 0 ] || until_true all_counted "$1" || true
	[ $# -eq 0 ] || until_true all_delivered || true
	kill "$sink"
	wait "$sink"
	received=$(tail -n 1 "$scratch/sink")
}

# Counted in each table by the same rule; the old counters come back with each replacement, and
# iptables hands them on to the unchanged rule of the next table.
counted_beside() { # RULE [KEPT]: goes in and out; is always there, before what counts
	{ echo "*filter" && echo "${2:-}" && echo "-A INPUT -p udp --dport 7000 -j ACCEPT" && others && echo COMMIT; } |
		on_bpf server iptables-legacy-restore
	start_sink
	start_stream
	# shellcheck disable=SC2016
	succeeds "$hook: $1 goes in and out beside the counted rule" \
		on_bpf_for 150 server bash -c 'for ((i = 0; i < $1; i++)); do
			iptables-legacy -I INPUT $2 && iptables-legacy -D INPUT 1 || exit 1
		done' bash $((replacements / 10)) "$1"
	stop_stream $#
	equal "$hook: all packets sent arrived" "$sent" $((received + $(no_room)))
	equal "$hook: packets sent are packets counted" "$sent" "$(counter server iptables INPUT $#)"
	[ "$sent" = $((received + $(no_room))) ] ||
		inside server grep -hE '^(Ip|Udp|IpExt|TcpExt):' /proc/net/snmp /proc/net/netstat
}

# Each packet is BPF's to count and the kernel's to mark, once, while targets come and go in both.
counted_and_marked() {
	inside server iptables-legacy -t security -A INPUT -p udp --dport 7000 -m mark --mark 1
	counted_beside "-s 192.0.2.1 -j MARK --set-mark 2" "-A INPUT -p udp --dport 7000 -j MARK --set-mark 1"
	equal "$hook: packets sent are packets counted by the rule with a target" "$sent" "$(counter server iptables INPUT 1)"
	equal "$hook: packets sent are packets marked" "$sent" \
		"$(inside server iptables-legacy -t security -nvxL INPUT 1 | awk '{ print $1 }')"
}

for hook in auto netfilter tc xdp; do
	export UBPFILTER_HOOK=$hook
	namespace client server
	join client server

	write_tables "-p udp --dport 7000 -j DROP"
	on_bpf server iptables-legacy-restore "$scratch/table0"
	start_sink
	start_stream
	succeeds "$hook: $replacements replacements under traffic" replace_often
	stop_stream
	equal "$hook: of $sent packets, those that got through $replacements replacements" 0 "$received"
	succeeds "$hook: there was traffic" test "$sent" -gt 1000

	counted_beside "-s 192.0.2.1 -j DROP"
	case $hook in auto | netfilter) counted_and_marked ;; esac

	"$ubpfilter" stop >/dev/null
	for name in client server; do
		ip netns del "$tag-$name"
	done
done
