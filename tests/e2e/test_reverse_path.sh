# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Sources that routing looks up (rp_filter), beside the kernel's: what it refuses is not counted, and
# of the rest all is dropped early that can be.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../packets.sh"

own=10.77.1.1 other=10.77.3.1 beyond=10.77.3.9 # destinations
marker=192.0.2.9 # the last packet of each round
sources=(
	10.77.1.7      # on the network that they come from
	10.77.3.7      # on the network behind the other device
	192.0.2.1      # routed back
	192.0.2.77     # the same, by a longer prefix through the other device
	192.0.2.200    # the same, in a prefix that is unreachable
	192.0.3.1      # in no prefix of these, or by default
	198.51.100.3   # routed to both devices
	198.51.101.3   # routed back for another type of service
	198.51.102.3   # routed back by a nexthop object
	198.51.103.3   # in a black hole
	198.51.104.3   # prohibited
	198.51.105.3   # thrown
	198.18.0.1     # behind a device without a carrier
	10.77.1.255    # broadcast
	10.77.3.255    # broadcast on the other device
	10.77.1.1      # own
	10.77.3.1      # own, on the other device
	127.0.0.1      # martians
	0.0.0.0
	224.0.0.5
	240.0.0.9
	255.255.255.255
)

ip netns add "$tag-sender"
for twin in ours kernel; do
	namespace $twin
	ip -n "$tag-$twin" link add peer type veth peer name $twin netns "$tag-sender"
	ip -n "$tag-$twin" link add other type veth peer name ${twin}2 netns "$tag-sender"
	ip -n "$tag-$twin" link set peer address "$(sed 's/../&:/g; s/:$//' <<<$router)"
	ip -n "$tag-sender" link set $twin up
	ip -n "$tag-sender" link set ${twin}2 up
	ip -n "$tag-$twin" -batch - <<-B
		address add $own/24 dev peer
		address add $other/24 dev other
		link set peer up
		link set other up
		link add idle type veth peer name idle2
		address add 198.18.0.254/24 dev idle
		link set idle up
		route add 192.0.2.0/24 via 10.77.1.2
		route add 192.0.2.64/27 via 10.77.3.2
		route add unreachable 192.0.2.192/26
		route add 198.51.100.0/24 nexthop via 10.77.3.2 nexthop via 10.77.1.2
		route add 198.51.101.0/24 tos 0x10 via 10.77.1.2
		nexthop add id 7 via 10.77.1.2 dev peer
		route add 198.51.102.0/24 nhid 7
		route add blackhole 198.51.103.0/24
		route add prohibit 198.51.104.0/24
		route add throw 198.51.105.0/24
	B
	{
		echo "*filter"
		printf -- '-A INPUT -s %s -j DROP\n' "${sources[@]}" $marker
		printf -- '-A FORWARD -s %s -j DROP\n' "${sources[@]}" $marker
		echo COMMIT
	} >"$scratch/rules"
done
inside kernel iptables-legacy-restore "$scratch/rules"
on_bpf ours iptables-legacy-restore "$scratch/rules"
if ! "$ubpfilter" status | grep -q netfilter_hooks; then
	skip "sources that routing looks up" "this kernel has no netfilter hooks for BPF"
	exit
fi

received() { inside ours awk '$1 == "Ip:" && !names++ { next } $1 == "Ip:" { print $4 }' /proc/net/snmp; }
last_is_counted() { # TWIN CHAIN
	[ "$(iptables_of "$1" 4 -L "$2" $((${#sources[@]} + 1)) -vnx | awk '{ print $1 }')" != 0 ]
}

for destination in $own $other $beyond; do
	for source in "${sources[@]}"; do
		ethernet "$(ipv4 "$source" $destination)"
		echo
	done >"$scratch/frames-$destination"
	ethernet "$(ipv4 $marker $destination)" >"$scratch/last-$destination"
done

