# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# The same commands in two namespaces, once on the kernel's own tables and once on BPF: what each
# prints, says on stderr and returns must be the same, counters of real traffic included.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

here=$(dirname "$0")

# Run the commands of a script in namespace $1, each under "${@:3}"; one result file a command.
run_side() { # NAME SCRIPT PREFIX...
	local name=$1 script=$2 number=0 line status
	shift 2
	local -a under=("$@")
	mkdir -p "$scratch/$name"
	while IFS= read -r line; do
		[[ $line && $line != \#* ]] || continue
		number=$((number + 1))
		status=0
		run_line "$name" "$line" >"$scratch/$name/$number.out" 2>"$scratch/$name/$number.err" ||
			status=$?
		echo "$status" >"$scratch/$name/$number.status"
	done <"$script"
}

# A line is a command of iptables with its input after <<<, or traffic from the peer.
run_line() { # NAME LINE
	local name=$1 words input=/dev/null
	if [[ $2 == *"<<<"* ]]; then
		input=$scratch/$name/input
		printf '%b' "${2#*<<< }" >"$input"
	fi
	eval "words=(${2%%<<<*})"
	case ${words[0]} in
	traffic) inside "peer-$name" "$traffic" "${words[@]:1}" ;;
	own-traffic) inside "$name" "$traffic" "${words[@]:1}" >/dev/null ;;
	ping) inside "peer-$name" ping -q -c 2 -i 0.01 -W 0.3 "${words[@]:1}" >/dev/null || true ;;
	own-ping) inside "$name" ping -q -c 2 -i 0.01 -W 0.3 "${words[@]:1}" >/dev/null 2>&1 || true ;;
	*-save) inside "$name" "${under[@]}" timeout 30 "${words[@]}" | sed 's/ on .*//' ;;
	*) inside "$name" "${under[@]}" timeout 30 "${words[@]}" <"$input" ;;
	esac
}

make_side() { # NAME NETWORK
	local sink
	namespace "$1" "peer-$1"
	ip -n "$tag-$1" link add eth0 type veth peer name eth0 netns "$tag-peer-$1"
	ip -n "$tag-$1" address add 10.77.1.1/24 dev eth0
	ip -n "$tag-peer-$1" address add 10.77.1.2/24 dev eth0
	ip -n "$tag-$1" address add fd77::1/64 dev eth0 nodad
	ip -n "$tag-peer-$1" address add fd77::2/64 dev eth0 nodad
	ip -n "$tag-$1" link set eth0 up
	ip -n "$tag-peer-$1" link set eth0 up
	local mac
	mac=$(inside "peer-$1" cat /sys/class/net/eth0/address)
	ip -n "$tag-$1" neighbour replace 10.77.1.2 lladdr "$mac" dev eth0 nud permanent
	ip -n "$tag-$1" neighbour replace fd77::2 lladdr "$mac" dev eth0 nud permanent
	mac=$(inside "$1" cat /sys/class/net/eth0/address)
	ip -n "$tag-peer-$1" neighbour replace 10.77.1.1 lladdr "$mac" dev eth0 nud permanent
	ip -n "$tag-peer-$1" neighbour replace fd77::1 lladdr "$mac" dev eth0 nud permanent
	for sink in "$1" "peer-$1"; do
		inside "$sink" "$traffic" sink 5000 >"$scratch/sink-$sink" &
		until_true grep -qs ready "$scratch/sink-$sink"
	done
}

compare() { # LABEL SCRIPT
	local label=$1 line number=0 differences=0 part
	while IFS= read -r line; do
		[[ $line && $line != \#* ]] || continue
		number=$((number + 1))
		for part in out err status; do
			if ! cmp -s "$scratch/kernel/$number.$part" "$scratch/bpf/$number.$part"; then
				differences=$((differences + 1))
				failed "$label: $line: $part differs" \
					"$(diff "$scratch/kernel/$number.$part" "$scratch/bpf/$number.$part" | head -n 20)"
			fi
		done
	done <"$2"
	[ $differences -gt 0 ] || pass "$label: $number commands are alike"
}

mkdir -p "$scratch/scripts"
# The same script serves both families: IPV4 and IPV6 stand at the start of lines of one only.
for family in 4 6; do
	if [ $family = 4 ]; then
		own=10.77.1.1 peer=10.77.1.2 loop=127.0.0.1 net=10.77.0.0/16 other=192.0.2.1 tables=iptables icmp=icmp
	else
		own=fd77::1 peer=fd77::2 loop=::1 net=fd77::/32 other=2001:db8::1 tables=ip6tables icmp=icmpv6
	fi
	sed -E -e "/^IPV$((10 - family)) /d" -e 's/^IPV[46] //' -e "s|@own@|$own|g" \
		-e "s|@peer@|$peer|g" -e "s|@loop@|$loop|g" -e "s|@net@|$net|g" -e "s|@other@|$other|g" \
		-e "s|@icmp@|$icmp|g" -e "s#^T(-[a-z]*)?( |$)#$tables-legacy\1\2#" \
		"$here/twin_commands" >"$scratch/scripts/$tables"
done

for hook in tc xdp; do
	export UBPFILTER_HOOK=$hook
	make_side kernel
	make_side bpf
	for tables in iptables ip6tables; do
		XTABLES_LOCKFILE=$scratch/lock-kernel run_side kernel "$scratch/scripts/$tables" &
		XTABLES_LOCKFILE=$scratch/lock-bpf run_side bpf "$scratch/scripts/$tables" "$ubpfilter" exec -- &
		wait -n
		wait -n
		compare "$hook $tables" "$scratch/scripts/$tables"
	done
	for name in kernel bpf peer-kernel peer-bpf; do
		ip netns pids "$tag-$name" | xargs -r kill
		ip netns del "$tag-$name"
	done
	wait || true
	"$ubpfilter" stop >/dev/null
	rm -rf "$scratch/kernel" "$scratch/bpf"
done
