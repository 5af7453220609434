# SPDX-License-Identifier: GPL-2.0-only
. "$(dirname "$0")/lib.sh"
command -v strace >/dev/null || skip "needs strace"
namespaces
serve
ipt -A INPUT -s 10.99.0.2 -p icmp -j DROP || fail "cannot add a rule"
in_peer ping -q -c 5 -i 0.01 -W 0.1 10.99.0.1 >/dev/null
rules=$(ipt -S)
listing=$(ipt -vnxL)
pid=$(driver)

# Each of the bpf(2) calls of a change fails once, with two errors.
points=0
for error in EPERM ENOMEM; do
	for ((when = 1; when < 200; when += 5)); do
		: >"$scratch/trace"
		strace -qq -p "$pid" -e trace=bpf -e inject=bpf:error=$error:when=$when \
			-o "$scratch/trace" &
		tracer=$!
		until_true "strace is attached" grep -q "TracerPid:.[1-9]" "/proc/$pid/status"
		ipt -A INPUT -s 10.15.1.1 -j DROP 2>"$scratch/error"
		status=$?
		kill $tracer
		wait $tracer 2>/dev/null
		grep -q INJECTED "$scratch/trace" || break
		points=$((points + 1))
		equal "the driver after $error in call $when" "$pid" "$(driver)"
		if [ $status = 0 ]; then # a call whose failure does no harm
			ipt -D INPUT -s 10.15.1.1 -j DROP || fail "$error in call $when: not undone"
			continue
		fi
		equal "rules after $error in call $when" "$rules" "$(ipt -S)"
		in_peer ping -q -c 1 -W 0.05 10.99.0.1 >/dev/null &&
			fail "$error in call $when: the old rules are not in force"
	done
done
[ $points -gt 4 ] || fail "only $points calls were made to fail"
drops=$(ipt -vnxL INPUT | awk '/DROP/ { print $1 }')
[ "$drops" -ge 5 ] || fail "counters were lost: $drops"
echo "  $points failing calls"
