# SPDX-License-Identifier: GPL-2.0-only
. "$(dirname "$0")/lib.sh"
namespaces
serve
ipt -A INPUT -s 10.11.1.1 -j DROP || fail "cannot add a rule"
rules=$(ipt -S)

# Death with a request that it had not begun to read: the next driver answers, a change too.
lost_unread() { # COMMAND...: its output
	local pid=$(driver) client
	kill -STOP "$pid"
	"$@" &
	client=$!
	until_true "the request is with the driver" is_asked "$pid"
	kill -KILL "$pid"
	wait $client
}
is_asked() { # PID: something is in the pipe to it
	read -r -t 0 <"/proc/$1/fd/0"
}
equal "a request that nobody read" 0 "$(lost_unread shim "$helpers/sockopt" 4 info)"
lost_unread ipt -A INPUT -s 10.11.1.2 -j DROP || fail "a change that nobody read is lost"
equal "rules after the change" "$rules
-A INPUT -s 10.11.1.2/32 -j DROP" "$(ipt -S)"
control stop >/dev/null

# Half a request read; replies that are short, of another request, or impossible: one EFAULT each.
# One that no driver reads is not given to a third. The supervisor lives.
for fault in short sequence death length half deaf; do
	faulty_driver $fault
	: >"$scratch/log"
	serve
	boss=$(supervisor)
	for ((i = 0; i < 3; i++)); do
		equal "$fault" EFAULT "$(shim "$helpers/sockopt" 4 info 2>/dev/null)"
	done
	equal "drivers lost by $fault" $([ $fault = deaf ] && echo 6 || echo 3) "$(seen "driver [0-9]* gone")"
	equal "the supervisor after $fault" "$boss" "$(supervisor)"
	control stop >/dev/null
	until_true "it stopped" test ! -S "$UBPFILTER_RUNDIR/socket"
	wait
done
