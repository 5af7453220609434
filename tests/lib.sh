# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# What tests and demo share: a supervisor, namespaces and files of their own, which are gone when
# the script ends, however it ends; and words for what was found. To be sourced.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$(realpath "${BUILD:-$top/build}")
ubpfilter=$build/ubpfilter
traffic=$build/tests/e2e/traffic

tag=ubpe-$$
scratch=$(mktemp -d "${TMPDIR:-/tmp}/ubpe.XXXXXX")
chmod 711 "$scratch"
export UBPFILTER_RUNDIR=$scratch/run UBPFILTER_CONF=/dev/null
unset UBPFILTER_AUTOSTART UBPFILTER_HOOK UBPFILTER_STRICT UBPFILTER_TIMEOUT UBPFILTER_LOG UBPFILTER_OFFLINE
mkdir "$UBPFILTER_RUNDIR"

# --- namespaces ------------------------------------------------------------------------------

namespace() { # NAME...: with loopback, and without IPv6's own chatter
	local name
	for name in "$@"; do
		ip netns add "$tag-$name"
		inside "$name" sysctl -qw net.ipv6.conf.default.accept_dad=0 \
			net.ipv6.conf.default.router_solicitations=0 \
			net.ipv6.conf.default.mldv2_unsolicited_report_interval=10 \
			net.ipv6.conf.all.accept_dad=0
		ip -n "$tag-$name" link set lo up
	done
}

inside() { # NAME COMMAND...
	local name=$1
	shift
	ip netns exec "$tag-$name" "$@"
}

join() { # NAME1 NAME2 [NETWORK]: by devices of the names of the other side; .1 and .2
	local network=${3:-1}
	ip -n "$tag-$1" link add name "$2" type veth peer name "$1" netns "$tag-$2"
	ip -n "$tag-$1" address add "10.77.$network.1/24" dev "$2"
	ip -n "$tag-$2" address add "10.77.$network.2/24" dev "$1"
	ip -n "$tag-$1" address add "fd77:$network::1/64" dev "$2" nodad
	ip -n "$tag-$2" address add "fd77:$network::2/64" dev "$1" nodad
	ip -n "$tag-$1" link set dev "$2" up
	ip -n "$tag-$2" link set dev "$1" up
	neighbour "$1" "$2" "$2" "$1" "$network" 2
	neighbour "$2" "$1" "$1" "$2" "$network" 1
}

# Known from the start, so that only the test's own packets are on the way.
neighbour() { # NAME DEVICE PEER PEERS-DEVICE NETWORK HOST
	local address
	address=$(inside "$3" cat "/sys/class/net/$4/address")
	ip -n "$tag-$1" neighbour replace "10.77.$5.$6" lladdr "$address" dev "$2" nud permanent
	ip -n "$tag-$1" neighbour replace "fd77:$5::$6" lladdr "$address" dev "$2" nud permanent
}

# --- the end ---------------------------------------------------------------------------------

# Those that work on our runtime folder.
supervisors() {
	local pid
	for pid in $(pgrep -x ubpfilterd); do
		if tr '\0' '\n' 2>/dev/null <"/proc/$pid/environ" |
			grep -qxF "UBPFILTER_RUNDIR=$UBPFILTER_RUNDIR"; then
			echo "$pid"
		fi
	done
}

take_down() {
	local pid name
	trap '' INT TERM HUP
	trap - EXIT
	set +e
	for pid in $(jobs -p); do
		kill "$pid" 2>/dev/null
	done
	timeout 10 "$ubpfilter" stop >/dev/null 2>&1
	for pid in $(supervisors); do
		pkill -9 -P "$pid" 2>/dev/null
		kill -9 "$pid" 2>/dev/null
	done
	for name in $(ip netns list | cut -d' ' -f1 | grep "^$tag-"); do
		ip netns pids "$name" | xargs -r kill -9 2>/dev/null
		ip netns del "$name"
	done
	wait 2>/dev/null
	while umount "$UBPFILTER_RUNDIR/bpf" 2>/dev/null; do :; done
	rm -rf "$scratch"
}

# What take_down() should have removed and did not, a line each.
leftovers() {
	ip netns list | grep "^$tag-"
	supervisors
	grep -F "$scratch" /proc/mounts
	ls -d "$scratch" 2>/dev/null
	return 0
}

trap take_down EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

# --- results ---------------------------------------------------------------------------------

pass() { echo "pass $*"; }

failed() { # NAME [DETAIL]...
	echo "FAIL $1"
	shift
	[ $# -eq 0 ] || printf '     %s\n' "$@"
}

# A skip is a failure where everything must be there.
skip() { # NAME REASON
	if [ "${CI:-}" = true ]; then
		failed "$1" "$2"
	else
		echo "skip $1: $2"
	fi
}

equal() { # NAME EXPECTED ACTUAL
	if [ "$2" = "$3" ]; then
		pass "$1"
	else
		failed "$1" "expected: $2" "     got: $3"
	fi
}

contains() { # NAME PATTERN TEXT
	if grep -qE -- "$2" <<<"$3"; then
		pass "$1"
	else
		failed "$1" "nothing matches: $2" "in: $(tail -n 30 <<<"$3")"
	fi
}

# Lines of a text that begin with these very characters.
lines_with() { # PREFIX TEXT
	prefix=$1 awk 'index($0, ENVIRON["prefix"]) == 1 { n++ } END { print n + 0 }' <<<"$2"
}

succeeds() { # NAME COMMAND...
	local name=$1 output
	shift
	if output=$("$@" 2>&1); then
		pass "$name"
	else
		failed "$name" "failed: $*" "$output"
	fi
}

until_true() { # COMMAND...: wait for it, two minutes at most
	local end=$((SECONDS + 120))
	while ! "$@"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.02
	done
}

# --- iptables --------------------------------------------------------------------------------

# A match that the kernel has and BPF does not do, for no packet of a test.
beyond_bpf="-m string --algo bm --string hand-over"
# shellcheck disable=SC2034 # for those who source this
beyond_why='match "string" is not done in BPF: its text may be anywhere in a packet'

# A lock of our own: other users of the machine are not to be waited for.
export XTABLES_LOCKFILE=$scratch/lock

on_bpf() { # NAME COMMAND...: in a namespace, under the shim
	local name=$1
	shift
	timeout "${COMMAND_SECONDS:-30}" ip netns exec "$tag-$name" "$ubpfilter" exec -- "$@"
}

# Who enforces which table, as status tells it: sorted lines "(FAMILY) WHO: WHY".
enforcers() {
	"$ubpfilter" status | sed -n 's/^ *table filter \((IPv[46])\): generation [0-9]*, enforced by /\1 /p' |
		sed 's/\(; BPF drops early\)\?, programs: .*//' | sort
}

# Ends the test where the kernel does not execute targets; a rule with one is in force.
need_executions() { # NAME: what is skipped
	enforcers | grep -q executed && return
	skip "$1" "the kernel does not execute them: $(enforcers | head -n 1)"
	exit
}

# Packets that a rule counted: counter NAME iptables|ip6tables CHAIN RULE-NUMBER
counter() {
	on_bpf "$1" "$2-legacy" -L "$3" "$4" -v -n -x | awk '{ print $1 }'
}
