# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# In front of a table that the kernel enforces, BPF drops what is certain, before the IP layer; the
# counters that iptables shows are those of both.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

namespace left right
join left right
if ! grep -q netfilter_hooks <<<"$(on_bpf right iptables-legacy -L -n >/dev/null; "$ubpfilter" status)"; then
	skip "early drops in front of the kernel" "this kernel has no netfilter hooks for BPF"
	exit
fi

send() { # ADDRESS: ten datagrams of 60 bytes
	inside left "$traffic" udp "$1" 9 10 >/dev/null 2>&1 || true
}

# Packets of the rules of INPUT: what iptables shows, and what the kernel has by itself.
shown() { on_bpf right "$1" -nvxL INPUT | awk 'NR > 2 { print $1 }' | xargs; }
kernels() { inside right "$1" -nvxL INPUT | awk 'NR > 2 { print $1 }' | xargs; }

counts() { # NAME IPTABLES ADDRESS SHOWN KERNELS: after ten datagrams
	send "$3"
	equal "$1: what iptables shows" "$4" "$(shown "$2")"
	equal "$1: what the kernel saw of it" "$5" "$(kernels "$2")"
}

for hook in tc xdp; do
	inside right "$ubpfilter" stop --flush >/dev/null
	printf 'hook.left = %s\n' $hook >"$scratch/conf"
	export UBPFILTER_CONF=$scratch/conf
	for iptables in iptables-legacy ip6tables-legacy; do
		address=10.77.1.2
		[ $iptables = iptables-legacy ] || address=fd77:1::2
		name="$hook $iptables"
		on_bpf right $iptables -A INPUT -p udp
		on_bpf right $iptables -A INPUT -p udp --dport 9 -j DROP
		# shellcheck disable=SC2086
		on_bpf right $iptables -A INPUT $beyond_bpf -j DROP
		contains "$name: programs are there" "enforced by the kernel's .*; BPF drops early, programs: [a-z_ ]*$hook" "$("$ubpfilter" status)"
		counts "$name: a drop in front of what BPF does not do" $iptables $address "10 10 0" "0 0 0"
		on_bpf right $iptables -A INPUT -s 192.0.2.1 -j DROP 2>/dev/null ||
			on_bpf right $iptables -A INPUT -s 2001:db8::1 -j DROP
		equal "$name: counters move along between tables of the kernel's" "10 10 0 0" "$(shown $iptables)"
		equal "$name: they are the kernel's then" "10 10 0 0" "$(kernels $iptables)"
		counts "$name: and go on" $iptables $address "20 20 0 0" "10 10 0 0"
		on_bpf right $iptables -D INPUT 4
		# shellcheck disable=SC2086
		on_bpf right $iptables -I INPUT 2 $beyond_bpf -j DROP
		counts "$name: a drop behind it" $iptables $address "30 0 30 0" "30 0 30 0"
		# shellcheck disable=SC2086
		on_bpf right $iptables -R INPUT 2 -p udp --dport 10 $beyond_bpf -j DROP
		counts "$name: behind one for other packets" $iptables $address "40 0 40 0" "30 0 30 0"
		# the match itself may have effects, whatever is asked behind it
		# shellcheck disable=SC2086
		on_bpf right $iptables -R INPUT 2 -p udp $beyond_bpf -m udp --dport 10 -j DROP
		counts "$name: behind one that asks that first" $iptables $address "50 0 50 0" "50 0 50 0"
		on_bpf right $iptables -R INPUT 2 -p tcp -j REJECT
		on_bpf right $iptables -Z
		counts "$name: zeroed" $iptables $address "10 0 10 0" "0 0 0 0"
		on_bpf right $iptables -D INPUT 4
		on_bpf right $iptables -D INPUT 2
		equal "$name: counters go back to BPF" "10 10" "$(shown $iptables)"
		equal "$name: enforced by BPF" "$([ $iptables = iptables-legacy ] && echo '(IPv4) BPF' || echo '(IPv6) BPF')" "$(enforcers | tail -n 1)"
		counts "$name: in BPF" $iptables $address "20 20" ""
	done
	# Large tables become trees, which may be too much in front of another stage.
	{
		echo "*filter"
		echo "-A INPUT -p udp --dport 10 $beyond_bpf -j ACCEPT"
		echo "-A INPUT -p udp --dport 8:9"
		for ((i = 0; i < 200; i++)); do
			echo "-A FORWARD -s 192.0.2.$i -j DROP"
			echo "-A INPUT -s 192.0.2.$i -j DROP"
		done
		echo "-A INPUT -p udp --dport 9 -j DROP"
		echo "-A INPUT -p udp ! --sport 1 --dport 7"
		echo "-A INPUT -p udp $beyond_bpf -j ACCEPT"
		echo "-A INPUT -p udp --dport 7 -j DROP"
		echo COMMIT
	} | on_bpf right iptables-legacy-restore
	zeros=$(printf ' 0%.0s' {1..200})
	send 10.77.1.2
	inside left "$traffic" udp 10.77.1.2 7 5 >/dev/null
	equal "$hook, a tree: what iptables shows" "0 10$zeros 10 5 0 5" "$(shown iptables-legacy)"
	on_bpf right iptables-legacy -F
	"$ubpfilter" stop >/dev/null
done
