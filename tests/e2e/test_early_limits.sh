# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# What early stages must leave to the netfilter hooks, because somebody would notice.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../packets.sh"

namespace left right
join left right
if ! grep -q 'netfilter_hooks' <<<"$(on_bpf right iptables-legacy -L -n >/dev/null; "$ubpfilter" status)"; then
	skip "early stages" "this kernel has no netfilter hooks for BPF"
	exit
fi
statistic() { # NAMESPACE NAME
	inside "$1" awk -v name="$2" '$1 == name { print $2 }' /proc/net/snmp6
}
changes() { # NAMESPACE NAME COMMAND...
	local before
	before=$(statistic "$1" "$2")
	"${@:3}" >/dev/null
	echo $(($(statistic "$1" "$2") - before))
}
with_hook() { # HOOK
	inside right "$ubpfilter" stop --flush >/dev/null
	printf 'hook.left = %s\n' "$1" >"$scratch/conf"
	export UBPFILTER_CONF=$scratch/conf
}

# GRO joins segments with data before iptables counts them, but behind XDP.
segment() { # FLAGS BYTES: from left to right, TCP port 2000
	local packet
	packet=60000000$(printf '%04x' $((20 + $2)))0640fd770001000000000000000000000001fd770001000000000000000000000002
	packet+=03e807d000000001000000015${1}ffff00000000
	[ "$2" = 0 ] || packet+=$(zeros "$2")
	inside left "$frame" right "$(router=$mac ethernet "$packet")"
}
mac=$(inside right sed 's/://g' /sys/class/net/left/address)
for hook in xdp tc; do
	with_hook $hook
	on_bpf right ip6tables-legacy -A INPUT -p tcp --dport 2000 -j DROP
	contains "$hook: is attached" "device left: $hook" "$("$ubpfilter" status)"
	equal "$hook: a first segment ends there" 0 "$(changes right Ip6InReceives segment 002 100)"
	equal "$hook: one without data, too" 0 "$(changes right Ip6InReceives segment 010 0)"
	equal "$hook: one with data" "$([ $hook = xdp ] && echo 1 || echo 0)" \
		"$(changes right Ip6InReceives segment 010 100)"
	equal "$hook: each was counted once" 3 "$(counter right ip6tables INPUT 1)"
done

# A router tells of a shorter way before FORWARD drops.
inside right sysctl -qw net.ipv6.conf.all.forwarding=1
ip -n "$tag-right" route add fd88::/64 via fe80::3 dev left
ip -n "$tag-right" neighbour add fe80::3 lladdr 02:00:00:00:00:03 dev left nud permanent
ip -n "$tag-left" route add fd88::/64 via fd77:1::2
on_bpf right ip6tables-legacy -A FORWARD -p udp -j DROP
detour() { inside left bash -c 'echo >/dev/udp/fd88::1/9'; }
equal "a redirect is sent for what is dropped" 1 "$(changes right Icmp6OutRedirects detour)"
equal "and it was counted" 1 "$(counter right ip6tables FORWARD 1)"

# FORWARD sees the hop limit counted down.
ip -n "$tag-right" link add out0 type veth peer name out1
ip -n "$tag-right" link set out0 up
ip -n "$tag-right" link set out1 up
ip -n "$tag-right" route add fd89::/64 dev out0
ip -n "$tag-right" neighbour add fd89::1 lladdr 02:00:00:00:00:04 dev out0 nud permanent
ip -n "$tag-left" route add fd89::/64 via fd77:1::2
on_bpf right ip6tables-legacy -F FORWARD
on_bpf right ip6tables-legacy -A FORWARD -p udp -m hl --hl-eq 64 -j DROP
on_bpf right ip6tables-legacy -A FORWARD -p udp -m hl --hl-eq 63 -j DROP
inside left bash -c 'echo >/dev/udp/fd89::1/9'
equal "hop limit 64 is not what FORWARD sees" 0 "$(counter right ip6tables FORWARD 1)"
equal "hop limit 63 is" 1 "$(counter right ip6tables FORWARD 2)"
on_bpf right ip6tables-legacy -F FORWARD
ip -n "$tag-right" link del out0

# Who else is on the way is told by name.
waits() { "$ubpfilter" status | sed -n 's/^    early drops wait for: //p'; }
equal "nobody is on the way" "" "$(waits)"
inside right nft -f - <<<"table inet other {
	chain c { type filter hook prerouting priority raw; }
	chain d { type filter hook forward priority mangle; }
	chain e { type filter hook input priority security; }
}"
equal "chains before ours are" "nf_tables inet other c, prerouting -300
nf_tables inet other d, forward -150" "$(waits)"
equal "so nothing ends early" 1 "$(changes right Ip6InReceives segment 002 100)"
inside right nft delete table inet other
equal "until they are gone" 0 "$(changes right Ip6InReceives segment 002 100)"
