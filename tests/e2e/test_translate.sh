# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# `ubpfilter translate`: without root, without kernel table and supervisor, to objects that bpftool
# loads as they are.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

mkdir "$scratch/work" "$scratch/bpf"
chmod 777 "$scratch/work"
mount -t bpf bpf "$scratch/bpf"
trap 'umount "$scratch/bpf"; take_down' EXIT
cd "$scratch/work"

cat >rules.v4 <<'R'
# comments and other tables
*nat
:PREROUTING ACCEPT [0:0]
-A PREROUTING -p tcp --dport 80 -j REDIRECT --to-ports 8080
COMMIT
*filter
:INPUT DROP [12:3456]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:web - [0:0]
-A INPUT -i lo -j ACCEPT
[7:420] -A INPUT -p tcp -m tcp --dport 80 -m comment --comment "the [file:x] web; isn't it" -j web
-A web -s 10.0.0.0/8 -j ACCEPT
-A web -j RETURN
COMMIT
R
cat >rules.v6 <<'R'
*filter
:INPUT ACCEPT
-A INPUT -s fe80::/10 -p icmpv6 --icmpv6-type echo-request -j DROP
-A OUTPUT -o eth0 -p udp --dport 1024: -j ACCEPT
COMMIT
R

as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups -- "$@"; }

loads() { # OBJECT PROGRAM...
	local object=$1
	shift
	rm -rf "$scratch/bpf/all"
	bpftool prog loadall "$object" "$scratch/bpf/all" 2>&1 | grep -v '^Warning\|^If it used' || true
	[ "$(echo "$scratch"/bpf/all/* | xargs -n 1 basename | sort | xargs)" = "$*" ]
}

succeeds "as nobody" as_nobody "$ubpfilter" translate rules.v4
succeeds "the default name, both hooks: bpftool loads it" loads rules.v4.bpf.o tc_egress tc_ingress xdp_ingress
contains "other tables are named" 'table "nat" is skipped' "$("$ubpfilter" translate -o /dev/null rules.v4 2>&1)"
listing=$(bpftool prog dump xlated pinned "$scratch/bpf/all/tc_ingress" linum)
for rule in ':INPUT DROP' '-A INPUT -i lo -j ACCEPT' '-A web -s 10.0.0.0/8 -j ACCEPT' '-A web -j RETURN' \
	'-A INPUT -p tcp -m tcp --dport 80 -m comment --comment "the [file:x] web; isn\'"'"'t it" -j web'; do
	succeeds "bpftool shows $rule" test "$(lines_with "; $rule [file:filter line" "$listing")" -gt 0
done
succeeds "-6" as_nobody "$ubpfilter" translate -6 -o six.o rules.v6
succeeds "-6: bpftool loads it" loads six.o tc_egress tc_ingress xdp_ingress
succeeds "--hook xdp" "$ubpfilter" translate --hook xdp -o xdp.o rules.v4
succeeds "--hook xdp: one program" loads xdp.o xdp_ingress
printf '*filter\n-A INPUT -m state --state NEW\nCOMMIT\n' >state
succeeds "rules that ask for connections" "$ubpfilter" translate -o state.o state
succeeds "bpftool loads them, with their look into conntrack's table" loads state.o tc_egress tc_ingress xdp_ingress
succeeds "--hook netfilter" "$ubpfilter" translate --hook netfilter -o netfilter.o rules.v4
contains "--hook netfilter: its programs" "^netfilter_hooks$" "$(strings netfilter.o)"
equal "--hook netfilter: no other" "" "$(strings netfilter.o | grep -E '^(xdp|tc)_(in|e)gress$' || true)"
succeeds "--hook tc" "$ubpfilter" translate --hook=tc -o tc.o rules.v4
succeeds "--hook tc: two programs" loads tc.o tc_egress tc_ingress
succeeds "from standard input to standard output" bash -c "'$ubpfilter' translate -o - - <rules.v6 -6 >pipe.o"
succeeds "and that is the same object" cmp pipe.o six.o
equal "no supervisor was started for it" "" "$(supervisors)"

refused() { # NAME PATTERN TEXT [OPTION]...
	local name=$1 pattern=$2 output status=0
	printf '%b' "$3" >bad
	output=$("$ubpfilter" translate "${@:4}" -o bad.o bad 2>&1) || status=$?
	equal "$name: status" 1 "$status"
	contains "$name: message" "$pattern" "$output"
	succeeds "$name: no object" test ! -e bad.o
}

refused "not rules" 'no table "filter"' "nonsense\n"
refused "syntax" "Error occurred at line: 3" "*filter\n:INPUT ACCEPT\n-A INPUT --nonsense\nCOMMIT\n"
refused "unknown target" "Couldn't load target .NOPE" "*filter\n-A INPUT -j NOPE\nCOMMIT\n"
refused "no COMMIT" "COMMIT expected" "*filter\n-A INPUT -j ACCEPT\n"
refused "two filter tables" "more than one table" "*filter\nCOMMIT\n*filter\nCOMMIT\n"
refused "a match that BPF does not do" 'filter/INPUT rule 2: match "string" is not done in BPF' \
	"*filter\n-A INPUT -p 1\n-A INPUT -m string --algo bm --string x\nCOMMIT\n"
refused "a match that the hooks know nothing of" \
	'filter/INPUT rule 1: match "length" reads the length, which hook xdp does not know' \
	"*filter\n-A INPUT -m length --length 100\nCOMMIT\n"
refused "a target that BPF does not do" 'filter/INPUT rule 1: target "REJECT"' \
	"*filter\n-A INPUT -j REJECT\nCOMMIT\n"
refused "a loop" "Too many levels of symbolic links|loop" "*filter\n:a - [0:0]\n-A INPUT -j a\n-A a -j a\nCOMMIT\n"
