# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# `ubpfilter stop` leaves the rules in force; --flush takes a namespace's down.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

namespace a b peer
join a peer 1
join b peer 2
for name in a b; do
	on_bpf $name iptables-legacy -A INPUT -p icmp -j DROP
done

pings() { inside peer ping -q -c 1 -W 0.3 "$1" >/dev/null; }
silent() { ! pings "$1"; }

succeeds "stop" "$ubpfilter" stop
succeeds "nothing runs then" until_true test -z "$(supervisors)"
succeeds "the rules stay in force" silent 10.77.1.1
equal "the next command starts again, and finds rule and counter" 1 "$(counter a iptables INPUT 1)"
output=$(inside a "$ubpfilter" stop --flush)
contains "stop --flush says what it did" "removed|flushed" "$output"
succeeds "nothing is filtered then" until_true pings 10.77.1.1
succeeds "but in other namespaces" silent 10.77.2.1
equal "the flushed table is as new" "-P INPUT ACCEPT" "$(on_bpf a iptables-legacy -S INPUT)"
equal "the other is as it was" "-A INPUT -p icmp -j DROP" "$(on_bpf b iptables-legacy -S INPUT | tail -n 1)"

# The end of this library is the demo's too: nothing may be left of it.
take_down
equal "nothing is left behind" "" "$(leftovers)"
