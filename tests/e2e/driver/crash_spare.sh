# SPDX-License-Identifier: GPL-2.0-only
# The same where the next table gets programs to spare: those of two tables ago.
. "$(dirname "$0")/crash.sh"

mapfile -t others < <(printf -- '-A INPUT -s 198.51.100.%d -p udp -j DROP\n' {1..120})
ping_table dropping DROP "${others[@]}"
ping_table accepting ACCEPT "${others[@]}"

learn dropping accepting
warm=2 # so many until a driver that is new has them
crash driver dropping accepting
grep -q BPF_PROG_LOAD "$scratch/points" && fail "programs were loaded, not taken from what was to spare"
grep -q BPF_OBJ_PIN "$scratch/points" || fail "nothing was pinned"
crash driver accepting dropping
