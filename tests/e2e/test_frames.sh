# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Frames that are not what one expects, sent to two routers that are wired alike: one filtered by
# the kernel's iptables, one by ubpfilter. Each must put them into the same chain, by the same
# devices, and count the same.
#
#	sender --- in0 | router | out0 --- sender
set -euo pipefail
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../packets.sh"

wire() { # ROUTER
	namespace "$1"
	ip -n "$tag-sender" link add "in-$1" type veth peer name in0 netns "$tag-$1"
	ip -n "$tag-sender" link add "out-$1" type veth peer name out0 netns "$tag-$1"
	ip -n "$tag-sender" link set "in-$1" up
	ip -n "$tag-sender" link set "out-$1" up
	inside "$1" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	ip -n "$tag-$1" link set in0 address 02:00:00:00:00:01 up
	ip -n "$tag-$1" link set out0 mtu 1400 up
	ip -n "$tag-$1" address add 10.78.1.1/24 dev in0
	ip -n "$tag-$1" address add 10.78.2.1/24 dev out0
	ip -n "$tag-$1" address add fd78:1::1/64 dev in0 nodad
	ip -n "$tag-$1" address add fd78:2::1/64 dev out0 nodad
	ip -n "$tag-$1" neighbour add 10.78.1.9 lladdr 02:00:00:00:00:09 dev in0
	ip -n "$tag-$1" neighbour add fd78:1::9 lladdr 02:00:00:00:00:09 dev in0
	ip -n "$tag-$1" neighbour add 10.78.2.9 lladdr 02:00:00:00:00:09 dev out0
	ip -n "$tag-$1" neighbour add fd78:2::9 lladdr 02:00:00:00:00:09 dev out0
	ip -n "$tag-$1" route add default via 10.78.2.9
	ip -n "$tag-$1" route add default via fd78:2::9
}

rules() { # ROUTER FAMILY
	iptables_of "$1" "$2" -A INPUT -i in0 -p udp
	iptables_of "$1" "$2" -A INPUT -p udp -j DROP
	iptables_of "$1" "$2" -A FORWARD -i in0 -o out0 -p udp
	iptables_of "$1" "$2" -A FORWARD -o in0 -p udp
	iptables_of "$1" "$2" -A OUTPUT -o in0 -p udp
}

# --- the same to both ------------------------------------------------------------------------

compare() { # NAME FAMILY
	local expected got
	sleep 0.05
	expected=$(take_counters kernel "$2")
	[[ $expected =~ ^([0-9]+/[0-9]+ ){5}$ ]] || failed "$hook: $1" "no counters: $expected"
	got=$(take_counters ours "$2")
	equal "$hook: $1" "$expected" "$got"
}

receive() { # NAME FAMILY FRAME
	local name
	for name in kernel ours; do
		inside sender "$frame" "in-$name" "$3"
	done
	compare "$1" "$2"
}

emit() { # NAME FAMILY ADDRESS PACKET
	local name
	for name in kernel ours; do
		inside "$name" "$frame" "$3" "$4"
	done
	compare "$1" "$2"
}

speak() { # NAME FAMILY ADDRESS: a datagram by an ordinary socket
	local name
	for name in kernel ours; do
		inside "$name" bash -c "echo x >/dev/udp/$3/9"
	done
	compare "$1" "$2"
}

