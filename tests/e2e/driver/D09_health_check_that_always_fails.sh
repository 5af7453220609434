# SPDX-License-Identifier: GPL-2.0-only
. "$(dirname "$0")/lib.sh"
faulty_driver health
namespaces
serve
until_true "the first start failed" grep -q "cannot be started" "$scratch/log"
start=$(now)
requests=0
while [ "$(milliseconds_since "$start")" -lt 2000 ]; do
	request=$(now)
	error=$(ipt -S 2>&1) && fail "a request worked"
	[ "$(milliseconds_since "$request")" -lt 500 ] || fail "a request did not fail at once"
	[[ $error == *"cannot be started"* || $error == *"health check"* ||
		$error == *"its pipe"* || $error == *"from it"* ]] || fail "unclear error: $error"
	requests=$((requests + 1))
done
starts=$(seen "driver [0-9]* started")
[ "$starts" -le 8 ] || fail "$starts starts in two seconds"
[ "$requests" -gt 2 ] || fail "only $requests requests in two seconds"
control stop >/dev/null || fail "it cannot be stopped"
echo "  $requests requests, $starts starts"
