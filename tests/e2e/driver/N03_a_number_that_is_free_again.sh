# SPDX-License-Identifier: GPL-2.0-only
# A namespace that gets the number of one that just ended is not taken for the one that ended.
. "$(dirname "$0")/lib.sh"
command -v strace >/dev/null || skip "needs strace"
states=$UBPFILTER_RUNDIR/netns

in_namespace() { # NAME COMMAND...
	local name=$1
	shift
	LD_PRELOAD=$programs/libubpfilter.so ip netns exec "$tag-$name" "$@"
}
ids() { ip netns list-id; }

serve
ip netns add "$tag-old"
ip netns add "$tag-new"
before=$(ids)
in_namespace old iptables-legacy -A INPUT -p udp -j DROP || fail "cannot add a rule"
old=$(ls "$states")
number=$(comm -13 <(sort <<<"$before") <(ids | sort))
[ "$number" ] || fail "the namespace got no number"

# The driver stops on its way into the new one, and hears of the end only after its request.
driver=$(driver)
strace -p "$driver" -o /dev/null -e trace=setns -e inject=setns:signal=SIGSTOP:when=1 2>"$scratch/strace" &
strace=$!
until_true "strace is attached" grep -qs attached "$scratch/strace"
in_namespace new "$helpers/sockopt" 4 info >/dev/null & # makes the initial table
client=$!
until_true "the driver stops" grep -qs '^State:.[tT]' "/proc/$driver/status"
kill $strace
ip netns del "$tag-old"
is_free() { ! ids | grep -qxF "$number"; }
until_true "the number is free" is_free
kill -CONT "$driver"
wait $client || fail "the request failed"
control health || fail "no health" # events are read before the next request
new=$(ls "$states")
grep -qxF "$old" <<<"$new" && fail "the old one is not forgotten"
[ "$new" ] || fail "the new one is forgotten"
