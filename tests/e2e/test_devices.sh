# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Devices that come after the rules are filtered like those that were there.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

pings() { inside peer ping -q -c 1 -W 0.3 "$1" >/dev/null; }
silent() { ! pings "$1"; }
named() { "$ubpfilter" status | grep -q "device $1"; }
gone() { ! named "$1"; }

for hook in tc xdp; do
	export UBPFILTER_HOOK=$hook
	namespace a peer
	on_bpf a iptables-legacy -A INPUT -i peer -p icmp -j DROP
	on_bpf a iptables-legacy -A INPUT -i new+ -p icmp -j DROP

	join a peer 1
	succeeds "$hook: a new device is taken" until_true named peer
	succeeds "$hook: a rule written before the device came drops" silent 10.77.1.1
	equal "$hook: and counts" 1 "$(counter a iptables INPUT 1)"

	ip -n "$tag-a" link add name free type veth peer name other netns "$tag-peer"
	ip -n "$tag-a" address add 10.77.9.1/24 dev free
	ip -n "$tag-peer" address add 10.77.9.2/24 dev other
	ip -n "$tag-a" link set dev free up
	ip -n "$tag-peer" link set dev other up
	succeeds "$hook: one that no rule names passes" until_true pings 10.77.9.1
	ip -n "$tag-a" link set dev free down
	ip -n "$tag-a" link set dev free name new0
	ip -n "$tag-a" link set dev new0 up
	succeeds "$hook: under its new name it is known" until_true named new0
	succeeds "$hook: and the rule for that name drops" until_true silent 10.77.9.1
	ip -n "$tag-a" link del new0
	succeeds "$hook: gone is gone" until_true gone new0

	"$ubpfilter" stop >/dev/null
	for name in a peer; do
		ip netns del "$tag-$name"
	done
done