frames_of_ipv4() {
	local here from=10.78.1.9 packet
	here=$(ipv4 $from 10.78.1.1)
	packet=$(ipv4 $from 10.200.0.1)
	for tags in 0 1 2 3 4; do
		receive "to this host behind $tags priority tags" 4 "$(ethernet "$here" "$(priority_tags $tags)")"
	done
	receive "through this host behind 2 priority tags" 4 "$(ethernet "$packet" "$(priority_tags 2)")"
	receive "a VLAN's" 4 "$(ethernet "$here" 81000005)"
	receive "a VLAN's behind a priority tag" 4 "$(ethernet "$here" 8100000088a80005)"
	receive "to another host's link-layer address" 4 "$(ethernet "$here" "" 020000000077)"
	receive "through this host, to all link-layer addresses" 4 "$(ethernet "$packet" "" ffffffffffff)"
	receive "to the network's broadcast address" 4 "$(ethernet "$(ipv4 $from 10.78.1.255)" "" ffffffffffff)"
	receive "to all hosts" 4 "$(ethernet "$(ipv4 $from 224.0.0.1)" "" 01005e000001)"
	receive "from nowhere to nowhere" 4 "$(ethernet "$(ipv4 0.0.0.0 0.0.0.0)")"
	receive "to nowhere" 4 "$(ethernet "$(ipv4 $from 0.0.0.0)")"
	receive "through this host" 4 "$(ethernet "$packet")"
	receive "the same, back where it came from" 4 "$(ethernet "$(ipv4 $from 10.78.1.9)")"
	receive "the same, at the end of its life" 4 "$(ethernet "$(ipv4 $from 10.200.0.1 20 4 1)")"
	receive "the same, too large, to be fragmented" 4 "$(ethernet "$(ipv4 $from 10.200.0.1 1450)")"
	receive "the same, not to be fragmented" 4 "$(ethernet "$(ipv4 $from 10.200.0.1 1450 4 64 4000)")"
	receive "of another version" 4 "$(ethernet "$(ipv4 $from 10.78.1.1 20 7)")"
	emit "sent by a raw socket" 4 10.78.1.9 "$(ipv4 10.78.1.1 10.78.1.9)"
	emit "the same, of another version" 4 10.78.1.9 "$(ipv4 10.78.1.1 10.78.1.9 20 7)"
}

frames_of_ipv6() {
	local here packet from=fd780001000000000000000000000009 here_address=fd780001000000000000000000000001
	local far=20010db8000000000000000000000001 peer=fd780001000000000000000000000009
	here=$(ipv6 $from $here_address)
	packet=$(ipv6 $from $far)
	for tags in 0 1 2 4; do
		receive "IPv6 to this host behind $tags priority tags" 6 \
			"$(ethernet "$here" "$(priority_tags $tags)")"
	done
	receive "IPv6 through this host" 6 "$(ethernet "$packet")"
	receive "the same, too large" 6 "$(ethernet "$(ipv6 $from $far 1450)")"
	emit "IPv6 by a raw socket" 6 fd78:1::9 "$(ipv6 $here_address $peer)"
	emit "the same, of another version" 6 fd78:1::9 "$(ipv6 $here_address $peer 20 7)"
	emit "the same, longer by its header" 6 fd78:1::9 "$(ipv6 $here_address $peer 20 6 1000)"
	emit "the same, shorter by its header" 6 fd78:1::9 "$(ipv6 $here_address $peer 20 6 3)"
}

namespace sender
inside sender sysctl -qw net.ipv6.conf.default.disable_ipv6=1
wire kernel
rules kernel 4
rules kernel 6
for hook in tc xdp; do
	export UBPFILTER_HOOK=$hook
	wire ours
	rules ours 4
	rules ours 6
	frames_of_ipv4
	frames_of_ipv6
	inside ours iptables-legacy -t mangle -A INPUT -p udp
	if [ $hook = tc ]; then # at XDP what the stack loops back does not come by (docs/semantics.md)
		speak "multicast heard by its sender" 4 224.0.0.1
		speak "IPv6 multicast heard by its sender" 6 ff02::1%in0
	fi
	inside sender "$frame" in-ours "$(ethernet "$(ipv4 10.78.1.9 10.78.1.1)" "$(priority_tags 5)")"
	sleep 0.05
	equal "$hook: more tags than are followed are not let in" 0 "$(inside ours iptables-legacy -t mangle \
		-L INPUT 1 -v -n -x | awk '{ print $1 }')"
	"$ubpfilter" stop >/dev/null
	ip -n "$tag-sender" link del in-ours
	ip -n "$tag-sender" link del out-ours
	ip netns del "$tag-ours"
done
