# SPDX-License-Identifier: GPL-2.0-only
# A REPLACE that is killed anywhere leaves the old table with its counters, or the new one.
. "$(dirname "$0")/crash.sh"

ping_table dropping DROP
echo '*filter
:other - [0:0]
-A INPUT -s 10.99.0.2 -p icmp -j other
-A other -j ACCEPT
COMMIT' >"$scratch/accepting"

learn dropping accepting
crash driver dropping accepting
crash supervisor accepting dropping
