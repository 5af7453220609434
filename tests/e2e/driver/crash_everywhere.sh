# SPDX-License-Identifier: GPL-2.0-only
# The driver, then the supervisor (and the driver with it), is killed at each system call of a
# REPLACE in turn. CRASH_STEP=1 tries them all; otherwise every so many, from a random one on.
. "$(dirname "$0")/lib.sh"
command -v strace >/dev/null || skip "needs strace"
step=${CRASH_STEP:-25}
namespaces

echo '*filter
-A INPUT -s 10.99.0.2 -p icmp -j DROP
COMMIT' >"$scratch/dropping"
echo '*filter
:other - [0:0]
-A INPUT -s 10.99.0.2 -p icmp -j other
-A other -j ACCEPT
COMMIT' >"$scratch/accepting"

saved() { shim iptables-legacy-save -c | grep -v '^#'; }
pins() { find "$UBPFILTER_RUNDIR/bpf" "$UBPFILTER_RUNDIR/netns" | sed 's/\(ipv[46].\)[0-9]*/\1N/' | sort; }
knock() { in_peer ping -q -c 1 -W 0.05 10.99.0.1 >/dev/null; }
restore() { shim iptables-legacy-restore <"$scratch/$1"; }

# What each table looks like after it was put in force and hit by COUNT pings.
declare -A zero
for table in dropping accepting; do
	restore $table || fail "cannot restore"
	zero[$table]=$(saved)
	expected_pins=$(pins)
done
shape() { sed 's/\[[0-9]*:[0-9]*\]/[n]/' <<<"$1"; }
hits() { # by the rule for the ping
	sed -n 's/^\[\([0-9]*\):.* -s 10.99.0.2.*/\1/p' <<<"$1"
}

force=accepting
count=0
new=

check() {
	local got=$(saved) drops=no
	if [ "$(shape "$got")" = "$(shape "${zero[$new]}")" ] && [ "$(hits "$got")" = 0 ]; then
		force=$new count=0
	elif [ "$(shape "$got")" = "$(shape "${zero[$force]}")" ]; then
		[ "$2" = 0 ] && fail "$1: an acknowledged table is lost: $got"
		equal "$1: counter of the old table" $count "$(hits "$got")"
	else
		fail "$1: neither the old nor the new table: $got"
	fi
	count=$((count + 1))
	knock || drops=yes
	equal "$1: drops with table $force" "$([ $force = dropping ] && echo yes || echo no)" $drops
	equal "$1: pins" "$expected_pins" "$(pins)"
	equal "$1: mounts" 1 "$(grep -c " $UBPFILTER_RUNDIR/bpf " /proc/mounts)"
	equal "$1: supervisors" 1 "$(supervisors | wc -l)"
	equal "$1: drivers" 1 "$(driver | wc -l)"
}

attach() { # TRACEE OPTIONS...: strace it; $tracer is who does
	local tracee=$1
	shift
	strace -qq -p "$tracee" "$@" -o "$scratch/trace" &
	tracer=$!
	until_true "strace is attached" traced_or_gone "$tracee"
}

traced_or_gone() {
	[ ! -e "/proc/$1/status" ] || grep -qs "TracerPid:.[1-9]" "/proc/$1/status"
}

detach() {
	kill "$tracer" 2>/dev/null
	wait "$tracer" 2>/dev/null
}

other() { [ "$force" = dropping ] && echo accepting || echo dropping; }

# The system calls of one REPLACE, in order: "NAME N" for the N-th of that name (as strace counts).
points_of() { # driver|supervisor
	attach "$($1)"
	restore "$(other)" || fail "cannot restore"
	detach
	sed -n 's/^\([a-z][a-z0-9_]*\)(.*/\1/p' "$scratch/trace" | awk '{ print $1, ++n[$1] }'
}

crash() { # driver|supervisor
	local call when status hit=0 tried=0
	saved >/dev/null
	points_of "$1" >"$scratch/points"
	force=$(other) count=0
	while read -r call when; do
		saved >/dev/null # whatever was killed is there again
		new=$(other)
		: >"$scratch/trace"
		attach "$($1)" -e trace="$call" -e inject="$call:signal=SIGKILL:when=$when"
		restore "$new" 2>/dev/null
		status=$?
		detach
		tried=$((tried + 1))
		grep -q 'killed by SIGKILL' "$scratch/trace" && hit=$((hit + 1))
		check "$1 killed at $call $when" $status
	done < <(awk -v step="$step" -v first=$((RANDOM % step)) 'NR % step == first' "$scratch/points")
	[ $hit -gt 0 ] || fail "$1: was never killed"
	echo "  $1: $(wc -l <"$scratch/points") system calls, $tried tried, killed at $hit"
}
crash driver
crash supervisor