round() { # TWIN DESTINATION: a packet of each source; what was counted
	local chain=INPUT
	[ "$2" != $beyond ] || chain=FORWARD
	send() { inside sender taskset -c 0 xargs -n 1 -P 30 "$frame" "$1"; } # to end takes long
	send "$1" <"$scratch/frames-$2"
	send "$1" <"$scratch/last-$2"
	until_true last_is_counted "$1" $chain || failed "$1: the last packet is not counted"
	take_counters "$1" 4
}

# NAME COUNTED EARLY [SETTING...]: so many packets are to be counted, of that dropped early.
both_count() {
	local name=$1 counted=$2 early=$3 before kernels ours
	shift 3
	[ $# = 0 ] || set_both "$@"
	before=$(received)
	kernels=$(round kernel "${to:-$own}")
	ours=$(round ours "${to:-$own}")
	equal "$name: each source is counted as the kernel does" "$kernels" "$ours"
	equal "$name: counted, of that early" "$counted $early" \
		"$(grep -o '1/48' <<<"$ours" | wc -l) $((${#sources[@]} + 1 - $(received) + before))"
}
set_both() { # SETTING...
	local twin
	for twin in ours kernel; do
		inside $twin sysctl -qw "${@/#/net.ipv4.conf.}"
	done
}
ip_both() { # ARGUMENT...
	local twin
	for twin in ours kernel; do
		ip -n "$tag-$twin" "$@"
	done
}

both_count "sources are not looked up" 17 16 all.rp_filter=0 peer.rp_filter=0
both_count "strict" 5 4 peer.rp_filter=1
both_count "strict, by the setting for all" 5 4 peer.rp_filter=0 all.rp_filter=1
both_count "loose, by the setting for all" 8 6 all.rp_filter=2 peer.rp_filter=1
both_count "loose" 8 6 all.rp_filter=0 peer.rp_filter=2
both_count "loose, with a mark" 8 6 peer.src_valid_mark=1
both_count "own sources are accepted" 10 6 peer.accept_local=1
ip_both route add default via 10.77.3.2
both_count "loose, and a default route" 11 7 peer.accept_local=0
both_count "strict, and a default route" 5 4 peer.rp_filter=1
ip_both route replace default via 10.77.1.2
both_count "strict, and a default route back" 8 5
to=$beyond both_count "to be forwarded, strict" 8 5 all.forwarding=1
to=$beyond both_count "to be forwarded, loose" 11 7 peer.rp_filter=2
ip_both route add local 203.0.113.5 dev lo
both_count "a local route that is nobody's address" 15 7 peer.rp_filter=0
ip_both address flush dev peer
ip_both route replace default via 10.77.3.2
ip_both route add 192.0.2.0/24 dev peer
to=$other both_count "loose, and no address at the device" 4 3 peer.rp_filter=2

# The longest prefix is found among any.
random_routes() { # COMMAND PERCENT: of 1,000, the same ones each time
	awk -v command="$1" -v percent="$2" -v seed="$seed" 'BEGIN {
		srand(seed)
		for (n = 0; n < 1000; n++) {
			bits = 12 + int(rand() * 21)
			at = int(rand() * 2 ^ (bits - 12)) * 2 ^ (32 - bits)
			kind = int(rand() * 6)
			if (rand() * 100 >= percent)
				continue
			printf "route %s %s 10.%d.%d.%d/%d%s\n", command, kind ? "unicast" : "blackhole",
				at / 65536, at / 256 % 256, at % 256, bits, (kind ? kind > 3 ? " dev peer" : " dev other" : "")
		}
	}'
}
differences() { inside ours "$build/tests/surroundings/way" "$build/tests/surroundings/routes4.bpf.o" differences number; }
seed=$RANDOM
equal "routes by the kernel's own lookup" 0 "$(differences)"
random_routes replace 100 | ip -n "$tag-ours" -batch -
equal "among random routes (seed $seed)" 0 "$(differences)"
random_routes delete 60 | ip -n "$tag-ours" -force -batch - 2>/dev/null || true
equal "when some are gone" 0 "$(differences)"
ip -n "$tag-ours" route delete default
equal "without a default route" 0 "$(differences)"
