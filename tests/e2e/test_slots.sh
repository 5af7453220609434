# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Where programs have their packets: a packet that finds all places taken does not pass, and the next
# one that finds a place is judged as ever.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

namespace left right
join left right

slots() { # PROGRAM: the map that it has its packets in
	local map
	for map in $(bpftool prog show pinned "$(find "$UBPFILTER_RUNDIR"/bpf -path "*/ipv4-*/$1" | head -n 1)" |
		sed -n 's/.*map_ids \([0-9,]*\).*/\1/p' | tr , ' '); do
		bpftool map show id "$map" | grep -q 'name slots ' && echo "$map"
	done
	return 0
}
take() { # MAP COUNT TAKEN: mark the first COUNT places, on all processors
	local key size
	size=$(bpftool map show id "$1" | sed -n 's/.*value \([0-9]*\)B.*/\1/p')
	for ((key = 0; key < $2; key++)); do
		# shellcheck disable=SC2046
		bpftool map update id "$1" key "$key" 0 0 0 value "$3" $(yes 0 | head -n $((size - 1)))
	done
}
answers() { inside left ping -q -c 1 -W 10 10.77.1.2 >/dev/null; }
silent() { ! inside left ping -q -c 1 -W 1 10.77.1.2 >/dev/null; }

for hook in tc xdp; do
	inside right "$ubpfilter" stop --flush >/dev/null 2>&1 || true
	export UBPFILTER_HOOK=$hook
	on_bpf right iptables-legacy -A INPUT -p tcp -j DROP
	map=$(slots ${hook}_ingress)
	succeeds "$hook: the program has places" test -n "$map"
	take "$map" 3 1
	succeeds "$hook: one place is free" answers
	take "$map" 4 1
	succeeds "$hook: none is free, nothing passes" silent
	take "$map" 4 0
	for i in 1 2 3 4 5 6 7 8; do
		answers || break
	done
	equal "$hook: all are let go of again" 8 "$i"
done
