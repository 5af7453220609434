# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Rules belong to the network namespace of the command, whoever else has some.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

namespace a b peer
join a peer 1
join b peer 2
on_bpf a iptables-legacy -A INPUT -p icmp -j DROP
on_bpf b iptables-legacy -A INPUT -p udp -j DROP
on_bpf b ip6tables-legacy -P INPUT DROP

pings() { inside peer ping -q -c 2 -i 0.01 -W 0.3 "$1" >/dev/null; }

equal "a has its own rule only" "-A INPUT -p icmp -j DROP" "$(on_bpf a iptables-legacy -S INPUT | tail -n +2)"
equal "b has its own rule only" "-A INPUT -p udp -j DROP" "$(on_bpf b iptables-legacy -S INPUT | tail -n +2)"
equal "the families are apart" "-P INPUT ACCEPT" "$(on_bpf a ip6tables-legacy -S INPUT)"
equal "a namespace without rules has none" "-P INPUT ACCEPT" "$(on_bpf peer iptables-legacy -S INPUT)"
if pings 10.77.1.1; then failed "a drops pings"; else pass "a drops pings"; fi
succeeds "b answers pings" pings 10.77.2.1
succeeds "a answers IPv6 pings" pings fd77:1::1
if pings fd77:2::1; then failed "b drops IPv6 pings"; else pass "b drops IPv6 pings"; fi
equal "a's rule counts a's packets" 2 "$(counter a iptables INPUT 1)"
equal "b's rule counts b's packets" 0 "$(counter b iptables INPUT 1)"
equal "the kernel's own table is not used" "-P INPUT ACCEPT" "$(inside a iptables-legacy -S INPUT)"

# Tables other than filter are the kernel's, also under the shim.
on_bpf a iptables-legacy -t mangle -A PREROUTING -p 99 -j ACCEPT
contains "mangle goes to the kernel" "^-A PREROUTING -p 99" "$(inside a iptables-legacy -t mangle -S)"
contains "save shows both tables" "mangle.*filter|filter.*mangle" "$(on_bpf a iptables-legacy-save | grep '^\*' | tr '\n' ' ')"

# Each namespace numbers the others for itself. That x loses the one that it calls as the host calls
# a, is no news of a.
namespace x other
on_bpf x iptables-legacy -A INPUT -p 99 -j DROP
number=$(ip netns list | sed -n "s/^$tag-a (id: \([0-9]*\))/\1/p")
inside x ip netns set "$tag-other" "$number"
contains "x knows another namespace by a's number" "nsid $number " "$(inside x ip netns list-id)"
ip netns del "$tag-other"
lost() { ! inside x ip netns list-id | grep -q "nsid $number "; }
succeeds "and loses it" until_true lost
sleep 0.2 # for what must not happen
if pings 10.77.1.1; then failed "a drops pings still"; else pass "a drops pings still"; fi
equal "and has its rule" "-A INPUT -p icmp -j DROP" "$(on_bpf a iptables-legacy -S INPUT | tail -n +2)"
