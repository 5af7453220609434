# SPDX-License-Identifier: GPL-2.0-only
. "$(dirname "$0")/lib.sh"
command -v strace >/dev/null || skip "needs strace"
namespaces
serve
ipt -A INPUT -s 10.99.0.2 -p icmp -j DROP || fail "cannot add a rule"
in_peer ping -q -c 5 -i 0.01 -W 0.1 10.99.0.1 >/dev/null
rules=$(ipt -S)
drops() { ipt -vnxL INPUT | awk '/icmp/ { print $1 }'; }
pid=$(driver)

# Each of the bpf(2) calls of a change fails once, with two errors.
points=0
for error in EPERM ENOMEM; do
	for ((when = 1; when < 200; when += 5)); do
		before=$(drops)
		: >"$scratch/trace"
		strace -qq -p "$pid" -e trace=bpf -e inject=bpf:error=$error:when=$when \
			-o "$scratch/trace" &
		tracer=$!
		until_true "strace is attached" grep -q "TracerPid:.[1-9]" "/proc/$pid/status"
		ipt -A INPUT -s 10.15.1.1 -j DROP 2>"$scratch/error"
		status=$?
		kill $tracer 2>/dev/null
		wait $tracer 2>/dev/null
		if ! grep -q INJECTED "$scratch/trace"; then # a change makes fewer calls than that
			ipt -D INPUT -s 10.15.1.1 -j DROP
			break
		fi
		points=$((points + 1))
		# Only what cannot fail in the field, reading the number in force, may end the driver.
		if [ "$(driver)" != "$pid" ]; then
			grep INJECTED "$scratch/trace" | grep -q MAP_LOOKUP_ELEM ||
				fail "$error in call $when ended the driver: $(tail -n 3 "$scratch/trace")"
			ipt -S >/dev/null
			pid=$(driver)
		fi
		after=$(ipt -S)
		if [ "$after" = "$rules
-A INPUT -s 10.15.1.1/32 -j DROP" ]; then
			# The failure did no harm, or came when the counters were added.
			[ $status = 0 ] || grep INJECTED "$scratch/trace" | grep -qv 'LOAD\|CREATE\|PIN' ||
				fail "$error in call $when: refused, and done"
			ipt -D INPUT -s 10.15.1.1 -j DROP || fail "$error in call $when: not undone"
		else
			[ $status != 0 ] || fail "$error in call $when: accepted, but: $after"
			equal "rules after $error in call $when" "$rules" "$after"
			equal "counter after $error in call $when" "$before" "$(drops)"
		fi
		in_peer ping -q -c 1 -W 0.05 10.99.0.1 >/dev/null &&
			fail "$error in call $when: the old rules are not in force"
	done
done
[ $points -gt 4 ] || fail "only $points calls were made to fail"
echo "  $points failing calls"
