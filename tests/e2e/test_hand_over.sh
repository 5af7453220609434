# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# A table with something that BPF does not do is enforced by the kernel's own ip_tables, whoever
# looks: the stock commands print what they print on the kernel's own table.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

why=$beyond_why

namespace plain bpf peer
join bpf peer

# --- stock commands --------------------------------------------------------------------------

# The same command in both worlds: stdout, stderr and status.
both() { # COMMAND...
	local theirs ours status=0
	theirs=$(inside plain "$@" 2>&1 </dev/null | sed 's/ on .*//') || status=$?
	theirs+=" [$status]"
	status=0
	ours=$(on_bpf bpf "$@" 2>&1 </dev/null | sed 's/ on .*//') || status=$?
	equal "$*" "$theirs" "$ours [$status]"
}

restore_both() { # COMMAND TEXT
	local theirs ours status=0
	# shellcheck disable=SC2086
	theirs=$(inside plain $1 2>&1 <<<"$2") || status=$?
	theirs+=" [$status]"
	status=0
	# shellcheck disable=SC2086
	ours=$(on_bpf bpf $1 2>&1 <<<"$2") || status=$?
	equal "$1" "$theirs" "$ours [$status]"
}

traffic_both() { # ADDRESS: counted by rules for port 7, in INPUT
	local name
	for name in plain bpf; do
		inside $name "$traffic" udp "$1" 7 3 >/dev/null
	done
}

for t in iptables-legacy ip6tables-legacy; do
	address=127.0.0.1 family=IPv4 ip=ip
	[ $t = iptables-legacy ] || address=::1 family=IPv6 ip=ip6
	both $t -A INPUT -p udp --dport 7 -j DROP
	equal "$t: in BPF at first" "($family) BPF" "$(enforcers | grep "$family")"
	traffic_both $address
	both $t -N user
	# shellcheck disable=SC2086
	both $t -A user $beyond_bpf -j ACCEPT
	equal "$t: handed over" "($family) the kernel's ${ip}_tables: filter/user rule 1: $why" \
		"$(enforcers | grep "$family")"
	traffic_both $address
	both $t -L -v -n -x --line-numbers
	both $t -S
	both $t-save -c
	both $t -L INPUT 1 -v -n -x -Z
	traffic_both $address
	both $t -A INPUT -p tcp -m tcp --dport 7 -j REJECT --reject-with tcp-reset
	both $t -I INPUT -i lo -m limit --limit 3/s -j user
	both $t -C INPUT -i lo -m limit --limit 3/s -j user
	both $t -D INPUT -i eth9 -j user
	both $t -A INPUT -m string --algo nonesuch --string x -j DROP
	both $t -X user
	both $t -P FORWARD DROP
	both $t -R INPUT 1 -c 9 900 -p udp -j user
	both $t -L INPUT -v -n -x
	both $t-save -c
	both $t -Z
	restore_both "$t-restore -c" "*filter
:INPUT DROP [3:4]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [5:6]
:other - [0:0]
[1:2] -A INPUT -i lo -j other
[7:8] -A other $beyond_bpf -j DROP
[9:10] -A other -p udp -m udp --dport 7 -j DROP
COMMIT"
	traffic_both $address
	both $t-save -c
	restore_both "$t-restore -n" "*filter
:another - [0:0]
-A another -j LOG --log-prefix x
COMMIT"
	both $t-save -c
	restore_both "$t-restore -n" "*filter
-A another -m string --algo nonesuch --string x
COMMIT"
	both $t-save -c
	both $t -F another
	equal "$t: the kernel's until the last such rule is gone" \
		"($family) the kernel's ${ip}_tables: filter/other rule 1: $why" "$(enforcers | grep "$family")"
	both $t -D other 1
	equal "$t: in BPF again" "($family) BPF" "$(enforcers | grep "$family")"
	traffic_both $address
	both $t-save -c
	equal "$t: the kernel's table is empty again" ":INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]" "$(inside bpf $t-save -c | sed -n 's/^\(:.*\) \[.*/\1 [0:0]/p; /^.[0-9]/p')"
	both $t -F
	both $t -X
	both $t -P INPUT ACCEPT
