# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Devices of all kinds: rules by -i and -o count in a router that ubpfilter filters what they count
# in its twin, which the kernel's iptables filters.
#
#	near --- [a device of some kind] twin out0 --- far
#
# A kind that the kernel does not know is left out here: the virtual machine's kernel knows all.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../packets.sh"

# --- the kinds: each makes the device $2 in twin $1, which has in0 to its neighbour's near0 --------

plain() { # a veth device as it is
	ip -n "$tag-$1" link set in0 name "$2"
}

bridge() {
	ip -n "$tag-$1" link add "$2" type bridge
	ip -n "$tag-$1" link set in0 master "$2" up
}

macvlan() {
	ip -n "$tag-$1" link set in0 up
	ip -n "$tag-$1" link add "$2" link in0 type macvlan mode bridge
}

vlan() {
	ip -n "$tag-$1" link set in0 up
	ip -n "$tag-$1" link add "$2" link in0 type vlan id 5
	ip -n "$tag-near-$1" link add near0.5 link near0 type vlan id 5
}

bond() {
	ip -n "$tag-$1" link add "$2" type bond mode active-backup
	ip -n "$tag-$1" link set in0 down # a bond takes no port that is up
	ip -n "$tag-$1" link set in0 master "$2"
	ip -n "$tag-$1" link set in0 up
}

known() { # KIND
	[ "$1" != plain ] || return 0
	ip -n "$tag-probe" link add probe0 type dummy 2>/dev/null ||
		ip -n "$tag-probe" link add probe0 type veth
	ip -n "$tag-probe" link add probe1 link probe0 type "$1" "${@:2}" 2>/dev/null
	local status=$?
	ip -n "$tag-probe" link del probe1 2>/dev/null
	ip -n "$tag-probe" link del probe0
	return $status
}

# --- a twin ----------------------------------------------------------------------------------

address() { # NAMESPACE DEVICE NETWORK HOST
	ip -n "$tag-$1" link set "$2" up
	ip -n "$tag-$1" address add "10.79.$3.$4/24" dev "$2"
	ip -n "$tag-$1" address add "fd79:$3::$4/64" dev "$2" nodad
}

make_twin() { # TWIN KIND
	local near=near0 device=dev0
	namespace "$1" "near-$1" "far-$1"
	# arp_ignore: a macvlan's address is not answered for by the device below it
	inside "$1" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
		net.ipv4.conf.all.arp_ignore=1
	ip -n "$tag-near-$1" link add near0 type veth peer name in0 netns "$tag-$1"
	ip -n "$tag-far-$1" link add far0 type veth peer name out0 netns "$tag-$1"
	ip -n "$tag-near-$1" link set near0 up
	"$2" "$1" $device
	[ "$2" != vlan ] || near=near0.5
	address "$1" $device 1 1
	address "$1" out0 2 1
	address "near-$1" $near 1 2
	address "far-$1" far0 2 2
	ip -n "$tag-near-$1" route add default via 10.79.1.1
	ip -n "$tag-near-$1" route add default via fd79:1::1
	ip -n "$tag-far-$1" route add default via 10.79.2.1
	ip -n "$tag-far-$1" route add default via fd79:2::1
}

rules() { # TWIN FAMILY
	local device
	for device in dev+ in+ port+ out0 lo; do
		iptables_of "$1" "$2" -A INPUT -i $device -p udp --dport 5000
		iptables_of "$1" "$2" -A FORWARD -i $device -p udp --dport 5000
		iptables_of "$1" "$2" -A FORWARD -o $device -p udp --dport 5000
		iptables_of "$1" "$2" -A OUTPUT -o $device -p udp --dport 5000
	done
}

reaches() { inside "$1" ping -q -c 1 -W 1 "$2" >/dev/null 2>&1; } # NAMESPACE ADDRESS

# 1 to the router, 2 through it, 3 back through it, 4 and 5 from it, 6 within
talk() { # TWIN FAMILY
	local near=10.79.1 far=10.79.2 dot=. loop=127.0.0.1
	[ "$2" = 4 ] || near=fd79:1 far=fd79:2 dot=:: loop=::1
	# neighbours are found, spanning trees and links are up
	until_true reaches "near-$1" "$far${dot}2"
	inside "near-$1" "$traffic" udp "$near${dot}1" 5000 1
	inside "near-$1" "$traffic" udp "$far${dot}2" 5000 2
	inside "far-$1" "$traffic" udp "$near${dot}2" 5000 3
	inside "$1" "$traffic" udp "$near${dot}2" 5000 4
	inside "$1" "$traffic" udp "$far${dot}2" 5000 5
	inside "$1" "$traffic" udp $loop 5000 6
} >/dev/null

for kind in ${KINDS:-plain bridge macvlan vlan bond}; do
	namespace probe
	if ! known $kind $([ $kind != vlan ] || echo id 5); then
		ip netns del "$tag-probe"
		continue
	fi
	ip netns del "$tag-probe"
	make_twin kernel $kind
	for family in 4 6; do
		rules kernel $family
		talk kernel $family
		declare "expected$family=$(take_counters kernel $family)"
	done
	for hook in auto tc xdp; do
		export UBPFILTER_HOOK=$hook
		make_twin ours $kind
		for family in 4 6; do
			expected=expected$family
			rules ours $family
			talk ours $family
			equal "$hook, $kind: IPv$family rules by device count" "${!expected}" "$(take_counters ours $family)"
		done
		"$ubpfilter" stop >/dev/null
		for name in ours near-ours far-ours; do
			ip netns del "$tag-$name"
		done
	done
	for name in kernel near-kernel far-kernel; do
		ip netns del "$tag-$name"
	done
done
