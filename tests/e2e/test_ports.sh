# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Ports of a bridge, and devices that forward by another one's word: what the kernel's iptables
# counts in a twin, where only XDP and TC are there to judge.
#
#	near --- in0 [bridge br0] | twin | out0
set -euo pipefail
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../packets.sh"

wire() { # TWIN
	namespace "$1"
	inside "$1" sysctl -qw net.ipv6.conf.all.forwarding=1
	ip -n "$tag-near" link add "in-$1" type veth peer name in0 netns "$tag-$1"
	ip -n "$tag-near" link set "in-$1" up
	ip -n "$tag-near" link add "out-$1" type veth peer name out0 netns "$tag-$1"
	ip -n "$tag-near" link set "out-$1" up
	ip -n "$tag-$1" link set out0 address 02:00:00:00:00:02 up
	ip -n "$tag-$1" address add fd79:2::1/64 dev out0 nodad
	ip -n "$tag-$1" neighbour add fd79:2::2 lladdr 02:00:00:00:00:09 dev out0
	ip -n "$tag-$1" link set in0 address 02:00:00:00:00:01 up
	ip -n "$tag-$1" address add 10.79.1.1/24 dev in0
	ip -n "$tag-$1" address add fd79:1::1/64 dev in0 nodad
}

# The port comes when its bridge has been looked at: with XDP there, it could get none itself.
bridge() { # TWIN
	ip -n "$tag-$1" link add br0 address 02:00:00:00:00:01 type bridge
	ip -n "$tag-$1" link set br0 up
	ip -n "$tag-$1" address add 10.79.5.1/24 dev br0
	ip -n "$tag-$1" address add fd79:5::1/64 dev br0 nodad
	[ "$1" != ours ] || until_true listed br0
	ip -n "$tag-$1" link set in0 master br0
	[ "$1" != ours ] || until_true listed 'in0:.* (judged at its master)'
}

listed() { "$ubpfilter" status | grep -q "device $1"; }

rules() { # TWIN FAMILY
	local device
	for device in in0 br0 out0; do
		iptables_of "$1" "$2" -A INPUT -i $device -p udp
		iptables_of "$1" "$2" -A FORWARD -i $device -p udp
	done
	iptables_of "$1" "$2" -A FORWARD -p udp -j DROP
}

compare() { # NAME FAMILY
	local expected
	expected=$(take_counters kernel "$2")
	equal "$hook: $1" "$expected" "$(take_counters ours "$2")"
	contains "$hook: $1: counted" '[1-9]' "${expected//0\/0/}"
}

send() { # FRAME
	inside near "$frame" in-kernel "$1"
	inside near "$frame" in-ours "$1"
}

a6() { printf 'fd79%04x%024x' "$1" "$2"; } # NETWORK HOST

# Every group: the bridge keeps some for its ports, passes others on, drops one.
groups() { # NAME
	local n
	for n in 0 1 2 3 e f; do
		send "$(ethernet "$(ipv4 10.79.5.2 10.79.5.1)" "" 0180c200000$n)"
		send "$(ethernet "$(ipv6 "$(a6 5 2)" "$(a6 5 1)")" "" 0180c200000$n)"
	done
	compare "groups, $1, IPv4" 4
	compare "groups, $1, IPv6" 6
}

# What a device says in the map, once the supervisor has heard of a change: by what is counted.
settled() { # FAMILY FRAME
	take_counters kernel "$1" >/dev/null
	take_counters ours "$1" >/dev/null
	send "$2"
	[ "$(take_counters kernel "$1")" = "$(take_counters ours "$1")" ]
}

bridge_says() { # NAME OPTION...
	local name
	for name in kernel ours; do
		ip -n "$tag-$name" link set br0 type bridge "${@:2}"
	done
	until_true settled 4 "$(ethernet "$(ipv4 10.79.5.2 10.79.5.1)" "" 0180c2000000)"
	until_true settled 4 "$(ethernet "$(ipv4 10.79.5.2 10.79.5.1)" "" 0180c200000e)"
	groups "$1"
}

forward_says() { # DEVICE VALUE
	local name
	for name in kernel ours; do
		inside $name sysctl -qw "net.ipv6.conf.$1.forwarding=$2"
	done
}

forwarding() {
	local through
	through=$(ethernet "$(ipv6 "$(a6 1 2)" "$(a6 2 2)")")
	forward_says in0 0
	until_true settled 6 "$through" || true
	send "$through"
	send "$(ethernet "$(ipv6 "$(a6 1 2)" "$(a6 1 1)")")"
	compare "forwarding off at the device, on for all" 6
	forward_says in0 1
	send "$through"
	compare "on at the device" 6
}

# Below a device that has an XDP program a new port can get none.
newcomer() {
	contains "$hook: a bridge has TC" 'device br0: tc-ingress' "$("$ubpfilter" status)"
	echo '*filter
:INPUT ACCEPT
COMMIT' | "$ubpfilter" translate -o "$scratch/other.bpf.o" -
	ip -n "$tag-ours" link set br0 xdpgeneric obj "$scratch/other.bpf.o" sec xdp
	ip -n "$tag-ours" link add in1 master br0 type veth peer name in-new netns "$tag-near"
	succeeds "$hook: a new port below a program of somebody else's has TC" until_true listed 'in1: tc-ingress'
	ip -n "$tag-ours" link set br0 xdpgeneric off
	ip -n "$tag-near" link del in-new
}

namespace near
inside near sysctl -qw net.ipv6.conf.default.disable_ipv6=1
for hook in tc xdp; do
	export UBPFILTER_HOOK=$hook
	for name in kernel ours; do
		wire $name
		rules $name 4
		rules $name 6
	done
	forwarding
	for name in kernel ours; do
		bridge $name
	done
	for family in 4 6; do
		take_counters kernel $family >/dev/null
		take_counters ours $family >/dev/null
	done
	groups "as it comes"
	newcomer
	bridge_says "passed on" group_fwd_mask 0x4000
	bridge_says "spanning tree" stp_state 1 group_fwd_mask 0
	"$ubpfilter" stop >/dev/null
	for name in kernel ours; do
		ip -n "$tag-near" link del in-$name
		ip -n "$tag-near" link del out-$name
		ip netns del "$tag-$name"
	done
done
