# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# What a packet's bytes do not say, beside the kernel's: who sent the frame and to whom, whose socket
# it is, of which class, marks. The same packets to and from a namespace with the kernel's own tables and one with
# BPF at the netfilter hooks; every counter must be the same.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

export UBPFILTER_STRICT=yes UBPFILTER_HOOK=netfilter

# The rules of a table. OWN: the MAC address of who sends; FILLERS: more rules, for trees.
rules() { # OWN FILLERS COMMAND
	local i
	echo "*filter"
	echo ":OUTPUT ACCEPT"
	echo ":users - [0:0]"
	for ((i = 0; i < $2; i++)); do
		printf -- '-A INPUT -m mac --mac-source 02:11:22:33:%02x:%02x -j DROP\n' $((i / 256)) $((i % 256))
	done
	for ((i = 0; i < $2; i++)); do
		echo "-A OUTPUT -p tcp --dport $((1000 + i)) -j DROP"
	done
	cat <<-R
		-A INPUT -m mac --mac-source $1
		-A INPUT -m mac ! --mac-source $1
		-A INPUT -m mac --mac-source 02:00:00:00:00:01
		-A INPUT -m mac ! --mac-source 02:00:00:00:00:01
		-A INPUT -m pkttype --pkt-type unicast
		-A INPUT -m pkttype ! --pkt-type unicast
		-A INPUT -m pkttype --pkt-type multicast
		-A INPUT -m pkttype --pkt-type broadcast
		-A INPUT -m mark --mark 5
		-A INPUT -m mark --mark 4/6
		-A INPUT -m mark ! --mark 5
		-A INPUT -m connmark --mark 7
		-A INPUT -m connmark ! --mark 7
		-A OUTPUT -m owner --uid-owner 1234
		-A OUTPUT -m owner ! --uid-owner 1234
		-A OUTPUT -m owner --uid-owner 1000-2000 --gid-owner 4321
		-A OUTPUT -m owner ! --gid-owner 4321
		-A OUTPUT -m owner --gid-owner 4321 --suppl-groups
		-A OUTPUT -m owner --gid-owner 70000-70009 --suppl-groups
		-A OUTPUT -m owner ! --gid-owner 70000-70009 --suppl-groups
		-A OUTPUT -m owner --uid-owner 1234 ! --gid-owner 5 --suppl-groups
		-A OUTPUT -m owner --socket-exists
		-A OUTPUT -m owner ! --socket-exists
		-A OUTPUT -m owner --socket-exists ! --uid-owner 1234 -j users
		-A OUTPUT -m mark --mark 9
		-A OUTPUT -m connmark --mark 7/3
		-A OUTPUT -m cgroup --cgroup 65537
		-A OUTPUT -m cgroup ! --cgroup 65537
		-A INPUT -m cgroup ! --cgroup 65537
		-A users -m owner --gid-owner 0
	R
	[ "$3" = iptables ] || printf -- '-A INPUT -m eui64\n-A INPUT -p udp -m eui64\n'
	echo COMMIT
}

marks() { # what sets marks is the kernel's
	cat <<-'R'
		*mangle
		-A PREROUTING -m length --length 0:100 -j MARK --set-mark 5
		-A PREROUTING -m length --length 101:200 -j CONNMARK --set-mark 7
		-A OUTPUT -m length --length 101:200 -j MARK --set-mark 9
		COMMIT
	R
}

counted() { # NAME TABLES
	if [ "$1" = bpf ]; then
		on_bpf bpf "$2-legacy-save" -t filter -c
	else
		inside "$1" "$2-legacy-save" -t filter -c
	fi | sed -n 's/^\[\([0-9]*:[0-9]*\)\] /\1 /p' | grep -v 'mac-source 02:11\|--dport 1' | sed 's/--mac-source [^ ]*/--mac-source X/'
}

