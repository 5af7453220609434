# SPDX-License-Identifier: GPL-2.0-only
. "$(dirname "$0")/lib.sh"
own_programs
namespaces
serve
ipt -A INPUT -s 10.7.7.7 -j DROP || fail "cannot add a rule"
rules=$(ipt -S)
echo garbage >"$programs/bpfilter_umh"
kill -9 "$(driver)"
equal "rules with an overwritten binary" "$rules" "$(ipt -S)"
rm "$programs/bpfilter_umh"
kill -9 "$(driver)"
equal "rules with a removed binary" "$rules" "$(ipt -S)"