done

# Thousands of single calls, good and bad ones, while the kernel enforces.
for t in iptables-legacy ip6tables-legacy; do
	# shellcheck disable=SC2086
	both $t -A FORWARD $beyond_bpf -j ACCEPT
done
inside plain "$build/tests/e2e/calls" >"$scratch/plain"
on_bpf bpf "$build/tests/e2e/calls" >"$scratch/bpf" || failed "calls under the shim: status $?"
equal "single calls: as many" "$(wc -l <"$scratch/plain")" "$(wc -l <"$scratch/bpf")"
equal "single calls: the same" "" "$(diff "$scratch/plain" "$scratch/bpf" | head -n 20)"
for t in iptables-legacy ip6tables-legacy; do
	both $t -S
	both $t -D FORWARD 1
done

# --- what it is for --------------------------------------------------------------------------

on_bpf bpf iptables-legacy -P INPUT ACCEPT
on_bpf bpf iptables-legacy -P FORWARD ACCEPT
on_bpf bpf iptables-legacy -A INPUT -m string --algo bm --string forbidden -j DROP
ip netns exec "$tag-bpf" "$traffic" sink 7000 >"$scratch/sink" &
sink=$!
until_true grep -qs ready "$scratch/sink"
for text in allowed forbidden allowed; do
	inside peer bash -c "echo $text >/dev/udp/10.77.1.1/7000"
done
until_true test "$(counter bpf iptables INPUT 1)" = 1
kill $sink
wait $sink
equal "the kernel judges by what BPF does not do" 2 "$(tail -n 1 "$scratch/sink")"
on_bpf bpf iptables-legacy -A INPUT -p tcp -j REJECT --reject-with tcp-reset
equal "and answers" refused "$(inside peer "$traffic" tcp 10.77.1.1 7001 5000)"

# --- each family and namespace by itself -----------------------------------------------------

on_bpf peer iptables-legacy -A INPUT -s 192.0.2.1 -j DROP
equal "one table of one namespace is handed over" "(IPv4) BPF
(IPv4) the kernel's ip_tables: filter/INPUT rule 1: $why
(IPv6) BPF" "$(enforcers)"
equal "no namespace but the one has rules in the kernel" "" \
	"$(inside peer iptables-legacy-save | grep '^-A' || true)$(inside bpf ip6tables-legacy-save | grep '^-A' || true)"

# --- it stays so -----------------------------------------------------------------------------

before=$(on_bpf bpf iptables-legacy-save -c | grep -v '^#')
was=$(enforcers)
"$ubpfilter" stop >/dev/null
equal "without the processes it is in force" refused "$(inside peer "$traffic" tcp 10.77.1.1 7001 5000)"
equal "the next command finds it" "$(sed 's/\[[0-9:]*\]//' <<<"$before")" \
	"$(on_bpf bpf iptables-legacy-save -c | grep -v '^#' | sed 's/\[[0-9:]*\]//')"
equal "and who enforces what" "$was" "$(enforcers)"

# --- strict ----------------------------------------------------------------------------------

"$ubpfilter" stop >/dev/null
export UBPFILTER_STRICT=yes
equal "strict: what was handed over stays so" "$was" "$(on_bpf bpf iptables-legacy -S >/dev/null && enforcers)"
# shellcheck disable=SC2086
contains "strict: what BPF does not do is refused" "ubpfilter: filter/INPUT rule 1: $why\$" \
	"$(on_bpf bpf iptables-legacy -I INPUT $beyond_bpf 2>&1)"
