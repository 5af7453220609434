# SPDX-License-Identifier: GPL-2.0-only
. "$(dirname "$0")/lib.sh"
namespaces
mkdir -m 711 "$UBPFILTER_RUNDIR"
"$helpers/activate" "$UBPFILTER_RUNDIR/socket" "$programs/ubpfilterd" -f >"$scratch/log" 2>&1 &
boss=$!
until_true "it listens" test -S "$UBPFILTER_RUNDIR/socket"
export UBPFILTER_AUTOSTART=0
ipt -A INPUT -s 10.1.1.1 -j DROP || fail "no answer at the socket that was handed over"
equal "the supervisor" $boss "$(supervisor)"
[ "$(readlink "/proc/$boss/fd/3" | cut -d: -f1)" = socket ] || fail "the socket is not kept"
kill -TERM $boss
wait $boss || fail "SIGTERM: exit status $?"
test -S "$UBPFILTER_RUNDIR/socket" || fail "it removed the service manager's socket"
