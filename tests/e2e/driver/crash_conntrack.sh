# SPDX-License-Identifier: GPL-2.0-only
# A REPLACE that is killed anywhere leaves conntrack awake with the table that needs it, and not
# with the other.
. "$(dirname "$0")/crash.sh"
command -v nft >/dev/null || skip "needs nft"

ping_table dropping DROP
echo '*filter
-A INPUT -s 10.99.0.2 -p icmp -j ACCEPT
-A INPUT -m state --state INVALID -j DROP
COMMIT' >"$scratch/accepting"

awake() { in_host nft list table ip ubpfilter >/dev/null 2>&1 && echo yes || echo no; }
check_more() { # WHAT TABLE
	equal "$1: conntrack is kept awake" "$([ "$2" = accepting ] && echo yes || echo no)" "$(awake)"
}

learn dropping accepting
crash driver dropping accepting
crash driver accepting dropping
