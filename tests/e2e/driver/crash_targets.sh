# SPDX-License-Identifier: GPL-2.0-only
# Changes of what the kernel executes for BPF, killed anywhere: one of the tables is in force, and
# the kernel's own has the targets of that one and nothing else.
. "$(dirname "$0")/crash.sh"

ping_table dropping DROP
ping_table accepting ACCEPT
ping_table dropping-logged DROP '-A INPUT -p icmp -j NFLOG --nflog-group 9'
ping_table accepting-logged ACCEPT '-A INPUT -p icmp -j NFLOG --nflog-group 9'
ping_table dropping-rejected REJECT
ping_table dropping-kernels DROP '-A FORWARD -m string --algo bm --string x -j DROP'

# The kernel's own table, generations by the name N: of each, as it was when all went well.
kernels_own() {
	in_host iptables-legacy-save -t filter | sed '/^#/d; s/\[.*//; s/ipv4-[0-9]*/N/; s/\(run\|targets\|target\)-[0-9]*/\1-N/g'
}

declare -A own
for table in dropping-kernels dropping accepting dropping-rejected accepting-logged dropping-logged; do
	restore $table || fail "cannot restore $table"
	own[$table]=$(kernels_own)
done
"$programs/ubpfilter" status | grep -q executed || skip "the kernel executes nothing for BPF"

check_more() { # WHAT TABLE
	equal "$1: the kernel's own table" "${own[$2]}" "$(kernels_own)"
}

# Of thousands of calls, most load programs: those that change what is there.
only="setsockopt|rename|unlink"
learn dropping accepting-logged dropping-logged dropping-rejected dropping-kernels accepting
crash driver dropping dropping-logged
crash driver dropping-logged accepting-logged
crash driver dropping-logged dropping-rejected
crash driver dropping-rejected dropping
crash driver dropping-kernels dropping-rejected
crash driver dropping-rejected dropping-kernels
crash driver accepting accepting-logged
crash supervisor dropping-logged dropping-rejected
