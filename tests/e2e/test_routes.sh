# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# What routing knows of a packet, beside the kernel's: types of addresses, realms, groups of devices,
# and the processor. The same packets in two namespaces with the same routes, one with the kernel's
# own tables, one with BPF at the netfilter hooks; every counter must be the same.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../packets.sh"

export UBPFILTER_STRICT=yes UBPFILTER_HOOK=netfilter

types="UNSPEC UNICAST LOCAL BROADCAST ANYCAST MULTICAST BLACKHOLE UNREACHABLE PROHIBIT"

rules_ipv4() {
	local type
	for type in $types; do
		printf -- '-A OUTPUT -m addrtype --src-type %s\n' "$type"
		printf -- '-A OUTPUT -m addrtype ! --dst-type %s\n' "$type"
		printf -- '-A INPUT -m addrtype --dst-type %s\n' "$type"
	done
	cat <<-'R'
		-A OUTPUT -m addrtype --src-type LOCAL,BROADCAST ! --dst-type UNICAST,MULTICAST
		-A OUTPUT -m addrtype --dst-type LOCAL -j locals
		-A OUTPUT -m realm --realm 7
		-A OUTPUT -m realm ! --realm 0x107/0xff
		-A OUTPUT -m realm --realm 8/12 -j sent
		-A INPUT -m addrtype ! --src-type LOCAL -j locals
		-A locals -m addrtype ! --src-type UNICAST
	R
}

rules_ipv6() {
	local types
	for types in UNSPEC UNICAST MULTICAST UNICAST,MULTICAST UNSPEC,UNICAST; do
		printf -- '-A OUTPUT -m addrtype --src-type %s\n' "$types"
		printf -- '-A OUTPUT -m addrtype ! --src-type %s\n' "$types"
		printf -- '-A OUTPUT -m addrtype ! --dst-type %s\n' "$types"
	done
	echo "-A OUTPUT -m addrtype --src-type UNICAST --dst-type MULTICAST"
}

# FILLERS: more rules, for trees.
rules() { # FAMILY FILLERS
	local i
	echo "*filter"
	echo ":OUTPUT ACCEPT"
	echo ":locals - [0:0]"
	echo ":sent - [0:0]"
	for ((i = 0; i < $2; i++)); do
		echo "-A OUTPUT -p tcp --dport $((1000 + i)) -j DROP"
		echo "-A INPUT -p tcp --dport $((1000 + i)) -j DROP"
	done
	"rules_ipv$1"
	cat <<-'R'
		-A OUTPUT -m devgroup --dst-group 5
		-A OUTPUT -m devgroup ! --dst-group 0x15/0xf
		-A INPUT -m devgroup --src-group 0
		-A INPUT -m devgroup ! --src-group 0
		-A OUTPUT -m cpu --cpu 1 -j sent
		-A sent -o d0 -m devgroup --dst-group 4/6
		-A OUTPUT -m cpu --cpu 0
		-A OUTPUT -m cpu ! --cpu 0
		-A OUTPUT -m cpu --cpu 70000
		COMMIT
	R
}

# Addresses and routes of all kinds, some of which the kernel passes over.
side() { # NAME
	local name=$1 device
	namespace "$name"
	for device in d0 d1; do
		ip -n "$tag-$name" link add $device type veth peer name "peer-$device"
		ip -n "$tag-$name" link set $device arp off up
		ip -n "$tag-$name" link set "peer-$device" arp off up
	done
	ip -n "$tag-$name" link add v0 type veth peer name v1 # without a carrier
	inside "$name" sysctl -qw net.ipv4.conf.v0.ignore_routes_with_linkdown=1 \
		net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
	ip -n "$tag-$name" link set v0 up
	ip -n "$tag-$name" link set d0 group 5
	ip -n "$tag-$name" address add 10.7.1.1/24 broadcast + dev d0
	ip -n "$tag-$name" address add 10.7.2.0/31 dev d1
	ip -n "$tag-$name" address add 10.7.3.1/32 dev d1
	ip -n "$tag-$name" address add 10.16.0.1/24 broadcast + dev v0
	ip -n "$tag-$name" address add fd77:1::1/64 dev d0 nodad
	ip -n "$tag-$name" -batch - <<-'R'
		route add default via 10.7.1.254 dev d0
		route add local 10.9.0.0/16 dev lo
		route add 10.9.5.0/24 dev d0
		route add unreachable 10.9.6.0/24
		route add unreachable 10.9.8.0/24 table local
		route add broadcast 10.9.7.0/25 dev d0 table local
		route add blackhole 10.10.0.0/16
		route add prohibit 10.10.1.0/24
		route add throw 10.10.2.0/24
		route add blackhole 10.10.3.0/24 table local
		route add multicast 10.11.0.0/16 dev d0
		route add local 10.12.0.0/16 dev lo table main
		route add local 10.13.0.0/16 tos 0x10 dev lo
		route add local 10.13.1.0/24 tos 0x10 dev lo
		route add broadcast 10.13.1.0/24 dev d0 metric 5 table local
		route add 10.20.0.0/16 dev d0 realm 7
		route add 10.21.0.0/16 dev d1 realm 10
		route add local 10.16.0.0/16 dev lo
		nexthop add id 1 dev d0
		nexthop add id 2 blackhole
		nexthop add id 3 dev lo
		nexthop add id 4 group 1
		route add 10.9.9.0/24 nhid 1
		route add 10.9.10.0/24 nhid 2
		route add 10.9.11.0/24 nhid 4
		route add local 10.17.0.0/16 nhid 3 table local
		route add 10.9.12.0/24 nexthop dev d0 nexthop dev d1
		route add local 128.0.0.0/1 dev lo
		route add 192.0.0.0/2 dev d0
	R
}

