# SPDX-License-Identifier: GPL-2.0-only
. "$(dirname "$0")/lib.sh"
namespaces
error=$(UBPFILTER_AUTOSTART=0 ipt -A INPUT -j DROP 2>&1) && fail "it worked without a supervisor"
[[ $error == *"ubpfilterd does not run"*"UBPFILTER_AUTOSTART"* ]] || fail "unclear error: $error"
equal "supervisors" "" "$(supervisors)"
equal "the kernel's own table" "" "$(in_host iptables-legacy -S | grep -v '^-P')"
ipt -A INPUT -s 10.3.3.3 -j DROP || fail "the first request does not start the supervisor"
equal "supervisors" 1 "$(supervisors | wc -l)"
equal "the kernel's own table" "" "$(in_host iptables-legacy -S | grep -v '^-P')"
# It left the client's namespaces: ip netns exec gives its command a mount namespace of its own.
equal "mount namespace" "$(readlink /proc/self/ns/mnt)" "$(readlink "/proc/$(supervisor)/ns/mnt")"
equal "network namespace" "$(readlink /proc/self/ns/net)" "$(readlink "/proc/$(supervisor)/ns/net")"
grep -q " $UBPFILTER_RUNDIR/bpf " /proc/mounts || fail "the bpffs is not in the host's mounts"
# Where the folder is a mount that only the client sees, it says so.
error=$(UBPFILTER_RUNDIR=$scratch/private/run unshare -m sh -c "
	mkdir $scratch/private && mount -t tmpfs none $scratch/private &&
	LD_PRELOAD=$programs/libubpfilter.so iptables-legacy -S" 2>&1) && fail "it worked: $error"
[[ $error == *"hides it from process 1"* || $error == *"cannot make the runtime folder"* ]] ||
	fail "unclear error: $error"
error=$(UBPFILTER_RUNDIR=relative ipt -S 2>&1) && fail "a relative folder worked"
[[ $error == *"not an absolute path"* ]] || fail "unclear error: $error"
