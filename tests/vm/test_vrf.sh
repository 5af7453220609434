# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Ports of a VRF: twins, one filtered by the kernel's iptables, must count the same by the same
# devices: what comes in, goes out, is leaked to and from the VRF, and what neighbours talk about.
#
#	near --- in0, in0.5, bond0 (in1) | VRF red | twin | out0 --- far
set -euo pipefail
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../packets.sh"

devices=(in0 in0.5 bond0 red out0)

# Lines for `ip -batch`: one process does them all.
address() { # DEVICE NETWORK HOST
	echo "address add 10.79.$2.$3/24 dev $1"
	echo "address add fd79:$2::$3/64 dev $1 nodad"
}

# Known from the start: only the test's own packets are on the way.
neighbour_of() { # DEVICE NETWORK
	echo "neighbour replace 10.79.$2.2 lladdr 02:00:00:00:00:09 dev $1"
	echo "neighbour replace fd79:$2::2 lladdr 02:00:00:00:00:09 dev $1"
}

port() { # DEVICE NETWORK: into the VRF, to which a way leads from outside
	echo "link set $1 master red up"
	address "$1" "$2" 1
	neighbour_of "$1" "$2"
	echo "route add 10.79.$2.0/24 dev $1"
	echo "route add fd79:$2::/64 dev $1"
}

wire() { # TWIN
	local end
	namespace "$1"
	inside "$1" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv6.conf.default.mldv2_unsolicited_report_interval=0
	for end in in0 in1 out0; do
		ip -n "$tag-near" link add "$end-$1" type veth peer name $end netns "$tag-$1"
		ip -n "$tag-near" link set "$end-$1" up
		ip -n "$tag-$1" link set $end address 02:00:00:00:00:01
	done
	{
		echo "link add red type vrf table 100"
		echo "link set red up"
		address red 9 1
		echo "link set out0 up"
		address out0 2 1
		neighbour_of out0 2
		echo "link set in0 up"
		port in0 1
		echo "link add in0.5 link in0 type vlan id 5"
		port in0.5 5
		echo "link add bond0 address 02:00:00:00:00:01 type bond mode active-backup"
		echo "link set in1 master bond0"
		echo "link set in1 up"
		port bond0 6
		echo "route add 10.79.2.0/24 dev out0 table 100"
		echo "route add fd79:2::/64 dev out0 table 100"
		echo "route add 10.78.0.0/16 dev red"
		echo "route add fd78::/16 dev red"
		echo "route add 10.78.0.0/16 via 10.79.1.2 dev in0 table 100"
		echo "route add fd78::/16 via fd79:1::2 dev in0 table 100"
	} | ip -n "$tag-$1" -batch -
}

# Everything that may be told apart by a device, in one go: restoring is the quickest here.
rules() { # TWIN FAMILY
	local device command=iptables-legacy-restore
	[ "$2" = 4 ] || command=ip6tables-legacy-restore
	{
		echo "*filter"
		for device in "${devices[@]}"; do
			echo "-A INPUT -i $device -p udp"
			echo "-A FORWARD -i $device -p udp"
			echo "-A FORWARD -o $device -p udp"
			echo "-A OUTPUT -o $device -p udp"
			if [ "$2" = 6 ]; then
				echo "-A INPUT -i $device -p icmpv6 --icmpv6-type 136"
			fi
		done
		echo "-A INPUT -i red -p udp --dport 53 -j DROP"
		echo "-A OUTPUT -o red -p udp --dport 54 -j DROP"
		echo "-A OUTPUT -o in0 -p udp --dport 55 -j DROP"
		echo COMMIT
	} >"$scratch/rules"
	if [ "$1" = ours ]; then
		on_bpf ours $command "$scratch/rules"
	else
		inside "$1" $command "$scratch/rules"
	fi
}

compare() { # NAME FAMILY
	local expected
	expected=$(take_counters kernel "$2")
	equal "$hook: $1" "$expected" "$(take_counters ours "$2")"
	contains "$hook: $1: counted" '[1-9]' "${expected//0\/0/}"
}

from() { # END FRAME: for both twins, to be sent with all others
	echo "$frame $1-TWIN $2"
}

speak() { # ADDRESS PORT: by an ordinary socket of both twins; the same
	echo "$traffic udp $1 $2 1 >/dev/null 2>&1 || true" # EPERM
}

together() { # NAMESPACE: what was said before, in both twins or for both
	local name
	cat >"$scratch/commands"
	for name in kernel ours; do
		inside "${1/TWIN/$name}" bash -e <<<"$(sed "s/TWIN/$name/" "$scratch/commands")"
	done
}

