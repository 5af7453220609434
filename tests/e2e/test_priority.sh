# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Our netfilter hooks stand before the kernel's own filter table, whoever came first.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

namespace earlier later both
on_bpf later iptables-legacy -S >/dev/null
if ! "$ubpfilter" status | grep -q "netfilter hooks"; then
	skip "before the kernel's filter table" "no programs at netfilter hooks here"
	exit
fi

count_in_kernel() { # NAMESPACE
	inside "$1" iptables-legacy -A INPUT -p udp --dport 7
}

count_in_kernel earlier
inside both nft -f - <<<"table inet other {
	chain c { type filter hook input priority filter - 1; }
}"
count_in_kernel both
for name in earlier later both; do
	on_bpf $name iptables-legacy -A INPUT -p udp --dport 7 -j DROP
done
count_in_kernel later
for name in earlier later both; do
	inside $name "$traffic" udp 127.0.0.1 7 3 >/dev/null
	equal "the kernel's table came $name: it sees nothing that BPF dropped" "3 0" \
		"$(counter $name iptables INPUT 1) $(inside $name iptables-legacy -L INPUT 1 -v -n -x | awk '{ print $1 }')"
done
