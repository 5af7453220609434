# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Connections at XDP and TC alone, which look into conntrack's table before conntrack sees a packet:
# routers that are wired alike, one filtered by the kernel's iptables, one by ubpfilter, must find
# the same of each packet; without NAT, and with it.
#
#	sender --- in0 | router | out0 --- sender
set -euo pipefail
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../packets.sh"

inner=10.78.1.9 outer=10.78.2.9 here=10.78.1.1 public=10.78.2.1

wire() { # TWIN
	namespace "$1"
	ip -n "$tag-sender" link add "in-$1" type veth peer name in0 netns "$tag-$1"
	ip -n "$tag-sender" link add "out-$1" type veth peer name out0 netns "$tag-$1"
	ip -n "$tag-sender" link set "in-$1" up
	ip -n "$tag-sender" link set "out-$1" up
	inside "$1" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
		net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
	ip -n "$tag-$1" link set in0 address 02:00:00:00:00:01 up
	ip -n "$tag-$1" link set out0 address 02:00:00:00:00:01 up
	for number in 1 2; do
		local device=in0
		[ $number = 1 ] || device=out0
		ip -n "$tag-$1" address add 10.78.$number.1/24 dev $device
		ip -n "$tag-$1" address add fd78:$number::1/64 dev $device nodad
		ip -n "$tag-$1" neighbour add 10.78.$number.9 lladdr 02:00:00:00:00:09 dev $device
		ip -n "$tag-$1" neighbour add fd78:$number::9 lladdr 02:00:00:00:00:09 dev $device
	done
}

rules() { # TWIN FAMILY SOURCE DESTINATION
	local chain rule
	{
		echo "*filter"
		for chain in INPUT FORWARD OUTPUT; do
			for rule in "--ctstate NEW" "--ctstate ESTABLISHED" "--ctstate RELATED" "--ctstate INVALID" \
				"--ctstate UNTRACKED" "--ctstate SNAT" "--ctstate DNAT" "--ctstatus SEEN_REPLY" \
				"--ctstatus ASSURED" "--ctdir REPLY" "--ctproto udp" "--ctproto 253" "--ctorigsrc $3" \
				"--ctreplsrc $3" "--ctorigdst $4" "--ctrepldst $3" "--ctorigdstport 2000" \
				"--ctreplsrcport 2000"; do
				echo "-A $chain -m conntrack $rule"
			done
			echo "-A $chain -s $3"
			echo "-A $chain -d $3"
			echo "-A $chain -s $4"
			echo "-A $chain -d $4"
			echo "-A $chain -p udp --dport 2000"
			echo "-A $chain -p udp --sport 2000"
		done
		echo COMMIT
	} | iptables_restore "$1" "$2"
	# what conntrack makes of wrong checksums is not what this is about
	inside "$1" sysctl -qw net.netfilter.nf_conntrack_checksum=0
}

iptables_restore() { # TWIN FAMILY
	local command=iptables-legacy-restore
	[ "$2" = 4 ] || command=ip6tables-legacy-restore
	if [ "$1" = ours ]; then
		on_bpf ours "$command"
	else
		inside "$1" "$command"
	fi
}

# --- packets of both families ----------------------------------------------------------------

