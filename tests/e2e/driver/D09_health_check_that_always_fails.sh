# SPDX-License-Identifier: GPL-2.0-only
. "$(dirname "$0")/lib.sh"
faulty_driver health
namespaces
serve
until_true "the first start failed" grep -q "cannot be started" "$scratch/log"
start=$(now)
requests=0
while [ "$(milliseconds_since "$start")" -lt 2000 ] || [ $requests -lt 3 ]; do
	request=$(now)
	error=$(ipt -S 2>&1) && fail "a request worked"
	[ "$(milliseconds_since "$request")" -lt $at_once ] || fail "a request did not fail at once"
	[[ $error == *"cannot be started"* || $error == *"health check"* ||
		$error == *"its pipe"* || $error == *"from it"* ]] || fail "unclear error: $error"
	requests=$((requests + 1))
done
starts=$(seen "driver [0-9]* started")
took=$(milliseconds_since "$start")
[ "$starts" -le $((8 + took / 250)) ] || fail "$starts starts in $took ms"
control stop >/dev/null || fail "it cannot be stopped"
echo "  $requests requests, $starts starts"
