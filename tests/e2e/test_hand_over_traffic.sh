# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# The table goes from BPF to the kernel and back while packets come. What both drop is dropped all
# the while, and each packet counted once; what both accept arrives, and is counted; connections stay
# known.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

switches=${SWITCHES:-60} # there and back again, together, of each hook

# Under one `exec`, in one namespace: as fast as it goes.
switch_often() {
	# shellcheck disable=SC2016
	timeout 150 ip netns exec "$tag-server" "$ubpfilter" exec -- bash -c '
		for ((i = 0; i < $1; i += 2)); do
			iptables-legacy -I FORWARD $2 -j DROP && iptables-legacy -D FORWARD 1 || exit 1
		done' bash "$switches" "$beyond_bpf"
}

declare -A sinks streams
start_sink() { # NAME PORT
	rm -f "$scratch/sink$2" # or the one of before is seen to be ready
	ip netns exec "$tag-$1" "$traffic" sink "$2" >"$scratch/sink$2" &
	sinks[$2]=$!
	until_true grep -qs ready "$scratch/sink$2"
}

start_stream() { # NAME ADDRESS PORT
	ip netns exec "$tag-$1" "$traffic" stream "$2" "$3" >"$scratch/stream$3" &
	streams[$3]=$!
}

stop() { # PID
	kill "$1"
	wait "$1"
}

# Datagrams that the sink's socket had no room for, as the kernel counts them.
no_room() {
	inside server awk '$1 == "Udp:" && !column { for (i = 2; i <= NF; i++) if ($i == "RcvbufErrors") column = i; next }
		$1 == "Udp:" { print $column }' /proc/net/snmp
}

all_counted() { # CHAIN RULE SENT
	[ "$(counter server iptables "$1" "$2")" -ge "$3" ]
}

for hook in auto tc xdp; do
	export UBPFILTER_HOOK=$hook
	namespace client server far
	join client server 1
	join server far 2
	ip -n "$tag-client" route add 10.77.2.0/24 via 10.77.1.2
	ip -n "$tag-far" route add default via 10.77.2.1
	inside server sysctl -qw net.ipv4.ip_forward=1
	on_bpf server iptables-legacy-restore <<-END
		*filter
		-A INPUT -p udp --dport 7000 -j DROP
		-A INPUT -p udp --dport 7003 -j ACCEPT
		-A INPUT -p icmp -m conntrack --ctstate ESTABLISHED -j ACCEPT
		-A INPUT -p icmp -j DROP
		-A OUTPUT -p udp --dport 7001 -j DROP
		-A FORWARD -p udp --dport 7002 -j DROP
		COMMIT
	END
	start_sink server 7000
	start_sink client 7001
	start_sink far 7002
	start_sink server 7003
	start_stream client 10.77.1.2 7000
	start_stream server 10.77.1.1 7001
	start_stream client 10.77.2.2 7002
	start_stream client 10.77.1.2 7003
	ip netns exec "$tag-server" ping -q -i 0.01 10.77.1.1 >"$scratch/ping" &
	ping=$!
	was=$("$ubpfilter" status | sed -n 's/.*(IPv4): generation \([0-9]*\),.*/\1/p')
	succeeds "$hook: $switches changes of who enforces under traffic" switch_often
	equal "$hook: each change was one" $((was + switches)) \
		"$("$ubpfilter" status | sed -n 's/.*(IPv4): generation \([0-9]*\),.*/\1/p')"
	# it ends with the next answer, and says so
	kill -INT $ping
	wait $ping || true
	contains "$hook: every answer of a connection that conntrack knows arrives" " 0% packet loss" "$(cat "$scratch/ping")"
	for port in "${!streams[@]}"; do
		stop "${streams[$port]}"
	done
	for chain in "INPUT 1 7000" "OUTPUT 1 7001" "FORWARD 1 7002"; do
		read -r chain rule port <<<"$chain"
		sent=$(cat "$scratch/stream$port")
		until_true all_counted "$chain" "$rule" "$sent" || true
		stop "${sinks[$port]}"
		equal "$hook: $chain: of $sent packets, those that got through" 0 "$(tail -n 1 "$scratch/sink$port")"
		equal "$hook: $chain: packets sent are packets counted" "$sent" "$(counter server iptables "$chain" "$rule")"
		succeeds "$hook: $chain: there was traffic" test "$sent" -gt 1000
	done
	sent=$(cat "$scratch/stream7003")
	until_true all_counted INPUT 2 "$sent" || true
	stop "${sinks[7003]}"
	equal "$hook: all that is accepted arrived" "$sent" $(($(tail -n 1 "$scratch/sink7003") + $(no_room)))
	counted=$(counter server iptables INPUT 2)
	succeeds "$hook: and of $sent packets at least as many were counted, $counted" test "$counted" -ge "$sent"

	"$ubpfilter" stop >/dev/null
	for name in client server far; do
		ip netns del "$tag-$name"
	done
done
