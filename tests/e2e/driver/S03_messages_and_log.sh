# SPDX-License-Identifier: GPL-2.0-only
. "$(dirname "$0")/lib.sh"
namespaces
serve --strict
# The user's own command: one line from us beside what iptables says itself; nothing when it works.
error=$(ipt -A INPUT -j DROP 2>&1)
equal "standard error of a command that works" "" "$error"
error=$(ipt -A INPUT -m string --string x --algo bm -j DROP 2>&1) &&
	fail "a match that BPF does not do is taken with --strict"
equal "lines from us about a refusal" 1 "$(grep -c '^ubpfilter: ' <<<"$error")"
killed=$(driver)
kill -9 "$killed"
until_true "the driver is gone" test ! -e "/proc/$killed" # what it is sent while it dies is lost with it
equal "standard error of a command after a restart" "" "$(ipt -S 2>&1 >/dev/null)"
grep -q "gone (.*signal 9" "$scratch/log" || fail "a restart is not in the log"
kill "$(supervisor)"
wait
# Levels: what is less important than asked for is not written.
: >"$scratch/log"
serve -l warning
ipt -S >/dev/null
equal "log at level warning" "" "$(cat "$scratch/log")"
# Bad arguments are said, and give 2.
for bad in --nonsense "--log-level loud" "--timeout 0" surplus; do
	"$programs/ubpfilterd" $bad >/dev/null 2>"$scratch/error"
	equal "exit status of $bad" 2 $?
	[ -s "$scratch/error" ] || fail "$bad: nothing said"
done
"$programs/ubpfilterd" --help | grep -q foreground || fail "no help"
