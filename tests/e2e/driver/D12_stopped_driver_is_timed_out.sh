# SPDX-License-Identifier: GPL-2.0-only
. "$(dirname "$0")/lib.sh"
namespaces
serve --timeout 1
ipt -A INPUT -s 10.12.1.1 -j DROP || fail "cannot add a rule"
rules=$(ipt -S)
old=$(driver)
kill -STOP "$old"
start=$(now)
equal "a request to a stopped driver" EFAULT "$(shim "$helpers/sockopt" 4 info 2>/dev/null)"
took=$(milliseconds_since "$start")
[ "$took" -ge 900 ] && [ "$took" -lt $at_once ] || fail "timed out after $took ms, not 1000"
equal "rules after the time-out" "$rules" "$(ipt -S)"
[ "$(driver)" != "$old" ] || fail "the stopped driver is still in service"
until_true "the stopped driver is gone" test ! -e "/proc/$old"
# Stopped in the middle of nothing: SIGTERM still ends everything, soon.
kill -STOP "$(driver)"
boss=$(supervisor)
shim "$helpers/sockopt" 4 info >/dev/null 2>&1 &
sleep 0.1
start=$(now)
kill -TERM "$boss"
until_true "the supervisor ended" test ! -e "/proc/$boss/fd/0"
[ "$(milliseconds_since "$start")" -lt $at_once ] || fail "SIGTERM took $(milliseconds_since "$start") ms"
wait
