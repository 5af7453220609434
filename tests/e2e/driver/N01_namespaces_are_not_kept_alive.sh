# SPDX-License-Identifier: GPL-2.0-only
. "$(dirname "$0")/lib.sh"
namespaces
serve
ipt -A INPUT -s 10.99.0.2 -j DROP || fail "cannot add a rule"
# Both ends in namespaces: when ours goes, the veth pair goes, and the peer sees it.
states() { ls "$UBPFILTER_RUNDIR/netns" | wc -l; }
equal "states" 1 "$(states)"
ip netns del "$host"
peer_is_gone() { ! ip -n "$peer" link show veth0 >/dev/null 2>&1; }
until_true "the devices are gone" peer_is_gone
pinned() { find "$UBPFILTER_RUNDIR/bpf" -mindepth 1 ! -name '*.debug'; } # the kernel's own
collected() { [ "$(states)" = 0 ] && [ -z "$(pinned)" ]; }
until_true "its state is collected" collected
