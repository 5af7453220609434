# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Which chain a packet belongs to follows the host's addresses and the routes to them.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

# Of the chains INPUT and FORWARD, the one that counts a packet to ADDRESS.
chain_of() { # ADDRESS
	local before
	before=$(counter router "$command" INPUT 1)
	inside peer ping -q -c 1 -W 0.3 "$1" >/dev/null || true
	if [ "$(counter router "$command" INPUT 1)" -gt "$before" ]; then echo INPUT; else echo FORWARD; fi
}
goes_to() { [ "$(chain_of "$2")" = "$1" ]; }

# A replace looks at the addresses: behind it, those that are there are known.
look() { on_bpf router "$command-legacy" -P OUTPUT ACCEPT; }

check() { # ADDRESS LENGTH, in the family of $command
	ip -n "$tag-router" address add "$1/$2" dev lo
	succeeds "$hook: $command: a new address is this host's" until_true goes_to INPUT "$1"
	look
	ip -n "$tag-router" address del "$1/$2" dev lo
	succeeds "$hook: $command: one that was taken away is forwarded" until_true goes_to FORWARD "$1"
	ip -n "$tag-router" address add "$1/$2" dev lo
	succeeds "$hook: $command: it comes back" until_true goes_to INPUT "$1"
	look
	ip -n "$tag-router" "$family" rule add pref 100 lookup local
	ip -n "$tag-router" "$family" rule add pref 50 to "$1" lookup main
	ip -n "$tag-router" "$family" rule del pref 0
	succeeds "$hook: $command: a rule before the local table counts" until_true goes_to FORWARD "$1"
	ip -n "$tag-router" "$family" rule add pref 0 lookup local
	ip -n "$tag-router" "$family" rule del pref 50
	ip -n "$tag-router" "$family" rule del pref 100
	succeeds "$hook: $command: and no longer when it is gone" until_true goes_to INPUT "$1"
	ip -n "$tag-router" address del "$1/$2" dev lo
	ip -n "$tag-router" route add local "$1" dev lo
	succeeds "$hook: $command: a local route is enough" until_true goes_to INPUT "$1"
	look
	ip -n "$tag-router" route del local "$1" dev lo
	succeeds "$hook: $command: without it, it is forwarded" until_true goes_to FORWARD "$1"
}

for hook in tc xdp; do
	export UBPFILTER_HOOK=$hook
	namespace router peer
	join router peer 1
	ip -n "$tag-router" link add name out address 02:77:00:00:00:01 type veth peer name nowhere
	ip -n "$tag-router" link set out up
	ip -n "$tag-router" link set nowhere up
	ip -n "$tag-router" route add 10.88.0.0/16 dev out
	ip -n "$tag-router" route add fd88::/32 dev out
	ip -n "$tag-peer" route add 10.88.0.0/16 via 10.77.1.1
	ip -n "$tag-peer" route add fd88::/32 via fd77:1::1
	inside router sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	for command in iptables ip6tables; do
		on_bpf router $command-legacy -A INPUT -i peer
		on_bpf router $command-legacy -A FORWARD -i peer
	done
	command=iptables family=-4
	check 10.88.1.1 32
	command=ip6tables family=-6
	check fd88::1 128
	"$ubpfilter" stop >/dev/null
	for name in router peer; do
		ip netns del "$tag-$name"
	done
done
