# SPDX-License-Identifier: GPL-2.0-only
. "$(dirname "$0")/lib.sh"
namespaces
serve
ipt -A INPUT -s 10.10.1.1 -j DROP || fail "cannot add a rule"
rules=$(ipt -S)
pid=$(driver)

# Clients that stall at each step keep nobody waiting, and leave nothing when they are killed.
descriptors=$(ls "/proc/$(supervisor)/fd" | wc -l)
for until in connect hello header payload; do
	ip netns exec "$host" "$helpers/half_client" $until 10 >"$scratch/ready" &
	until_true "ten clients stall ($until)" grep -q ready "$scratch/ready"
	start=$(now)
	equal "rules beside stalled clients" "$rules" "$(ipt -S)"
	[ "$(milliseconds_since "$start")" -lt $at_once ] || fail "stalled clients ($until) delay others"
	kill -9 $!
	wait $! 2>/dev/null
done
same_descriptors() { [ "$(ls "/proc/$(supervisor)/fd" | wc -l)" = "$descriptors" ]; }
until_true "nothing is left of them" same_descriptors

# Killed and interrupted at any moment of a change, beside others that look whose reply they get.
{
	echo '*filter'
	for ((i = 0; i < 200; i++)); do echo "-A INPUT -s 10.10.2.$i -j DROP"; done
	echo COMMIT
} >"$scratch/many"
for ((i = 0; i < 30; i++)); do
	ip netns exec "$host" env LD_PRELOAD="$programs/libubpfilter.so" \
		iptables-legacy-restore <"$scratch/many" 2>/dev/null &
	victim=$!
	sleep "0.0$((RANDOM % 30 + 10))"
	kill -s "$([ $((i % 2)) = 0 ] && echo KILL || echo INT)" $victim 2>/dev/null
	equal "the reply to another client" "-P INPUT ACCEPT" "$(shim ip6tables-legacy -S INPUT)"
	wait $victim 2>/dev/null
	count=$(ipt -S | grep -c -- '-A INPUT')
	[ "$count" = 200 ] || [ "$count" = 1 ] || fail "half a table: $count rules"
done
equal "the driver lived on" "$pid" "$(driver)"
