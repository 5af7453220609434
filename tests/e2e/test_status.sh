# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# status says what in a namespace keeps packets from being judged as iptables would.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

namespace a
lines() { # WORDS
	"$ubpfilter" status | sed -n "s/^    $1: //p"
}

UBPFILTER_HOOK=tc on_bpf a iptables-legacy -A INPUT -p 99 -j DROP
equal "no NAT" "" "$(lines NAT)"
inside a nft -f - <<<"table inet other {
	chain c { type nat hook postrouting priority srcnat; }
	chain d { type filter hook prerouting priority raw; }
}"
equal "NAT by nf_tables" "nf_tables inet other c, postrouting 100" "$(lines NAT)"
inside a nft delete table inet other
equal "no more" "" "$(lines NAT)"
inside a iptables-legacy -t nat -L -n >/dev/null
equal "NAT by the kernel's iptables" "the kernel's table nat (IPv4)" "$(lines NAT)"
