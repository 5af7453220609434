# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Packets whose transport header lies in two fragments: where connections are tracked, every hook
# sees them put together, as the sender's raw socket's in OUTPUT; but their headers are in two
# pieces of memory.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../packets.sh"

wire() { # ROUTER
	namespace "$1"
	ip -n "$tag-sender" link add "in-$1" type veth peer name in0 netns "$tag-$1"
	ip -n "$tag-sender" link set "in-$1" up
	inside "$1" sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0
	ip -n "$tag-$1" link set in0 address 02:00:00:00:00:01 up
	ip -n "$tag-$1" address add 10.78.1.1/24 dev in0
	ip -n "$tag-$1" address add fd78:1::1/64 dev in0 nodad
	ip -n "$tag-$1" neighbour add 10.78.1.9 lladdr 02:00:00:00:00:09 dev in0
	ip -n "$tag-$1" neighbour add fd78:1::9 lladdr 02:00:00:00:00:09 dev in0
	ip -n "$tag-$1" route add default via 10.78.1.9
}

rules() { # ROUTER
	local chain
	for chain in INPUT FORWARD OUTPUT; do
		iptables_of "$1" 4 -A "$chain" -p tcp --dport 2000 --tcp-flags ALL SYN -m conntrack ! --ctstate RELATED
		iptables_of "$1" 6 -A "$chain" -s fd78:1::/64 -m conntrack ! --ctstate RELATED
	done
}

# SYN to port 2000: 16 bytes, and the last 4
tcp_begin=03e807d0000000010000000050020400
tcp_end=00000000

ipv4_tcp() { # SOURCE DESTINATION FRAGMENT-FIELD PAYLOAD
	local packet
	packet=$(ipv4 "$1" "$2" $((${#4} / 2 - 8)) 4 64 "$3")
	# of another protocol: the checksum is that of UDP, 11 more than of TCP
	printf '%s06%04x%s%s' "${packet:0:18}" $((16#${packet:20:4} + 11)) "${packet:24:16}" "$4"
}

# An authentication header: in IPv6 a fragment without its transport header is dropped.
ipv6_ah() { # SOURCE DESTINATION FRAGMENT-FIELD PAYLOAD
	printf '60000000%04x2c40%s%s3300%s00000007%s' $((8 + ${#4} / 2)) "$1" "$2" "$3" "$4"
}

compare() { # NAME FAMILY
	local expected got
	expected=$(take_counters kernel "$2")
	[[ $expected == *1/* ]] || failed "$1" "the kernel saw nothing: $expected"
	got=$(take_counters ours "$2")
	equal "$1" "$expected" "$got"
}

receive() { # NAME FAMILY PACKET...
	local name packet
	for name in kernel ours; do
		for packet in "${@:3}"; do
			inside sender "$frame" "in-$name" "$(ethernet "$packet")"
		done
	done
	compare "$1" "$2"
}

emit() { # NAME FAMILY ADDRESS PACKET...
	local name packet
	for name in kernel ours; do
		for packet in "${@:4}"; do
			inside "$name" "$frame" "$3" "$packet" || true # refused: the counters tell
		done
	done
	compare "$1" "$2"
}

four() { # SOURCE DESTINATION
	printf '%s %s' "$(ipv4_tcp "$1" "$2" 2000 $tcp_begin)" "$(ipv4_tcp "$1" "$2" 0002 $tcp_end)"
}

six() { # SOURCE DESTINATION
	printf '%s %s' "$(ipv6_ah "$1" "$2" 0001 "$(zeros 8)")" "$(ipv6_ah "$1" "$2" 0008 "$(zeros 8)")"
}

here=fd780001000000000000000000000001
there=fd780001000000000000000000000009
namespace sender
inside sender sysctl -qw net.ipv6.conf.default.disable_ipv6=1
for name in kernel ours; do
	wire $name
	rules $name
done
# shellcheck disable=SC2046 # two packets
{
	receive "a scattered packet to this host" 4 $(four 10.78.1.9 10.78.1.1)
	receive "a scattered packet through this host" 4 $(four 10.78.1.9 10.200.0.1)
	emit "a scattered packet of this host" 4 10.78.1.9 $(four 10.78.1.1 10.78.1.9)
	receive "a scattered IPv6 packet to this host" 6 $(six $there $here)
	receive "a scattered IPv6 packet with headers of 2 KiB" 6 "$(ipv6_ah $there $here 0001 "$(zeros 1200)")" \
		"$(ipv6_ah $there $here 04b0 "$(zeros 1200)")"
	emit "a scattered IPv6 packet of this host" 6 fd78:1::9 $(six $here $there)
}
