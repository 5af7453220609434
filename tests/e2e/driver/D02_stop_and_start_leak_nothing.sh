# SPDX-License-Identifier: GPL-2.0-only
# ROUNDS=1000 for the full length.
. "$(dirname "$0")/lib.sh"
rounds=${ROUNDS:-60}
namespaces

pins() { find "$UBPFILTER_RUNDIR/bpf" "$UBPFILTER_RUNDIR/netns" | sed 's/\(ipv[46].\)[0-9]*/\1N/' | sort; }
mounts() { grep -c " $UBPFILTER_RUNDIR/bpf " /proc/mounts; }
gone() { [ -z "$(supervisors)" ]; }

stop_and_list() { # ROUNDS
	local i
	for ((i = 0; i < $1; i++)); do
		ipt -S >"$scratch/now" || return 1
		control stop >/dev/null 2>&1
	done
}

ipt -A INPUT -s 10.1.1.1 -j DROP || fail "cannot add a rule"
rules=$(ipt -S)
before=$(pins)
stop_and_list "$rounds" || fail "a listing failed"
equal "rules after $rounds stops" "$rules" "$(ipt -S)"
equal "pins after $rounds stops" "$before" "$(pins)"
equal "mounts" 1 "$(mounts)"
equal "supervisors" 1 "$(supervisors | wc -l)"
equal "descriptors of the supervisor" "$(ls /proc/"$(supervisor)"/fd | wc -l)" \
	"$(for i in 1 2 3 4 5; do ipt -S >/dev/null; done; ls /proc/"$(supervisor)"/fd | wc -l)"
equal "zombies of the supervisor" 0 "$(zombies "$(supervisor)")"

# The same beside changes: each takes effect once, whatever happens around it.
changes() {
	local i
	for ((i = 0; i < rounds; i++)); do
		ipt -A INPUT -s 10.2.2.2 -j DROP || return 1
		ipt -D INPUT -s 10.2.2.2 -j DROP || return 1
	done
}
changes 2>"$scratch/changes" &
changes=$!
while kill -0 $changes 2>/dev/null; do
	stop_and_list 1 || fail "a listing failed beside changes"
done
wait $changes || fail "a change failed beside stops: $(cat "$scratch/changes")"
equal "rules after changes and stops" "$rules" "$(ipt -S)"
equal "pins after changes and stops" "$before" "$(pins)"
equal "mounts after changes and stops" 1 "$(mounts)"
ipt -S >/dev/null
last=$(driver)
control stop >/dev/null
until_true "the supervisor is gone" gone
until_true "its driver is gone" test ! -e "/proc/$last"
in_peer ping -q -c 1 -W 1 10.99.0.1 >/dev/null || fail "accepted traffic is lost"
echo "  $rounds rounds alone, $rounds changes beside stops"
