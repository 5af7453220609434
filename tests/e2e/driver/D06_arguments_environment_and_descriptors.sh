# SPDX-License-Identifier: GPL-2.0-only
. "$(dirname "$0")/lib.sh"
namespaces
serve
ipt -S >/dev/null || fail "no answer"
pid=$(driver) || fail "pgrep -x does not find bpfilter_umh"
equal "arguments" "bpfilter_umh|" "$(tr '\0' '|' <"/proc/$pid/cmdline")"
equal "environment" 0 "$(wc -c <"/proc/$pid/environ")"
for fd in 0 1 2; do
	[[ $(readlink "/proc/$pid/fd/$fd") == pipe:* ]] || fail "descriptor $fd is no pipe"
done
for fd in "/proc/$pid/fd"/*; do
	# What it opened itself is none of the supervisor's: no socket, no log, no lock of its.
	ino=$(stat -L -c %d:%i "$fd")
	for other in "/proc/$(supervisor)/fd"/*; do
		[[ $(readlink "$other") == pipe:* || $(readlink "$other") == anon_inode* ||
			$(readlink "$other") == net:* || $(readlink "$other") == /dev/null ]] && continue
		[ "$(stat -L -c %d:%i "$other" 2>/dev/null)" = "$ino" ] &&
			fail "$fd is the supervisor's $(readlink "$other")"
	done
done
status=$(cat "/proc/$pid/status")
equal "no_new_privs" 1 "$(sed -n 's/^NoNewPrivs:\t//p' <<<"$status")"
equal "seccomp filter" 2 "$(sed -n 's/^Seccomp:\t//p' <<<"$status")"
# BPF, PERFMON, NET_ADMIN, NET_BROADCAST, SYS_ADMIN, SYS_PTRACE
wanted=$(printf %016x $((1 << 39 | 1 << 38 | 1 << 12 | 1 << 11 | 1 << 21 | 1 << 19)))
for set in CapPrm CapEff CapBnd; do
	equal $set "$wanted" "$(sed -n "s/^$set:\t//p" <<<"$status")"
done
