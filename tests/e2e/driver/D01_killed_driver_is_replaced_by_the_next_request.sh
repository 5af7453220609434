# SPDX-License-Identifier: GPL-2.0-only
. "$(dirname "$0")/lib.sh"
namespaces
serve
ipt -A INPUT -s 10.99.0.2 -p udp -j DROP || fail "cannot add a rule"
ipt -A INPUT -s 10.99.0.2 -p icmp -j DROP || fail "cannot add a rule"
rules=$(ipt -S)

# Nothing may get through at any moment.
in_peer ping -q -i 0.002 -c 300 -W 1 10.99.0.1 >"$scratch/ping" &
ping=$!
for round in 1 2 3 4 5; do
	old=$(driver)
	kill -9 "$old" || fail "no driver to kill"
	listing=$(ipt -vnxL INPUT) || fail "round $round: the first call after the kill fails"
	equal "rules after the kill" "$rules" "$(ipt -S)"
	until_true "the old driver is reaped" test ! -e "/proc/$old"
	new=$(driver)
	[ "$new" ] && [ "$new" != "$old" ] || fail "no new driver"
done
wait $ping
grep -q ' 0 received' "$scratch/ping" || fail "packets got through: $(cat "$scratch/ping")"
sent=$(sed -n 's/^\([0-9]*\) packets transmitted.*/\1/p' "$scratch/ping")
equal "packets counted over five drivers" "$sent" \
	"$(ipt -vnxL INPUT | awk '$3 == "DROP" && $4 == "1" || $4 == "icmp" { print $1 }')"
