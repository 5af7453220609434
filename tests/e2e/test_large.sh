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

# Each of 1,000 chains jumps three times to one of 300 rules: a million, if it were repeated there.
chains() {
	echo "*filter"
	printf ':%s ACCEPT [0:0]\n' INPUT FORWARD OUTPUT
	awk 'BEGIN {
		print ":SHARED - [0:0]"
		for (i = 0; i < 1000; i++)
			printf ":C%d - [0:0]\n", i
		for (i = 0; i < 1000; i++) {
			printf "-A INPUT -s 10.%d.%d.0/24 -j C%d\n", 77 + i / 256, i % 256, i
			for (j = 0; j < 3; j++)
				printf "-A C%d -j SHARED\n", i
		}
		for (i = 0; i < 300; i++)
			printf "-A SHARED -p udp --dport %d -j RETURN\n", 1000 + i
		print "-A SHARED -p icmp -j DROP"
		print "-A INPUT -p udp --dport 1299 -j DROP"
	}'
	echo COMMIT
}

counted() { # CHAIN RULE
	inside right "$ubpfilter" exec iptables-legacy -nvxL "$1" "$2" | awk '{ print $1 }'
}

chains >"$scratch/chains"
took=$(milliseconds inside right "$ubpfilter" exec iptables-legacy-restore "$scratch/chains")
echo "restore of 1,000 chains: $took ms"
equal "1,000 chains that call one are BPF's" "(IPv4) BPF" "$(enforcers)"
lost=$(inside left ping -c 1 -W 1 10.77.1.2 | grep -c '100% packet loss' || true)
equal "a chain that is called drops" 1 "$lost"
inside left bash -c 'echo >/dev/udp/10.77.1.2/1299'
equal "a chain that is called counts each time" 3 "$(counted SHARED 300)"
equal "the rule behind the chains counts" 1 "$(counted INPUT 1001)"
