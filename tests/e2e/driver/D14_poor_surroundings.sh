# SPDX-License-Identifier: GPL-2.0-only
. "$(dirname "$0")/lib.sh"
namespaces

# Closed standard descriptors, of the client and so of what it starts.
ipt -A INPUT -s 10.14.1.1 -j DROP <&- >&- 2>&- || fail "closed descriptors: it does not start"
rules=$(ipt -S)
[[ $rules == *10.14.1.1* ]] || fail "closed descriptors: the rule is not there"
equal "descriptor 2 of the driver" pipe "$(readlink "/proc/$(driver)/fd/2" | cut -d: -f1)"
control stop >/dev/null
"$programs/ubpfilterd" -f <&- >&- 2>&- &
until_true "it serves with closed descriptors" ipt -S >/dev/null
equal "rules" "$rules" "$(ipt -S)"
for fd in 0 1 2; do # or log lines would go into whatever was opened first
	equal "descriptor $fd of the supervisor" /dev/null "$(readlink "/proc/$(supervisor)/fd/$fd")"
done
control stop >/dev/null
until_true "it stopped" test ! -S "$UBPFILTER_RUNDIR/socket"
wait

# A full disk: the change fails, what was in force stays.
umount "$UBPFILTER_RUNDIR/bpf"
rm -r "$UBPFILTER_RUNDIR"
mkdir -m 711 "$UBPFILTER_RUNDIR"
mount -t tmpfs -o size=64k,mode=711 none "$UBPFILTER_RUNDIR"
serve
ipt -A INPUT -s 10.14.1.1 -j DROP || fail "a small disk: cannot add a rule"
rules=$(ipt -S)
dd if=/dev/zero of="$UBPFILTER_RUNDIR/filler" 2>/dev/null
boss=$(supervisor) pid=$(driver)
error=$(ipt -A INPUT -s 10.14.2.2 -j DROP 2>&1) && fail "a full disk: a change worked"
[[ $error == *"No space left"* ]] || fail "a full disk: unclear error: $error"
equal "rules on a full disk" "$rules" "$(ipt -S)"
equal "supervisor and driver on a full disk" "$boss $pid" "$(supervisor) $(driver)"
rm "$UBPFILTER_RUNDIR/filler"
ipt -A INPUT -s 10.14.2.2 -j DROP || fail "a disk with room again: cannot add a rule"
control stop >/dev/null
until_true "it stopped" test ! -S "$UBPFILTER_RUNDIR/socket"
wait

# A read-only runtime folder.
umount "$UBPFILTER_RUNDIR/bpf"
mount -o remount,ro "$UBPFILTER_RUNDIR"
error=$(ipt -S 2>&1) && fail "a read-only folder: it worked"
[[ $error == *"Read-only file system"* ]] || fail "a read-only folder: unclear error: $error"
umount "$UBPFILTER_RUNDIR"

# Somebody else's folder.
chown 65534 "$UBPFILTER_RUNDIR"
error=$(ipt -S 2>&1) && fail "a stranger's folder: it worked"
[[ $error == *"belongs to user 65534"* ]] || fail "a stranger's folder: unclear error: $error"
