# SPDX-License-Identifier: GPL-2.0-only
# A namespace without name and process stays filtered over a restart, and its end is heard of. Where
# no netfilter link holds it: N02 has the others.
. "$(dirname "$0")/lib.sh"
export UBPFILTER_HOOK=tc
namespaces
serve
ipt -A INPUT -s 10.99.0.2 -p icmp -j DROP || fail "cannot add a rule"
state=$(ls "$UBPFILTER_RUNDIR/netns")
knock() { in_peer ping -q -c 1 -W 0.2 10.99.0.1 >/dev/null; }
knock && fail "the rule does not drop"

exec {held}<"/run/netns/$host"
ip netns del "$host"
kill -9 "$(driver)"
until_true "there is another driver" control health 2>/dev/null
knock && fail "the rule is lost with the driver"
equal "its rule is listed" "-A INPUT -s 10.99.0.2/32 -p icmp -j DROP" \
	"$(LD_PRELOAD=$programs/libubpfilter.so nsenter --net=/proc/self/fd/$held iptables-legacy -S INPUT | tail -n 1)"

kill -9 "$(driver)" # the next one never enters it
until_true "there is a third one" control health 2>/dev/null
exec {held}<&-
until_true "its state is collected" test ! -e "$UBPFILTER_RUNDIR/netns/$state"
until_true "and its pins" test ! -e "$UBPFILTER_RUNDIR/bpf/$state"
