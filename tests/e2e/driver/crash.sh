# SPDX-License-Identifier: GPL-2.0-only
# Sourced by crash_*.sh: the driver, or the supervisor (and the driver with it), is killed at each
# system call of a REPLACE in turn. CRASH_STEP=1 tries them all; otherwise about 12, at equal
# distances from a random one on.
. "$(dirname "$0")/lib.sh"
command -v strace >/dev/null || skip "needs strace"
namespaces

saved() { shim iptables-legacy-save -c | grep -v '^#'; }
pins() { find "$UBPFILTER_RUNDIR/bpf" "$UBPFILTER_RUNDIR/netns" | sed 's/\(ipv[46].\)[0-9]*/\1N/' | sort; }
knock() { in_peer ping -q -c 1 -W 0.05 10.99.0.1 >/dev/null; }
restore() { shim iptables-legacy-restore <"$scratch/$1"; }
shape() { sed 's/\[[0-9]*:[0-9]*\]/[n]/' <<<"$1"; }
hits() { # by the rule for the ping
	sed -n 's/^\[\([0-9]*\):.* -s 10.99.0.2.*/\1/p' <<<"$1"
}

# A table with one rule for the ping, behind others.
ping_table() { # NAME VERDICT [LINE...]
	printf '%s\n' '*filter' "${@:3}" "-A INPUT -s 10.99.0.2 -p icmp -j $2" COMMIT >"$scratch/$1"
}

# What each table looks like in force, and what is there then. Tables that drop the ping have names
# that begin with "dropping".
declare -A zero pins_with
learn() { # TABLE...: files in $scratch
	local table
	for table in "$@" "$1"; do
		restore "$table" || fail "cannot restore $table"
		zero[$table]=$(saved)
		pins_with[$table]=$(pins)
	done
	force=$1
}

# A test with more to look at has its own.
check_more() { :; } # WHAT TABLE

only=".*" # system calls that are tried, as strace prints them: a pattern for grep -E
behind=0 # and as many that follow each of them
force= # the table in force
count=0 # of its hits, at least
slack=0 # and how many more there may be
warm=0 # how often the table in force is put in force again before each try

check() { # WHAT NEW STATUS
	local got=$(saved) drops=no found
	found=$(hits "$got")
	if [ "$(shape "$got")" = "$(shape "${zero[$2]}")" ] && [ "$found" -le $slack ]; then
		force=$2
	elif [ "$(shape "$got")" = "$(shape "${zero[$force]}")" ]; then
		[ "$3" = 0 ] && fail "$1: an acknowledged table is lost: $got"
		[ "$found" -ge $count ] && [ "$found" -le $((count + slack)) ] ||
			fail "$1: counter of the old table: $found, not $count to $((count + slack))"
	else
		fail "$1: neither the old nor the new table: $got"
	fi
	knock || drops=yes
	equal "$1: drops with table $force" "$([[ $force == dropping* ]] && echo yes || echo no)" $drops
	equal "$1: pins" "${pins_with[$force]}" "$(pins)"
	equal "$1: mounts" 1 "$(grep -c " $UBPFILTER_RUNDIR/bpf " /proc/mounts)"
	equal "$1: supervisors" 1 "$(supervisors | wc -l)"
	equal "$1: drivers" 1 "$(driver | wc -l)"
	check_more "$1" $force
	count=$((found + 1)) slack=0
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

# Have a table in force that was hit once.
begin() { # TABLE
	local i
	if [ "$force" != "$1" ] || [ "$warm" -gt 0 ]; then
		for ((i = 0; i <= warm; i++)); do
			restore "$1" || fail "cannot restore $1"
		done
		force=$1 count=1 slack=0
		knock
	fi
}

# The system calls of one REPLACE, in order: "NAME N ARGUMENTS" for the N-th of that name (as strace
# counts).
points_of() { # driver|supervisor TABLE
	attach "$($1)"
	restore "$2" || fail "cannot restore $2"
	detach
	sed -n 's/^\([a-z][a-z0-9_]*\)(/\1 /p' "$scratch/trace" |
		awk '{ name = $1; $1 = name " " ++calls[name]; print }'
}

crash() { # driver|supervisor FROM TO
	local call when status tracee points step hit=0 tried=0
	begin "$2"
	saved >/dev/null
	points_of "$1" "$3" | grep -E -A $behind --no-group-separator "^($only) " >"$scratch/points"
	force=
	points=$(wc -l <"$scratch/points")
	step=${CRASH_STEP:-$((points / 12 + 1))}
	[ "$step" -le "$points" ] || step=$points
	while read -r call when _; do
		begin "$2"
		saved >/dev/null # whatever was killed is there again
		: >"$scratch/trace"
		tracee=$($1)
		attach "$tracee" -e trace="$call" -e inject="$call:signal=SIGKILL:when=$when"
		restore "$3" 2>/dev/null
		status=$?
		detach
		tried=$((tried + 1))
		grep -q 'killed by SIGKILL' "$scratch/trace" && hit=$((hit + 1))
		if [[ $2 == dropping* && $3 == dropping* ]]; then
			# nobody has looked after the matter yet
			knock && fail "$1 killed at $call $when: neither $2 nor $3 is in force"
			slack=1
		fi
		check "$1 killed at $call $when, from $2 to $3" "$3" $status
	done < <(awk -v step="$step" -v first=$((RANDOM % step)) 'NR % step == first' "$scratch/points")
	[ $hit -gt 0 ] || fail "$1: was never killed"
	echo "  $1, $2 to $3: $points system calls, $tried tried, killed at $hit"
}
