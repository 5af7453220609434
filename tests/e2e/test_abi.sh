# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# What iptables does with counters, and what several clients do to one table: as on the kernel's own.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

namespace plain bpf other

# The same command in both worlds: stdout, stderr and status.
both() { # COMMAND...
	local theirs ours status=0
	theirs=$(inside plain "$@" 2>&1 </dev/null) || status=$?
	theirs+=" [$status]"
	status=0
	ours=$(on_bpf bpf "$@" 2>&1 </dev/null) || status=$?
	equal "$*" "$theirs" "$ours [$status]"
}

# Text to a restore in both worlds.
restore_both() { # COMMAND TEXT
	local status=0 theirs ours
	# shellcheck disable=SC2086
	theirs=$(inside plain $1 2>&1 <<<"$2") || status=$?
	theirs+=" [$status]"
	status=0
	# shellcheck disable=SC2086
	ours=$(on_bpf bpf $1 2>&1 <<<"$2") || status=$?
	equal "$1" "$theirs" "$ours [$status]"
}

for t in iptables-legacy ip6tables-legacy; do
	both $t -N user
	both $t -A INPUT -p tcp --dport 80 -j user
	both $t -A INPUT -c 5 600 -i lo -j ACCEPT
	both $t -A user --set-counters 7 800 -p udp -j DROP
	both $t -C INPUT -i lo -j ACCEPT
	both $t -C INPUT -i eth0 -j ACCEPT
	both $t -L -v -n -x --line-numbers
	both $t -R INPUT 1 -c 9 900 -p udp -j user
	both $t -L INPUT 1 -v -n -x
	both $t -Z INPUT 1
	both $t -L -v -n -x
	both $t -D INPUT 1
	both $t -L INPUT -v -n -x
	both $t -Z
	both $t -L -v -n -x
	both $t -E user renamed
	both $t -D INPUT 7
	both $t -X renamed
	both $t -j nonesuch -A INPUT
	rules=$'*filter\n:INPUT DROP [1:2]\n:FORWARD ACCEPT [3:4]\n:OUTPUT ACCEPT [0:0]\n:a - [0:0]
:a2 - [0:0]\n[5:6] -A INPUT -j a\n[18446744073709551615:9] -A a -p tcp -g a2\nCOMMIT'
	restore_both "$t-restore -c" "$rules"
	both $t -S -v
	restore_both "$t-restore" "$rules"
	both $t -S -v
	restore_both "$t-restore -n" $'*filter\n-A a2 -j RETURN\nCOMMIT'
	restore_both "$t-restore -n" $'*filter\n-A a2 -j a\nCOMMIT'
	both $t -S
	restore_both "$t-restore --test" $'*filter\n-A OUTPUT -j DROP\nCOMMIT'
	both $t -S OUTPUT
	both $t -F
	both $t -X
	both $t -P INPUT ACCEPT
	both $t -S
done

# Every option with bad descriptors, addresses and lengths.
inside plain "$build/tests/e2e/calls" >"$scratch/plain"
on_bpf bpf "$build/tests/e2e/calls" >"$scratch/bpf" || failed "calls under the shim: status $?"
equal "single calls: as many" "$(wc -l <"$scratch/plain")" "$(wc -l <"$scratch/bpf")"
equal "single calls: the same" "" "$(diff "$scratch/plain" "$scratch/bpf" | head -n 20)"

# Clients that do not know of each other's lock: the kernel's EAGAIN is all that keeps them apart.
append() { # NAME FIRST LAST: a rule a port, each tried again when the table changed in between
	local port status
	for ((port = $2; port <= $3; port++)); do
		for (( ; ; )); do
			status=0
			XTABLES_LOCKFILE=$scratch/lock-$2 on_bpf "$1" iptables-legacy -A INPUT \
				-p udp --dport "$port" -j DROP 2>/dev/null || status=$?
			# 4: not done; 1: done, but the table changed again before its counters
			[ $status = 4 ] || break
		done
	done
}
append bpf 1 12 &
first=$!
append bpf 101 112 &
second=$!
append other 201 212 &
third=$!
for ((i = 0; i < 12; i++)); do
	# a failure may come after the table was replaced: the rule can be there twice then
	until XTABLES_LOCKFILE=$scratch/lock-r on_bpf bpf iptables-legacy-restore -n \
		<<<$'*filter\n-A INPUT -p udp --dport '$((901 + i))$' -j DROP\nCOMMIT' 2>/dev/null; do :; done
done
wait $first $second $third
rules=$(on_bpf bpf iptables-legacy -S INPUT)
equal "every rule that raced is there: appended" 24 "$(grep -cE -- '--dport ([1-9]|1[0-2]|10[1-9]|11[0-2]) ' <<<"$rules")"
equal "every rule that raced is there: restored" 12 \
	"$(grep -oE -- '--dport 9.. ' <<<"$rules" | sort -u | wc -l)"
equal "another namespace has its own rules" 12 \
	"$(on_bpf other iptables-legacy -S INPUT | grep -c -- '--dport 2')"

# The lock is the clients' own affair, and waiting for it works under the shim.
exec 9>"$XTABLES_LOCKFILE"
flock 9
status=0
on_bpf bpf iptables-legacy -w 1 -L -n >/dev/null 2>&1 || status=$?
equal "a held lock is not waited for longer than -w says" 4 "$status"
(sleep 0.5; flock -u 9) &
succeeds "a lock that is let go of in time" on_bpf bpf iptables-legacy -w 10 -L -n