checksum() { # HEX of an even number of bytes [SUM TO START WITH]
	local sum=${2:-0} i
	for ((i = 0; i < ${#1}; i += 4)); do
		sum=$((sum + 16#${1:i:4}))
	done
	sum=$(((sum & 0xffff) + (sum >> 16)))
	printf '%04x' $((~(sum + (sum >> 16)) & 0xffff))
}

address() { # HOST: as this family's packets have it: in, out, here, public or an address of IPv4
	local number=${1#*.*.} network host
	network=${number%.*} host=${number#*.}
	if [ $family = 4 ]; then
		printf '%02x%02x%02x%02x' 10 78 "$network" "$host"
	else
		printf 'fd780%03x0000000000000000%08x' "$network" "$host"
	fi
}

packet() { # SOURCE DESTINATION PROTOCOL PAYLOAD
	local from to size=$((${#4} / 2)) header
	from=$(address "$1") to=$(address "$2")
	if [ $family = 6 ]; then
		printf '60000000%04x%02x40%s%s%s' $size "$3" "$from" "$to" "$4"
		return
	fi
	header=$(printf '4500%04x0001000040%02x0000%s%s' $((20 + size)) "$3" "$from" "$to")
	printf '%s%s%s%s' "${header:0:20}" "$(checksum "$header")" "${header:24}" "$4"
}

segment() { # SOURCE PORT, DESTINATION PORT, FLAGS, SEQUENCE, ACKNOWLEDGEMENT
	printf '%04x%04x%08x%08x50%02x200000000000' "$1" "$2" "$4" "$5" "$3"
}

datagram() { printf '%04x%04x00100000%016x' "$1" "$2" 0; } # SOURCE PORT, DESTINATION PORT
other() { printf "%016x" "$1"; } # a protocol without ports

icmp() { # TYPE OF ICMP, TYPE OF ICMPV6, CODE, REST [SOURCE DESTINATION, for ICMPv6's checksum]
	local type=$1 message sum=0
	[ $family = 4 ] || type=$2
	message=$(printf '%02x%02x0000%s' "$type" "$3" "$4")
	if [ $family = 6 ]; then
		sum=$((16#$(checksum "$(address "$5")$(address "$6")" $((58 + ${#message} / 2))) ^ 0xffff))
	fi
	printf '%s%s%s' "${message:0:4}" "$(checksum "$message" $sum)" "${message:8}"
}

protocol_icmp() { [ $family = 4 ] && echo 1 || echo 58; }

# --- the same to both ------------------------------------------------------------------------

declare -A before # by twin

# What each rule has counted since the last time. Not by -Z, which puts a new table in force.
counted() { # TWIN
	local now
	now=$(iptables_of "$1" $family -L -v -n -x | awk '$1 ~ /^[0-9]+$/ { print $1 "/" $2 }')
	result=$(paste -d' ' <(echo "${before[$1]:-}") <(echo "$now") |
		awk '{ split($1, b, "/"); split($NF, n, "/"); printf "%d/%d ", n[1] - b[1], n[2] - b[2] }')
	before[$1]=$now
}

compare() { # NAME
	local expected result
	sleep 0.03
	counted kernel
	expected=$result
	counted ours
	equal "$hook, IPv$family$variant: $1" "$expected" "$result"
	[[ $expected =~ [1-9] ]] || failed "$hook, IPv$family$variant: $1" "no rule of iptables' saw it"
}

comes() { # NAME SIDE SOURCE DESTINATION PROTOCOL PAYLOAD
	local name hex
	hex=$(ethernet "$(packet "$3" "$4" "$5" "$6")")
	for name in kernel ours; do
		inside sender "$frame" "$2-$name" "$hex"
	done
	compare "$1"
}

leaves() { # NAME SOURCE DESTINATION PROTOCOL PAYLOAD: by a raw socket
	local name to=$3
	[ $family = 4 ] || to=fd78:$(cut -d. -f3 <<<"$3")::9
	for name in kernel ours; do
		inside "$name" "$frame" "$to" "$(packet "$2" "$3" "$4" "$5")"
	done
	compare "$1"
}

SYN=2 RST=4 SYN_ACK=18 ACK=16 FIN=1 FIN_ACK=17 XMAS=41

tcp_packets() { # CLIENT AS THE SERVER SEES IT
	comes "SYN" in $inner $outer 6 "$(segment 1000 2000 $SYN 0 0)"
	comes "SYN again" in $inner $outer 6 "$(segment 1000 2000 $SYN 0 0)"
	comes "SYN and ACK back" out $outer "$1" 6 "$(segment 2000 1000 $SYN_ACK 0 1)"
	comes "ACK" in $inner $outer 6 "$(segment 1000 2000 $ACK 1 1)"
	comes "ACK back" out $outer "$1" 6 "$(segment 2000 1000 $ACK 1 1)"
	comes "flags that exclude each other" in $inner $outer 6 "$(segment 1000 2000 $XMAS 1 1)"
	comes "FIN and ACK" in $inner $outer 6 "$(segment 1000 2000 $FIN_ACK 1 1)"
	comes "FIN and ACK back" out $outer "$1" 6 "$(segment 2000 1000 $FIN_ACK 1 2)"
	comes "the last ACK" in $inner $outer 6 "$(segment 1000 2000 $ACK 2 2)"
	comes "SYN on a connection that is over" in $inner $outer 6 "$(segment 1000 2000 $SYN 9000 0)"
	comes "ACK of no connection" in $inner $outer 6 "$(segment 1001 2000 $ACK 1 1)"
	comes "FIN of no connection" in $inner $outer 6 "$(segment 1002 2000 $FIN_ACK 1 1)"
	comes "SYN and ACK of no connection" in $inner $outer 6 "$(segment 1003 2000 $SYN_ACK 0 1)"
	comes "RST of no connection" in $inner $outer 6 "$(segment 1004 2000 $RST 1 1)"
	comes "FIN alone" in $inner $outer 6 "$(segment 1005 2000 $FIN 1 1)"
}

# Segments that a state does not allow, or that open a connection from its other end.
tcp_states() { # CLIENT AS THE SERVER SEES IT
	comes "SYN of an end" in $inner $outer 6 "$(segment 1010 2000 $SYN 0 0)"
	comes "SYN of the other end" out $outer "$1" 6 "$(segment 2000 1010 $SYN 50 0)"
	comes "SYN and ACK to that" in $inner $outer 6 "$(segment 1010 2000 $SYN_ACK 0 51)"
	comes "ACK of the other end" out $outer "$1" 6 "$(segment 2000 1010 $ACK 51 1)"
	comes "SYN of the other end, too late" out $outer "$1" 6 "$(segment 2000 1010 $SYN 50 0)"
	comes "SYN and ACK of who opened" in $inner $outer 6 "$(segment 1010 2000 $SYN_ACK 0 51)"
	comes "RST" in $inner $outer 6 "$(segment 1010 2000 $RST 1 0)"
	comes "SYN of the other end after RST" out $outer "$1" 6 "$(segment 2000 1010 $SYN 900 0)"
	comes "SYN after the own RST" in $inner $outer 6 "$(segment 1010 2000 $SYN 9000 0)"
	comes "ACK before an answer" in $inner $outer 6 "$(segment 1010 2000 $ACK 9001 1)"
}

# An answered datagram makes the connection ASSURED if it is older than two seconds: of both twins'
# connections all are, or none.
be_of_one_age() { # BEGIN, in milliseconds
	local age=$((${EPOCHREALTIME/./} / 1000 - $1))
	[ $age -lt 1000 ] || sleep 1.5
}

# @PAYLOAD of a function makes it from the ports of both sides.
both_ways() { # NAME PROTOCOL PAYLOAD CLIENT-AS-THE-SERVER-SEES-IT
	local begin=$((${EPOCHREALTIME/./} / 1000))
	comes "$1" in $inner $outer "$2" "$("$3" 1000 2000)"
	comes "$1 again" in $inner $outer "$2" "$("$3" 1000 2000)"
	comes "$1 back" out $outer "$4" "$2" "$("$3" 2000 1000)"
	be_of_one_age $begin
	comes "$1 after an answer" in $inner $outer "$2" "$("$3" 1000 2000)"
	comes "$1 of nobody" out $outer "$4" "$2" "$("$3" 2000 1009)"
}

icmp_packets() { # CLIENT AS THE SERVER SEES IT
	local p error
	p=$(protocol_icmp)
	comes "echo request" in $inner $outer "$p" "$(icmp 8 128 0 00070001 $inner $outer)"
	comes "echo reply" out $outer "$1" "$p" "$(icmp 0 129 0 00070001 $outer "$1")"
	comes "echo request after an answer" in $inner $outer "$p" "$(icmp 8 128 0 00070002 $inner $outer)"
	comes "echo reply of nobody" out $outer "$1" "$p" "$(icmp 0 129 0 00080001 $outer "$1")"
	error=$(packet "$1" $outer 17 "$(datagram 1000 2000)")
	comes "unreachable, of a known datagram" out $outer "$1" "$p" \
		"$(icmp 3 1 3 "00000000$error" $outer "$1")"
	error=$(packet "$1" $outer 17 "$(datagram 1000 2009)")
	comes "unreachable, of nobody's datagram" out $outer "$1" "$p" \
		"$(icmp 3 1 3 "00000000$error" $outer "$1")"
	error=$(packet "$1" $outer "$p" "$(icmp 8 128 0 00070001 "$1" $outer)")
	comes "unreachable, of a known echo request" out $outer "$1" "$p" \
		"$(icmp 3 1 1 "00000000$error" $outer "$1")"
	error=$(packet "$1" $outer "$p" "$(icmp 8 128 0 00090001 "$1" $outer)")
	comes "unreachable, of nobody's echo request" out $outer "$1" "$p" \
		"$(icmp 3 1 1 "00000000$error" $outer "$1")"
	error=$(packet "$1" $outer 253 "$(other 1)")
	comes "unreachable, of another protocol" out $outer "$1" "$p" \
		"$(icmp 3 1 1 "00000000$error" $outer "$1")"
}

local_packets() {
	local p
	p=$(protocol_icmp)
	comes "echo request to this host" in $inner $here "$p" "$(icmp 8 128 0 00110001 $inner $here)"
	comes "the next one" in $inner $here "$p" "$(icmp 8 128 0 00110002 $inner $here)"
	comes "datagram to a closed port" in $inner $here 17 "$(datagram 3000 4000)"
	leaves "datagram from this host" $here $inner 17 "$(datagram 5000 6000)"
	comes "its answer" in $inner $here 17 "$(datagram 6000 5000)"
	leaves "echo request from this host" $here $inner "$p" "$(icmp 8 128 0 00120001 $here $inner)"
	comes "its echo reply" in $inner $here "$p" "$(icmp 0 129 0 00120001 $inner $here)"
}

all_packets() { # CLIENT AS THE SERVER SEES IT
	tcp_packets "$1"
	tcp_states "$1"
	both_ways "datagram" 17 datagram "$1"
	both_ways "another protocol" 253 other "$1"
	[ $family = 6 ] || comes "an authentication header that is cut off" in $inner $outer 51 04000000
	comes "a segment that ends behind its ports" in $inner $outer 6 03e907d0
	comes "a datagram that ends behind its ports" in $inner $outer 17 03e907d0
	icmp_packets "$1"
	local_packets
}

nat() { # TWIN: hide the inner side behind the router; a port of the router is the inner host's
	local command=iptables-legacy target=10.78.1.9
	[ $family = 4 ] || command=ip6tables-legacy target='[fd78:1::9]'
	inside "$1" $command -t nat -A POSTROUTING -o out0 -j MASQUERADE
	inside "$1" $command -t nat -A PREROUTING -i out0 -p udp --dport 7000 -j DNAT --to "$target:7001"
}

nat_packets() {
	# the first packet goes where the rules of nat say, which nobody knows before
	inside sender "$frame" out-kernel "$(ethernet "$(packet $outer $public 17 "$(datagram 900 7000)")")"
	inside sender "$frame" out-ours "$(ethernet "$(packet $outer $public 17 "$(datagram 900 7000)")")"
	sleep 0.03
	counted kernel
	counted ours
	comes "back from behind DNAT" in $inner $outer 17 "$(datagram 7001 900)"
	comes "to behind DNAT" out $outer $public 17 "$(datagram 900 7000)"
}

take_away() {
	local name
	for name in kernel ours; do
		ip -n "$tag-sender" link del "in-$name"
		ip -n "$tag-sender" link del "out-$name"
		ip netns del "$tag-$name"
	done
	before=()
}

run_variant() { # WHAT TO DO TO A TWIN, CLIENT AS THE SERVER SEES IT
	local name
	for name in kernel ours; do
		wire $name
		"$1" $name
		if [ $family = 4 ]; then
			rules $name 4 $inner $outer
		else
			rules $name 6 fd78:1::9 fd78:2::9
		fi
	done
	counted kernel
	counted ours
	all_packets "$2"
}

namespace sender
inside sender sysctl -qw net.ipv6.conf.default.disable_ipv6=1
for hook in tc xdp; do
	export UBPFILTER_HOOK=$hook
	for family in 4 6; do
		variant=
		run_variant true $inner
		take_away
		variant=" NAT"
		run_variant nat $public
		nat_packets
		take_away
	done
	"$ubpfilter" stop >/dev/null
done
