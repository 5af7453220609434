# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# An early stage is told, by the packet, who else is on its way to our netfilter hook.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"
way=$build/tests/surroundings/way

ask() { # FAMILY PROGRAM NAMESPACE [DEVICE [PROGRAMS]]
	inside "$3" "$way" "$way$1.bpf.o" "way_$2" "${@:4}"
}
all() { # NAMESPACE [DEVICE]: both families, at XDP (on lo only) and TC
	local family
	for family in 4 6; do
		[ $# -gt 1 ] || ask $family xdp "$1" 2>&1
		ask $family tc "$@" 2>&1
	done | uniq | paste -sd " "
}

namespace a peer router stranger nat
join a peer
if [ "$(ask 4 tc a 2>&1)" != shared ]; then
	skip "the way to the netfilter hooks" "this kernel has none for BPF"
	exit
fi
equal "without rules of ours, nobody judges what is not dropped" shared "$(all a)"
on_bpf a iptables-legacy -A INPUT -p 99 -j DROP
equal "clear" clear "$(all a)"
cost() { inside a "$way" "$way"4.bpf.o "$1" cost; }
echo "  cost of nothing: $(cost nothing) ns, of asking: $(cost cost_xdp) ns"

# conntrack
on_bpf a iptables-legacy -A INPUT -m state --state ESTABLISHED
on_bpf a ip6tables-legacy -A INPUT -m state --state ESTABLISHED
equal "with conntrack" tracked "$(all a)"
echo "  cost of nothing: $(cost nothing) ns, of asking with conntrack: $(cost cost_xdp) ns"
# Of a connection, in either direction, somebody would notice.
inside a bash -c 'exec 3<>/dev/udp/10.77.1.2/7 && echo >&3'
port=$(inside a sed -n 's/.*udp.* src=10.77.1.1 dst=10.77.1.2 sport=\([0-9]*\) dport=7 .*/\1/p' /proc/net/nf_conntrack)
unnoticed() { # SOURCE PORT DESTINATION PORT
	inside a "$way" "${way%way}traced4.bpf.o" unnoticed peer 0 "$@"
}
equal "a packet of a connection" shared "$(unnoticed 10.77.1.1 "$port" 10.77.1.2 7)"
equal "a reply to it" shared "$(unnoticed 10.77.1.2 7 10.77.1.1 "$port")"
equal "a packet of none" clear "$(unnoticed 10.77.1.2 8 10.77.1.1 "$port")"
equal "a packet that nobody looks up" shared \
	"$(inside a "$way" "$way"4.bpf.o unnoticed peer 0 10.77.1.2 8 10.77.1.1 "$port")"
echo "  cost with a look into conntrack's table: $(inside a "$way" "${way%way}traced4.bpf.o" unnoticed cost) ns"

on_bpf a iptables-legacy -F
equal "with conntrack of the other family" clear "$(ask 4 tc a)"
on_bpf a ip6tables-legacy -F
equal "clear without conntrack" clear "$(all a)"

# chains of others
chain() { # NAMESPACE "TYPE and HOOK": an nf_tables chain of both families, until unchain
	inside "$1" nft -f - <<<"table inet other {
		chain c { type $2; }
	}"
}
unchain() { inside "$1" nft delete table inet other; }
for hook in "filter hook prerouting priority raw" "filter hook prerouting priority filter" \
	"nat hook prerouting priority dstnat" "filter hook input priority mangle"; do
	chain a "$hook"
	equal "a chain with: $hook" shared "$(all a)"
	unchain a
	equal "clear without it" clear "$(all a)"
done
for hook in "filter hook input priority 50" "filter hook output priority raw" \
	"filter hook forward priority -1" "nat hook postrouting priority srcnat" \
	"nat hook input priority 100"; do
	chain a "$hook"
	equal "not on the way in: $hook" clear "$(all a)"
	unchain a
done
equal "to FORWARD" clear "$(ask 4 forward a)$(ask 6 forward a | sed 's/^clear//')"
chain a "filter hook forward priority -1"
equal "a chain before ours at FORWARD" shared "$(ask 4 forward a)"
unchain a
inside a nft -f - <<<"table inet other {
	chain c { type nat hook postrouting priority srcnat; masquerade; }
}"
equal "NAT of what leaves asks for conntrack" tracked "$(all a)"
unchain a

# the device
inside a nft -f - <<<"table netdev other {
	chain c { type filter hook ingress device peer priority 0; }
}"
equal "a chain at the device" shared "$(all a peer)"
equal "not at another" clear "$(all a)"
inside a nft delete table netdev other
equal "clear without it" clear "$(all a peer)"
inside a tc qdisc add dev peer clsact
equal "a qdisc without filters" clear "$(all a peer)"
inside a tc filter add dev peer ingress bpf bytecode '1,6 0 0 0' flowid 1:1
equal "a qdisc with filters" shared "$(all a peer)"
inside a tc qdisc del dev peer clsact
equal "one program at TC: it is ours" clear "$(ask 4 tc a peer 1)"
equal "two" shared "$(ask 4 tc a peer 2)"
ip -n "$tag-a" link add br0 type bridge
ip -n "$tag-a" link set peer master br0
equal "a port of a bridge" shared "$(all a peer)"
ip -n "$tag-a" link set peer nomaster
equal "no port any more" clear "$(all a peer)"

# the IP layer
inside a sysctl -qw net.ipv4.conf.peer.rp_filter=1
equal "sources are looked up" shared "$(ask 4 tc a peer)"
equal "IPv6 has none of that" clear "$(ask 6 tc a peer)"
inside a sysctl -qw net.ipv4.conf.peer.rp_filter=0 net.ipv4.conf.all.rp_filter=2
equal "sources are looked up everywhere" shared "$(ask 4 tc a)"
inside a sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv6.conf.peer.disable_ipv6=1
equal "no IPv6 at the device" shared "$(ask 6 tc a peer)"
equal "but at others" clear "$(ask 6 tc a)"
if inside a ip xfrm policy add dir fwd src 192.0.2.0/24 dst 0.0.0.0/0 tmpl proto esp mode tunnel; then
	equal "IPsec guards FORWARD" "shared clear" "$(ask 4 forward a) $(ask 4 tc a)"
fi
inside a ip rule add from 192.0.2.0/24 lookup main
equal "routing by rules" shared "$(ask 4 tc a)"

# the kernel's own iptables
inside nat iptables-legacy -t nat -A POSTROUTING -j MASQUERADE
on_bpf nat iptables-legacy -A INPUT -p 99 -j DROP
equal "the kernel's nat table counts packets at PREROUTING" shared "$(ask 4 tc nat)"
inside router iptables-legacy -t raw -L -n >/dev/null
on_bpf router iptables-legacy -A INPUT -p 99 -j DROP
equal "the kernel's raw table" shared "$(ask 4 tc router)"
equal "it has none for IPv6" clear "$(ask 6 tc router)"
inside stranger iptables-legacy -L -n >/dev/null
on_bpf stranger iptables-legacy -A INPUT -p 99 -j DROP
equal "the kernel's filter table is behind ours" clear "$(ask 4 tc stranger)"
