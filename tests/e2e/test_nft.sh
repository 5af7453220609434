# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Where `iptables` is the nf_tables variant, as Debian has it, the shim runs the legacy one instead.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

namespace a
# The names as the alternatives make them, whatever they point to on this machine.
mkdir "$scratch/bin"
nft=$(readlink -f "$(command -v iptables-nft)")
for name in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore \
	iptables-nft; do
	ln -s "$nft" "$scratch/bin/$name"
done
PATH=$scratch/bin:$PATH

contains "the plain command is nf_tables' here" "nf_tables" "$(iptables --version)"
for name in iptables ip6tables; do
	contains "$name becomes legacy" "legacy" "$(on_bpf a $name --version)"
	succeeds "$name -A" on_bpf a $name -A INPUT -p udp --dport 7 -j DROP
	contains "$name -S shows it" "^-A INPUT -p udp -m udp --dport 7 -j DROP" "$(on_bpf a $name -S)"
	contains "$name-save shows it" "^-A INPUT -p udp -m udp --dport 7 -j DROP" "$(on_bpf a $name-save)"
	succeeds "$name-restore" on_bpf a $name-restore <<<$'*filter\n-A INPUT -p 99\nCOMMIT'
	contains "$name -S shows what was restored" "^-A INPUT -p 99" "$(on_bpf a $name -S)"
done
contains "iptables-nft stays what it is" "nf_tables" "$(on_bpf a iptables-nft --version)"
equal "nothing of it is in nf_tables" "" "$(inside a "$scratch/bin/iptables-save" 2>/dev/null | grep DROP || true)"
