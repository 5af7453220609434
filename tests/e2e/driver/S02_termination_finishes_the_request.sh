# SPDX-License-Identifier: GPL-2.0-only
. "$(dirname "$0")/lib.sh"
namespaces
{
	echo '*filter'
	for ((i = 0; i < 250; i++)); do echo "-A INPUT -s 10.2.2.$i -j DROP"; done
	echo COMMIT
} >"$scratch/rules"
for ((i = 0; i < 10; i++)); do
	serve
	boss=$(supervisor)
	ipt -F
	ip netns exec "$host" env LD_PRELOAD="$programs/libubpfilter.so" \
		iptables-legacy-restore <"$scratch/rules" 2>"$scratch/error" &
	client=$!
	sleep "0.0$((RANDOM % 5))$((RANDOM % 10))"
	start=$(now)
	kill -TERM "$boss"
	# A client whose request was not begun starts another supervisor; no client sees the change.
	wait $client || fail "round $i: the client failed: $(cat "$scratch/error")"
	until_true "it ended" test ! -e "/proc/$boss/fd/0"
	[ "$(milliseconds_since "$start")" -lt $at_once ] || fail "SIGTERM took too long"
	equal "round $i: rules" 250 "$(ipt -S INPUT | grep -c 10.2.2)"
	control stop >/dev/null 2>&1
	wait
	until_true "nobody listens" test ! -S "$UBPFILTER_RUNDIR/socket"
done
