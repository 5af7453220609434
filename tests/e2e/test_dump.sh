# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# `ubpfilter dump` and `status`: what is in force, rule by rule, and where.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

namespace a empty
on_bpf a iptables-legacy-restore <<'R'
*filter
:INPUT DROP [0:0]
:mine - [0:0]
-A INPUT -s 10.1.2.3/32 -p tcp -m tcp --dport 22 -m comment --comment "an [file:x line_num:7] odd; one" -j ACCEPT
-A INPUT -p udp -j mine
-A mine -d 10.0.0.0/8 -j RETURN
-A OUTPUT -o lo -j ACCEPT
COMMIT
R
on_bpf a ip6tables-legacy -A INPUT -p icmpv6 -j ACCEPT

dump=$(inside a "$ubpfilter" dump)
# An early stage shows the same rules: those of the stage that decides.
rules=$(awk "/^===/ { shown = /netfilter:/ } shown" <<<"$dump" | sed -n "s/^  \[[0-9]*\] /rule /p")
for rule in '-A INPUT -s 10.1.2.3/32 -p tcp -m tcp --dport 22 -m comment --comment "an [file:x line_num:7] odd; one" -j ACCEPT' \
	'-A INPUT -p udp -j mine' '-A mine -d 10.0.0.0/8 -j RETURN' ':INPUT DROP' '-A OUTPUT -o lo -j ACCEPT' \
	'-A INPUT -p ipv6-icmp -j ACCEPT'; do
	equal "dump shows once $rule" 1 "$(lines_with "rule $rule" "$rules")"
done
contains "dump names table, hook and program" "=== IPv4 filter, generation [0-9]+, netfilter: INPUT, FORWARD and OUTPUT \(netfilter_hooks\)" "$dump"
contains "dump of both families" "=== IPv6 filter" "$dump"
contains "instructions stand below" "^ +[0-9]+: \([0-9a-f]{2}\) " "$dump"
equal "dump --netns from outside is the same" "$dump" "$("$ubpfilter" dump --netns "$tag-a")"
contains "dump --all shows the parser too" "netfilter_hooks\(struct bpf_nf_ctx" "$(inside a "$ubpfilter" dump --all)"
equal "dump of a namespace without tables" "no table of this network namespace is enforced by BPF" \
	"$(inside empty "$ubpfilter" dump)"
status=0
output=$(setpriv --reuid=65534 --regid=65534 --clear-groups -- "$ubpfilter" dump 2>&1) || status=$?
equal "dump without privileges" "1 ubpfilter dump: this needs CAP_NET_ADMIN: run it as root" "$status $output"

# A mount namespace older than the supervisor, with nothing that propagates into it.
"$ubpfilter" stop >/dev/null
umount "$UBPFILTER_RUNDIR/bpf"
namespace late
output=$(inside late unshare --mount --propagation private bash -c '
	"$1" exec -- iptables-legacy -A INPUT -p 99 -j DROP && "$1" dump' bash "$ubpfilter")
contains "dump where the bpffs is not mounted" "\[1\] -A INPUT -p 99 -j DROP" "$output"

contains "status names the tables" "filter \(IPv4\)" "$("$ubpfilter" status)"
contains "status names the devices" "device lo" "$("$ubpfilter" status)"
