# SPDX-License-Identifier: GPL-2.0-only
. "$(dirname "$0")/lib.sh"
namespaces
serve
ipt -A INPUT -s 10.8.8.8 -j DROP || fail "cannot add a rule"
rules=$(ipt -S)
for size in 1 10 47 48 100 4096; do
	head -c $size /dev/urandom >"/proc/$(driver)/fd/0"
	ipt -S >/dev/null 2>&1 || ipt -S >/dev/null || fail "$size bytes: more than one request failed"
	equal "rules after $size bytes of garbage" "$rules" "$(ipt -S)"
done