on_bpf bpf iptables-legacy -F
equal "strict: what BPF does is taken back" "$(printf '(IPv4) BPF\n(IPv4) BPF\n(IPv6) BPF')" "$(enforcers)"
"$ubpfilter" stop >/dev/null
unset UBPFILTER_STRICT
echo 'strict = yes' >"$scratch/conf"
# shellcheck disable=SC2086
contains "strict in the configuration" "ubpfilter: filter/INPUT rule 1: $why\$" \
	"$(UBPFILTER_CONF=$scratch/conf on_bpf bpf iptables-legacy -A INPUT $beyond_bpf 2>&1)"
equal "status says that it is strict" "strict: yes" "$("$ubpfilter" status | grep strict || true)"
"$ubpfilter" stop >/dev/null
echo 'strict = perhaps' >"$scratch/conf"
UBPFILTER_CONF=$scratch/conf "$build/ubpfilterd" -f >"$scratch/log" 2>&1 &
daemon=$!
succeeds "strict is yes or no" until_true grep -q 'conf:1: expected .*"strict = yes|no"' "$scratch/log"
kill $daemon
wait $daemon || true

# --- what is in the way ----------------------------------------------------------------------

inside bpf iptables-legacy -A INPUT -s 192.0.2.9 -j DROP
# shellcheck disable=SC2086
contains "rules of somebody else's in the kernel are not lost" "$why, and the kernel's own filter table holds rules" \
	"$(on_bpf bpf iptables-legacy -A INPUT $beyond_bpf 2>&1)"
equal "they are there" "-A INPUT -s 192.0.2.9/32 -j DROP" "$(inside bpf iptables-legacy -S INPUT | tail -n 1)"
inside bpf iptables-legacy -F
inside bpf iptables-legacy -P OUTPUT DROP
# shellcheck disable=SC2086
contains "nor policies" "$why, and the kernel's own filter table holds rules" \
	"$(on_bpf bpf iptables-legacy -A INPUT $beyond_bpf 2>&1)"
inside bpf iptables-legacy -P OUTPUT ACCEPT

# Run iptables in namespace bpf with the driver's getsockopt(2) traced; its output in $output.
traced() { # STRACE-OPTION... -- ARGUMENT...
	local -a options=()
	local driver tracer
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	driver=$(pgrep -x bpfilter_umh -P "$(supervisors)")
	strace -qq -p "$driver" -e trace=getsockopt "${options[@]}" -o "$scratch/trace" &
	tracer=$!
	until_true grep -qs "TracerPid:.[1-9]" "/proc/$driver/status"
	output=$(on_bpf bpf iptables-legacy "$@" 2>&1) || true
	kill $tracer
	wait $tracer || true
}

if command -v strace >/dev/null; then
	# The first call of a hand-over to the kernel's ip_tables, as the driver counts its calls.
	# shellcheck disable=SC2086
	traced -- -A INPUT $beyond_bpf
	when=$(awk '/, SOL_IP, / { print NR; exit }' "$scratch/trace")
	on_bpf bpf iptables-legacy -F
	# shellcheck disable=SC2086
	traced -e "inject=getsockopt:error=ENOPROTOOPT:when=$when" -- -A INPUT $beyond_bpf
	contains "a kernel without ip_tables" "^ubpfilter: .*$why, and this kernel has no ip_tables" "$output"
	contains "refuses as one that does not know the extension" "No chain/target/match by that name" "$output"
else
	skip "a kernel without ip_tables" "needs strace"
fi

# --- and its end -----------------------------------------------------------------------------

# shellcheck disable=SC2086
on_bpf bpf iptables-legacy -A INPUT $beyond_bpf -j ACCEPT
on_bpf bpf iptables-legacy -A INPUT -p icmp -j DROP
succeeds "stop --flush" inside bpf "$ubpfilter" stop --flush
equal "stop --flush empties the kernel's table" "" "$(inside bpf iptables-legacy-save | grep '^-A' || true)"
equal "the flushed table is as new" "-P INPUT ACCEPT" "$(on_bpf bpf iptables-legacy -S INPUT)"
