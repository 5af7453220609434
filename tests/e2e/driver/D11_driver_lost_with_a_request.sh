# SPDX-License-Identifier: GPL-2.0-only
. "$(dirname "$0")/lib.sh"
namespaces
serve
ipt -A INPUT -s 10.11.1.1 -j DROP || fail "cannot add a rule"
rules=$(ipt -S)

# Death between the request's write and the reply's read: one EFAULT, the table as it was.
pid=$(driver)
kill -STOP "$pid"
shim "$helpers/sockopt" 4 info >"$scratch/info" 2>"$scratch/error" &
client=$!
sleep 0.2
kill -KILL "$pid"
wait $client
equal "a request lost with its driver" "EFAULT" "$(cat "$scratch/info")"
grep -q "lost during this request" "$scratch/error" || fail "unclear: $(cat "$scratch/error")"
equal "rules after the loss" "$rules" "$(ipt -S)"

# A change that was never begun because the driver was lost with it is not done by its successor.
pid=$(driver)
kill -STOP "$pid"
shim "$helpers/sockopt" 4 set-bad >"$scratch/set" 2>/dev/null &
client=$!
sleep 0.2
kill -KILL "$pid"
wait $client
equal "a REPLACE lost with its driver" "EFAULT" "$(cat "$scratch/set")"
equal "rules after the lost change" "$rules" "$(ipt -S)"
control stop >/dev/null

# Replies that are short, of another request, or impossible: one EFAULT each, the supervisor lives.
for fault in short sequence death length; do
	faulty_driver $fault
	: >"$scratch/log"
	serve
	boss=$(supervisor)
	for ((i = 0; i < 3; i++)); do
		equal "$fault" EFAULT "$(shim "$helpers/sockopt" 4 info 2>/dev/null)"
	done
	equal "the supervisor after $fault" "$boss" "$(supervisor)"
	control stop >/dev/null
	until_true "it stopped" test ! -S "$UBPFILTER_RUNDIR/socket"
	wait
done
