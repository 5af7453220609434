# SPDX-License-Identifier: GPL-2.0-only
# A hand-over to the kernel's ip_tables, and back, that is killed anywhere: one of the tables is in
# force, and whoever does not enforce it has no rules.
. "$(dirname "$0")/crash.sh"

ping_table dropping DROP
ping_table accepting ACCEPT
ping_table dropping-kernels DROP '-A FORWARD -m string --algo bm --string dropping -j DROP'
ping_table accepting-kernels ACCEPT '-A FORWARD -m string --algo bm --string accepting -j DROP'
ping_table dropping-kernels-other DROP ':first - [0:0]' \
	'-A first -m string --algo bm --string other -j DROP'

reason() { "$programs/ubpfilter" status | sed -n "s/; BPF drops early.*//; s/.*enforced by the kernel's ip_tables: //p"; }

# The kernel's own table: the table, or nothing.
check_more() { # WHAT TABLE
	local expected='*filter
:INPUT ACCEPT [n]
:FORWARD ACCEPT [n]
:OUTPUT ACCEPT [n]
COMMIT'
	local why=
	if [[ $2 == *kernels* ]]; then
		expected=$(shape "${zero[$2]}")
		why='filter/FORWARD rule 1: match "string" is not done in BPF: its text may be anywhere in a packet'
		[[ $2 == *other ]] && why=${why/FORWARD/first}
	fi
	equal "$1: the kernel's own table" "$expected" \
		"$(shape "$(in_host iptables-legacy-save -c | grep -v '^#')")"
	equal "$1: the reason" "$why" "$(reason)"
}

learn dropping accepting-kernels dropping-kernels dropping-kernels-other
crash driver dropping accepting-kernels
crash driver dropping dropping-kernels
crash driver accepting-kernels dropping
crash driver dropping-kernels dropping
crash driver dropping-kernels dropping-kernels-other
crash supervisor dropping dropping-kernels
crash supervisor dropping-kernels dropping
# From one table of the kernel's to another, what is in front must be the same one's; of two that
# are alike (iptables -Z), too.
only="setsockopt .*SO_SET_.*" behind=2
crash driver dropping-kernels accepting-kernels
crash driver dropping-kernels dropping-kernels