ping_from() { # NAMESPACE NETWORK FAMILY SIZE COMMAND...: with credentials that the command sets
	local name=$1 address=10.77.$2.$([ "$1" = sender ] && echo 1 || echo 2) size=$4
	[ "$3" = 4 ] || address=fd77:$2::${address##*.}
	shift 4
	inside "$name" "$@" ping -q -c 3 -i 0.01 -s "$size" "$address" >/dev/null
}

# A class of net_cls, for what is started by this name.
classed=
if grep -q '^net_cls[[:space:]]' /proc/cgroups; then
	classed=of_class
	classes=$scratch/net_cls
	mkdir "$classes"
	mount -t cgroup -o net_cls none "$classes"
	trap 'rmdir "$classes/ubpe-$$"; umount "$classes"; take_down' EXIT
	mkdir "$classes/ubpe-$$"
	echo 65537 >"$classes/ubpe-$$/net_cls.classid"
	printf '#!/bin/sh\necho $$ >"%s"\nexec "$@"\n' "$classes/ubpe-$$/cgroup.procs" >"$scratch/of_class"
	chmod +x "$scratch/of_class"
	PATH=$scratch:$PATH
else
	skip "packets of a class of net_cls" "this kernel has no net_cls"
fi

# The last of them is looked for.
many_groups=$(seq -s , 100 3099),70000

packets() { # NAME NETWORK: to and from a side
	local family size
	for family in 4 6; do
		for size in 20 120 300; do
			ping_from sender "$2" $family $size
			ping_from "$1" "$2" $family $size
			ping_from "$1" "$2" $family $size setpriv --reuid 1234 --regid 4321 --clear-groups --
			ping_from "$1" "$2" $family $size setpriv --reuid 1500 --regid 4321 --clear-groups --
			ping_from "$1" "$2" $family $size setpriv --reuid 1500 --regid 0 --groups 4321,70009,5 --
			ping_from "$1" "$2" $family $size setpriv --reuid 1234 --regid 7 --groups "$many_groups" --
		done
	done
	if [ "$classed" ]; then
		for family in 4 6; do
			ping_from "$1" "$2" $family 20 $classed
		done
	fi
	inside sender ping -q -c 3 -i 0.01 -I "$(of_mac "$1" "$2")" "fd77:$2::1" >/dev/null
	inside sender ping -q -b -c 3 -i 0.01 -W 0.1 "10.77.$2.255" >/dev/null 2>&1 || true
	inside sender ping -q -c 3 -i 0.01 -W 0.1 -I "$1" 224.0.0.1 >/dev/null 2>&1 || true
}

namespace kernel bpf sender
join kernel sender 1
ip -n "$tag-bpf" link add sender type veth peer name bpf netns "$tag-sender"
for end in bpf:sender:1 sender:bpf:2; do
	IFS=: read -r name device host <<<"$end"
	ip -n "$tag-$name" address add "10.77.2.$host/24" dev "$device"
	ip -n "$tag-$name" address add "fd77:2::$host/64" dev "$device" nodad
	ip -n "$tag-$name" link set dev "$device" up
done
neighbour bpf sender sender bpf 2 2
neighbour sender bpf bpf sender 2 1
# An address of the sender's that is made from its MAC address, and known at once.
of_mac() { # NAME NETWORK
	local a b c d e f
	IFS=: read -r a b c d e f <"$scratch/mac-$1"
	printf 'fd77:%s::%02x%s:%sff:fe%s:%s%s\n' "$2" $((0x$a ^ 2)) "$b" "$c" "$d" "$e" "$f"
}

for end in kernel:1 bpf:2; do
	IFS=: read -r name network <<<"$end"
	inside sender cat "/sys/class/net/$name/address" >"$scratch/mac-$name"
	ip -n "$tag-sender" address add "$(of_mac $name "$network")/64" dev $name nodad
	ip -n "$tag-$name" neighbour replace "$(of_mac $name "$network")" lladdr "$(cat "$scratch/mac-$name")" dev sender nud permanent
done
for name in kernel bpf; do
	inside $name sysctl -qw net.ipv4.ping_group_range="0 2147483647"
done

for fillers in 0 300; do
	for tables in iptables ip6tables; do
		for name in kernel bpf; do
			rules "$(inside sender cat "/sys/class/net/$name/address")" $fillers $tables >"$scratch/rules-$name"
		done
		inside kernel $tables-legacy-restore "$scratch/rules-kernel"
		on_bpf bpf $tables-legacy-restore "$scratch/rules-bpf"
		for name in kernel bpf; do
			marks | inside $name $tables-legacy-restore
		done
	done
	packets kernel 1
	packets bpf 2
	for tables in iptables ip6tables; do
		expected=$(counted kernel $tables)
		contains "$fillers more rules: $tables: the kernel counts marks, owners and MAC addresses" \
			'^[1-9].*connmark --mark 0x7' "$expected"
		if [ "$classed" ]; then
			contains "$fillers more rules: $tables: the kernel counts packets of a class" \
				'^[1-9].* -m cgroup --cgroup 65537$' "$expected"
			contains "$fillers more rules: $tables: BPF counts packets of a class" \
				'^[1-9].* -m cgroup --cgroup 65537$' "$(counted bpf $tables)"
		fi
		equal "$fillers more rules: $tables counts as the kernel" "$expected" "$(counted bpf $tables)"
	done
done
