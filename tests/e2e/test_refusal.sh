# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# With strict = yes, what BPF does not do is refused with one line that names it, and the old table stays.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

export UBPFILTER_STRICT=yes
namespace a
on_bpf a iptables-legacy -A INPUT -p udp --dport 7 -j DROP
inside a "$traffic" udp 127.0.0.1 7 3 >/dev/null
before=$(on_bpf a iptables-legacy -L -v -n -x)

refused() { # NAME EXPECTED-LINE COMMAND...
	local name=$1 expected=$2 output status=0
	shift 2
	output=$(on_bpf a "$@" 2>&1) || status=$?
	equal "$name: status" 1 "$status"
	equal "$name: one line of ours says why" "$expected" "$(grep '^ubpfilter: ' <<<"$output")"
	equal "$name: the table and its counters stay" "$before" "$(on_bpf a iptables-legacy -L -v -n -x)"
}

refused "match" "ubpfilter: filter/FORWARD rule 1: $beyond_why" \
	iptables-legacy -A FORWARD -m string --string x --algo bm -j ACCEPT
refused "match, with the reason" "ubpfilter: filter/FORWARD rule 1: match \"recent\" is not done in BPF: its lists are shown and \
changed in /proc/net/xt_recent, and rules of other tables share them" \
	iptables-legacy -A FORWARD -m recent --set -j ACCEPT
refused "target" 'ubpfilter: filter/INPUT rule 2: target "NFQUEUE" is not done in BPF: user space may have the packet go '\
'through the table once more' \
	iptables-legacy -A INPUT -p tcp -j NFQUEUE
refused "in a user chain" "ubpfilter: filter/mine rule 2: $beyond_why" \
	iptables-legacy-restore -n <<<$'*filter\n:mine - [0:0]\n-A mine -p 5\n-A mine -m string --string x --algo bm\nCOMMIT'
contains "iptables says what it says for an unknown extension" "No chain/target/match by that name" \
	"$(on_bpf a iptables-legacy -A INPUT -m string --string x --algo bm 2>&1)"
inside a "$traffic" udp 127.0.0.1 7 2 >/dev/null
equal "the old table goes on counting" 5 "$(counter a iptables INPUT 1)"
