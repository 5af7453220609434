# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# VLAN devices, with their tag taken off and left in place (reorder_hdr off), one on top of the
# other too: twins, one filtered by the kernel's iptables, must count the same by the same devices.
#
#	sender --- in0 [.5 [.7]] [.6] | twin | out0 [.5 [.7]]
set -euo pipefail
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../packets.sh"

vlans=(in0.5 in0.5.7 in0.6 out0.5 out0.5.7)

vlan() { # TWIN NAME NUMBER on|off
	ip -n "$tag-$1" link add link "${2%.*}" name "$2" type vlan id "${2##*.}" reorder_hdr "$4"
	ip -n "$tag-$1" link set "$2" up
	ip -n "$tag-$1" address add "10.79.$3.1/24" dev "$2"
	ip -n "$tag-$1" address add "fd79:$3::1/64" dev "$2" nodad
	ip -n "$tag-$1" neighbour add "10.79.$3.9" lladdr 02:00:00:00:00:09 dev "$2"
	ip -n "$tag-$1" neighbour add "fd79:$3::9" lladdr 02:00:00:00:00:09 dev "$2"
}

wire() { # TWIN
	namespace "$1"
	ip -n "$tag-sender" link add "in-$1" type veth peer name in0 netns "$tag-$1"
	ip -n "$tag-sender" link set "in-$1" up
	ip -n "$tag-$1" link set in0 address 02:00:00:00:00:01 up
	ip -n "$tag-$1" link add out0 address 02:00:00:00:00:01 type dummy
	ip -n "$tag-$1" link set out0 up
	vlan "$1" in0.5 5 off
	vlan "$1" in0.5.7 57 off
	vlan "$1" in0.6 6 on
	vlan "$1" out0.5 15 off
	vlan "$1" out0.5.7 157 off
}

rules() { # TWIN FAMILY
	local device
	for device in "${vlans[@]}"; do
		iptables_of "$1" "$2" -A INPUT -i "$device" -p udp -j DROP
		iptables_of "$1" "$2" -A OUTPUT -o "$device" -p udp -j DROP
	done
	iptables_of "$1" "$2" -A INPUT -p udp
	iptables_of "$1" "$2" -A OUTPUT -p udp
}

compare() { # NAME FAMILY PACKETS: that rules drop
	local expected got
	sleep 0.05
	expected=$(take_counters kernel "$2")
	got=$(take_counters ours "$2")
	equal "$hook: $1" "$expected" "$got"
	equal "$hook: $1: a rule counts it" 1 "$(grep -oE '[1-9][0-9]*/' <<<"$expected" | wc -l)"
}

receive() { # NAME FAMILY FRAME
	local name
	for name in kernel ours; do
		inside sender "$frame" "in-$name" "$3"
	done
	compare "$1" "$2"
}

speak() { # NAME FAMILY ADDRESS: a datagram by an ordinary socket
	local name
	for name in kernel ours; do
		inside "$name" bash -c "echo x >/dev/udp/$3/9" 2>/dev/null || true # the kernel's says EPERM
	done
	compare "$1" "$2"
}

to_ipv4() { ethernet "$(ipv4 "10.79.$1.9" "10.79.$1.1")" "$2"; } # NUMBER TAGS
to_ipv6() {
	ethernet "$(ipv6 "fd79$(printf %04d "$1")$(printf %024d 9)" "fd79$(printf %04d "$1")$(printf %024d 1)")" "$2"
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
	for family in 4 6; do
		receive "IPv$family, the tag taken off" $family "$(to_ipv$family 6 81000006)"
		receive "IPv$family, the tag kept" $family "$(to_ipv$family 5 81000005)"
		receive "IPv$family, both tags kept" $family "$(to_ipv$family 57 8100000581000007)"
	done
	for number in 5 57 6 15 157; do
		speak "sent by IPv4 on network $number" 4 "10.79.$number.9"
		speak "sent by IPv6 on network $number" 6 "fd79:$number::9"
	done
	"$ubpfilter" stop >/dev/null
	ip -n "$tag-sender" link del in-ours
	ip netns del "$tag-ours"
done
