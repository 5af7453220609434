# SPDX-License-Identifier: GPL-2.0-only
# What the driver's tests share: a runtime folder and two joined namespaces of their own, and words
# to say what is expected. Sourced by each test; everything is taken down when it ends, however.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../../.." && pwd)
build=$(realpath "${BUILD:-$top/build}")
helpers=$build/tests/e2e/driver
programs=$build # where ubpfilterd and its driver lie; a test may take other ones

scratch=$(mktemp -d /tmp/ubps.XXXXXX)
chmod 711 "$scratch"
tag=ubps-$$
host=$tag-a
peer=$tag-b
export UBPFILTER_RUNDIR=$scratch/run UBPFILTER_CONF=$scratch/conf
unset UBPFILTER_AUTOSTART UBPFILTER_HOOK UBPFILTER_STRICT UBPFILTER_TIMEOUT UBPFILTER_LOG

supervisors() {
	local pid
	for pid in $(pgrep -x ubpfilterd); do
		tr '\0' '\n' 2>/dev/null <"/proc/$pid/environ" |
			grep -qx "UBPFILTER_RUNDIR=$UBPFILTER_RUNDIR" && echo "$pid"
	done
}

supervisor() { supervisors | head -n 1; }

driver() {
	local pid=$(supervisor)
	[ "$pid" ] && pgrep -x bpfilter_umh -P "$pid"
}

take_down() {
	local pid
	trap - EXIT
	exec 2>/dev/null # bash says whom it saw killed
	for pid in $(supervisors) $(jobs -p); do
		kill -9 "$pid" 2>/dev/null
	done
	wait 2>/dev/null
	for pid in $(ip netns list | cut -d' ' -f1 | grep "^$tag-"); do
		ip netns pids "$pid" | xargs -r kill -9
		ip netns del "$pid"
	done
	while umount "$UBPFILTER_RUNDIR/bpf" 2>/dev/null; do :; done
	while umount "$UBPFILTER_RUNDIR" 2>/dev/null; do :; done
	rm -rf --one-file-system "$scratch"
}
trap take_down EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

fail() {
	echo "FAILED: $*" >&2
	[ -s "$scratch/log" ] && tail -n 20 "$scratch/log" >&2
	exit 1
}

skip() {
	echo "skipped: $*"
	[ "${CI:-}" = true ] && exit 1
	exit 77
}

equal() { # WHAT EXPECTED ACTUAL
	[ "$2" = "$3" ] || fail "$1: expected $(printf %q "$2"), got $(printf %q "$3")"
}

# Wait up to five seconds for a condition.
until_true() { # WHAT COMMAND...
	local what=$1 end=$((SECONDS + 60))
	shift
	while [ $SECONDS -lt $end ]; do
		"$@" && return
		sleep 0.01
	done
	fail "$what: never came true"
}

in_host() { ip netns exec "$host" "$@"; }
in_peer() { ip netns exec "$peer" "$@"; }
shim() { LD_PRELOAD=$programs/libubpfilter.so ip netns exec "$host" "$@"; }
ipt() { shim iptables-legacy "$@"; }
control() { "$helpers/control" "$@"; }

namespaces() {
	ip netns add "$host" && ip netns add "$peer" || fail "cannot make namespaces"
	ip -n "$host" link add veth0 type veth peer name veth0 netns "$peer"
	ip -n "$host" address add 10.99.0.1/24 dev veth0
	ip -n "$peer" address add 10.99.0.2/24 dev veth0
	ip -n "$host" link set lo up
	ip -n "$host" link set veth0 up
	ip -n "$peer" link set veth0 up
	until_true "the veth pair is up" in_peer ping -q -c 1 -W 1 10.99.0.1 >/dev/null
}

# A supervisor in the foreground, whose log can be read.
serve() {
	"$programs/ubpfilterd" -f -l debug "$@" >>"$scratch/log" 2>&1 </dev/null &
	until_true "ubpfilterd listens" test -S "$UBPFILTER_RUNDIR/socket"
}

# Programs of our own to run in the place of the installed ones.
own_programs() {
	programs=$scratch/programs
	mkdir -p "$programs"
	cp "$build/ubpfilterd" "$build/bpfilter_umh" "$build/libubpfilter.so" "$programs"
}

# A driver that does its health check and then misbehaves; see faulty_driver.c.
faulty_driver() { # FAULT
	own_programs
	cp "$helpers/faulty_driver_$1" "$programs/bpfilter_umh"
}

seen() { grep -c "$1" "$scratch/log"; }
now() { date +%s%N; }
# What takes no longer than this did not wait for a time-out (60 s), however busy the machine is.
at_once=20000 # ms
milliseconds_since() { echo $((($(now) - $1) / 1000000)); }

zombies() { # of a process
	ps -o stat= --ppid "$1" | grep -c '^Z'
}
