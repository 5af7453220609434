# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Large tables, as trees, by the usual commands: restored, listed, appended to, enforced, counted.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

rules=${LARGE_RULES:-10000}

blocklist() { # COUNT: hosts that nobody here has
	echo "*filter"
	printf ':%s ACCEPT [0:0]\n' INPUT FORWARD OUTPUT
	awk -v count="$1" 'BEGIN {
		for (i = 0; i < count; i++)
			printf "-A INPUT -s 198.%d.%d.%d/32 -j DROP\n", 18 + i / 65536, i / 256 % 256, i % 256
	}'
	echo COMMIT
}

milliseconds() { # COMMAND...
	local start
	start=$(date +%s%N)
	"$@" || echo "failed: $*" >&2
	echo $((($(date +%s%N) - start) / 1000000))
}

namespace left right
join left right
blocklist "$rules" >"$scratch/rules"

kernel=$(milliseconds inside right iptables-legacy-restore "$scratch/rules")
kernel_append=$(milliseconds inside right iptables-legacy -A INPUT -s 203.0.113.1 -j DROP)
inside right iptables-legacy -F
inside right "$ubpfilter" exec iptables-legacy -L -n >/dev/null
ours=$(milliseconds inside right "$ubpfilter" exec iptables-legacy-restore "$scratch/rules")
append=$(milliseconds inside right "$ubpfilter" exec iptables-legacy -A INPUT -s 203.0.113.1 -j DROP)
echo "restore of $rules rules: $ours ms, the kernel's own table $kernel ms"
echo "append: $append ms, the kernel's own table $kernel_append ms"

saved=$(inside right "$ubpfilter" exec iptables-legacy-save | grep -c -- '-j DROP')
equal "all rules are there" $((rules + 1)) "$saved"

succeeds "a packet that no rule names passes" inside left ping -c 1 -W 2 10.77.1.2
inside right "$ubpfilter" exec iptables-legacy -A INPUT -s 10.77.1.1 -p icmp -j DROP
lost=$(inside left ping -c 3 -i 0.2 -W 1 10.77.1.2 | grep -c '100% packet loss' || true)
equal "the last rule drops" 1 "$lost"
counted=$(inside right "$ubpfilter" exec iptables-legacy -nvxL INPUT | tail -n 1 | awk '{ print $1 }')
equal "the last rule counts" 3 "$counted"