sources="10.7.1.1 10.7.1.9 10.7.1.0 10.7.1.255 10.7.2.0 10.7.2.1 10.7.3.1 10.7.3.2 127.0.0.1 127.5.5.5
	127.255.255.255 0.0.0.0 0.0.0.5 255.255.255.255 224.0.0.5 239.9.9.9 240.0.0.1 10.9.0.0 10.9.1.1
	10.9.5.5 10.9.6.6 10.9.7.7 10.9.7.200 10.9.8.8 10.9.9.9 10.9.10.10 10.9.11.11 10.9.12.12 10.10.0.1
	10.10.1.1 10.10.2.2 10.10.3.3 10.11.1.1 10.12.1.1 10.13.0.5 10.13.1.5 10.16.0.1 10.16.0.0
	10.16.0.255 10.16.5.5 10.17.1.1 10.20.0.1 8.8.8.8 10.255.255.255 127.255.255.254 129.1.1.1
	191.255.255.255 193.0.0.1 1.0.0.0 10.0.0.0"
# IPv6 addresses by their first and last digits.
sources_ipv6="/ /1 /2 /01020304 /ffff01020304 /fffe01020304 fe80/1 fec0/1 fc00/1 ff02/1 ff0e/5 feff/1
	20010db8/1 8000/1 fd770001/1 0100/"

digits() { # FIRST/LAST
	local first=${1%/*} last=${1#*/}
	printf '%s%0*d%s' "$first" $((32 - ${#first} - ${#last})) 0 "$last"
}

# The processor that sends a packet, where to, and the packet, of a length of its own: sums of bytes
# tell who it was.
make_packets() {
	local length=20 address source
	for address in $sources; do
		echo "$((++length % 2)) 10.7.1.9 $(ipv4 "$address" 10.7.1.9 $length)"
	done
	for address in 10.7.1.1 10.9.1.1 10.12.1.1 224.0.0.5 10.9.5.5 10.20.1.1 10.21.1.1 127.0.0.1; do
		for source in 10.7.1.1 10.10.0.9; do
			echo "$((++length % 2)) $address $(ipv4 $source "$address" $length)"
		done
	done
	for address in $sources_ipv6; do
		echo "$((++length % 2)) fd77:1::9 $(ipv6 "$(digits "$address")" "$(digits fd770001/9)" $length)"
	done
	echo "0 ff02::5 $(ipv6 "$(digits fd770001/1)" "$(digits ff02/5)" $((++length)))"
}

# What routing refuses, it refuses on both sides.
send_all() { # NAME
	inside "$1" bash -s -- "$frame" "$scratch/packets" <<-'R' 2>&1
		while read -r processor address packet; do
			taskset -c "$processor" "$1" "$address" "$packet"
		done <"$2"
		true
	R
}

compare() { # WHAT
	local family
	for side in kernel ours; do
		send_all $side >"$scratch/said-$side"
	done
	equal "$1: senders are told the same" "$(cat "$scratch/said-kernel")" "$(cat "$scratch/said-ours")"
	for family in 4 6; do
		take_rules kernel $family >"$scratch/kernel"
		take_rules ours $family >"$scratch/ours"
		equal "$1: IPv$family: each counter is the kernel's" "" "$(diff "$scratch/kernel" "$scratch/ours")"
	done
}

# Rules with packets and bytes, which start again at 0; fillers are left out.
take_rules() { # NAME FAMILY
	local command=iptables-legacy
	[ "$2" = 4 ] || command=ip6tables-legacy
	if [ "$1" = ours ]; then
		on_bpf ours $command-save -t filter -c
	else
		inside "$1" $command-save -t filter -c
	fi | grep '^\[' | grep -v -- '--dport' | tee "$scratch/rules-$1-$2"
	iptables_of "$1" "$2" -Z
}

restore() { # FAMILY FILLERS
	local command=iptables-legacy-restore
	[ "$1" = 4 ] || command=ip6tables-legacy-restore
	rules "$1" "$2" >"$scratch/rules"
	inside kernel $command "$scratch/rules"
	on_bpf ours $command "$scratch/rules"
}

side kernel
side ours
make_packets >"$scratch/packets"
for fillers in 0 150; do
	restore 4 $fillers
	restore 6 $fillers
	compare "$fillers more rules"
	for type in UNICAST LOCAL BROADCAST MULTICAST; do
		contains "$fillers more rules: there are sources of type $type" \
			"^\[[1-9].*OUTPUT -m addrtype --src-type $type\$" "$(cat "$scratch/rules-ours-4")"
	done
	contains "$fillers more rules: a realm is met" '^\[[1-9].*--realm 0x7$' "$(cat "$scratch/rules-ours-4")"
done

# A rule of routing takes the tables apart, which were one for the kernel so far.
for side in kernel ours; do
	ip -n "$tag-$side" rule add from 172.16.0.0/12 lookup 100
	ip -n "$tag-$side" address add 10.10.0.1/32 dev d0
	ip -n "$tag-$side" route del local 10.9.0.0/16
done
compare "other routes"