a6() { printf 'fd%s%04x%024x' "$1" "$2" "$3"; } # 78|79 NETWORK HOST

# An advertisement from a neighbour, unicast, of which the checksum is of no interest here.
advertisement() { # SOURCE DESTINATION
	printf '6000000000183aff%s%s88000000e0000000%s' "$1" "$2" "$1"
}

arriving() {
	local n end tag5
	for n in 1 5 6; do
		end=in0
		[ $n != 6 ] || end=in1
		tag5=
		[ $n != 5 ] || tag5=81000005
		from $end "$(ethernet "$(ipv4 10.79.$n.2 10.79.$n.1)" "$tag5")"
		from $end "$(ethernet "$(ipv4 10.79.$n.2 10.79.2.2)" "$tag5")"
		from $end "$(ethernet "$(ipv4 10.79.$n.2 10.79.9.1)" "$tag5")"
		from out0 "$(ethernet "$(ipv4 10.79.2.2 10.79.$n.2)")"
		from $end "$(ethernet "$(ipv6 "$(a6 79 $n 2)" "$(a6 79 $n 1)")" "$tag5")"
		from $end "$(ethernet "$(ipv6 "$(a6 79 $n 2)" "$(a6 79 2 2)")" "$tag5")"
		from $end "$(ethernet "$(ipv6 "$(a6 79 $n 2)" "$(a6 79 9 1)")" "$tag5")"
		from $end "$(ethernet "$(advertisement "$(a6 79 $n 2)" "$(a6 79 $n 1)")" "$tag5")"
		from out0 "$(ethernet "$(ipv6 "$(a6 79 2 2)" "$(a6 79 $n 2)")")"
	done
	from in0 "$(ethernet "$(ipv4 10.79.1.2 224.0.0.1)" "" 01005e000001)"
	from in0 "$(ethernet "$(ipv4 10.79.1.2 255.255.255.255)" "" ffffffffffff)"
	from in0 "$(ethernet "$(ipv6 fe800000000000000000000000000009 ff020000000000000000000000000001)" "" 333300000001)"
	from in0 "$(ethernet "$(ipv6 fe800000000000000000000000000009 fe80000000000000000000fffe000001)")"
	# a route to the VRF: FORWARD by the VRF, then OUTPUT by its port
	from out0 "$(ethernet "$(ipv4 10.79.2.2 10.78.1.2)")"
	from out0 "$(ethernet "$(ipv6 "$(a6 79 2 2)" "$(a6 78 1 2)")")"
}

arrivals() {
	arriving | together near
	compare "arrivals, IPv4" 4
	compare "arrivals, IPv6" 6
}

departing() {
	local n
	for n in 1 5 6; do
		speak 10.79.$n.2 9
		speak 10.79.$n.2 54
		speak 10.79.$n.2 55
		speak fd79:$n::2 9
		speak fd79:$n::2 54
		speak fd79:$n::2 55
	done
	speak 10.78.1.2 9
	speak fd78:1::2 9
}

departures() {
	departing | together TWIN
	compare "departures, IPv4" 4
	compare "departures, IPv6" 6
}

# Ports that come and go: a rule written before has them, and loses them.
changes() {
	local name
	for name in kernel ours; do
		ip -n "$tag-$name" link set in0 nomaster
	done
	until_true alone
	from in0 "$(ethernet "$(ipv4 10.79.1.2 10.79.1.1)")" | together near
	compare "a port that left its VRF" 4
	for name in kernel ours; do
		ip -n "$tag-$name" link set in0 master red
	done
	until_true enslaved
	from in0 "$(ethernet "$(ipv4 10.79.1.2 10.79.1.1)")" | together near
	compare "and came back" 4
}
enslaved() { "$ubpfilter" status | grep 'device in0:' | grep -q VRF; }
alone() { ! enslaved; }

namespace near
inside near sysctl -qw net.ipv6.conf.default.disable_ipv6=1
for hook in tc xdp; do
	export UBPFILTER_HOOK=$hook
	for name in kernel ours; do
		wire $name
		rules $name 4
		rules $name 6
	done
	arrivals
	[ $hook = xdp ] || departures # as with TC
	changes
	"$ubpfilter" stop >/dev/null
	for name in kernel ours; do
		for end in in0 in1 out0; do
			ip -n "$tag-near" link del $end-$name
		done
		ip netns del "$tag-$name"
	done
done
